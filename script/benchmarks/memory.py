"""Whether a bridge that reads 64 boards at full rate grows: none after the first third of the run.

The bridge is a process of its own, so that nothing but it is weighed; its boards answer at once on
Modbus TCP. Doors are released as often as their coils allow, and refused when that is too often.
"""

import asyncio
import gc
import os
import sys
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from controller.clock import SystemClock
from controller.faults import DeviceFault
from controller.ports import Clock
from firmware_bridge.lock_board import DoorRow
from firmware_bridge.open import Bridge
from script.benchmarks.rows import Progress, Row
from script.benchmarks.tcp_boards import HOST, TcpBoards

BOARDS: Final = 64
SHORT_S: Final = 30.0
LONG_S: Final = 600.0
SAMPLES: Final = 30
GROWTH_KIB: Final = 256  # of some 50,000: pages that an allocator takes and gives back
PAGE_KIB: Final = os.sysconf("SC_PAGE_SIZE") // 1024


def resident_kib() -> int:
    """What this process holds in memory, after its garbage is gone."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE_KIB


def weigh(ports: list[int], seconds: float, told: Connection) -> None:
    """Read every board and watch it, on and on; tell weight, objects and reads now and then."""
    asyncio.run(_weigh(ports, seconds, told))


async def _weigh(ports: list[int], seconds: float, told: Connection) -> None:
    clock = SystemClock()
    async with Bridge(clock) as bridge, asyncio.TaskGroup() as group:
        rows = [
            bridge.lock_board(
                f"modbus+tcp://{HOST}:{port}?unit=1&profile=waveshare-relay-d-8", str(port)
            )
            for port in ports
        ]
        tasks = [group.create_task(_use(row, clock)) for row in rows]
        for _ in range(SAMPLES):
            await asyncio.sleep(seconds / SAMPLES)
            replies = sum(bus.counters.replies for bus in bridge.lines.values())
            told.send((resident_kib(), len(gc.get_objects()), replies))
        for task in tasks:
            task.cancel()


async def _use(row: DoorRow, clock: Clock) -> None:
    """Look at it and release its doors as often as their coils allow."""
    door = 0
    while True:
        try:
            for _ in range(20):
                await row.look()
            door = door % row.doors + 1
            await row.release(door)
        except DeviceFault:
            await clock.sleep(0.1)


def _run(progress: Progress, seconds: float) -> list[Row]:
    context = get_context("spawn")  # what this process holds is not weighed
    ours, theirs = context.Pipe()
    told: list[tuple[int, int, int]] = []
    with TcpBoards(BOARDS) as boards:
        process = context.Process(target=weigh, args=(boards.ports, seconds, theirs), daemon=True)
        process.start()
        for number in range(SAMPLES):
            progress(f"{seconds * number / SAMPLES:.0f} of {seconds:.0f} s")
            if not ours.poll(seconds / SAMPLES + 30):
                sys.exit("memory: the bridge has ended")
            told.append(ours.recv())
        process.join()
    first = told[SAMPLES // 3 :][: SAMPLES // 3]
    last = told[-SAMPLES // 3 :]
    grown = max(kib for kib, _, _ in last) - max(kib for kib, _, _ in first)
    detail = {
        "seconds": seconds,
        "boards": BOARDS,
        "reads": told[-1][2],
        "kib": [kib for kib, _, _ in told],
        "objects": [objects for _, objects, _ in told],
    }
    return [Row("memory.growth", grown, "KiB after the first third", f"<= {GROWTH_KIB}", detail)]


def run(progress: Progress) -> list[Row]:
    """Rows of memory."""
    return _run(progress, SHORT_S)


def run_long(progress: Progress) -> list[Row]:
    """The same, for ten minutes."""
    return _run(progress, LONG_S)
