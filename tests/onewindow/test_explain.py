"""`onewindow explain` beside a journal that real rules wrote."""

import sys
from pathlib import Path

import pytest

from controller.clock import ManualClock
from controller.entries import Up
from controller.journal import Stream
from controller.site import schema
from controller.store import open_store
from onewindow.cli import main
from tests.controller.story_cases import CASES, MORNING, ORDER


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A site's database whose journal tells of one collected order."""
    path = tmp_path / "site.db"
    life = CASES["collected, as the sensor says"]()
    with open_store(path, schema.journal, ManualClock(MORNING)) as store:
        with store.write() as transaction:
            schema.metadata.create_all(transaction.connection)
        with store.write() as transaction:
            for entry in (*life.down_entries, *life.up_entries):
                transaction.append("FT-0001", entry.stream, entry.kind, entry.data)
            transaction.append("FT-0002", Stream.UP, Up.DOOR_CLOSED, {"where": "A/7", "n": 1})
    return path


def explain(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["onewindow", "explain", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_an_order_is_told_from_first_to_last_with_numbers(
    db: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert explain(monkeypatch, "order", ORDER, "--db", str(db), "--lang", "en") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "FT-0001"
    assert "down 1" in lines[1]
    assert "The district placed the order of 某某科技有限公司: seal set." in lines[1]
    assert "up 12" in lines[-3]
    assert "The seal set was collected from A07" in lines[-3]
    assert lines[-1].strip() == "Seal set: collected."


def test_a_door_is_told_at_every_site_that_has_it_or_at_the_one_named(
    db: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert explain(monkeypatch, "door", "A/07", "--db", str(db)) == 0
    assert "FT-0002" in capsys.readouterr().out
    assert explain(monkeypatch, "door", "A/7", "--db", str(db), "--site", "FT-0001") == 0
    out = capsys.readouterr().out
    assert "FT-0002" not in out
    assert "A07号门：关着" in out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("order", "N9"), 1, "no entry in {db} tells of order N9"),
        (("door", "A/9"), 1, "no entry in {db} tells of door A/9"),
        (("door", "A7"), 2, "a door is written like A/7"),
        (("door", "A/7", "--site", "X"), 1, "the journal knows no site X, but FT-0001, FT-0002"),
    ],
)
def test_what_cannot_be_told_is_said_in_one_line(
    db: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    says: str,
):
    assert explain(monkeypatch, *arguments, "--db", str(db)) == code
    said = capsys.readouterr().err
    assert says.format(db=db) in said
    assert said.count("\n") == 1


def test_a_file_without_a_journal_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "x.db").write_bytes(b"not a database, but long enough to look at" * 99)
    assert explain(monkeypatch, "order", "N1", "--db", str(tmp_path / "x.db")) == 1
    assert "holds no journal" in capsys.readouterr().err
