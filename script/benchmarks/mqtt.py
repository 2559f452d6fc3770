"""From a door's movement to the message that a subscriber hears.

The real site process with the demo's broker, one cabinet on a paced line, and nothing else going
on. Doors move one after the other at any moment of the scan cycle. A door that opens by itself is
seen at rest, where the site polls slowly; one that is shut is seen while it is in use.
"""

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from firmware_bridge.debounce import SETTLE_S
from onewindow.broker import BrokerPlan, Login, command, write_configuration
from onewindow.layout import SITE_ID
from script.benchmarks.far_end import (
    ANSWER_BYTES,
    CHAR_S,
    DOORS,
    POLL_S,
    SILENCE_S,
    Cabinet,
    FarEnd,
)
from script.benchmarks.rows import Progress, Row
from script.benchmarks.running_site import (
    DISK,
    RunningSite,
    free_port,
    quantile,
    write_settings,
)

HOST: Final = "127.0.0.1"
MOVES: Final = 200  # half of them open, half of them shut
FIRST_MOVES: Final = 4  # a process does everything slower the first time
AT_REST_S: Final = 0.13  # the next door opens at any moment of the site's slow cycle
IN_USE_S: Final = 0.06  # and is shut at any moment of its quick one
HEARD_S: Final = 5.0
CYCLE_S: Final = 2 * POLL_S  # doors, items
# From the moment at which a board looks at its inputs to the end of its answer.
SAID_S: Final = SILENCE_S + ANSWER_BYTES * CHAR_S


