"""Ops settle what nobody at a site knows, and take alarms on: forms that work without a script."""

from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.district.access import Nowhere
from api.district.operations import Ops
from controller.district.doubts import Settlement
from controller.district.staff import Person
from controller.district.views import DoubtView
from controller.refusals import FieldsRefused, Reason, Refused

OURS: Final = "ops"  # for whom a site is told what these pages say
TOLD_FOR: Final = timedelta(hours=1)
LINES: Final = 30
CHOSEN: Final = {"outcome": "", "reason": "", "username": ""}
Field = Annotated[str, Form(max_length=2_000)]
WRONG: Final = {
    Reason.UNAUTHENTICATED: "Name and password do not fit together.",
    Reason.NEEDS_TWO: "That has to be somebody else of operations, not you.",
    Reason.STALE_DECISION: "That cannot be said of it any more. Read again what happened.",
    Reason.CONFLICT: "The site was told already and has not answered yet.",
    Reason.BAD_FIELD: "Choose what you know and how you know it.",
}


def add_doubts(router: APIRouter, ops: Ops) -> None:
    district = ops.district

    def page(
        request: Request, person: Person, doubt: DoubtView, site_id: str, **said: str | int
    ) -> Response:
        order = ops.order(doubt.order_no)
        return ops.page(
            request,
            "ops/doubt.html",
            person,
            "sites",
            status=int(said.pop("status", 200)),
            place=ops.site(site_id).summary.place,
            doubt=doubt,
            order=order,
            lines=ops.lines(request, ops.stories.story(order))[-LINES:],
            wrong=said.pop("wrong", ""),
            chosen=CHOSEN | said,
        )

    @router.get("/ops/sites/{site_id}/doubts/{item_id}")
    async def form(request: Request, site_id: str, item_id: str) -> Response:
        person = ops.access.need(request, "ops")
        return page(request, person, _doubt(ops, site_id, item_id), site_id)

    @router.post("/ops/sites/{site_id}/doubts/{item_id}")
    async def settle(
        request: Request,
        site_id: str,
        item_id: str,
        intent: Field = "",
        outcome: Field = "",
        reason: Field = "",
        username: Field = "",
        password: Field = "",
    ) -> Response:
        ops.access.same_origin(request)
        person = ops.access.need(request, "ops")
        doubt = _doubt(ops, site_id, item_id)
        try:
            second = await _second(ops, request, person, username, password)
            first, other = (district.alias(each.username) for each in (person, second))
            said = Settlement(site_id, item_id, intent, outcome, reason, first, other)
            district.doubts.settle(said, OURS)
        except Refused as refused:
            chosen = {"outcome": outcome, "reason": reason, "username": username}
            wrong = _wrong(ops, request, refused)
            return page(request, person, doubt, site_id, wrong=wrong, status=422, **chosen)
        return RedirectResponse(f"/ops/sites/{site_id}#doubts", status_code=303)


def add_alarms(router: APIRouter, ops: Ops) -> None:
    district = ops.district

    @router.post("/ops/sites/{site_id}/alarms/{alarm_id}/take-on")
    async def take_on(request: Request, site_id: str, alarm_id: str, goes: Field = "") -> Response:
        access = ops.access
        access.same_origin(request)
        person = access.need(request, "ops")
        with suppress(Refused):  # it ended meanwhile: the page shows what is left
            district.take_on(alarm_id, district.alias(person.username), site_id)
        return RedirectResponse(_back(goes, site_id), status_code=303)


def _doubt(ops: Ops, site_id: str, item_id: str) -> DoubtView:
    found = ops.district.doubts.standing(site_id)
    for each in found:
        if each.item_id == item_id:
            return each
    raise Nowhere


async def _second(
    ops: Ops, request: Request, first: Person, username: str, password: str
) -> Person:
    """Somebody else of operations, by name and password."""
    address = request.client.host if request.client else ""
    second = await ops.staff.vouch(username, password, address)
    if second.role != "ops" or second.username == first.username:
        raise Refused(Reason.NEEDS_TWO)
    return second


def _back(goes: str, site_id: str) -> str:
    return {"alarms": "/ops/alarms", "sites": "/ops"}.get(goes, f"/ops/sites/{site_id}")


def _wrong(ops: Ops, request: Request, refused: Refused) -> str:
    translate = ops.translate(request)
    if refused.reason is Reason.TOO_MANY_TRIES:
        return translate("Too many tries. Please wait %(seconds)s seconds.") % refused.values
    reason = Reason.BAD_FIELD if isinstance(refused, FieldsRefused) else refused.reason
    return translate(WRONG[reason])
