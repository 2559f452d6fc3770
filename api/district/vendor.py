"""A vendor's pages: what to load, labels to print, what lies where. Own boxes only."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup

from api.district.access import Access
from api.district.desk import Desk
from api.live import Live
from api.qr import qr_svg
from controller.district.district import District
from controller.district.staff import Person
from controller.district.views import SitePlace, VendorItem

WIDE_NAME = 50  # half-width signs that fill the three lines of a label
SHORT_LABEL = 10  # characters of a label's end, for the eye; the scanner reads the whole

Sought = Annotated[str | None, Query(max_length=80)]
Paper = Literal["sheet", "roll"]


@dataclass(frozen=True, slots=True)
class Round:
    """One visit: what waits to be loaded at one site."""

    site: SitePlace
    items: list[VendorItem]


@dataclass(frozen=True, slots=True)
class Label:
    item: VendorItem
    svg: Markup
    short: str
    long: bool  # the name: set smaller


def vendor_router(district: District, desk: Desk, access: Access, live: Live) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/vendor")
    async def home(request: Request) -> Response:
        person = access.need(request, "vendor")
        waiting = district.to_load(own(person))
        return desk.page(
            request,
            "vendor/home.html",
            person,
            vendor=_name(district, person),
            waiting=len(waiting),
            rounds=_rounds(waiting),
            lying=district.where_is(own(person)),
        )

    @router.get("/vendor/labels")
    async def labels(
        request: Request, site: Sought = None, label: Sought = None, paper: Paper = "sheet"
    ) -> Response:
        person = access.need(request, "vendor")
        wanted = [
            item
            for item in district.to_load(own(person))
            if site in (None, item.site.site_id) and label in (None, item.label)
        ]
        kept = {key: value for key, value in (("site", site), ("label", label)) if value}
        return desk.page(
            request,
            "vendor/labels.html",
            person,
            vendor=_name(district, person),
            labels=[_label(item) for item in wanted],
            paper=paper,
            query=urlencode(kept) + "&" if kept else "",
        )

    @router.get("/vendor/live")
    async def follow(request: Request) -> Response:
        person = access.need(request, "vendor")
        return live.stream(_changes(district, own(person), request, access))

    return router


def own(person: Person) -> str:
    """The vendor that a vendor's person acts for; the settings see to it that there is one."""
    assert person.vendor_id is not None
    return person.vendor_id


async def _changes(
    district: District, vendor_id: str, request: Request, access: Access
) -> AsyncIterator[str]:
    before: object = None
    async for _ in district.changes.listen():
        boxes = (district.to_load(vendor_id), district.where_is(vendor_id))
        if not access.still(request):
            return
        if boxes != before:
            yield "changed"
        before = boxes


def _name(district: District, person: Person) -> str:
    return district.plan.vendors.get(own(person), own(person))


def _rounds(waiting: list[VendorItem]) -> list[Round]:
    """By site, the site with the oldest order first."""
    rounds: dict[str, Round] = {}
    for item in waiting:
        rounds.setdefault(item.site.site_id, Round(item.site, [])).items.append(item)
    return list(rounds.values())


def _label(item: VendorItem) -> Label:
    code = item.label.removeprefix("OWL:")
    width = sum(1 if sign.isascii() else 2 for sign in item.company)
    return Label(item, qr_svg(item.label, item.label), code[-SHORT_LABEL:], width > WIDE_NAME)