def floor_s(share: float) -> float:
    """The quantile of what no polling of doors and items in turn at this baud rate can beat.

    The door moves at any moment of a cycle; the first read that says so is answered; the read that
    confirms it is the first one of a later cycle that lies as far behind as the debounce wants.
    """
    cycles = -(-SETTLE_S // CYCLE_S)
    return share * CYCLE_S + SAID_S + cycles * CYCLE_S


@dataclass(frozen=True, slots=True)
class Heard:
    at: float
    state: str
    n: int


class Ear:
    """A subscriber to every door."""

    def __init__(self, port: int, login: Login) -> None:
        self.doors: dict[int, list[Heard]] = {no: [] for no in range(1, DOORS + 1)}
        self._news = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(login.username, login.password)
        topic = f"onewindow/{SITE_ID}/cabinet/A/+/door"
        self._client.on_message = self._hear
        self._client.connect(HOST, port)
        self._client.subscribe(topic, qos=1)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait(self, no: int, state: str, so_many: int) -> Heard | None:
        """The message after the first `so_many` of a door, None if it never came as it should."""
        heard = self.doors[no]
        with self._news:
            self._news.wait_for(lambda: len(heard) > so_many, HEARD_S)
        return heard[so_many] if len(heard) > so_many and heard[so_many].state == state else None

    def wait_all(self) -> None:
        """Every door is known."""
        with self._news:
            known = self._news.wait_for(lambda: all(map(_is_known, self.doors.values())), 30.0)
        assert known, "the site did not tell of every door"

    def _hear(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        at = time.monotonic()
        words = json.loads(message.payload)
        with self._news:
            heard = self.doors[int(message.topic.split("/")[4])]
            if not heard or words["n"] > heard[-1].n:  # what is retained may come twice, and late
                heard.append(Heard(at, words["state"], words["n"]))
            self._news.notify_all()


def _is_known(heard: Sequence[Heard]) -> bool:
    return bool(heard) and heard[-1].state == "closed"


@contextmanager
def _broker(folder: Path, logins: Mapping[str, Login]) -> Iterator[int]:
    port = free_port()
    config = folder / "broker.conf"
    plan = BrokerPlan(
        folder=folder / "broker",
        host=HOST,
        port=port,
        district=logins["district"],
        sites=(logins["site"],),
        viewer=logins["viewer"],
    )
    write_configuration(plan, config)
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen(command(config), stdout=log, stderr=log)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement of a door, and how long it took to be heard; None if it never was."""

    opened: bool
    taken_s: float | None


def _move_doors(cabinet: Cabinet, ear: Ear, progress: Progress) -> list[Moved]:
    chance = Random(1)  # noqa: S311 - the same run every time
    moved = []
    for number in range((FIRST_MOVES + MOVES) // 2):
        progress(f"door moved {2 * number} of {MOVES} times")
        no = number % DOORS + 1  # one that moves too often is taken for broken
        for shut, within_s in ((False, AT_REST_S), (True, IN_USE_S)):
            time.sleep(chance.uniform(0, within_s))
            so_many = len(ear.doors[no])
            at = time.monotonic()
            cabinet.shut[no - 1] = shut
            heard = ear.wait(no, "closed" if shut else "open", so_many)
            moved.append(Moved(not shut, heard.at - at if heard else None))
    return moved[FIRST_MOVES:]


def run(progress: Progress) -> list[Row]:
    """Rows of a door's way to a subscriber."""
    names = {"district": "district", "site": SITE_ID, "viewer": "viewer"}
    logins = {part: Login(name, os.urandom(16).hex()) for part, name in names.items()}
    cabinet = Cabinet(1, full=[False] * DOORS)
    with (
        tempfile.TemporaryDirectory(prefix="onewindow-", dir=DISK) as name,
        FarEnd([cabinet]) as far_end,
        _broker(Path(name), logins) as broker_port,
    ):
        site = logins["site"]
        mqtt = {"port": broker_port, "username": site.username, "password": site.password}
        config, port = write_settings(Path(name), far_end, {"A": 1}, mqtt=mqtt)
        with RunningSite(config, port) as running:
            ear = Ear(broker_port, logins["viewer"])
            ear.wait_all()
            moved = _move_doors(cabinet, ear, progress)
            progress("counting the idle site's work")
            cpu = _idle_cpu(running)
            ear.close()
        gaps = sum(_gaps(heard) for heard in ear.doors.values())
    return _rows(moved, gaps, cpu)


def _idle_cpu(site: RunningSite, seconds: float = 2.0) -> float:
    before = site.cpu_s()
    time.sleep(seconds)
    return (site.cpu_s() - before) / seconds


def _gaps(heard: Sequence[Heard]) -> int:
    """Changes of a door that no message told of."""
    return sum(after.n - before.n != 1 for before, after in pairwise(heard))


def _rows(moved: Sequence[Moved], gaps: int, idle_cpu: float) -> list[Row]:
    lost = sum(each.taken_s is None for each in moved) + gaps
    rows = []
    for name, opened, goals in (
        # In use: 15 ms between two scans belong to others on the line; a shut door is told with
        # what lies behind it, which is one read more; then a sync here and one at the broker.
        ("in_use", False, ("<= 1.5", "<= 2")),
        # At rest a scan comes every tenth of a second, to spare the processor: 126 ms, not 26.
        ("at_rest", True, ("<= 2.25", "<= 2.75")),
    ):
        taken = [each.taken_s for each in moved if each.opened is opened and each.taken_s]
        detail = {
            "floor": "two reads a cycle; the door moves at any moment of one; a second equal read"
            f" at least {SETTLE_S * 1000:.0f} ms after the first",
            "moves": len(taken),
            "idle_site_processor_share": round(idle_cpu, 3),
        }
        for share, goal in zip((0.5, 0.99), goals, strict=True):
            value, floor = quantile(taken, share), floor_s(share)
            figures = {"ms": round(value * 1000, 1), "floor_ms": round(floor * 1000, 1), **detail}
            quantity = f"mqtt.door_{name}.p{share * 100:.0f}"
            rows.append(Row(quantity, round(value / floor, 3), "of the floor", goal, figures))
    return [*rows, Row("mqtt.lost", lost, "movements", "== 0", {"moves": len(moved)})]
