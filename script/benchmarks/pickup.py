"""From a scan to the lock's pulse on the wire, with the intent durable before it.

The real site process, its database on a real disk, two cabinets on one paced line and one person
after the other: each scans, takes the box and shuts the door. A second, shorter run below whose
database each sync is noted says how many syncs stand before a pulse.
"""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
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
    Disk,
    RunningSite,
    quantile,
    stock,
    write_settings,
)

UNITS: Final = {"A": 1, "B": 4}  # each cabinet: relays, door switches, item sensors
PICKUPS: Final = 52
COUNTED: Final = 8
SUPPLY_REST_S: Final = PULSE_MS / 1000 + 0.2  # a lock's supply rests; the next person comes later
PHASE_S: Final = 0.15  # people come at any moment of a scan cycle, which is shorter
PULSE_WAIT_S: Final = 5.0
GOAL: Final = "<= 1.2"


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
        cabinet.shut[box.no - 1] = False
        self._site.screen("take")
        cabinet.full[box.no - 1] = False
        self._site.screen("close")
        cabinet.shut[box.no - 1] = True
        self._site.screen("rating")
        self._site.press("skip")
        self._site.screen("done")
        self._site.press("end")
        return scanned_at, pulse


@dataclass(frozen=True, slots=True)
class Played:
    """What was measured of every visit."""

    waits: list[tuple[float, float]]  # when the scan and its pulse were
    line_free: list[float]  # from when on the line would have taken the pulse
    syncs: list[float]  # what one sync of the disk took after each

    @property
    def taken(self) -> list[float]:
        return [pulse - scan for scan, pulse in self.waits]

    def beyond_line(self) -> list[float]:
        """What each pulse came later than the line would have let it."""
        return [pulse - free for (_, pulse), free in zip(self.waits, self.line_free, strict=True)]

    def counts(self, moments: list[float]) -> list[int]:
        """How many of these moments lie between each scan and its pulse."""
        return [sum(scan <= at <= pulse for at in moments) for scan, pulse in self.waits]


def _play(folder: Path, pickups: int, say: Callable[[int], None], *program: str) -> Played:
    folder.mkdir()
    cabinets = {letter: Cabinet(unit) for letter, unit in UNITS.items()}
    boxes = stock(folder, list(UNITS))
    disk = Disk(folder)
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
                disk.sample()
        del played[0]  # what a process does for the first time takes longer
        return Played(
            waits=[(scanned, pulse.at) for scanned, pulse in played],
            line_free=[far_end.free_at(scanned) for scanned, _ in played],
            syncs=disk.taken,
        )


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
        notes = (folder / "counted" / NOTES).read_text("ascii").split()
    syncs = counted.counts(list(map(float, notes)))
    return rows(played, syncs)


def rows(played: Played, syncs: list[int]) -> list[Row]:
    """From what was timed, and how many syncs were counted before each pulse of the other run."""
    usual = round(statistics.median(syncs))
    found = []
    # Half of all people meet a line that is busy for a shorter time than the floor says; the last
    # in a hundred may meet all of it, and the rules have the rest.
    for share in (0.5, 0.99):
        sync_s = quantile(played.syncs, share)
        floor_s = usual * sync_s + EXCHANGE_S + SILENCE_S
        value = quantile(played.taken, share)
        late = quantile(played.beyond_line(), share)
        detail = {
            "floor": "syncs before the pulse, one exchange that is on the line, the silence after",
            "ms": round(value * 1000, 2),
            "floor_ms": round(floor_s * 1000, 2),
            "sync_ms": round(sync_s * 1000, 3),
            "exchange_ms": round(EXCHANGE_S * 1000, 2),
            "silence_ms": round(SILENCE_S * 1000, 2),
            "after_the_line_was_free_ms": round(late * 1000, 2),
            "pickups": len(played.taken),
        }
        name = f"pickup.scan_to_pulse.p{share * 100:.0f}"
        found.append(Row(name, round(value / floor_s, 3), "of the floor", GOAL, detail))
    # The design's limit: the intent, and one more where a checkpoint of the database falls due.
    return [*found, Row("pickup.syncs_before_pulse", max(syncs), "syncs", "<= 2", {"each": syncs})]
