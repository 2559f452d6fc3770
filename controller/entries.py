"""Journal entries: every kind that passes between a site and its district, declared once.

Shapes are TypedDicts: what is written is what is read. People are opaque ids, codes are hashes or
ids; nothing here may name a person, a phone or a secret. Durations are seconds, times RFC 3339 UTC.
`where` is `A/7` (cabinet and compartment) or a machine's name.
"""

from enum import StrEnum
from typing import Literal, NotRequired, TypedDict


class Down(StrEnum):
    """What a district tells a site."""

    ORDER_PLACED = "order.placed"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_UPDATED = "order.updated"
    CODE_REPLACED = "code.replaced"
    BADGE_GRANTED = "badge.granted"
    BADGE_REVOKED = "badge.revoked"
    PROBLEM_SOLVED = "problem.solved"
    ITEM_RETURN = "item.return"
    SETTINGS_CHANGED = "settings.changed"
    COMPARTMENT_OPEN = "compartment.open"
    COMPARTMENT_BLOCK = "compartment.block"
    COMPARTMENT_UNBLOCK = "compartment.unblock"
    DOUBT_SETTLE = "doubt.settle"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"


class Up(StrEnum):
    """What a site tells its district."""

    SITE_STARTED = "site.started"
    MOVEMENT_INTENDED = "movement.intended"
    MOVEMENT_SETTLED = "movement.settled"
    ITEM_LOADED = "item.loaded"
    ITEM_COLLECTED = "item.collected"
    ITEM_RETURNED = "item.returned"
    ITEM_EXPECTED = "item.expected"
    ITEM_MISSING = "item.missing"
    ITEM_STAYED = "item.stayed"
    PICKUP_READY = "pickup.ready"
    PICKUP_STARTED = "pickup.started"
    PICKUP_COMPLETED = "pickup.completed"
    PICKUP_ENDED = "pickup.ended"
    PICKUP_REFUSED = "pickup.refused"
    PICKUP_OVERDUE = "pickup.overdue"
    PROBLEM_REPORTED = "problem.reported"
    PROBLEM_SOLVED = "problem.solved"
    DEADLINE_EXTENDED = "deadline.extended"
    FEEDBACK_RATED = "feedback.rated"
    DOOR_OPENED = "door.opened"
    DOOR_CLOSED = "door.closed"
    DOOR_FORCED = "door.forced"
    DOOR_AJAR = "door.ajar"
    DOOR_UNKNOWN = "door.unknown"
    DOOR_CONTRADICTED = "door.contradicted"
    LOCK_COUNTED = "lock.counted"
    LOCK_RESTED = "lock.rested"
    DOORS_UNKNOWN = "doors.unknown"
    DOORS_CLOSED = "doors.closed"
    COMPARTMENT_FAULT = "compartment.fault"
    COMPARTMENT_RESTORED = "compartment.restored"
    MACHINE_CHANGED = "machine.changed"
    MACHINE_ADOPTED = "machine.adopted"
    COMMAND_DONE = "command.done"
    COMMAND_FAILED = "command.failed"
    COMMAND_REFUSED = "command.refused"
    COMMAND_EXPIRED = "command.expired"
    COMMAND_UNKNOWN = "command.unknown"
    ALARM_RAISED = "alarm.raised"
    ALARM_CLEARED = "alarm.cleared"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    HOLD_ENDED = "hold.ended"
    MAINTENANCE_BEGAN = "maintenance.began"
    MAINTENANCE_ENDED = "maintenance.ended"
    SETTINGS_TAKEN = "settings.taken"
    CLOCK_CONFIRMED = "clock.confirmed"
    DAY_RECKONED = "day.reckoned"


class Kind(StrEnum):
    """Item kinds known so far; which the district accepts is its settings' choice."""

    BUSINESS_LICENCE = "business_licence"
    SEAL_SET = "seal_set"


class Holder(StrEnum):
    CABINET = "cabinet"
    MACHINE = "machine"


class CompartmentState(StrEnum):
    FREE = "free"
    RESERVED = "reserved"
    OCCUPIED = "occupied"
    OPEN = "open"
    FAULT = "fault"
    BLOCKED = "blocked"


class ItemState(StrEnum):
    EXPECTED = "expected"
    LOADED = "loaded"
    RELEASING = "releasing"
    COLLECTED = "collected"
    RETURN_REQUESTED = "return_requested"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class OrderState(StrEnum):
    PLACED = "placed"
    PARTLY_LOADED = "partly_loaded"
    READY = "ready"
    PARTLY_COLLECTED = "partly_collected"
    COLLECTED = "collected"
    OVERDUE = "overdue"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class AlarmKind(StrEnum):
    DOOR_AJAR = "door_ajar"
    DOOR_FORCED = "door_forced"
    LOCK_JAMMED = "lock_jammed"
    CROSSWIRED = "crosswired"
    SWITCH_FAULT = "switch_fault"
    BOARD_SILENT = "board_silent"
    BUS_DOWN = "bus_down"
    ITEM_LEFT = "item_left"
    ITEM_MISSING = "item_missing"
    MACHINE_FAULT = "machine_fault"
    BLANKS_LOW = "blanks_low"
    TEMPERATURE = "temperature"
    POWER = "power"
    TAMPER = "tamper"
    CLOCK_JUMP = "clock_jump"
    JOURNAL_BROKEN = "journal_broken"
    DISK_LOW = "disk_low"
    GUESSING = "guessing"
    REMOTE_CAP = "remote_cap"
    CLONED = "cloned"
    UNEXPLAINED = "unexplained"
    MAINTENANCE = "maintenance"
    FIRE = "fire"


