"""How soon a released door's movement is seen, and what the idle boards of its line pay for that.

Eight boards with 32 doors at 19,200 baud. Somebody opens door after door of the first board; seen
is the first answer that says so. For the others: the same, of a door that moved at any moment.
"""

import asyncio
from bisect import bisect_left
from random import Random
from typing import Final

from controller.faults import DeviceFault
from firmware_bridge.open import silence_s
from script.benchmarks.crowded_line import CrowdedLine, crowded_line
from script.benchmarks.far_end import ANSWER_BYTES, BAUD, BITS_PER_CHAR
from script.benchmarks.paced import INPUTS, OPEN_S, OPENS_AFTER_S, UNITS, PacedBoards, poll_s
from script.benchmarks.rows import Progress, Row
from script.benchmarks.running_site import quantile

ATTENDED: Final = UNITS[0]
RELEASES: Final = 40
MOMENTS: Final = 20_000  # at which an idle board's door might have moved
IDLE_TIMES: Final = 1.8
SEEN_MS: Final = 40
SETTLED_S: Final = 0.15  # nobody opens the next door while this one still bounces
LAST_S: Final = 1.0  # until everything that moved must have been seen
SAID_S: Final = silence_s(BAUD) + ANSWER_BYTES * BITS_PER_CHAR / BAUD


def scan_floor_s(share: float) -> float:
    """The quantile that no reading of all boards in turn can beat."""
    return share * len(UNITS) * poll_s(BAUD) + SAID_S


async def _release_all(boards: PacedBoards, progress: Progress) -> tuple[CrowdedLine, float, float]:
    """Release door after door of one board; the line, and from when to when."""
    loop = asyncio.get_running_loop()
    async with crowded_line(boards) as line:
        began = loop.time()
        for number in range(RELEASES):
            progress(f"door {number + 1} of {RELEASES}")
            try:
                await line.rows[ATTENDED].release(number % INPUTS + 1)
            except DeviceFault:
                continue  # the boards know whether it opened
            await asyncio.sleep(OPENS_AFTER_S[1] + OPEN_S + SETTLED_S)
        ended = loop.time()
        await asyncio.sleep(LAST_S)
    return line, began, ended


def _of_idle_boards(
    line: CrowdedLine, boards: PacedBoards, began: float, ended: float
) -> list[float]:
    """How long a door of an idle board that moved at any moment would have gone unseen."""
    chance = Random(1)  # noqa: S311 - moments of a trial, no secret
    sampled = boards.heard.sampled
    found = []
    for _ in range(MOMENTS):
        unit = chance.choice(UNITS[1:])
        moment = chance.uniform(began, ended)
        sample = sampled[unit][bisect_left(sampled[unit], moment)]
        reads = line.reads[unit]
        found.append(reads[bisect_left(reads, sample, key=lambda each: each.at)].at - moment)
    return found


def run(progress: Progress) -> list[Row]:
    """Rows of attention."""
    with PacedBoards(BAUD) as boards:
        line, began, ended = asyncio.run(_release_all(boards, progress))
    seen = [
        line.seen(pulse.unit, at, pulse.channel + 1, closed=closed)
        for pulse in boards.heard.pulses
        for at, closed in ((pulse.opens_at, False), (pulse.shuts_at, True))
    ]
    idle = _of_idle_boards(line, boards, began, ended)
    floor_s = scan_floor_s(0.99)
    detail = {
        "movements": len(seen),
        "p50_ms": round(quantile(seen, 0.5) * 1e3, 2),
        "longest_ms": round(max(seen) * 1e3, 2),
        "exchange_ms": round(poll_s(BAUD) * 1e3, 2),
    }
    idle_detail = {
        "p50_ms": round(quantile(idle, 0.5) * 1e3, 2),
        "p99_ms": round(quantile(idle, 0.99) * 1e3, 2),
        "longest_ms": round(max(idle) * 1e3, 2),
        "scan_floor_p99_ms": round(floor_s * 1e3, 2),
        "silences_broken": boards.broken,
    }
    p99_ms = round(quantile(seen, 0.99) * 1e3, 2)
    times = round(quantile(idle, 0.99) / floor_s, 3)
    return [
        Row("attention.released.p99", p99_ms, "ms", f"<= {SEEN_MS}", detail),
        Row("attention.idle.p99", times, "x the scan floor", f"<= {IDLE_TIMES}", idle_detail),
        Row("attention.silences_broken", boards.broken, "silences", "== 0"),
    ]
