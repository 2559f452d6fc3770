"""`onewindow bus` as an installer types it, against the simulator's own process on a real pty."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from stage import free_ports, until

from onewindow.cli import main

ONEWINDOW = [sys.executable, "-m", "onewindow"]
BAUD = 115_200
KEY = "00" * 16


class Hall:
    """Two cabinets on one line, and a hand for their doors."""

    def __init__(self, folder: Path, port: int) -> None:
        self.line = f"modbus+rtu://{folder}/L1?baud={BAUD}"
        self.relays = f"{self.line}&unit=1&profile=waveshare-relay-8"
        self.mixed = f"{self.line}&unit=5&profile=waveshare-relay-d-8"
        self.config = folder / "site.toml"
        self.touched: set[str] = set()
        self.state = f"http://127.0.0.1:{port}/api/sim"
        self.http = httpx.Client(base_url=self.state, trust_env=False)

    def act(self, door: str, act: str) -> None:
        self.touched.add(door)
        assert self.http.post(f"/doors/{door}/{act}").is_success

    def pull(self, door: str) -> bool:
        """Whether it came open: the bolt must be free first."""
        self.touched.add(door)
        return self.http.post(f"/doors/{door}/pull").is_success

    def door(self, door: str) -> dict[str, Any]:
        letter, no = door.split("/")
        cabinets = self.http.get(self.state).json()["cabinets"]
        return dict(cabinets[letter]["doors"][no])

    @contextmanager
    def trouble(self, **faults: Any) -> Iterator[None]:
        assert self.http.post("/faults", json={"line": "L1"} | faults).is_success
        yield
        assert self.http.post("/faults", json={"line": "L1"}).is_success

    def up(self) -> bool:
        try:
            return self.http.get(self.state).is_success
        except httpx.TransportError:
            return False


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    folder, port = tmp_path_factory.mktemp("hall"), free_ports(1)
    hall = Hall(folder, port)
    compartments = "".join(
        f'[[compartment]]\ncabinet = "{letter}"\nno = {no}\nsize = "S"\nheight_cm = 100\n'
        for letter in "AB"
        for no in range(1, 9)
    )
    hall.config.write_text(
        '[site]\nid = "FT-0001"\nname = "n"\naddress = "a"\ndata = "data"\n'
        f'[link]\nkey = "{KEY}"\ncode_key = "{KEY}"\ntyped_salt = "{KEY}"\n'
        f'[[line]]\nname = "L1"\nurl = "{hall.line}"\n'
        f'[[cabinet]]\nletter = "A"\nboards = ["{hall.relays}"]\n'
        f'[[cabinet]]\nletter = "B"\nboards = ["{hall.mixed}"]\n{compartments}',
        encoding="utf-8",
    )
    command = [*ONEWINDOW, "simulate", "--config", str(hall.config), "--port", str(port)]
    with hall.http, subprocess.Popen(command) as simulator:
        try:
            until(hall.up, "the simulator")
            yield hall
        finally:
            simulator.terminate()


@pytest.fixture(autouse=True)
def all_well(hall: Hall) -> Iterator[None]:
    yield
    for door in hall.touched:
        hall.http.post(f"/doors/{door}/free")  # 409 where nothing is wrong
        hall.http.post(f"/doors/{door}/close")
    hall.touched.clear()


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Bus = Callable[..., Done]


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


def started(*arguments: str, **more: int) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*ONEWINDOW, "bus", *arguments], text=True, **(pipes | more))


def one_line(done: Done, code: int) -> str:
    """What it says where it fails."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    [line] = done.stderr.splitlines()
    return line


def test_a_scan_finds_the_boards_and_their_profiles(bus: Bus, hall: Hall):
    done = bus("scan", hall.line, "--units", "1-6", "--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["unit"], each["profiles"]) for each in found] == [
        (1, ["waveshare-relay-8"]),
        (2, []),
        (3, []),
        (5, ["waveshare-relay-d-8"]),
    ]
    assert {(each["baud"], each["says"]) for each in found} == {(BAUD, "version 2.00")}


def test_a_scan_for_people_is_a_table(bus: Bus, hall: Hall):
    done = bus("scan", hall.line, "--units", "5,6")
    assert (done.returncode, done.stderr) == (0, "")
    assert "waveshare-relay-d-8" in done.stdout
    assert "115200" in done.stdout


