"""Spoilt frames for each parser, in other cases at every run; ten million with --long.

A parser may fall over with its named errors only, may not grow, may not hold the loop for longer
than 50 ms, and understands the next good frame. A failure tells the seed that repeats it.
"""

import os
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from script.benchmarks.memory import resident_kib
from script.benchmarks.rows import Progress, Row
from tests.firmware_bridge.mutated_frames import SLOW_S, TARGETS, survive_all

SHORT_CASES: Final = 100_000  # of all parsers together
LONG_CASES: Final = 10_000_000
PART_CASES: Final = 5_000  # of one seed
GROWTH_KIB: Final = 1_024  # of a process, from the second round over all parsers on


@dataclass(frozen=True, slots=True)
class Part:
    """What one parser made of the cases of one seed."""

    process: int
    kib: int
    slowest_s: float
    failure: str


def survived(number: int, seed: int) -> Part:
    """Feed one parser; never raises."""
    failure, slowest_s = "", 0.0
    try:
        slowest_s = survive_all(TARGETS[number], seed, PART_CASES)
    except AssertionError as error:
        failure = f"{error}: {error.__cause__!r}"
    return Part(os.getpid(), resident_kib(), slowest_s, failure)


def _run(progress: Progress, cases: int) -> list[Row]:
    rounds = max(2, -(-cases // (PART_CASES * len(TARGETS))))
    began = time.monotonic()
    parts = list(_all(progress, rounds))
    done = len(parts) * PART_CASES
    failures = [part.failure for part in parts if part.failure]
    slowest_ms = max(part.slowest_s for part in parts) * 1e3
    detail = {"parsers": [target.name for target in TARGETS], "seconds": time.monotonic() - began}
    goal = f"<= {SLOW_S * 1e3:.0f}"
    return [
        Row("fuzz.cases", done, "cases", f">= {cases}", detail),
        Row("fuzz.failures", len(failures), "cases", "== 0", {"failures": failures[:10]}),
        Row("fuzz.slowest", round(slowest_ms, 2), "ms", goal),
        Row("fuzz.growth", _grown_kib(parts), "KiB", f"<= {GROWTH_KIB}"),
    ]


def _all(progress: Progress, rounds: int) -> Iterator[Part]:
    """Every parser `rounds` times, as many at once as there are processors."""
    total = rounds * len(TARGETS)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        wanted = [
            pool.submit(survived, number, secrets.randbelow(2**32))
            for _ in range(rounds)
            for number in range(len(TARGETS))
        ]
        for number, each in enumerate(as_completed(wanted), start=1):
            progress(f"{number * PART_CASES:,} of {total * PART_CASES:,} cases")
            yield each.result()


def _grown_kib(parts: list[Part]) -> int:
    """What the process that grew most has grown since it has known every parser."""
    held: dict[int, list[int]] = {}
    for part in parts:
        held.setdefault(part.process, []).append(part.kib)
    return max(
        (max(kib) - max(kib[: 2 * len(TARGETS)]) for kib in held.values()),
        default=0,
    )


def run(progress: Progress) -> list[Row]:
    """Rows of spoilt frames."""
    return _run(progress, SHORT_CASES)


def run_long(progress: Progress) -> list[Row]:
    """The same, ten million of them."""
    return _run(progress, LONG_CASES)
