"""What the rules ask of the world. Drivers fit these protocols; the wiring picks the driver.

Doors are numbered from 1 here and everywhere above; only a driver knows wire channels.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import inf
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

    @property
    def pulses_longer(self) -> bool:
        """Whether an order says how long its pulse is; else the board's own setting does."""
        ...

    def rests_s(self, door: int) -> float:
        """How long a release of this door would still be refused because its coil rests."""
        ...

    async def release(self, door: int, *, by: float = inf, longer: bool = False) -> None:
        """One pulse, sent at most once; returns when the board has accepted it.

        `by` is the Clock.monotonic() by which the order has left or never will: a decision does
        not grow old in a line's queue. `longer` asks for one pulse of a second, for a weak lock
        and only because a person pressed again; where the board does not pulse longer it is the
        usual pulse. After it the coil rests twice as long.

        NotMoved: certainly no pulse (refused, too late, budget used up, line down before sending).
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
    occupied: frozenset[int] = frozenset()  # slots in which something lies


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

    async def take_in(self, seq: int, slot: Slot) -> None:
        """Have an empty slot wait for what is laid into the intake, 60 s. Same promises.

        DONE says that it lies there, FAILED_INSIDE that nothing was laid in.
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


class IdCard:
    """Whom an ID card is made out to: name and number, nothing else. Its text names neither."""

    __slots__ = ("_name", "_number")

    def __init__(self, name: str, number: str) -> None:
        self._name = bytearray(name, "utf-8")
        self._number = bytearray(number, "ascii")

    @property
    def name(self) -> str:
        return self._name.decode("utf-8")

    @property
    def number(self) -> str:
        """18 characters of a citizen's card, 15 of a foreigner's."""
        return self._number.decode("ascii")

    def wipe(self) -> None:
        """Both are gone from memory."""
        for held in (self._name, self._number):
            held[:] = bytes(len(held))
            held.clear()

    def __repr__(self) -> str:
        return "IdCard()"


class IdCardReader(Protocol):
    """A reader of ID cards: one presentation of a card is one card."""

    name: str

    def cards(self) -> AsyncIterator[IdCard]:
        """Each card is wiped as soon as the next is asked for, or the iterator closed.

        NoReply or LineDown when the reader is gone; BadReply after three cards in a row that could
        not be read; NotConfigured when it needs a service visit.
        """
        ...


@dataclass(frozen=True, slots=True)
class EnvironmentSight:
    """What a cabinet's surroundings are like. Names are the profile's.

    Known names: `temperature_c`, `humidity_percent`; `mains`, `battery`, `tamper`, `vibration`,
    `smoke`, `service_key`. A contact is true when all is well; one that flips on is left out.
    """

    at: float
    measures: Mapping[str, float]
    contacts: Mapping[str, bool]


class Environment(Protocol):
    """Sensors, contacts and lamps of a cabinet behind one device URL."""

    name: str
    outputs: tuple[str, ...]  # of `light`, `fan`, `sounder` and others of the profile

    async def look(self) -> EnvironmentSight:
        """Read now. NoReply, BadReply, LineDown or NotConfigured if that fails."""
        ...

    def watch(self) -> AsyncIterator[EnvironmentSight]:
        """A first sight, each settled change of a contact, and one every ten seconds.

        Raises NoReply after three missed polls in a row; call again to go on.
        """
        ...

    async def switch(self, output: str, *, on: bool) -> None:
        """It is on or off for certain. Asked again after a lost answer: that moves no bolt."""
        ...