def test_a_scan_that_finds_nobody_says_what_to_look_at(bus: Bus, hall: Hall):
    assert "nobody answers" in one_line(bus("scan", hall.line, "--units", "99"), 1)


def test_ctrl_c_ends_a_scan_with_what_was_found(hall: Hall):
    with started("scan", hall.line, "--units", "5-247", "--json") as scanning:
        assert scanning.stdout is not None
        assert json.loads(scanning.stdout.readline())["unit"] == 5
        scanning.send_signal(signal.SIGINT)
        _, said = scanning.communicate(timeout=30)
    assert (scanning.returncode, said) == (1, "ended\n")


def test_a_board_is_read_as_a_table_and_as_json(bus: Bus, hall: Hall):
    done = bus("read", hall.relays)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("closed") == 8
    rows = json.loads(bus("read", hall.mixed, "--json").stdout)
    assert rows[2] == {"door": 3, "state": "closed", "item": "unknown"}


def test_an_opened_door_is_named(hall: Hall):
    with started("open", hall.relays, "3", "--yes") as opening:
        until(lambda: hall.pull("A/3"), "a free bolt")
        out, err = opening.communicate(timeout=30)
    assert (opening.returncode, out, err) == (0, "door 3 opened\n", "")


def test_a_door_that_opens_in_place_of_the_one_asked_for_is_named(hall: Hall):
    """As with swapped wires: door 2 is asked for and stays shut, door 7 swings open."""
    with started("open", hall.mixed, "2", "--yes") as opening:
        until(lambda: hall.door("B/2")["unlocked"], "a free bolt")
        hall.act("B/7", "force")
        out, err = opening.communicate(timeout=30)
    assert (opening.returncode, out) == (1, "")
    assert err.startswith("door 7 opened, not door 2")


def test_a_door_that_stays_shut_is_a_failure(bus: Bus, hall: Hall):
    hall.act("A/4", "jam")
    done = bus("open", hall.relays, "4", "--yes", "--wait", "0.5")
    assert "no door moved" in one_line(done, 1)


def test_nothing_moves_unless_somebody_agrees(bus: Bus, hall: Hall):
    assert "--yes" in one_line(bus("open", hall.relays, "5"), 2)
    assert "1 to 8" in one_line(bus("open", hall.relays, "9", "--yes"), 2)
    ours, theirs = pty.openpty()
    with started("open", hall.relays, "5", stdin=theirs) as opening:
        assert opening.stderr is not None
        select.select([opening.stderr], [], [], 30)
        os.write(ours, b"n\n")
        out, err = opening.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert (opening.returncode, out.strip()) == (1, "")
    assert "Door 5 will be unlocked" in err
    assert not hall.pull("A/5")


def test_watching_tells_each_change_and_ends_by_ctrl_c(hall: Hall):
    with started("watch", hall.mixed, "--json") as watching:
        assert watching.stdout is not None
        first = [json.loads(watching.stdout.readline()) for _ in range(8)]
        assert [(each["door"], each["was"], each["now"]) for each in first] == [
            (door, "", "closed") for door in range(1, 9)
        ]
        hall.act("B/6", "force")
        change = json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=30)
    assert change == {"door": 6, "what": "door", "was": "closed", "now": "open"}
    assert (watching.returncode, err) == (0, "")


def test_a_line_in_use_is_one_clear_line(bus: Bus, hall: Hall):
    with started("watch", hall.mixed, "--json") as watching:
        assert watching.stdout is not None
        watching.stdout.readline()
        line = one_line(bus("read", hall.relays), 1)
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=30)
    assert "is taken: another program has it open" in line


def test_a_good_board_is_called_good(bus: Bus, hall: Hall):
    done = bus("check", hall.mixed, "--reads", "5")
    assert (done.returncode, done.stderr) == (0, "")
    assert "none found" in done.stdout


def test_an_adapter_that_echoes_is_called_bad(bus: Bus, hall: Hall):
    with hall.trouble(echo=True):
        done = bus("check", hall.relays, "--reads", "5", "--json")
    assert [each["flaw"] for each in json.loads(done.stdout)["findings"]] == ["echo"]
    assert "echo off" in one_line(done, 1)


