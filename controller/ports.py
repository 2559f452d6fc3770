"""What the rules ask of the world. Drivers fit these protocols; the wiring picks the driver.

Doors are numbered from 1 here and everywhere above; only a driver knows wire channels.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, elapsed time for waiting."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class DoorSight(StrEnum):
    """What a door's switch says; it may lie."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Presence(StrEnum):
    """What a compartment's item sensor says; UNKNOWN where there is none."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BoardSight:
    """One settled look at a whole board: index 0 is door 1."""

    at: float  # Clock.monotonic() when the answer was complete
    doors: tuple[DoorSight, ...]
    items: tuple[Presence, ...]


class LockBoard(Protocol):
    """A row of locked doors behind one device URL."""

    name: str
    doors: int

    async def release(self, door: int) -> None:
        """One pulse, sent at most once; returns when the board has accepted it.

        NotMoved: certainly no pulse (refused, budget used up, line down before sending).
        OutcomeUnknown: it may have happened.
        """
        ...

    async def look(self) -> BoardSight:
        """Read now, ahead of polling. NoReply, BadReply or LineDown if that fails."""
        ...

    def watch(self) -> AsyncIterator[BoardSight]:
        """Poll until closed: a first sight, each settled change, one a second as a sign of life.

        A change counts after two equal reads at least 50 ms apart. Raises NoReply after three
        missed polls in a row and LineDown when the line is gone; call again to go on.
        """
        ...


class MachineState(StrEnum):
    STARTING = "starting"
    IDLE = "idle"
    MOVING = "moving"
    PRESENTING = "presenting"
    RETRACTING = "retracting"
    FAULT = "fault"
    SERVICE = "service"
    PRINTING = "printing"


class Outcome(StrEnum):
    """Of one command of a licence machine. All but NONE, RUNNING and PRESENTED are final."""

    NONE = "none"
    RUNNING = "running"
    PRESENTED = "presented"
    TAKEN = "taken"
    RETRACTED = "retracted"
    FAILED_INSIDE = "failed_inside"  # still in its slot, or not printed
    FAILED_ON_THE_WAY = "failed_on_the_way"
    INTERRUPTED = "interrupted"  # by a power cut; `detail` says where the document is
    REFUSED = "refused"  # nothing moved; `detail` says why
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Job:
    """A page that waits in the machine's print queue, 32 bits."""

    number: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A document that lies in the machine, from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Command:
    """What the machine remembers of one command."""

    seq: int
    document: Job | Slot | None  # None: another operation, or nothing remembered
    outcome: Outcome
    detail: int


@dataclass(frozen=True, slots=True)
class MachineSight:
    """The machine's block, read whole."""

    at: float
    state: MachineState
    # of jam, no_blanks, service_door, outlet_blocked, sensor, reject_full, printer, memory,
    # position, supply_low
    faults: frozenset[str]
    last: Command
    previous: Command
    blanks: int | None  # None: no printer
    slots: int
    filled: int
    at_outlet: bool
    take_left_s: int
    boots: int
    heartbeat: int


class LicenceMachine(Protocol):
    """Prints or stores licences and presents one at its outlet."""

    name: str

    async def look(self) -> MachineSight:
        """NoReply, BadReply or LineDown if that fails."""
        ...

    async def present(self, seq: int, document: Job | Slot) -> None:
        """Ask for one movement under a sequence number; returns once the machine has stored it.

        Asking again with the same number and document moves nothing more. NotMoved: refused by the
        machine, or certainly never sent. OutcomeUnknown: no answer; `look` tells.
        """
        ...

    async def retract(self, seq: int) -> None:
        """Take back what lies at the outlet. Same promises as `present`."""
        ...

    async def alive(self) -> None:
        """Give the controller's sign of life, at least every 5 s."""
        ...


class CodeReader(Protocol):
    """A scanner: one presentation of a code is one text."""

    name: str

    def codes(self) -> AsyncIterator[str]:
        """Printable ASCII, at most 512 characters. LineDown when the device is gone."""
        ...
