"""Backups while the site runs, and their way back: one file, checked, and nothing beside it."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controller.clock import ManualClock
from controller.journal import Stream
from controller.site.schema import journal
from controller.store import Store, StoreRefused, open_store
from onewindow.backups import backup_command, restore_command
from onewindow.demo_settings import site_toml
from onewindow.layout import Folders, Ports
from onewindow.migrate import upgrade
from onewindow.settings_file import load_site

CLOCK = ManualClock(datetime(2026, 11, 24, tzinfo=UTC))
SITE = "FT-0001"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "onewindow", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    secrets = dict.fromkeys(("link_key", "code_key", "typed_salt", "mqtt_site"), "ab" * 32)
    path = tmp_path / "site.toml"
    path.write_text(site_toml(Ports(1, 2, 3, 4, 5), Folders(tmp_path), secrets, "en"))
    return path


@pytest.fixture
def database(config: Path) -> Path:
    return load_site(config).site.database


@contextlib.contextmanager
def site(database: Path) -> Iterator[Store]:
    with open_store(database, journal, CLOCK) as store:
        upgrade(store, "site")
        yield store


def write(store: Store, count: int) -> None:
    for _ in range(count):
        with store.write() as transaction:
            transaction.append(SITE, Stream.UP, "feedback.rated", {"stars": 5})


def entries(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as raw:
        return int(raw.execute("SELECT count(*) FROM journal").fetchone()[0])


def why(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as raw:
        return [row[0] for row in raw.execute("SELECT why FROM holds")]


def taken(config: Path, to: Path) -> Path:
    backup_command(config, to)
    return max(to.glob("*.db"))


def test_a_backup_of_a_running_site_is_one_whole_file_of_one_moment(config, database, tmp_path):
    with site(database) as store:
        write(store, 50)
        done = run("backup", "--config", config, "--to", tmp_path / "backups")
        assert done.returncode == 0, done.stderr
        backup = Path(done.stdout.splitlines()[0])
        write(store, 50)
    assert [each.name for each in backup.parent.iterdir()] == [backup.name]
    assert entries(backup) == 50
    done = run("journal", "verify", backup)
    assert f"{SITE} up: 50 entries, intact" in done.stdout


def test_a_restored_site_holds_and_what_was_there_is_kept(config, database, tmp_path):
    with site(database) as store:
        write(store, 5)
        backup = taken(config, tmp_path / "backups")
        write(store, 5)
    done = run("restore", "--config", config, "--from", backup)
    assert done.returncode == 0, done.stderr
    assert entries(database) == 5
    assert why(database) == ["restored"]
    kept = next(database.parent.glob("site-replaced-*.db"))
    assert str(kept) in done.stdout
    assert entries(kept) == 10


def test_a_newer_log_beside_the_database_does_not_come_back(config, database, tmp_path):
    with site(database) as store:
        write(store, 50)
        backup = taken(config, tmp_path / "backups")
        write(store, 50)
        shutil.copytree(database.parent, tmp_path / "pulled")
    # the plug was pulled: the newer entries are in the log alone
    for there in (tmp_path / "pulled").glob("site.db*"):
        shutil.copy(there, database.parent / there.name)
    assert database.with_name("site.db-wal").stat().st_size > 0
    restore_command(config, backup)
    assert not database.with_name("site.db-wal").exists()
    assert entries(database) == 50
    assert entries(next(database.parent.glob("site-replaced-*.db"))) == 100


def test_a_log_beside_the_backup_is_not_believed(config, database, tmp_path):
    with site(database) as store:
        write(store, 50)
        backup = taken(config, tmp_path / "backups")
    copied = tmp_path / "other.db"
    shutil.copy(backup, copied)
    with open_store(copied, journal, CLOCK) as store:
        write(store, 50)
        shutil.copy(f"{copied}-wal", f"{backup}-wal")
    restore_command(config, backup)
    assert entries(database) == 50


@pytest.mark.parametrize("flaw", ["other site", "changed", "newer", "damaged", "missing", "none"])
def test_what_cannot_be_restored_is_refused_and_changes_nothing(config, database, tmp_path, flaw):
    with site(database) as store:
        write(store, 20)
        backup = taken(config, tmp_path / "backups")
        write(store, 1)
    words = {
        "other site": "is of site XX-9, not of FT-0001",
        "changed": "journal up of FT-0001: entry",
        "newer": "does not know: restore it with a newer release",
        "damaged": "backups",
        "missing": "there is no backup",
        "none": "holds no journal",
    }[flaw]
    with contextlib.closing(sqlite3.connect(backup)) as raw, raw:
        raw.execute("DROP TRIGGER IF EXISTS journal_no_update")
        match flaw:
            case "other site":
                raw.execute("UPDATE journal SET site = 'XX-9'")
            case "changed":
                raw.create_function("change", 1, lambda body: body.replace(b"5", b"4"))
                raw.execute("UPDATE journal SET body = change(body) WHERE seq = 7")
            case "newer":
                raw.execute("UPDATE alembic_version SET version_num = '9999'")
            case "none":
                raw.execute("DROP TABLE journal")
    if flaw == "damaged":
        raw = bytearray(backup.read_bytes())
        raw[4096 : 3 * 4096] = bytes(2 * 4096)
        backup.write_bytes(raw)
    if flaw == "missing":
        backup.unlink()
    before = sorted(each.name for each in database.parent.iterdir())
    with pytest.raises(StoreRefused, match=words) as refused:
        restore_command(config, backup)
    assert "\n" not in str(refused.value)
    assert sorted(each.name for each in database.parent.iterdir()) == before
    assert entries(database) == 21


def test_a_running_sites_database_is_not_replaced(config, database, tmp_path):
    with site(database) as store:
        write(store, 1)
        backup = taken(config, tmp_path / "backups")
        with pytest.raises(StoreRefused, match="in use by another process"):
            restore_command(config, backup)
