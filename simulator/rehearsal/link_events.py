"""What happens between a site and its district, as the log tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.journal import Entry


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry is durable at the district: its own, or one that it copied from the site."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch was given to the broker by one end."""

    by: str  # site, district
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """One end gave the broker an acknowledgement: so far goes its copy."""

    by: str
    seq: int


@dataclass(frozen=True, slots=True)
class Forged:
    """The broker gave one end a message that the other had not sealed."""

    to: str
    topic: str


@dataclass(frozen=True, slots=True)
class Alarmed:
    """The link raised an alarm at one end."""

    at: str
    kind: str


@dataclass(frozen=True, slots=True)
class Rewound:
    """One end's database is an older one; both journals go so far in it."""

    end: str
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Texted:
    """A recipient was told something."""

    order: str
    message: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A door's state was told to everybody, with its count of changes."""

    where: str
    state: str
    n: int


@dataclass(frozen=True, slots=True)
class Recalled:
    """An entry that the site had lost is durable there again."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Leaked:
    """Something of a person, or something that opens a door, stands where everybody may read."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """All is calm: what stands at both ends, and what everybody was told of doors."""

    stored: Mapping[str, tuple[str, ...]]  # site up, district up ...: hashes of what is stored
    acked: Mapping[str, int]  # up, down: the sender's cursor
    items: Mapping[str, tuple[str, str | None]]  # as the district has them: state, where
    told: Mapping[str, tuple[str, str]]  # of a place: door, compartment
    true: Mapping[str, tuple[str, str]]  # door, and what the world has inside


LinkEvent = (
    Kept | Sent | Sealed | Forged | Alarmed | Rewound | Texted | Shown | Recalled | Leaked | Agreed
)


def words_of_link(event: LinkEvent) -> str:
    """One line that is the same on every machine."""
    match event:
        case Kept(entry) | Recalled(entry):
            name = type(event).__name__.lower()
            return f"{name} {entry.stream.value} {entry.seq} {entry.hash[:12]}"
        case Agreed():
            return f"agreed {sum(map(len, event.stored.values()))} {len(event.told)}"
        case _:
            return plain_words(event)


def plain_words(event: Any) -> str:
    """An event's name and all that it says."""
    fields = (str(getattr(event, name)) for name in event.__slots__)
    return " ".join([type(event).__name__.lower(), *fields])
