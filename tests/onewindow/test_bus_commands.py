"""`onewindow bus` as an installer types it, against the simulator's own process on a real pty."""

import json
import os
import pty
import select
import signal
import subprocess
from pathlib import Path

import pytest
from stage import until

from tests.onewindow.bus_hall import BAUD, Bus, Hall, one_line, started


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
    config = hall.write_site(tmp_path / "site.toml", "A/1 B/1")
    ours, theirs = pty.openpty()
    with started("walk", "--config", str(config), stdin=theirs) as walking:
        for door in ("A/1", "B/1"):
            os.write(ours, b"\n")
            until(lambda door=door: hall.pull(door), "a free bolt")
            assert walking.stdout is not None
            while "shut it again" not in walking.stdout.readline():
                pass
            hall.act(door, "close")
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
    assert all(each["shut"] for each in told["doors"])


def test_a_walk_refuses_two_boards_on_one_address_before_anything_moves(hall: Hall, tmp_path: Path):
    second = hall.mixed.replace("unit=5&", "unit=2&")
    config = hall.write_site(tmp_path / "site.toml", "A/1 B/1", B=second)
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


def test_a_sensor_is_read_as_a_table_and_as_json(bus: Bus, hall: Hall):
    done = bus("read", hall.air)
    assert (done.returncode, done.stderr) == (0, "")
    assert "temperature_c" in done.stdout
    measures = json.loads(bus("read", hall.air, "--json").stdout)
    assert [each["measure"] for each in measures] == ["temperature_c", "humidity_percent"]
    assert all(isinstance(each["value"], float) for each in measures)
    assert "mains" in bus("read", hall.contacts).stdout
    contacts = json.loads(bus("read", hall.contacts, "--json").stdout)
    assert {"contact": "mains", "well": True} in contacts


def test_a_sensor_s_contact_is_watched(bus: Bus, hall: Hall):
    many = len(json.loads(bus("read", hall.contacts, "--json").stdout))
    with started("watch", hall.contacts, "--json") as watching:
        assert watching.stdout is not None
        first = [json.loads(watching.stdout.readline()) for _ in range(many)]
        assert {each["contact"]: each["well"] for each in first}["tamper"]
        assert hall.http.post("/environment", json={"tamper": True}).is_success
        change = json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=30)
    assert hall.http.post("/environment", json={"tamper": False}).is_success
    assert change == {"contact": "tamper", "well": False}
    assert (watching.returncode, err) == (0, "")


@pytest.mark.parametrize("command", [("open", "1", "--yes"), ("check",)])
def test_what_is_for_doors_says_that_a_sensor_has_none(
    bus: Bus, hall: Hall, command: tuple[str, ...]
):
    name, *more = command
    assert "is a sensor: read and watch are for it" in one_line(bus(name, hall.air, *more), 2)


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
    kinds = {row["profile"]: row["kind"] for row in rows}
    assert (kinds["mine"], kinds["xy-md02"]) == ("lock board", "sensor")
    assert "sensor" in bus("profiles").stdout
    assert "waveshare-relay-d-8" in bus("profiles").stdout
