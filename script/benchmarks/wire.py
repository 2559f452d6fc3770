"""Polls per second on a paced serial line, beside what its physics allow.

The far end is a process of its own behind a pty: eight input boards that answer at once, at 3.5
characters of silence, each byte taking its ten bits' time. It measures the silences itself.
"""

import asyncio
import contextlib
import os
import pty
import select
import statistics
import time
import tty
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final

from controller.clock import SystemClock
from firmware_bridge import modbus
from firmware_bridge.bus import Bus
from firmware_bridge.lines import open_line
from firmware_bridge.modbus_device import ModbusDevice
from firmware_bridge.open import timing_of
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import parse
from script.benchmarks.far_end import (
    BAUD,
    CHAR_S,
    POLL_S,
    REQUEST_BYTES,
    SILENCE_S,
    SPUN_S,
    go_first,
    sealed,
    wait_until,
)
from script.benchmarks.rows import Progress, Row

UNITS: Final = range(1, 9)
INPUTS: Final = 32
WINDOWS: Final = 10  # the best counts: what else the machine does is not the line's doing
WINDOW_S: Final = 0.6
WARM_UP_S: Final = 0.5
LIMIT_PER_S: Final = 1 / POLL_S


def boards(master: int, report: Connection) -> None:
    """Answer until the parent says that it is over, then report the silences that were heard."""
    answers = {unit: sealed(bytes([unit, 2, 4, unit, 0xFF, 0xFF, 0xFF])) for unit in UNITS}
    silences: list[float] = []
    ended_at = 0.0
    go_first()
    while True:
        ready, _, _ = select.select([master, report.fileno()], [], [])
        if report.fileno() in ready:
            break
        began_at = time.monotonic()  # a pty hands over at once what a wire takes its time for
        request = os.read(master, REQUEST_BYTES)
        if ended_at:
            silences.append(began_at - ended_at)
        while len(request) < REQUEST_BYTES:  # a busy system may hand it over in two pieces
            request += os.read(master, REQUEST_BYTES - len(request))
        assert sealed(request[:-2]) == request, request.hex(" ")
        answer = answers[request[0]]
        answered_at = began_at + REQUEST_BYTES * CHAR_S + SILENCE_S
        for n in range(len(answer)):
            wait_until(answered_at + (n + 1) * CHAR_S, SPUN_S)
            ended_at = time.monotonic()
            os.write(master, answer[n : n + 1])
    report.send(silences)


async def _poll(path: str) -> tuple[list[float], dict[str, float]]:
    """Ask the boards in turn: answers per second of each window, and the Bus' own figures."""
    url = parse(f"modbus+rtu://{path}?baud={BAUD}&unit=1&profile=waveshare-relay-32")
    clock = SystemClock()
    bus = Bus(url.place, timing_of(url), new_wire=modbus.RtuWire, clock=clock, opener=open_line)
    device = ModbusDevice("boards", bus)

    async def poll_for(seconds: float) -> float:
        began = time.monotonic()
        answered = 0
        while time.monotonic() - began < seconds:
            for unit in UNITS:
                body = await device.ask(modbus.read(unit, 2, 0, INPUTS), Urgency.POLL)
                assert len(modbus.bits_of(body, INPUTS)) == INPUTS
                answered += 1
        return answered / (time.monotonic() - began)

    await poll_for(WARM_UP_S)
    windows = [await poll_for(WINDOW_S) for _ in range(WINDOWS)]
    figures = bus.figures()
    bus.close()
    return windows, figures


def run(progress: Progress) -> list[Row]:
    """Rows of the wire."""
    progress(f"eight boards at {BAUD} baud, {WINDOWS} times {WINDOW_S} s")
    master, slave = pty.openpty()
    tty.setraw(slave)
    ours, theirs = get_context("fork").Pipe()
    far_end = get_context("fork").Process(target=boards, args=(master, theirs), daemon=True)
    far_end.start()
    cpu_before = time.process_time()
    windows, figures = asyncio.run(_poll(os.ttyname(slave)))
    cpu_s = time.process_time() - cpu_before
    ours.send("over")
    silences: list[float] = ours.recv()
    far_end.join()
    for fd in (master, slave):
        with contextlib.suppress(OSError):
            os.close(fd)
    broken = sum(silence < SILENCE_S for silence in silences)
    detail: dict[str, Any] = {
        "polls_per_s": [round(window, 2) for window in windows],
        "limit_per_s": round(LIMIT_PER_S, 2),
        "silence_needed_us": round(SILENCE_S * 1e6),
        "silence_p50_us": round(statistics.median(silences) * 1e6),
        "silence_shortest_us": round(min(silences) * 1e6),
        "cpu_us_per_poll": round(cpu_s / figures["requests"] * 1e6),
        "timeouts": figures["timeouts"],
    }
    ratio = max(windows) / LIMIT_PER_S
    return [
        Row(f"wire.{BAUD}.polls", round(ratio, 4), "of the limit", ">= 0.95", detail),
        Row(
            f"wire.{BAUD}.silences_broken",
            broken,
            "silences",
            "== 0",
            {"silences": len(silences)},
        ),
    ]
