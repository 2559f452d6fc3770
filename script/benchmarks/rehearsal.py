"""How fast a site's days pass in the rehearsal; whole years with --long.

A short run plays a week of the hall and says what a year would take at that pace. Entries are
counted per second of processor time, so that a busy machine does not count against it.
"""

import time
from collections import Counter
from typing import Final

from onewindow.rehearse import FUTIAN, parts, rehearse
from script.benchmarks.rows import Progress, Row
from simulator.rehearsal.play import Outcome
from simulator.rehearsal.weather import ALL

DAYS: Final = 7
YEAR_DAYS: Final = 365
YEAR_ENTRIES: Final = {"hall": 195_000, "futian": 390_000}
WORKERS: Final = 2
SEED: Final = 1
NIGHT_SEEDS: Final = 10_000  # of two days at two sites with twenty orders a day
SOME_SEEDS: Final = 8  # of them are played to know what the night takes


def _pace(outcomes: list[Outcome]) -> float:
    return sum(each.entries for each in outcomes) / sum(each.seconds for each in outcomes)


def _detail(outcomes: list[Outcome], seconds: float) -> dict[str, object]:
    return {
        "orders": sum(each.orders for each in outcomes),
        "entries": sum(each.entries for each in outcomes),
        "seconds": round(seconds, 1),
        "faults": dict(sum((each.faults for each in outcomes), Counter())),
        "violations": [flaw.flaw for each in outcomes for flaw in each.violations][:5],
    }


def _played(progress: Progress, what: str, days: int, sites: int) -> tuple[list[Outcome], float]:
    wanted = parts(days, SEED, sites, (ALL,))
    began = time.monotonic()

    def told(done: int) -> None:
        progress(f"{what}: day {done} of {days * sites}")

    outcomes = rehearse(wanted, told, WORKERS)
    return outcomes, time.monotonic() - began


def _night(progress: Progress, seeds: int) -> list[Row]:
    """Hours that 10,000 seeds take on two cores, by the first so many of them."""
    wanted = [part for seed in range(seeds) for part in parts(2, seed, 2, (ALL,), 20)]
    outcomes = rehearse(wanted, lambda done: progress(f"seeds: day {done} of {4 * seeds}"), WORKERS)
    spent_s = sum(each.seconds for each in outcomes)
    hours = spent_s / seeds * NIGHT_SEEDS / WORKERS / 3_600
    return [
        Row("rehearsal.night_of_seeds", hours, "h", "<= 8", _detail(outcomes, spent_s)),
        _held(outcomes, "seeds"),
    ]


def _held(outcomes: list[Outcome], name: str) -> Row:
    broken = sum(len(each.violations) for each in outcomes)
    return Row(f"rehearsal.{name}_violations", broken, "violations", "== 0")


def run(progress: Progress) -> list[Row]:
    """A week of the hall, all faults."""
    outcomes, seconds = _played(progress, "hall", DAYS, 1)
    pace = _pace(outcomes)
    year_s = YEAR_ENTRIES["hall"] / pace
    return [
        Row("rehearsal.pace", pace, "entries/s/core", ">= 1200", _detail(outcomes, seconds)),
        Row("rehearsal.hall_year_at_this_pace", year_s, "s", "<= 180"),
        *_night(progress, SOME_SEEDS),
        _held(outcomes, "hall"),
    ]


def run_long(progress: Progress) -> list[Row]:
    """The hall's year, and a year of all sites on two cores."""
    hall, hall_s = _played(progress, "hall", YEAR_DAYS, 1)
    futian, futian_s = _played(progress, "Futian", YEAR_DAYS, len(FUTIAN))
    return [
        Row("rehearsal.pace", _pace(hall), "entries/s/core", ">= 1200", _detail(hall, hall_s)),
        Row("rehearsal.hall_year", hall_s, "s", "<= 180"),
        Row("rehearsal.futian_year", futian_s, "s", "<= 360", _detail(futian, futian_s)),
        _held(hall, "hall"),
        _held(futian, "futian"),
    ]
