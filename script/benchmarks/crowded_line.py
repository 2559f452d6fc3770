"""Our bridge with eight boards on one paced line, all watched, and doors released meanwhile."""

import asyncio
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from controller.clock import SystemClock
from controller.faults import DeviceFault
from firmware_bridge.lock_board import DoorRow
from firmware_bridge.open import Bridge
from firmware_bridge.panel import Panel, Reads
from firmware_bridge.turns import Urgency
from script.benchmarks.far_end import BAUD
from script.benchmarks.paced import INPUTS, UNITS, PacedBoards

PULSE_MS: Final = 100
# Locks and switches on one unit, nothing behind the doors: one read is all there is of a board.
PROFILE: Final = f"""
[profile.one-read-{INPUTS}]
doors = {INPUTS}
pulse = {{ unit = 0, fc = 5, address = 0x0200, per_door = 1, value = "ms/100", ms = {PULSE_MS} }}
door = {{ unit = 0, fc = 2, address = 0x0000, closed = 1 }}
ident = {{ fc = 3, address = 0x8000 }}
"""


@dataclass(frozen=True, slots=True)
class Read:
    """What one answer said, and when we knew."""

    at: float
    closed: Sequence[bool | None]


class NotedPanel:
    """A board's panel whose answers are noted before anything is made of them."""

    def __init__(self, panel: Panel, reads: list[Read]) -> None:
        self.name, self.doors, self.bus = panel.name, panel.doors, panel.bus
        self.station, self.stations, self.items = panel.station, panel.stations, panel.items
        self.pulse_s, self.longer_s, self.settle_s = panel.pulse_s, panel.longer_s, panel.settle_s
        self.lock, self.prepare, self.pulse = panel.lock, panel.prepare, panel.pulse
        self.read_items = panel.read_items
        self._panel = panel
        self._reads = reads

    async def read_doors(self, urgency: Urgency, tries: int, near: int | None = None) -> Reads:
        reads = await self._panel.read_doors(urgency, tries, near)
        self._reads.append(Read(time.monotonic(), reads.closed))
        return reads


@dataclass(slots=True)
class CrowdedLine:
    """All boards of one line, by unit."""

    rows: dict[int, DoorRow]
    reads: defaultdict[int, list[Read]] = field(default_factory=lambda: defaultdict(list))

    def seen(self, unit: int, at: float, door: int, *, closed: bool) -> float:
        """How long it took from `at` until an answer said so of a door."""
        reads = self.reads[unit]
        for read in reads[bisect_left(reads, at, key=lambda each: each.at) :]:
            if read.closed[door - 1] is closed:
                return read.at - at
        raise AssertionError(f"door {door} of board {unit} was never seen")


@asynccontextmanager
async def crowded_line(boards: PacedBoards) -> AsyncIterator[CrowdedLine]:
    """Every board is watched, and was seen once."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "boards.toml").write_text(PROFILE, "ascii")
        async with Bridge(SystemClock(), user_profiles=Path(folder)) as bridge:
            rows = {
                unit: bridge.lock_board(
                    f"modbus+rtu://{boards.path}?baud={BAUD}&unit={unit}&profile=one-read-{INPUTS}",
                    str(unit),
                )
                for unit in UNITS
            }
            line = CrowdedLine(rows)
            for unit, row in rows.items():
                row.panel = NotedPanel(row.panel, line.reads[unit])
            async with asyncio.TaskGroup() as group:
                watching = [group.create_task(_watch(row)) for row in rows.values()]
                for row in rows.values():
                    await row.look()
                yield line
                for task in watching:
                    task.cancel()


async def _watch(row: DoorRow) -> None:
    """Go on whatever a busy machine makes of an exchange."""
    while True:
        try:
            async for _ in row.watch():
                pass
        except DeviceFault:
            continue
