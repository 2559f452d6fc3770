"""Faults that a rehearsal can strike with, and which of them a seed has."""

from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.rehearsal.shapes import DAY_S, HOUR_S


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble: how often it comes in a day at full strength, how long it stays."""

    name: str
    number: str  # F1 to F33
    a_day: float
    lasts_s: tuple[float, float] = (0.0, 0.0)


FAULTS: Final = (
    Fault("power", "F1", 1.5, (20.0, 300.0)),  # the mains: process, boards and machines
    Fault("step", "F1", 3.0, (2.0, 30.0)),  # the process between two steps
    Fault("twice", "F2", 0.7, (2.0, 20.0)),  # and once more while it settles
    Fault("kill", "F3", 1.5, (1.0, 8.0)),
    Fault("frozen", "F4", 2.0, (1.0, 60.0)),  # the whole machine, in the middle of a movement
    Fault("disk_full", "F5", 1.0, (20.0, 90.0)),
    Fault("sync_fails", "F6", 1.0, (1.0, 60.0)),
    Fault("sync_unsure", "F6", 1.0, (1.0, 60.0)),
    Fault("flipped", "F7", 0.7, (60.0, 3_600.0)),  # a bit of an entry, until it is put right
    Fault("read_fails", "F8", 1.0, (1.0, 60.0)),
    Fault("clock", "F9", 0.5, (60.0, 2 * HOUR_S)),
    Fault("battery", "F9", 0.5, (20.0, 300.0)),
    Fault("silent", "F10", 1.0, (30.0, 900.0)),
    Fault("unplugged", "F10", 0.7, (5.0, 120.0)),
    Fault("late", "F11", 2.0, (120.0, 1_800.0)),
    Fault("garbled", "F12", 2.0, (120.0, 1_800.0)),
    Fault("lost", "F14", 2.0, (120.0, 1_800.0)),
    Fault("answer_lost", "F14", 2.0),  # of a pulse that was given
    Fault("order_lost", "F14", 1.0),  # a pulse that never was
    Fault("hung_up", "F14", 1.0),  # the line, right after a pulse
    Fault("stuck_lock", "F13", 0.6, (600.0, 4 * HOUR_S)),
    Fault("bouncing", "F15", 2.0, (600.0, DAY_S)),
    Fault("stuck_switch", "F16", 0.4, (600.0, 4 * HOUR_S)),
    Fault("left_open", "F17", 1.5),
    Fault("forced", "F17", 0.3),
    Fault("broken_open", "F17", 0.6),  # while somebody is served
    Fault("item_left", "F17", 1.0),
    Fault("machine_jam", "F18", 0.4, (600.0, 3 * HOUR_S)),
    Fault("no_blanks", "F18", 0.3, (600.0, 3 * HOUR_S)),
    Fault("machine_power", "F18", 1.0),
    Fault("offline", "F19", 0.5, (300.0, 2 * DAY_S)),
    Fault("hostile", "F21", 0.7, (HOUR_S, DAY_S)),  # forged, old and doubled batches
    Fault("doubled", "F12", 1.0, (120.0, 1_800.0)),
    Fault("split", "F12", 1.0, (120.0, 1_800.0)),
    Fault("weak_lock", "F13", 0.4, (600.0, 4 * HOUR_S)),
    Fault("dead_relay", "F13", 0.3, (600.0, 4 * HOUR_S)),
    Fault("driver", "F31", 0.7, (30.0, 900.0)),  # until its process is started again
    Fault("noisy_scanner", "F12", 1.0, (600.0, 4 * HOUR_S)),
)
NAMES: Final = tuple(each.name for each in FAULTS)
ALL: Final = "all"
LONG_AGO_S: Final = (86_400.0 * 365 * 20, 86_400.0, 400.0)  # what a clock without battery may show
WELL_UNTIL: Final = 12  # a disk's operations that still go well


def drawn(asked: tuple[str, ...], dice: Random) -> dict[str, float]:
    """Which faults this seed has, and how strong; of all of them a random half."""
    strengths = {name: 0.3 + 0.7 * dice.random() for name in NAMES}
    halved = {name for name in NAMES if dice.random() < 1 / 2}
    wanted = halved if ALL in asked else set(asked)
    return {name: strength for name, strength in strengths.items() if name in wanted}
