"""Shapes of what a district tells a site; `entries` has their kinds and the rest."""

from typing import Literal, NotRequired, TypedDict


class PlacedItem(TypedDict):
    item_id: str
    kind: str
    holder: Literal["cabinet", "machine"]
    vendor_id: str | None
    label: str  # `OWL:...`
    size: Literal["S", "M", "L"]
    filed: NotRequired[bool]  # its order names the seals' codes; the codes stay at the district


class PlacedCode(TypedDict):
    code_id: str
    qr: str  # hex HMAC-SHA256 with the site's code key over the QR's secret
    typed: list[str]  # hex scrypt with the site's salt over code + last four, one for each phone
    # for a second factor: hex HMAC-SHA256 with the site's code key over the QR's secret + last
    # four, one for each phone, and over each identity card's number
    tails: NotRequired[list[str]]
    id_hashes: NotRequired[list[str]]
    # those of `typed` and `tails` whose recipient has no card, where others of the order have one
    without_card: NotRequired[list[str]]


class OrderPlaced(TypedDict):
    order: str  # order_no
    company: str  # the name alone; a sole trader's masked
    items: list[PlacedItem]
    codes: list[PlacedCode]
    retention_s: int
    needs: dict[str, str]  # {"reach": "low"} or empty


class OrderCancelled(TypedDict):
    order: str
    reason: str


class OrderUpdated(TypedDict):
    """What is named is so from now on; all else stays as it was."""

    order: str
    retention_s: NotRequired[int]  # from ready on, in all; never less than before
    needs: NotRequired[dict[str, str]]
    codes: NotRequired[list[PlacedCode]]  # a delegate's, beside those that there are
    moved_to: NotRequired[str]  # a site: nothing more of it is expected at this one


class CodeReplaced(TypedDict):
    order: str
    replaces: str  # code_id that is dead from now on
    code: PlacedCode


class BadgeGranted(TypedDict):
    badge: str  # badge id
    hash: str  # hex HMAC-SHA256 with the site's code key over the badge's secret
    pin: NotRequired[str]  # hex scrypt with the site's salt over the badge's secret and its PIN
    role: Literal["vendor", "staff"]
    vendor_id: str | None
    valid_until: str


class BadgeRevoked(TypedDict):
    badge: str


class ItemReturn(TypedDict):
    """Whoever comes for it with a badge may take it out; until then its code works."""

    order: str
    item: NotRequired[str]  # without: all that lies here of the order
    reason: str


class CompartmentCommand(TypedDict):
    """`compartment.open|block|unblock`: somebody at the district wants it, for a reason.

    An occupied compartment is opened only where two different people are named.
    """

    command: str
    cabinet: str
    no: int
    reason: str
    requested_by: str
    approved_by: str | None
    expires_at: str  # nothing is done from this moment on


class DoubtCommand(TypedDict):
    """`doubt.settle`: two people at the district say where a doubtful item is.

    Only while the doubt is the one that they looked at: `intent` brought the item into it.
    """

    command: str
    item: str
    intent: str
    outcome: str  # entries.Verdict
    reason: str
    requested_by: str
    approved_by: str
    expires_at: str  # nothing is done from this moment on


class SettingsChanged(TypedDict):
    """The site's own figures stand for each one that is None."""

    policy: dict[str, bool | float | None]
