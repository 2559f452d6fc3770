"""What happens in a rehearsal, in its order: what was written down and what really moved."""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from controller.journal import Entry
from simulator.rehearsal.link_events import LinkEvent, plain_words, words_of_link

TAIL: Final = 4_000  # events of which the words are kept to tell a story from
WRITES: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))  # made once


@dataclass(frozen=True, slots=True)
class Wrote:
    """An entry is durable at the site: its own, or one that it took over from the district."""

    entry: Entry
    ends: bool = True  # its transaction: what belongs to it stands there by now


@dataclass(frozen=True, slots=True)
class Moved:
    """A bolt moved, or paper came out; `times` so far at this place."""

    where: str
    times: int


@dataclass(frozen=True, slots=True)
class Driven:
    """A lock's coil got power for the `number`th time, or a machine took an order of that number.

    What it is to move follows later, if at all.
    """

    where: str
    number: int


@dataclass(frozen=True, slots=True)
class Swung:
    """A door opened or shut; `forced` is how often it was broken open so far."""

    where: str
    is_open: bool
    forced: int


@dataclass(frozen=True, slots=True)
class Took:
    """A thing is in somebody's hand."""

    thing: str
    where: str


@dataclass(frozen=True, slots=True)
class Lies:
    """A thing was put where it is now."""

    thing: str
    where: str


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody held a code before the scanner, or typed one. The code itself is not told."""

    what: str  # code, badge, label, digits (of a code, with another phone), other
    of: str  # code id, badge id, label
    at: str = ""  # the kiosk


@dataclass(frozen=True, slots=True)
class Answered:
    """What the screen said to a code that was held or typed."""

    how: str  # qr, typed
    of: str  # code id
    what: str  # as in Held
    text: str
    bare: bool  # nothing of any order is on the screen, nor a value
    after_s: float
    at: str = ""  # the kiosk


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault happened."""

    fault: str
    where: str


@dataclass(frozen=True, slots=True)
class Started:
    """The site's process came up, `times` so far, and what its tables say then."""

    times: int
    items: Mapping[str, tuple[str, str | None]]  # item id: state, where


@dataclass(frozen=True, slots=True)
class Seeing:
    """From now on the site runs and all its boards answer; or no longer."""

    so: bool


@dataclass(frozen=True, slots=True)
class ClockSet:
    """From now on the site's wall clock is wrong by so much."""

    wrong_s: float


@dataclass(frozen=True, slots=True)
class Flipped:
    """An entry in the site's file is another than it was; or as it was again."""

    entry: int
    so: bool


@dataclass(frozen=True, slots=True)
class Grown:
    """A process that lived through all this has so much more than one that has just started."""

    tasks: int
    files: int
    kept: int  # entries of its tables, lists and queues


@dataclass(frozen=True, slots=True)
class Calm:
    """The storm is over and everything had its time to come to rest: what the tables say then."""

    items: Mapping[str, tuple[str, str | None]]  # item id: state, where
    waiting: tuple[str, ...]  # orders that are ready and that nobody could collect
    stuck: tuple[str, ...]  # sentences


Event = (
    Wrote
    | Driven
    | Moved
    | Swung
    | Took
    | Lies
    | Held
    | Answered
    | Struck
    | Started
    | Seeing
    | ClockSet
    | Flipped
    | LinkEvent
    | Calm
    | Grown
)


def words_of(event: Event) -> str:
    """One line that is the same on every machine."""
    if isinstance(event, Calm):
        return f"calm {len(event.items)} {len(event.waiting)} {len(event.stuck)}"
    if isinstance(event, Started):
        return f"started {event.times} {len(event.items)}"
    if isinstance(event, LinkEvent):
        return words_of_link(event)
    if not isinstance(event, Wrote):
        return plain_words(event)
    entry = event.entry
    told = {key: value for key, value in entry.data.items() if key != "version"}
    text = WRITES.encode(told)
    return f"{entry.stream.value} {entry.seq} {entry.kind} {text}"


class EventLog:
    """Numbers and hashes every event, keeps the newest, and hands each to its listeners."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self.count = 0
        self.entries = 0
        self.tail: deque[tuple[int, float, str]] = deque(maxlen=TAIL)
        self.listeners: list[Callable[[Event], None]] = []
        self._elapsed = elapsed
        self._hash = hashlib.sha256()

    def note(self, event: Event) -> None:
        at = self._elapsed()
        self.count += 1
        self.entries += isinstance(event, Wrote)
        words = words_of(event)
        self.tail.append((self.count, at, words))
        self._hash.update(f"{at:.3f} {words}\n".encode())
        for listener in self.listeners:
            listener(event)

    def digest(self) -> str:
        return self._hash.hexdigest()
