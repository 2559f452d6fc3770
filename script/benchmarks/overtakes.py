"""From the call of a release to its pulse on the wire, while eight boards are polled all the time.

At worst the call comes just after a poll has begun: its exchange ends, then comes the silence.
"""

import asyncio
import time
from random import Random
from typing import Final

from controller.faults import DeviceFault
from script.benchmarks.crowded_line import crowded_line
from script.benchmarks.far_end import BAUD
from script.benchmarks.paced import INPUTS, UNITS, PacedBoards, poll_s
from script.benchmarks.rows import Progress, Row
from script.benchmarks.running_site import quantile

RELEASES: Final = 168  # the first of each board are not counted: then all are polled all the time
BETWEEN_S: Final = (0.06, 0.09)  # at any moment of the polling; no supply is still busy then


async def _release(boards: PacedBoards, progress: Progress) -> dict[tuple[int, int], float]:
    """Release each board's doors in turn; when each of them was called for."""
    chance = Random(1)  # noqa: S311 - moments of a trial, no secret
    called = {}
    async with crowded_line(boards) as line:
        for number in range(RELEASES):
            progress(f"release {number + 1} of {RELEASES}")
            unit, door = UNITS[number % len(UNITS)], number // len(UNITS) % INPUTS + 1
            await asyncio.sleep(chance.uniform(*BETWEEN_S))
            called[unit, door] = time.monotonic()
            try:
                await line.rows[unit].release(door)
            except DeviceFault:
                del called[unit, door]  # a busy machine heard the answer too late
    return called


def run(progress: Progress) -> list[Row]:
    """Rows of releases."""
    with PacedBoards(BAUD) as boards:
        called = asyncio.run(_release(boards, progress))
    pulses = {(pulse.unit, pulse.channel + 1): pulse.at for pulse in boards.heard.pulses}
    waits = [pulses[lock] - at for lock, at in called.items() if lock[1] > 1]
    limit_s = poll_s(BAUD)
    detail = {
        "releases": len(waits),
        "p50_ms": round(quantile(waits, 0.5) * 1e3, 2),
        "p99_ms": round(quantile(waits, 0.99) * 1e3, 2),
        "longest_ms": round(max(waits) * 1e3, 2),
        "exchange_and_silence_ms": round(limit_s * 1e3, 2),
    }
    share = round(quantile(waits, 0.99) / limit_s, 3)
    return [
        Row("overtakes.release.p99", share, "of exchange + silence", "<= 1", detail),
        Row("overtakes.silences_broken", boards.broken, "silences", "== 0"),
    ]