class Verdict(StrEnum):
    """Where an item is that was doubtful, as a person says."""

    INSIDE = "inside"
    WITH_RECIPIENT = "with_recipient"
    IN_HAND = "in_hand"  # taken out; it will be loaded anew
    TO_WINDOW = "to_window"
    MISSING = "missing"


Factor = Literal["none", "phone4", "id_card", "clerk"]
Severity = Literal["warning", "critical"]
SeenBy = Literal["door", "sensor", "machine", "person"]


class CompartmentPlan(TypedDict):
    cabinet: str
    no: int
    size: str
    height_cm: int
    reach: str


class SiteStarted(TypedDict):
    version: str
    compartments: list[CompartmentPlan]
    machines: list[str]


MovementKind = Literal[
    "load",
    "undo",  # what was just loaded is taken out again
    "collect",
    "reopen",
    "return",
    "inspect",  # staff look at what is doubtful
    "emergency",
    "remote",  # the district wanted it open
    "present",
    "retract",
]


class MovementIntended(TypedDict):
    intent: str
    kind: MovementKind
    where: str
    reason: str  # a sentence's key, e.g. "pickup", "vendor_load", "forgot_something"
    order: NotRequired[str]
    item: NotRequired[str]
    badge: NotRequired[str]
    code: NotRequired[str]  # code_id
    session: NotRequired[str]
    command: NotRequired[str]
    approved_by: NotRequired[str]  # the second one, where two people must want it
    seq: NotRequired[int]  # a machine's sequence number
    slot: NotRequired[int]  # of a machine that stores, into which it is to be loaded


class MovementSettled(TypedDict):
    intent: str
    outcome: Literal["moved", "not_moved", "unknown"]
    seen_by: SeenBy | None


class ItemLoaded(TypedDict):
    item: str
    order: str
    where: str
    by: SeenBy
    badge: NotRequired[str]
    slot: NotRequired[int]  # of a machine that stores


class ItemCollected(TypedDict):
    item: str
    order: str
    where: str
    by: SeenBy
    code: str | None  # code_id
    badge: NotRequired[str]  # of who settled it, where nobody saw it


class ItemReturned(TypedDict):
    """It left the site in a named person's hands, and goes to the window."""

    item: str
    order: str
    where: str
    by: SeenBy
    badge: str | None
    reason: str


class ItemMoved(TypedDict):
    """`item.expected` (it will be loaded anew) and `item.missing` (nobody found it)."""

    item: str
    order: str
    where: str  # where it was
    badge: str | None


class ItemStayed(TypedDict):
    """A door that was released is shut again and behind it is what was there before."""

    where: str
    item: str | None  # null: an empty compartment was opened once more
    inside: bool
    by: SeenBy


class PickupReady(TypedDict):
    order: str
    expires_at: str


class PickupOverdue(TypedDict):
    """Its code is good until what lies there is taken back."""

    order: str


class PickupStarted(TypedDict):
    order: str
    code: str
    session: str
    factor: NotRequired[Factor]  # what was shown beside the code
    badge: NotRequired[str]  # of the clerk who knows the person


class Taken(TypedDict):
    item: str
    where: str
    at: str


class PickupEnded(TypedDict):
    """`pickup.completed` (the code is spent) and `pickup.ended` (something is left for it)."""

    order: str
    session: str
    left: list[str]  # item ids
    code: NotRequired[str]  # code_id
    taken: NotRequired[list[Taken]]  # in this session: the receipt


class PickupRefused(TypedDict):
    reason: str  # a Reason; for strangers always code_unknown
    how: Literal["qr", "typed", "badge", "label", "foreign", "second_factor", "pin"]


class ProblemReported(TypedDict):
    case: str  # shown to the person
    where: str | None
    order: str | None
    what: str
    next: NotRequired[str]  # who does what about it: staff_look, vendor_mends...


class ProblemSolved(TypedDict):
    """Down: the district says so. Up: the site has taken it over, or its own staff say so."""

    case: str
    by: str


class DeadlineExtended(TypedDict):
    order: str
    expires_at: str
    reason: str


class FeedbackRated(TypedDict):
    order: str
    stars: int


class CompartmentChanged(TypedDict):
    """`compartment.fault|restored`."""

    where: str
    reason: str
    badge: NotRequired[str]  # of who settled it


class MachineChanged(TypedDict):
    machine: str
    state: str
    blanks: int | None  # sheets; a licence set takes two
    faults: list[str]


class MachineAdopted(TypedDict):
    """Its numbers are ours again."""

    machine: str
    seq: int
    badge: str


class CommandEnded(TypedDict):
    """`command.done|failed|refused|expired|unknown`: what became of what the district wanted."""

    command: str
    reason: NotRequired[str]  # why it was refused or failed


class AlarmRaised(TypedDict):
    alarm: str
    kind: str
    where: str
    severity: Severity
    since: str


class AlarmAcknowledged(TypedDict):
    """Down: the district says so. Up: the site has taken it over, or its own staff say so."""

    alarm: str
    by: str  # badge, or who the district says


class AlarmCleared(TypedDict):
    alarm: str


class SettingsTaken(TypedDict):
    """Names of policies that a district has changed here, and of those that it may not."""

    taken: list[str]
    refused: list[str]


class HoldEnded(TypedDict):
    why: str
    badge: str | None  # of who answers for it; null: the district's copy was read to its end


class ClockConfirmed(TypedDict):
    """Somebody answers for a clock that had jumped ahead of what was on record."""

    badge: str
    before: str  # the site's time until then
    after: str