def test_a_walk_leads_through_all_doors_and_writes_what_moved(hall: Hall, tmp_path: Path):
    config = tmp_path / "site.toml"
    whole = hall.config.read_text(encoding="utf-8")
    head, *compartments = whole.split("[[compartment]]")
    config.write_text("[[compartment]]".join([head, compartments[0], compartments[8]]))
    ours, theirs = pty.openpty()
    with started("walk", "--config", str(config), stdin=theirs) as walking:
        os.write(ours, b"\n")
        until(lambda: hall.pull("A/1"), "a free bolt")
        os.write(ours, b"\n")
        until(lambda: hall.pull("B/1"), "a free bolt")
        out, err = walking.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert (walking.returncode, err) == (0, "")
    assert "passed: 2 doors" in out
    told = json.loads((tmp_path / "site.walk.json").read_text(encoding="utf-8"))
    assert (told["site"], told["passed"], told["problems"]) == ("FT-0001", True, [])
    assert [(each["moved"], each["polarity"]) for each in told["doors"]] == [
        ([{"cabinet": letter, "door": 1}], "right") for letter in "AB"
    ]


def test_a_walk_refuses_two_boards_on_one_address_before_anything_moves(hall: Hall, tmp_path: Path):
    config = tmp_path / "site.toml"
    whole = hall.config.read_text(encoding="utf-8")
    config.write_text(whole.replace("unit=5&", "unit=2&"), encoding="utf-8")
    ours, theirs = pty.openpty()
    with started("walk", "--config", str(config), stdin=theirs) as walking:
        _, err = walking.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert walking.returncode == 1
    assert err.startswith("not passed: A1 and B1 are both at 2 of ")
    assert json.loads((tmp_path / "site.walk.json").read_text(encoding="utf-8"))["doors"] == []


def test_a_walk_needs_a_person(bus: Bus, hall: Hall):
    assert "needs a person" in one_line(bus("walk", "--config", str(hall.config)), 2)


def test_watching_on_a_terminal_is_a_table(hall: Hall):
    ours, theirs = pty.openpty()
    with started("watch", hall.mixed, stdout=theirs) as watching:
        shown = ""
        while "closed" not in shown:
            shown += os.read(ours, 4096).decode(errors="replace")
        watching.send_signal(signal.SIGINT)
        until(lambda: drained(ours, watching), "the end")
    os.close(theirs)
    os.close(ours)
    assert watching.returncode == 0
    assert "door" in shown


def drained(terminal: int, process: subprocess.Popen[str]) -> bool:
    """A terminal that nobody reads holds its writer up."""
    if select.select([terminal], [], [], 0)[0]:
        os.read(terminal, 4096)
    return process.poll() is not None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("read", "modbus+rtu:///dev/ttyX?unit=1"), "profile is missing"),
        (("read", "modbus+tcp://127.0.0.1?unit=1&profile=no-such"), "no-such is not known"),
        (("scan", "scanner+serial:///dev/ttyX"), "only lines of lock boards"),
        (("scan", "modbus+rtu:///dev/ttyX", "--units", "0-3"), "1 to 247"),
        (("scan", "modbus+rtu:///dev/ttyX", "--units", "a"), "no address"),
        (("profiles", "--profiles", "nowhere"), "no such folder"),
    ],
)
def test_wrong_use_is_one_line(bus: Bus, arguments: tuple[str, ...], words: str):
    assert words in one_line(bus(*arguments), 2)


def test_a_device_that_is_not_there_is_one_line(bus: Bus):
    done = bus("read", "modbus+rtu:///dev/ttyNONE?unit=1&profile=waveshare-relay-8")
    assert "cannot be opened" in one_line(done, 1)


def test_profiles_come_with_their_source(bus: Bus, tmp_path: Path):
    (tmp_path / "mine.toml").write_text(
        "[profile.mine]\ndoors = 4\n"
        'pulse = { fc = 5, address = 0x0200, value = "ms/100", ms = 400 }\ndoor = { fc = 2 }\n'
    )
    rows = json.loads(bus("profiles", "--profiles", str(tmp_path), "--json").stdout)
    sources = {row["profile"]: row["source"] for row in rows}
    assert sources["mine"] == str(tmp_path / "mine.toml")
    assert sources["waveshare-relay-32"].startswith("built in")
    assert "waveshare-relay-d-8" in bus("profiles").stdout
