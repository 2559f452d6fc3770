"""A hall of simulated boards, and `onewindow bus` in this process."""

import sys
from collections.abc import Iterator

import pytest
from stage import free_ports

from onewindow.cli import main
from tests.onewindow.bus_hall import Bus, Done, Hall, standing


@pytest.fixture(scope="session")
def standing_hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with standing(tmp_path_factory.mktemp("hall"), free_ports(3)) as hall:
        yield hall


@pytest.fixture
def hall(standing_hall: Hall) -> Iterator[Hall]:
    """All doors are shut and sound again afterwards."""
    yield standing_hall
    for door in standing_hall.touched:
        standing_hall.http.post(f"/doors/{door}/free")  # 409 where nothing is wrong
        standing_hall.http.post(f"/doors/{door}/close")
    standing_hall.touched.clear()


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
