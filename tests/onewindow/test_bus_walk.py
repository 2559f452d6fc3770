"""`onewindow bus walk`: what it finds, and what it leaves behind when it ends early."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from stage import until

from onewindow.walk_record import NotPassed, check_record
from tests.onewindow.bus_hall import Hall, started


class Person:
    """Somebody at the terminal of a walk."""

    def __init__(self, process: subprocess.Popen[str], keyboard: int) -> None:
        self.process = process
        self.keyboard = keyboard

    def press(self, keys: bytes) -> None:
        os.write(self.keyboard, keys)

    def reads_until(self, words: str) -> None:
        assert self.process.stdout is not None
        shown = ""
        while words not in shown:
            letter = self.process.stdout.read(1)
            assert letter, shown
            shown += letter

    def shuts(self, hall: Hall, *doors: str) -> None:
        """When asked to."""
        self.reads_until("shut it again")
        for door in doors:
            hall.act(door, "close")

    def ended(self) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=30)
        assert "Traceback" not in err
        return self.process.returncode, err


@contextmanager
def walking(config: Path, *options: str) -> Iterator[Person]:
    ours, theirs = pty.openpty()
    with started("walk", "--config", str(config), *options, stdin=theirs) as process:
        try:
            yield Person(process, ours)
        finally:
            process.kill()
    os.close(ours)
    os.close(theirs)


def record(config: Path) -> dict[str, Any]:
    return dict(json.loads(config.with_suffix(".walk.json").read_text(encoding="utf-8")))


def keeps_out_of_service(config: Path, why: str) -> bool:
    with pytest.raises(NotPassed, match=why):
        check_record(config)
    return True


def test_a_swapped_pair_is_found(hall: Hall, tmp_path: Path):
    config = hall.write_site(tmp_path / "site.toml", "C/1 C/2")
    with (
        hall.door_trouble("C/1", crosswired=2),
        hall.door_trouble("C/2", crosswired=1),
        walking(config) as person,
    ):
        for no in (1, 2):
            person.press(b"\n")
            until(lambda no=no: hall.pull(f"C/{no}"), "a free bolt")
            person.shuts(hall, f"C/{no}")
        code, err = person.ended()
    assert code == 1
    assert err.startswith("not passed: door C/2 moved when door C/1 was asked for (and 1 more")
    assert keeps_out_of_service(config, "door C/2 moved when door C/1 was asked for")


def test_two_doors_on_one_pulse_do_not_pass(hall: Hall, tmp_path: Path):
    config = hall.write_site(tmp_path / "site.toml", "H/1")
    with walking(config) as person:
        person.press(b"\n")
        until(lambda: hall.pull("H/1"), "a free bolt")
        hall.act("H/4", "force")  # its lock hangs on the same wires
        person.shuts(hall, "H/1", "H/4")
        code, err = person.ended()
    assert (code, err) == (1, "not passed: door H/1 and door H/4 are on one pulse\n")
    assert keeps_out_of_service(config, "on one pulse")


def test_a_door_that_is_not_shut_again_holds_the_walk_up_and_does_not_pass(
    hall: Hall, tmp_path: Path
):
    config = hall.write_site(tmp_path / "site.toml", "E/1 E/2")
    with walking(config, "--wait", "2") as person:
        person.press(b"\n")
        until(lambda: hall.pull("E/1"), "a free bolt")
        person.reads_until("E/1 does not read shut")
        person.press(b"\n")
        person.reads_until("E/1 does not read shut")
        person.press(b"s\n")
        person.reads_until("Enter unlocks E/2")
        person.press(b"s\n")
        code, err = person.ended()
    assert code == 1
    assert err.startswith("not passed: door E/1 was not seen to be shut again")
    assert keeps_out_of_service(config, "not seen to be shut again")


@pytest.mark.parametrize(("cabinet", "other"), [("C", "address=0"), ("E", "board=1")])
def test_two_boards_on_one_address_are_refused(
    hall: Hall, tmp_path: Path, cabinet: str, other: str
):
    twin = hall.boards[cabinet].replace("&doors=8", "&doors=4")
    config = hall.write_site(tmp_path / "site.toml", f"{cabinet}/1", Z=twin)
    with walking(config) as person:
        code, err = person.ended()
    assert code == 1
    assert err.startswith(f"not passed: {cabinet}1 and Z1 are both at {other[-1]} of ")
    assert hall.door(f"{cabinet}/1")["unlocked"] is False
    assert keeps_out_of_service(config, "are both at")


def passed_before(config: Path) -> None:
    config.with_suffix(".walk.json").write_text('{"passed": true, "problems": []}')
    check_record(config)


def test_ctrl_c_in_mid_walk_leaves_how_far_it_came(hall: Hall, tmp_path: Path):
    config = hall.write_site(tmp_path / "site.toml", "E/1 E/2 E/3")
    passed_before(config)
    with walking(config) as person:
        person.press(b"\n")
        until(lambda: hall.pull("E/1"), "a free bolt")
        person.shuts(hall, "E/1")
        person.reads_until("E/2")
        person.process.send_signal(signal.SIGINT)
        assert person.ended() == (1, "not passed: ended after 1 of 3 doors\n")
    assert [each["place"]["door"] for each in record(config)["doors"]] == [1]
    assert keeps_out_of_service(config, "ended after 1 of 3 doors")


def test_a_walk_that_is_killed_has_not_passed(hall: Hall, tmp_path: Path):
    config = hall.write_site(tmp_path / "site.toml", "E/1 E/2")
    passed_before(config)
    with walking(config) as person:
        person.press(b"s\n")
        person.reads_until("E/2")
    assert keeps_out_of_service(config, "ended after 1 of 2 doors")


def test_a_line_lost_in_mid_walk_leaves_how_far_it_came(hall: Hall, tmp_path: Path):
    config = hall.write_site(tmp_path / "site.toml", "C/1 C/2")
    link = Path(hall.kerong_line.partition("://")[2])
    with walking(config) as person:
        person.press(b"\n")
        until(lambda: hall.pull("C/1"), "a free bolt")
        person.shuts(hall, "C/1")
        person.reads_until("C/2")
        with hall.trouble("K1", usb_renumber=3.0):
            person.press(b"\n")
            code, err = person.ended()
        until(link.is_symlink, "the adapter")
    assert code == 1
    assert err.startswith("not passed: ended after 1 of 2 doors: C1: ")
    assert keeps_out_of_service(config, "ended after 1 of 2 doors: C1: ")


def test_a_site_whose_walk_did_not_end_does_not_go_into_service(hall: Hall, tmp_path: Path):
    config = hall.write_site(tmp_path / "site.toml", "C/1 C/2")
    config.with_suffix(".walk.json").write_text('{"passed": false, "problems": ["ended"]}')
    command = [sys.executable, "-m", "onewindow", "site", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "not in service: the walk found: ended. Mend it and walk again\n"
