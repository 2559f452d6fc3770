"""Polls per second on a paced serial line, beside what its physics allow, and beside peers.

Eight boards with 32 inputs each are asked in turn, as fast as the master can, by our Bus and by
others' clients, each on a line of its own and never two at once.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import minimalmodbus  # type: ignore[import-untyped]
import serial
from pymodbus import ModbusException
from pymodbus.client import AsyncModbusSerialClient, ModbusSerialClient

from controller.clock import SystemClock
from controller.faults import NoReply
from firmware_bridge import modbus
from firmware_bridge.bus import Bus
from firmware_bridge.lines import open_line
from firmware_bridge.modbus_device import ModbusDevice
from firmware_bridge.open import timing_of
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import parse
from script.benchmarks.paced import INPUTS, UNITS, PacedBoards, poll_s
from script.benchmarks.rows import Progress, Row

# Above 0.97 of a fast line's limit there is less than a tenth of a millisecond left per poll.
GOALS: Final = {9_600: 0.97, 19_200: 0.97, 115_200: 0.96}
WINDOWS: Final = 8  # the best counts: what else the machine does is not the line's doing
WINDOW_S: Final = 0.5
PEER_WINDOWS: Final = 4
WARM_UP_S: Final = 0.3
TIMEOUT_S: Final = 0.3
STRICT_BAUD: Final = 19_200
STRICT_WINDOWS: Final = 6
STRICT_TIMES: Final = 10

Ask = Callable[[int], Awaitable[bool]]  # one board's 32 inputs; whether they came


@dataclass(slots=True)
class Polled:
    """What one master did."""

    per_s: list[float] = field(default_factory=list)
    missed: int = 0
    cpu_us: float = 0.0  # of each answered poll

    def detail(self, boards: PacedBoards, limit_per_s: float) -> dict[str, Any]:
        silences = boards.heard.silences or [0.0]
        return {
            "best_per_s": round(max(self.per_s), 2),
            "median_per_s": round(statistics.median(self.per_s), 2),
            "limit_per_s": round(limit_per_s, 2),
            "missed": self.missed,
            "cpu_us_per_poll": round(self.cpu_us),
            "silence_needed_us": round(boards.silence_s * 1e6),
            "silence_p50_us": round(statistics.median(silences) * 1e6),
            "silence_shortest_us": round(min(silences) * 1e6),
            "silences": len(silences),
            "broken": boards.broken,
            "ignored": boards.heard.ignored,
        }


async def measured(ask: Ask, windows: int) -> Polled:
    """Ask the boards in turn: answers per second of each window."""
    found = Polled()
    units = _in_turn()

    async def poll_for(seconds: float) -> tuple[int, float]:
        began = time.monotonic()
        answered = 0
        while time.monotonic() - began < seconds:
            if await ask(next(units)):
                answered += 1
            else:
                found.missed += 1
        return answered, time.monotonic() - began

    await poll_for(WARM_UP_S)
    cpu_before = time.process_time()
    polled = [await poll_for(WINDOW_S) for _ in range(windows)]
    cpu_s = time.process_time() - cpu_before
    found.per_s = [answered / took_s for answered, took_s in polled]
    found.cpu_us = cpu_s / max(1, sum(answered for answered, _ in polled)) * 1e6
    return found


def _in_turn() -> Iterator[int]:
    while True:
        yield from UNITS


@asynccontextmanager
async def ours(path: str, baud: int) -> AsyncIterator[Ask]:
    """Our Bus."""
    url = parse(f"modbus+rtu://{path}?baud={baud}&unit=1&profile=waveshare-relay-32")
    clock = SystemClock()
    bus = Bus(url.place, timing_of(url), new_wire=modbus.RtuWire, clock=clock, opener=open_line)
    device = ModbusDevice("boards", bus)

    async def ask(unit: int) -> bool:
        try:
            body = await device.ask(modbus.read(unit, modbus.READ_INPUTS, 0, INPUTS), Urgency.POLL)
        except NoReply:
            return False
        return len(modbus.bits_of(body, INPUTS)) == INPUTS

    yield ask
    bus.close()


@asynccontextmanager
async def pymodbus_async(path: str, baud: int) -> AsyncIterator[Ask]:
    client = AsyncModbusSerialClient(path, baudrate=baud, timeout=TIMEOUT_S, retries=0)
    await client.connect()

    async def ask(unit: int) -> bool:
        try:
            answer = await client.read_discrete_inputs(0, count=INPUTS, device_id=unit)
        except ModbusException:
            await client.connect()  # it hangs up after a time-out
            return False
        return len(answer.bits) == INPUTS

    yield ask
    client.close()


@asynccontextmanager
async def pymodbus_sync(path: str, baud: int) -> AsyncIterator[Ask]:
    client = ModbusSerialClient(path, baudrate=baud, timeout=TIMEOUT_S, retries=0)
    assert client.connect()

    async def ask(unit: int) -> bool:
        try:
            answer = client.read_discrete_inputs(0, count=INPUTS, device_id=unit)
        except ModbusException:
            return False
        return len(answer.bits) == INPUTS

    yield ask
    client.close()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def minimal(path: str, baud: int) -> AsyncIterator[Ask]:
    """Minimalmodbus: one port, an instrument for each board."""
    with serial.Serial(path, baud, timeout=TIMEOUT_S) as port:
        boards = {unit: minimalmodbus.Instrument(port, unit) for unit in UNITS}

        async def ask(unit: int) -> bool:
            with suppress(minimalmodbus.ModbusException):
                return len(boards[unit].read_bits(0, INPUTS, functioncode=2)) == INPUTS
            return False

        yield ask


PEERS: Final = {
    "pymodbus_async": pymodbus_async,
    "pymodbus_sync": pymodbus_sync,
    "minimalmodbus": minimal,
}


@contextmanager
def quiet_log() -> Iterator[None]:
    """Peers log each poll that goes wrong; here that is counted."""
    import logging  # noqa: PLC0415 - nothing else here logs

    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def poll(
    master: Callable[[str, int], Any], baud: int, windows: int, *, strict: bool = False
) -> tuple[Polled, PacedBoards]:
    """One master on a fresh line."""

    async def polled(path: str) -> Polled:
        async with master(path, baud) as ask:
            return await measured(ask, windows)

    with PacedBoards(baud, strict=strict) as boards, quiet_log():
        found = asyncio.run(polled(boards.path))
    return found, boards


def _at(baud: int, progress: Progress) -> list[Row]:
    limit_per_s = 1 / poll_s(baud)
    progress(f"our Bus at {baud} baud")
    found, boards = poll(ours, baud, WINDOWS)
    detail = found.detail(boards, limit_per_s)
    share = round(max(found.per_s) / limit_per_s, 4)
    rows = [
        Row(f"wire.{baud}.polls", share, "of the limit", f">= {GOALS[baud]}", detail),
        Row(f"wire.{baud}.silences_broken", boards.broken, "silences", "== 0"),
    ]
    for name, master in PEERS.items():
        progress(f"{name} at {baud} baud")
        found, boards = poll(master, baud, PEER_WINDOWS)
        share = round(max(found.per_s) / limit_per_s, 4)
        detail = found.detail(boards, limit_per_s)
        rows += [
            Row(f"wire.{baud}.{name}.polls", share, "of the limit", "", detail),
            Row(f"wire.{baud}.{name}.silences_broken", boards.broken, "silences"),
        ]
    return rows


def _strict(progress: Progress) -> list[Row]:
    """Boards that ignore what comes before they listen again."""
    answered = {}
    detail = {}
    for name, master in (("ours", ours), ("pymodbus_async", pymodbus_async)):
        progress(f"{name} and strict boards at {STRICT_BAUD} baud")
        found, boards = poll(master, STRICT_BAUD, STRICT_WINDOWS, strict=True)
        answered[name] = statistics.mean(found.per_s)
        detail[name] = found.detail(boards, 1 / poll_s(STRICT_BAUD))
    times = round(answered["ours"] / max(answered["pymodbus_async"], 1e-9), 2)
    goal = f">= {STRICT_TIMES}"
    return [Row("wire.strict.answered", times, "x pymodbus async", goal, detail)]


def run(progress: Progress) -> list[Row]:
    """Rows of the wire."""
    return [row for baud in GOALS for row in _at(baud, progress)] + _strict(progress)
