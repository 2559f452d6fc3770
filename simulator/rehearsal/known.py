"""What a site's journal announced, and what the world did at each place."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Intent:
    """A movement that the journal announced."""

    name: str
    kind: str
    where: str
    order: str | None
    badge: str | None
    at: float
    command: str | None = None
    seq: int = 0  # that a machine is to be asked with
    by: str = ""  # the visit, or else the badge or command
    start: int = 0  # of the site's process, in which it was announced
    ends: list[str] = field(default_factory=list)
    moves: int = 0  # of the bolt since it was announced, until the next one here
    drives: int = 0  # orders that a lock or machine took for it


@dataclass(slots=True)
class Item:
    """An item as orders named it and entries moved it."""

    item_id: str
    order: str
    thing: str  # what lies in the world: its label, or JOB:n once a machine knows it
    holder: str
    slotted: bool = False  # a machine keeps it, or is to
    state: str = "expected"
    where: str = ""


@dataclass(slots=True)
class Command:
    """What the district wanted of a compartment, as the journal took it over."""

    name: str
    kind: str
    where: str
    by_two: bool
    expires_at: datetime
    heard_at: float
    ends: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Place:
    """One door or machine: what was announced and what moved."""

    moved: int = 0
    announced: int = 0
    last: Intent | None = None
    is_open: bool = False
    forced: int = 0
    swings: int = 0  # of its door, by hands
    told_open: bool | None = None  # as entries have it
    told_swings: int = 0
    lies: bool = False  # its switch stuck at some time
