"""From a scan to the lock's pulse on the wire, with the intent durable before it.

The real site process, its database on a real disk, two cabinets on one paced line and one person
after the other: each scans, takes the box and shuts the door. A second, shorter run below whose
database each sync is noted says how many syncs stand before a pulse.
"""

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from script.benchmarks.counted_site import NOTES
from script.benchmarks.far_end import EXCHANGE_S, SILENCE_S, Cabinet, FarEnd, Pulse, wait_until
from script.benchmarks.rows import Progress, Row
from script.benchmarks.running_site import (
    DISK,
    PULSE_MS,
    Box,
    RunningSite,
    quantile,
    stock,
    sync_s,
    write_settings,
)

UNITS: Final = {"A": 1, "B": 4}  # each cabinet: relays, door switches, item sensors
PICKUPS: Final = 56
COUNTED: Final = 8
SUPPLY_REST_S: Final = PULSE_MS / 1000 + 0.2  # a lock's supply rests; the next person comes later
PHASE_S: Final = 0.15  # people come at any moment of a scan cycle, which is shorter
PULSE_WAIT_S: Final = 5.0


class Visit:
    """One person: scans, takes what is inside, shuts the door, goes away."""

    def __init__(self, site: RunningSite, far_end: FarEnd, cabinets: dict[str, Cabinet]) -> None:
        self._site = site
        self._far_end = far_end
        self._cabinets = cabinets
        self._chance = Random(1)  # noqa: S311 - the same run every time
        self._last = 0.0

    def __call__(self, box: Box) -> tuple[float, Pulse]:
        """The moment of the scan, and the pulse that it gave."""
        self._site.screen("idle")
        wait_until(self._last + SUPPLY_REST_S)
        wait_until(self._last + SUPPLY_REST_S + self._chance.uniform(0, PHASE_S))
        scanned_at = self._far_end.scan(box.qr)
        pulse = self._far_end.pulses.get(timeout=PULSE_WAIT_S)
        self._last = pulse.at
        cabinet = self._cabinets[box.cabinet]
        assert (pulse.unit, pulse.door) == (cabinet.unit, box.no), f"{pulse} for {box}"
        cabinet.shut[box.no - 1] = cabinet.full[box.no - 1] = False
        self._site.screen("close")
        cabinet.shut[box.no - 1] = True
        self._site.screen("rating")
        self._site.press("skip")
        self._site.screen("done")
        self._site.press("end")
        return scanned_at, pulse


def _play(folder: Path, pickups: int, say: Callable[[int], None], *program: str) -> "Played":
    folder.mkdir()
    cabinets = {letter: Cabinet(unit) for letter, unit in UNITS.items()}
    boxes = stock(folder, list(UNITS))
    Random(2).shuffle(boxes)  # noqa: S311 - see above
    with FarEnd(list(cabinets.values())) as far_end:
        policy = {"confirm_pickup": False}
        config, port = write_settings(folder, far_end, UNITS, policy=policy)
        with RunningSite(config, port, *program) as site:
            visit = Visit(site, far_end, cabinets)
            played = []
            for number, box in enumerate(boxes[: pickups + 1]):
                say(number)
                played.append(visit(box))
        del played[0]  # what a process does for the first time takes longer
        return Played(
            waits=[(scanned, pulse.at) for scanned, pulse in played],
            line_free=[far_end.free_at(scanned) for scanned, _ in played],
        )


class Played:
    """When each scan and its pulse were, and from when on the line was free for it."""

    def __init__(self, waits: list[tuple[float, float]], line_free: list[float]) -> None:
        self.waits = waits
        self.line_free = line_free

    @property
    def taken(self) -> list[float]:
        return [pulse - scan for scan, pulse in self.waits]

    def beyond_line(self) -> list[float]:
        """What each pulse came later than the line would have let it."""
        return [pulse - free for (_, pulse), free in zip(self.waits, self.line_free, strict=True)]

    def counts(self, moments: list[float]) -> list[int]:
        """How many of these moments lie between each scan and its pulse."""
        return [sum(scan <= at <= pulse for at in moments) for scan, pulse in self.waits]


def run(progress: Progress) -> list[Row]:
    """Rows of a pickup."""
    with tempfile.TemporaryDirectory(prefix="onewindow-", dir=DISK) as name:
        folder = Path(name)
        played = _play(folder / "timed", PICKUPS, lambda n: progress(f"pickup {n} of {PICKUPS}"))
        counted = _play(
            folder / "counted",
            COUNTED,
            lambda n: progress(f"counting syncs, pickup {n} of {COUNTED}"),
            "script.benchmarks.counted_site",
        )
        one_sync_s = sync_s(folder)
        notes = (folder / "counted" / NOTES).read_text("ascii").split()
    syncs = counted.counts(list(map(float, notes)))
    return _rows(played, syncs, one_sync_s)


def _rows(played: Played, syncs: list[int], one_sync_s: float) -> list[Row]:
    usual = round(statistics.median(syncs))
    floor_s = usual * one_sync_s + EXCHANGE_S + SILENCE_S
    detail = {
        "floor": "syncs before the pulse, the exchange that is on the line, the silence after it",
        "floor_ms": round(floor_s * 1000, 2),
        "sync_us": round(one_sync_s * 1e6),
        "exchange_ms": round(EXCHANGE_S * 1000, 2),
        "silence_ms": round(SILENCE_S * 1000, 2),
        "pickups": len(played.taken),
        "p50_ms": round(quantile(played.taken, 0.5) * 1000, 2),
        "p99_ms": round(quantile(played.taken, 0.99) * 1000, 2),
        "beyond_a_free_line_p50_ms": round(quantile(played.beyond_line(), 0.5) * 1000, 2),
        "beyond_a_free_line_p99_ms": round(quantile(played.beyond_line(), 0.99) * 1000, 2),
    }
    return [
        Row(f"pickup.scan_to_pulse.{name}", round(value / floor_s, 3), "of the floor", goal, detail)
        for name, value, goal in (
            ("p50", quantile(played.taken, 0.5), "<= 1"),
            ("p99", quantile(played.taken, 0.99), "<= 2"),
        )
    ] + [
        Row("pickup.syncs_before_pulse", max(syncs), "syncs", "<= 2", {"each": syncs}),
    ]
