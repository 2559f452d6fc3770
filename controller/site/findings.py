"""What door, bolt and item sensor say together: the whole grid, and what is made of each cell."""

from enum import StrEnum
from itertools import product
from typing import Final

from controller.ports import DoorSight, Presence
from controller.site.doors import Door


class Kept(StrEnum):
    """What the record says of a compartment."""

    EMPTY = "empty"
    FILLED = "filled"
    BUSY = "busy"  # a visit goes on, or a person has yet to look


class Finding(StrEnum):
    FINE = "fine"
    UNSEEN = "unseen"  # nobody can tell
    OPENED = "opened"  # after a release; what is inside changes now
    FORCED = "forced"
    MISSING = "missing"  # it is gone, and the door is shut
    LEFT = "left"  # something is there that nobody has loaded


# fmt: off
_OPEN: Final = {  # a switch that says *open*
    Door.SHUT:     Finding.FORCED,
    Door.RELEASED: Finding.OPENED,
    Door.OPEN:     Finding.OPENED,
    Door.FORCED:   Finding.FORCED,
}
_SHUT: Final = {  # a switch that says *closed*
    # what is on record  present        absent           unknown
    Kept.EMPTY:  (Finding.LEFT,  Finding.FINE,    Finding.FINE),
    Kept.FILLED: (Finding.FINE,  Finding.MISSING, Finding.FINE),
    Kept.BUSY:   (Finding.FINE,  Finding.FINE,    Finding.FINE),
}
# fmt: on


def _cell(switch: DoorSight, door: Door, item: Presence, kept: Kept) -> Finding:
    if switch is DoorSight.UNKNOWN:
        return Finding.UNSEEN
    if switch is DoorSight.OPEN:
        return _OPEN[door]
    if door is Door.RELEASED:  # somebody is about to change what is inside
        return Finding.FINE
    return dict(zip(Presence, _SHUT[kept], strict=True))[item]


GRID: Final = {cell: _cell(*cell) for cell in product(DoorSight, Door, Presence, Kept)}
