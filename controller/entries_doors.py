"""What a site says of its doors, their locks, their switches, and of staff at them."""

from typing import Literal, NotRequired, TypedDict

from controller.entries import SeenBy


class DoorChanged(TypedDict):
    """`door.opened|closed|forced|ajar|unknown`; `n` counts this door's changes of state."""

    where: str
    n: int
    maintenance: NotRequired[bool]  # forced, while staff with the key were at its cabinet


class DoorsChanged(TypedDict):
    """`doors.unknown|closed`: of a board that fell silent, or was found again as it had been."""

    doors: list[DoorChanged]


class DoorContradicted(TypedDict):
    """A door moved, and its switch did not show it."""

    where: str
    says: Literal["open", "closed", "unknown"]
    by: SeenBy  # what shows that it moved all the same


class LockRested(TypedDict):
    """Released and not used: its bolt is taken to have fallen back."""

    where: str


class LockCounted(TypedDict):
    """How far lock and switch are trusted: what speaks against them, in a row."""

    where: str
    jams: int
    contradicted: int
    distrust: str | None  # why the compartment goes out of use once it is at rest


class DayReckoned(TypedDict):
    """A local day is over: what was decided, and where that does not agree with what was seen."""

    day: str
    decided: int
    moved: int
    stayed: int
    unknown: int
    forced: int
    contradicted: int
    disagree: list[str]  # locks and machines


class MaintenanceBegan(TypedDict):
    """Until then a cabinet is in the hands of staff, who may use its mechanical key."""

    where: str  # its letter
    until: str
    reason: str
    badge: str


class MaintenanceEnded(TypedDict):
    where: str
    badge: str | None  # null: its time was over
