"""A hall of simulated boards, and `onewindow bus` in this process."""

import json
import sys
from collections.abc import Iterator

import pytest
from stage import free_ports, until

from onewindow.cli import main
from tests.onewindow.bus_hall import Bus, Done, Hall, standing


@pytest.fixture(scope="session")
def standing_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with standing(tmp_path_factory.mktemp("hall"), free_ports(3)) as hall:
        yield hall


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bus:
    """A command in this process: a start of Python for each would take most of the time."""

    def run_here(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["onewindow", "bus", *arguments])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run_here


@pytest.fixture
def hall(standing_hall: Hall, bus: Bus) -> Iterator[Hall]:
    """All doors are shut, locked and sound again afterwards, and their switches say so."""
    yield standing_hall
    touched = sorted(standing_hall.touched)
    for door in touched:
        standing_hall.http.post(f"/doors/{door}/free")  # 409 where nothing is wrong
        until(lambda door=door: standing_hall.locks(door), f"{door} locked")
    for board in {standing_hall.boards[door[0]] for door in touched}:
        until(lambda board=board: _all_closed(bus, board), f"switches of {board} closed")
    standing_hall.touched.clear()


def _all_closed(bus: Bus, board: str) -> bool:
    rows = json.loads(bus("read", board, "--json").stdout)
    return {row["state"] for row in rows} == {"closed"}
