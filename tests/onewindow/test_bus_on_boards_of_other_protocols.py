"""`onewindow bus` on Kerong and 8A/80 boards, on a tty and behind a device server."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from stage import until

from tests.onewindow.bus_hall import Bus, Hall, one_line, started

ON_TTYS = {"C": "K1", "E": "X1"}  # cabinets and their lines
BOARDS = [*ON_TTYS, "G", "H"]
HAS_ITEMS = {"C", "G"}

every_board = pytest.mark.parametrize("cabinet", BOARDS)
on_ttys = pytest.mark.parametrize("cabinet", ON_TTYS)


@contextmanager
def hand(hall: Hall, door: str) -> Iterator[None]:
    """Somebody pulls at a door until it comes."""
    pulling = threading.Thread(target=until, args=(lambda: hall.pull(door), f"{door} free"))
    pulling.start()
    yield
    pulling.join()


@pytest.mark.parametrize(
    ("line", "query", "units", "found"),
    [
        ("K1", "?baud=19200", "0-4", [0, 3]),
        ("X1", "?baud=9600", "1-5", [1, 4]),
        ("K2", "?variant=cu48", "0-1", [0]),
        ("X2", "", "1-2", [1]),
    ],
)
def test_a_scan_finds_them(bus: Bus, hall: Hall, line: str, query: str, units: str, found: list):
    done = bus("scan", hall.lines[line] + query, "--units", units, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = [json.loads(each) for each in done.stdout.splitlines()]
    assert [each["unit"] for each in told] == found
    assert {each["says"] for each in told} <= {"a Kerong board", "an 8A/80 board"}


def test_a_scan_of_all_speeds_finds_a_board_at_its_own_alone(bus: Bus, hall: Hall):
    done = bus("scan", hall.lines["K1"], "--units", "0", "--json")
    assert [json.loads(each)["baud"] for each in done.stdout.splitlines()] == [19_200]


@every_board
def test_they_are_read(bus: Bus, hall: Hall, cabinet: str):
    hall.act(f"{cabinet}/6", "force")
    rows = []

    def seen() -> list[int]:
        rows[:] = json.loads(bus("read", hall.boards[cabinet], "--json").stdout)
        return [row["door"] for row in rows if row["state"] == "open"]

    until(lambda: seen() == [6], "an open door")  # a switch needs a moment
    item = "absent" if cabinet in HAS_ITEMS else "unknown"
    assert {row["item"] for row in rows} == {item}


@pytest.mark.parametrize("cabinet", ["C", "H"])
def test_a_door_is_opened(bus: Bus, hall: Hall, cabinet: str):
    with hand(hall, f"{cabinet}/3"):
        done = bus("open", hall.boards[cabinet], "3", "--yes")
    assert (done.returncode, done.stdout, done.stderr) == (0, "door 3 opened\n", "")


@on_ttys
def test_swapped_wires_are_found_by_the_door_that_moves(bus: Bus, hall: Hall, cabinet: str):
    with hall.door_trouble(f"{cabinet}/3", crosswired=5), hand(hall, f"{cabinet}/3"):
        done = bus("open", hall.boards[cabinet], "3", "--yes")
    assert one_line(done, 1).startswith("door 5 opened, not door 3")


@pytest.mark.parametrize("cabinet", ["E", "G"])
def test_a_good_one_has_a_sheet_without_flaws(bus: Bus, hall: Hall, cabinet: str):
    done = bus("check", hall.boards[cabinet], "--reads", "4")
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("none found", "a closed door reads 1", "500 ms, ended by the board", "p99"):
        assert words in done.stdout


@on_ttys
def test_a_check_finds_what_is_wrong_with_them(bus: Bus, hall: Hall, cabinet: str):
    board, line = hall.boards[cabinet], ON_TTYS[cabinet]

    def flaws(reads: int) -> list[str]:
        done = bus("check", board, "--reads", str(reads), "--json")
        one_line(done, 1)
        return [f"{each['flaw']} {each['where']}" for each in json.loads(done.stdout)["findings"]]

    station = board.partition("=")[2][0]
    with hall.trouble(line, echo=True):
        assert flaws(2) == ["echo line"]
    with hall.trouble(line, collision=[int(station)]):
        assert flaws(10)[0] == f"address_used_twice unit {station}"  # a sum of one byte may pass
    with (
        hall.door_trouble(f"{cabinet}/2", floating=15),
        hall.door_trouble(f"{cabinet}/7", reversed=True),
    ):
        assert flaws(20) == ["flipping door 2", "open door 7"]
    with hall.door_trouble(cabinet, reversed=True):
        assert flaws(2) == ["open all doors"]
        good = bus("check", f"{board}&closed=0", "--reads", "2")
        assert (good.returncode, good.stderr) == (0, "")
        assert "a closed door reads 0" in good.stdout


def test_watching_tells_a_change(hall: Hall):
    with started("watch", hall.boards["H"], "--json") as watching:
        assert watching.stdout is not None
        rows = [json.loads(watching.stdout.readline()) for _ in range(8)]
        assert {row["now"] for row in rows} == {"closed"}
        hall.act("H/6", "force")
        told = (json.loads(line) for line in watching.stdout)
        assert next(row for row in told if row["what"] == "door")["door"] == 6
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=30)
    assert (watching.returncode, err) == (0, "")


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("kerong+serial:///dev/ttyX", "kerong+serial:///dev/ttyUSB0?baud=19200&address=0"),
        ("kerong+tcp://127.0.0.1:5000?board=1", "kerong+tcp://10.0.0.7:5000?address=0"),
        ("xorboard+serial:///dev/ttyX?board=99", "xorboard+serial:///dev/ttyUSB0?baud=9600&board"),
        ("xorboard+tcp://127.0.0.1?board=1", "xorboard+tcp://10.0.0.7:4196?board=1"),
        ("scanner+serial:///dev/ttyX", "is no lock board; like modbus+tcp://"),
        ("idcard+serial:///dev/ttyX", "is no lock board; like modbus+tcp://"),
    ],
)
def test_a_wrong_url_is_answered_with_a_right_one(bus: Bus, url: str, right: str):
    assert right in one_line(bus("read", url), 2)


@every_board
def test_a_device_that_is_not_there_is_one_line(bus: Bus, hall: Hall, cabinet: str):
    board = hall.boards[cabinet]
    if "serial" in board:
        done = bus("read", board.replace("1?", "NONE?"))
        assert "cannot be opened" in one_line(done, 1)
    else:
        port = board.rpartition(":")[2].partition("?")[0]
        done = bus("read", board.replace(port, "1"))
        assert "cannot be reached" in one_line(done, 1)
