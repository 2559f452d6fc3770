"""What a kind of lock board is to the bridge: how it is read, and how one lock is pulsed."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from firmware_bridge.bus import Bus
from firmware_bridge.exchange import Request, Wire
from firmware_bridge.profiles import Source
from firmware_bridge.timing import Timing
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import DeviceUrl


class Items(Enum):
    """How item sensors are read."""

    NONE = auto()
    TOGETHER = auto()  # with the doors, in one answer
    APART = auto()


@dataclass(frozen=True, slots=True)
class Reads:
    """One answer. A value per door, None for a door that it says nothing about."""

    closed: Sequence[bool | None] = ()
    there: Sequence[bool | None] = ()


class Panel(Protocol):
    """Speaks one protocol to one board; knows wire channels, and nothing of time."""

    name: str
    doors: int
    bus: Bus
    station: int  # that reports by itself, if any does
    stations: frozenset[int]  # that take part, as a supply of locks, switches or sensors
    items: Items
    pulse_s: float
    longer_s: float | None  # a pulse that may be asked for instead; None: the board has its own
    settle_s: float  # two equal reads so far apart are believed

    def lock(self, door: int) -> Hashable:
        """What tells this lock from all others on the Bus."""
        ...

    async def prepare(self, urgency: Urgency) -> None:
        """The board may be read and pulsed on the line's present connection."""
        ...

    async def read_doors(self, urgency: Urgency, tries: int, near: int | None = None) -> Reads:
        """Read all doors, or where that is quicker to repeat those about the door `near`."""
        ...

    async def read_items(self, urgency: Urgency, tries: int) -> Reads:
        """Never called unless items are read apart."""
        ...

    async def pulse(self, door: int, *, by: float, longer: bool) -> bool:
        """Ask once, `by` a time or never; for `longer_s` only where there is one.

        True: accepted. False: the board says nothing that would prove it.
        NotMoved and OutcomeUnknown as in LockBoard.release.
        """
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol, as the rest of the bridge needs it; without a panel no lock board speaks it.

    `question` is a read whose answer never looks like itself: what comes back is an adapter's echo.
    """

    timing: Callable[[DeviceUrl], Timing]
    wire: Callable[[DeviceUrl], Callable[[], Wire]]
    panel: Callable[[DeviceUrl, str, Bus, Mapping[str, Source]], Panel] | None = None
    question: Callable[[DeviceUrl], Request] | None = None
