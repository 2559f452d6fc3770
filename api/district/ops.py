"""Operations: sites, the cabinet's front with live doors, alarms, journals, orders."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.cabinet import Front, fronts
from api.district.access import Access
from api.district.desk import Desk
from api.district.doubt_pages import TOLD_FOR, add_alarms, add_doubts
from api.district.operations import Ops
from api.live import Live
from controller.district.district import District
from controller.district.staff import Staff
from controller.district.stories import Stories
from controller.district.views import AlarmView, CompartmentView, OrderFilter
from controller.entries import CompartmentPlan, OrderState
from controller.journal import Stream

LINES_AT_SITE = 12
LINES_A_PAGE = 50
ORDERS_A_PAGE = 50
PAST_ALARMS = 50

Sought = Annotated[str | None, Query(max_length=100)]
Below = Annotated[int | None, Query(ge=1)]


def ops_router(
    district: District, stories: Stories, desk: Desk, access: Access, staff: Staff, live: Live
) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    ops = Ops(district, stories, desk, access, staff)
    _add_overview(router, ops)
    _add_site(router, ops)
    _add_orders(router, ops)
    add_doubts(router, ops)
    add_alarms(router, ops)

    @router.get("/ops/live")
    async def follow(request: Request) -> Response:
        access.need(request, "ops")
        return live.stream(_changes(ops, request))

    return router


def _add_overview(router: APIRouter, ops: Ops) -> None:
    district = ops.district

    @router.get("/ops")
    async def home(request: Request) -> Response:
        person = ops.access.need(request, "ops")
        return ops.page(
            request,
            "ops/home.html",
            person,
            "sites",
            sites=district.sites(),
            alarms=_worst_first(district.alarms()),
            counts=ops.stories.counts(),
        )

    @router.get("/ops/alarms")
    async def alarms(request: Request) -> Response:
        person = ops.access.need(request, "ops")
        past = [alarm for alarm in district.alarms(standing=False) if alarm.cleared_at]
        return ops.page(
            request,
            "ops/alarms.html",
            person,
            "alarms",
            alarms=_worst_first(district.alarms()),
            past=past[:PAST_ALARMS],
        )


def _add_site(router: APIRouter, ops: Ops) -> None:
    district = ops.district

    @router.get("/ops/sites/{site_id}")
    async def site(request: Request, site_id: str) -> Response:
        person = ops.access.need(request, "ops")
        found = ops.site(site_id)
        newest, _ = ops.stories.newest(site_id, Stream.UP, None, LINES_AT_SITE)
        return ops.page(
            request,
            "ops/site.html",
            person,
            "sites",
            site=found,
            fronts=_fronts(found.compartments),
            boxes={f"{each.cabinet}/{each.no}": each for each in found.compartments},
            alarms=_worst_first(district.alarms(site_id)),
            doubts=district.doubts.standing(site_id),
            told=district.doubts.told(site_id, TOLD_FOR),
            lines=ops.lines(request, newest),
        )

    @router.get("/ops/sites/{site_id}/journal")
    async def journal(
        request: Request, site_id: str, stream: Stream = Stream.UP, before: Below = None
    ) -> Response:
        person = ops.access.need(request, "ops")
        place = ops.site(site_id).summary.place
        head = district.journal(site_id, limit=1, stream=stream).head
        entries, older = ops.stories.newest(site_id, stream, before, LINES_A_PAGE)
        return ops.page(
            request,
            "ops/journal.html",
            person,
            "sites",
            place=place,
            stream=stream.value,
            lines=ops.lines(request, entries),
            head=head,
            older=older,
            newest=before is None,
        )


def _add_orders(router: APIRouter, ops: Ops) -> None:
    district = ops.district

    @router.get("/ops/orders")
    async def orders(
        request: Request,
        state: OrderState | None = None,
        cursor: Sought = None,
        find: Sought = None,
    ) -> Response:
        person = ops.access.need(request, "ops")
        if find:
            return RedirectResponse(f"/ops/orders/{quote(find.strip(), safe='')}", status_code=303)
        page = district.orders(OrderFilter(state=state), cursor, ORDERS_A_PAGE)
        return ops.page(
            request,
            "ops/orders.html",
            person,
            "orders",
            orders=page.orders,
            state=state,
            counts=ops.stories.counts(),
            cursor=page.cursor,
            first=cursor is None,
        )

    @router.get("/ops/orders/{order_no}")
    async def order(request: Request, order_no: str) -> Response:
        person = ops.access.need(request, "ops")
        found = ops.order(order_no)
        return ops.page(
            request,
            "ops/order.html",
            person,
            "orders",
            order=found,
            place=ops.site(found.site_id).summary.place,
            recipients=ops.stories.recipients(order_no),
            lines=ops.lines(request, ops.stories.story(found)),
        )


async def _changes(ops: Ops, request: Request) -> AsyncIterator[str]:
    async for _ in ops.district.changes.listen():
        if not ops.access.still(request):
            return
        yield "changed"


def _worst_first(alarms: list[AlarmView]) -> list[AlarmView]:
    return sorted(alarms, key=lambda alarm: alarm.severity != "critical")


def _fronts(compartments: tuple[CompartmentView, ...]) -> list[Front]:
    return fronts(
        CompartmentPlan(
            cabinet=each.cabinet,
            no=each.no,
            size=each.size,
            height_cm=each.height_cm,
            reach=each.reach,
        )
        for each in compartments
    )
