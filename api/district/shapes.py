"""What the district's API answers with, and the examples that its OpenAPI shows."""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from controller.district.views import (
    CompartmentView,
    ItemView,
    OrdersPage,
    OrderView,
    SiteSummary,
    SiteView,
)
from controller.entries import ItemState, OrderState

ORDER_EXAMPLE: Final[dict[str, Any]] = {
    "order_no": "440304202611230001",
    "site_id": "FT-0001",
    "company": {"name": "深圳市某某科技有限公司", "uscc": "91440300MA5FXAM6PL"},
    "recipients": [
        {
            "name": "张三",
            "phone": "+8613800000000",
            "id_number": None,
            "role": "legal_representative",
        }
    ],
    "items": [
        {"kind": "business_licence", "holder": "machine"},
        {
            "kind": "seal_set",
            "holder": "cabinet",
            "vendor_id": "V01",
            "seals": ["official", "finance", "invoice", "legal_representative"],
        },
    ],
}
PLACED_EXAMPLE: Final[dict[str, Any]] = {
    "order_no": "440304202611230001",
    "site_id": "FT-0001",
    "state": "partly_loaded",
    "placed_at": "2026-11-23T02:00:00Z",
    "ready_at": None,
    "expires_at": None,
    "items": [
        {
            "item_id": "8d7b1c2e9f3a4b50",
            "kind": "business_licence",
            "holder": "machine",
            "label": "OWL:7ZK3M9Q2XA",
            "state": "loaded",
            "machine": "M1",
        },
        {
            "item_id": "1f0e2d3c4b5a6978",
            "kind": "seal_set",
            "holder": "cabinet",
            "label": "OWL:4TB8W1N6RC",
            "state": "loaded",
            "cabinet": "A",
            "compartment": 7,
        },
    ],
}


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class CabinetItem(_Shape):
    """An item that lies, or will lie, in a compartment; null until it is loaded."""

    item_id: str
    kind: str
    holder: Literal["cabinet"]
    label: str
    state: ItemState
    cabinet: str | None
    compartment: int | None


class MachineItem(_Shape):
    """An item that the licence machine gives out; null until the machine can."""

    item_id: str
    kind: str
    holder: Literal["machine"]
    label: str
    state: ItemState
    machine: str | None


class Order(_Shape):
    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [PLACED_EXAMPLE]})

    order_no: str
    site_id: str
    state: OrderState
    placed_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None
    items: list[CabinetItem | MachineItem]


class OrderList(_Shape):
    orders: list[Order]
    next: str | None  # `cursor` of the next page


class PickupCode(_Shape):
    qr_text: str
    typed_code: str
    url: str
    expires_at: datetime | None


class Site(_Shape):
    site_id: str
    name: str
    address: str
    health: Literal["online", "offline", "unknown"]
    heard_at: datetime | None
    version: str
    alarms: int  # standing
    compartment_count: int
    free_count: int


class SiteList(_Shape):
    sites: list[Site]


class Compartment(_Shape):
    cabinet: str
    compartment: int
    size: str
    height_cm: int
    reach: str
    state: str
    reason: str | None
    door: str
    door_n: int
    door_at: datetime | None


class Machine(_Shape):
    machine: str
    state: str
    blanks: int | None
    faults: list[str]
    at: datetime


class SiteDetail(Site):
    compartments: list[Compartment]
    machines: list[Machine]


class Alarm(_Shape):
    alarm_id: str
    site_id: str
    kind: str
    where: str
    severity: str
    since: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None  # an opaque id


class AlarmList(_Shape):
    alarms: list[Alarm]


class Doubt(_Shape):
    item_id: str
    order_no: str
    kind: str
    label: str
    where: str
    intent: str  # of the movement that brought it into doubt
    since: datetime
    may_be: list[str]


class DoubtList(_Shape):
    doubts: list[Doubt]


class Command(_Shape):
    command_id: str
    kind: str
    site_id: str
    state: Literal["accepted", "delivered", "done", "refused", "failed", "unknown", "expired"]
    why: str | None
    item_id: str
    intent: str
    outcome: str
    reason: str
    requested_by: str
    approved_by: str
    at: datetime
    expires_at: datetime
    ended_at: datetime | None


class JournalHead(_Shape):
    seq: int
    hash: str


class Journal(_Shape):
    """`entries` are the stored bytes as text: hashes are over exactly these."""

    entries: list[str]
    head: JournalHead
    next: int | None


def item(view: ItemView) -> CabinetItem | MachineItem:
    state = ItemState(view.state)
    if view.holder == "machine":
        return MachineItem(
            item_id=view.item_id,
            kind=view.kind,
            holder="machine",
            label=view.label,
            state=state,
            machine=view.machine,
        )
    return CabinetItem(
        item_id=view.item_id,
        kind=view.kind,
        holder="cabinet",
        label=view.label,
        state=state,
        cabinet=view.cabinet,
        compartment=view.compartment,
    )


def order(view: OrderView) -> Order:
    return Order(
        order_no=view.order_no,
        site_id=view.site_id,
        state=OrderState(view.state),
        placed_at=view.placed_at,
        ready_at=view.ready_at,
        expires_at=view.expires_at,
        items=[item(each) for each in view.items],
    )


def order_list(page: OrdersPage) -> OrderList:
    return OrderList(orders=[order(each) for each in page.orders], next=page.cursor)


def _site_words(view: SiteSummary) -> dict[str, Any]:
    health = {True: "online", False: "offline", None: "unknown"}[view.online]
    return {
        "site_id": view.place.site_id,
        "name": view.place.name,
        "address": view.place.address,
        "health": health,
        "heard_at": view.heard_at,
        "version": view.version,
        "alarms": view.alarms,
        "compartment_count": view.compartments,
        "free_count": view.free,
    }


def site(view: SiteSummary) -> Site:
    return Site(**_site_words(view))


def site_detail(view: SiteView) -> SiteDetail:
    return SiteDetail(
        **_site_words(view.summary),
        compartments=[_compartment(each) for each in view.compartments],
        machines=[Machine.model_validate(each) for each in view.machines],
    )


def _compartment(view: CompartmentView) -> Compartment:
    return Compartment(
        cabinet=view.cabinet,
        compartment=view.no,
        size=view.size,
        height_cm=view.height_cm,
        reach=view.reach,
        state=view.state,
        reason=view.reason,
        door=view.door,
        door_n=view.door_n,
        door_at=view.door_at,
    )
