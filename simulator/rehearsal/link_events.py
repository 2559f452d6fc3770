"""What happens between a site and its district, as the log tells it."""

from dataclasses import dataclass

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
    """One end's database is an older one; the site's journal goes so far in it."""

    end: str
    seq: int


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


LinkEvent = Kept | Sent | Sealed | Forged | Alarmed | Rewound | Texted | Shown
