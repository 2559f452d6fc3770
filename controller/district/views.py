"""What the district shows to clients and pages: plain values, read and never written."""

from dataclasses import dataclass
from datetime import datetime

from controller.journal import Head


@dataclass(frozen=True, slots=True)
class ItemView:
    item_id: str
    kind: str  # entries.Kind
    holder: str  # cabinet or machine
    vendor_id: str | None
    seals: tuple[str, ...]
    label: str
    size: str
    state: str  # entries.ItemState
    cabinet: str | None  # these three: where it lies now
    compartment: int | None
    machine: str | None


@dataclass(frozen=True, slots=True)
class OrderView:
    order_no: str
    client: str
    site_id: str
    company: str
    uscc: str
    state: str  # entries.OrderState
    placed_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    items: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True)
class OrdersPage:
    orders: tuple[OrderView, ...]
    cursor: str | None  # gives the next page; None at the end


@dataclass(frozen=True, slots=True)
class OrderFilter:
    client: str | None = None  # None: everybody's, for ops
    state: str | None = None
    site_id: str | None = None
    since: datetime | None = None  # placed then or later
    until: datetime | None = None  # placed before


@dataclass(frozen=True, slots=True)
class PickupCodeView:
    """An owner's own: never into a log."""

    qr_text: str
    typed_code: str
    url: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class SitePlace:
    site_id: str
    name: str
    address: str
    how_to_find: str


@dataclass(frozen=True, slots=True)
class PickupPage:
    """What `/p/{token}` shows. `code` is there while it opens something."""

    order_no: str
    company: str
    site: SitePlace
    state: str
    items: tuple[ItemView, ...]
    until: datetime | None
    code: PickupCodeView | None


@dataclass(frozen=True, slots=True)
class SiteSummary:
    place: SitePlace
    kiosk_url: str
    version: str
    online: bool | None  # None: the broker has not said yet
    started_at: datetime | None
    heard_at: datetime | None  # newest entry or sign of life
    alarms: int  # standing
    compartments: int
    free: int


@dataclass(frozen=True, slots=True)
class CompartmentView:
    cabinet: str
    no: int
    size: str
    height_cm: int
    reach: str
    state: str  # entries.CompartmentState
    reason: str | None  # of a fault
    door: str  # open, closed, unknown
    door_n: int
    door_at: datetime | None
    label: str | None  # of the item inside
    order_no: str | None


@dataclass(frozen=True, slots=True)
class MachineView:
    machine: str
    state: str
    blanks: int | None
    faults: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class SiteView:
    summary: SiteSummary
    compartments: tuple[CompartmentView, ...]
    machines: tuple[MachineView, ...]


@dataclass(frozen=True, slots=True)
class AlarmView:
    alarm_id: str
    site_id: str
    kind: str  # entries.AlarmKind
    where: str
    severity: str
    since: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None  # a badge's id, or a person's


@dataclass(frozen=True, slots=True)
class DoubtView:
    """An item of which nobody knows where it is."""

    item_id: str
    order_no: str
    kind: str  # entries.Kind
    label: str
    where: str  # A/7 or a machine's name: where it was
    intent: str  # that brought it into doubt
    since: datetime
    may_be: tuple[str, ...]  # entries.Verdict: what may be said of it


@dataclass(frozen=True, slots=True)
class CommandView:
    """What a site was told to do. `accepted`, `delivered`, then as the site says."""

    command_id: str
    kind: str  # entries.Down
    site_id: str
    state: str  # accepted, delivered, done, refused, failed, unknown, expired
    why: str | None  # it was refused or failed
    item_id: str
    intent: str
    outcome: str  # entries.Verdict
    reason: str
    requested_by: str
    approved_by: str
    at: datetime
    expires_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class JournalPage:
    entries: tuple[str, ...]  # stored bytes as text
    head: Head
    next: int | None  # ask with after=next for more


@dataclass(frozen=True, slots=True)
class VendorItem:
    """A vendor's box: to load, or lying somewhere. Also a row of the label sheet."""

    order_no: str
    company: str
    item_id: str
    label: str
    kind: str
    seals: tuple[str, ...]
    size: str
    state: str
    site: SitePlace
    where: str | None  # A/7
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class PhoneText:
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers for `/metrics`."""

    orders: dict[str, int]  # by state
    messages: dict[str, int]  # by state
    alarms: dict[tuple[str, str], int]  # standing, by site and kind
    doubtful: dict[str, int]  # movements of which nobody knows, by site
    online: dict[str, bool]  # by site
