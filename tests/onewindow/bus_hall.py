"""A hall of lock boards of every protocol, as an installer meets them: on real ttys and ports."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from stage import until

ONEWINDOW = [sys.executable, "-m", "onewindow"]
BAUD = 115_200
KEY = "00" * 16


class Hall:
    """Cabinets on lines of every protocol, and a hand for their doors."""

    def __init__(self, folder: Path, port: int) -> None:
        self.line = f"modbus+rtu://{folder}/L1?baud={BAUD}"
        self.relays = f"{self.line}&unit=1&profile=waveshare-relay-8"
        self.mixed = f"{self.line}&unit=5&profile=waveshare-relay-d-8"
        self.air = f"{self.line}&unit=9&profile=xy-md02"
        self.contacts = f"{self.line}&unit=10&profile=env-io-8"
        self.kerong_line = f"kerong+serial://{folder}/K1"
        self.xor_line = f"xorboard+serial://{folder}/X1"
        self.kerong_server = f"kerong+tcp://127.0.0.1:{port + 1}"
        self.xor_server = f"xorboard+tcp://127.0.0.1:{port + 2}"
        self.boards = {
            "A": self.relays,
            "B": self.mixed,
            "C": f"{self.kerong_line}?address=0&doors=8",
            "D": f"{self.kerong_line}?address=3&doors=8",
            "E": f"{self.xor_line}?board=1&doors=8",
            "F": f"{self.xor_line}?board=4&doors=8",
            "G": f"{self.kerong_server}?address=0&variant=cu48&doors=8",
            "H": f"{self.xor_server}?board=1&doors=8",
        }
        self.lines = {
            "L1": self.line,
            "K1": self.kerong_line,
            "X1": self.xor_line,
            "K2": self.kerong_server,
            "X2": self.xor_server,
        }
        self.config = folder / "site.toml"
        self.touched: set[str] = set()
        self.state = f"http://127.0.0.1:{port}/api/sim"
        self.http = httpx.Client(base_url=self.state, trust_env=False)

    def write_site(self, config: Path, doors: str, **boards: str) -> Path:
        """A site that has some of the doors, as `A/1 A/2 C/1`, and boards of other URLs."""
        places = [door.split("/") for door in doors.split()]
        known = {letter: self.boards[letter] for letter, _ in places} | boards
        text = (
            '[site]\nid = "FT-0001"\nname = "n"\naddress = "a"\ndata = "data"\n'
            f'[link]\nkey = "{KEY}"\ncode_key = "{KEY}"\ntyped_salt = "{KEY}"\n'
        )
        for name, url in self.lines.items():
            text += f'[[line]]\nname = "{name}"\nurl = "{url}"\n'
        for letter, url in known.items():
            text += f'[[cabinet]]\nletter = "{letter}"\nboards = ["{url}"]\n'
        for letter, no in places:
            text += f'[[compartment]]\ncabinet = "{letter}"\nno = {no}\n'
            text += 'size = "S"\nheight_cm = 100\n'
        config.write_text(text, encoding="utf-8")
        return config

    def act(self, door: str, act: str) -> None:
        self.touched.add(door)
        assert self.http.post(f"/doors/{door}/{act}").is_success

    def pull(self, door: str) -> bool:
        """Whether it is open: the bolt must be free first; a spring may be quicker than a hand."""
        self.touched.add(door)
        came = self.http.post(f"/doors/{door}/pull").is_success
        return came or bool(self.door(door)["open"])

    def locks(self, door: str) -> bool:
        """Shut it; a bolt that its coil held back is pulled once more and shut again."""
        if self.door(door)["unlocked"]:
            self.http.post(f"/doors/{door}/pull")
        self.http.post(f"/doors/{door}/close")
        now = self.door(door)
        return not (now["open"] or now["unlocked"])

    def door(self, door: str) -> dict[str, Any]:
        letter, no = door.split("/")
        cabinets = self.http.get(self.state).json()["cabinets"]
        return dict(cabinets[letter]["doors"][no])

    @contextmanager
    def trouble(self, line: str = "L1", **faults: Any) -> Iterator[None]:
        with self._trouble({"line": line}, faults):
            yield

    @contextmanager
    def door_trouble(self, door: str, **faults: Any) -> Iterator[None]:
        with self._trouble({"door": door}, faults):
            yield

    @contextmanager
    def _trouble(self, where: dict[str, str], faults: dict[str, Any]) -> Iterator[None]:
        assert self.http.post("/faults", json=where | faults).is_success
        try:
            yield
        finally:
            assert self.http.post("/faults", json=where).is_success

    def up(self) -> bool:
        try:
            return self.http.get(self.state).is_success
        except httpx.TransportError:
            return False


@contextmanager
def standing(folder: Path, port: int) -> Iterator[Hall]:
    """The simulator as a process of its own."""
    hall = Hall(folder, port)
    hall.write_site(
        hall.config, " ".join(f"{letter}/{no}" for letter in hall.boards for no in range(1, 9))
    )
    with hall.config.open("a", encoding="utf-8") as config:
        for name, url in (("air", hall.air), ("contacts", hall.contacts)):
            config.write(f'[[environment]]\nname = "{name}"\ncabinet = "A"\nurl = "{url}"\n')
    command = [*ONEWINDOW, "simulate", "--config", str(hall.config), "--port", str(port)]
    with hall.http, subprocess.Popen(command) as simulator:
        try:
            until(hall.up, "the simulator")
            yield hall
        finally:
            simulator.terminate()


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Bus = Callable[..., Done]


def started(*arguments: str, **more: int) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*ONEWINDOW, "bus", *arguments], text=True, **(pipes | more))


def one_line(done: Done, code: int) -> str:
    """What it says where it fails."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    [line] = done.stderr.splitlines()
    return line
