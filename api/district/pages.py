"""The district's pages, put on its app: log-in, company, vendor, ops."""

from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.district.access import (
    HOME,
    Access,
    ForeignForm,
    LogInFirst,
    NotYours,
    Nowhere,
    safe_way,
    to_log_in,
)
from api.district.company import HEADERS as COMPANY_HEADERS
from api.district.company import company_router
from api.district.desk import Desk
from api.district.ops import ops_router
from api.district.vendor import vendor_router
from api.live import Live
from api.pages import Pages, choose_lang, texts
from controller.district.district import District
from controller.district.seal import Seal
from controller.district.staff import Staff
from controller.district.stories import Stories
from controller.refusals import Reason, Refused
from controller.settings import DistrictSettings

Field = Annotated[str, Form(max_length=2_000)]
Way = Annotated[str, Query(max_length=2_000)]


def add_pages(
    app: FastAPI, district: District, settings: DistrictSettings, pages: Pages, live: Live
) -> None:
    """`/` as well, unless the demo shows its own page there."""
    staff = Staff(district.store, district.clock, settings.login)
    access = Access(staff, settings.district.url)
    desk = Desk(pages, district.clock)
    seal = Seal(settings.district.seal_key.get_secret_value())
    stories = Stories(district.store, seal)

    def nowhere(request: Request) -> Response:
        return pages.page(
            request,
            "login/not_found.html",
            status=404,
            headers=COMPANY_HEADERS,
            tel=district.plan.tel,
        )

    app.include_router(company_router(district, pages, live, nowhere))
    app.include_router(vendor_router(district, desk, access, live))
    app.include_router(ops_router(district, stories, desk, access, staff, live))
    _add_log_in(app, desk, access, staff, pages, at_root=not settings.district.demo)
    _add_turned_away(app, desk, access)

    @app.exception_handler(Nowhere)
    async def lost(request: Request, _lost: Nowhere) -> Response:
        return nowhere(request)


def _add_log_in(
    app: FastAPI, desk: Desk, access: Access, staff: Staff, pages: Pages, *, at_root: bool
) -> None:
    async def form(request: Request, goes: Way = "") -> Response:
        person = access.somebody(request)
        if person is not None:
            return RedirectResponse(HOME[person.role], status_code=303)
        return desk.page(request, "login/log_in.html", None, username="", wrong="", goes=goes)

    app.add_api_route("/log-in", form, methods=["GET"], include_in_schema=False)
    if at_root:
        app.add_api_route("/", form, methods=["GET"], include_in_schema=False)

    @app.post("/log-in", include_in_schema=False)
    async def log_in(
        request: Request, username: Field = "", password: Field = "", goes: Field = ""
    ) -> Response:
        access.same_origin(request)
        address = request.client.host if request.client else ""
        try:
            token = await staff.log_in(username, password, address)
        except Refused as refused:
            context = {"username": username, "goes": goes, "wrong": _wrong(request, pages, refused)}
            status = 429 if refused.reason is Reason.TOO_MANY_TRIES else 401
            return desk.page(request, "login/log_in.html", None, status=status, **context)
        staff.log_out(access.token(request))
        person = staff.who(token)
        assert person is not None
        answer = RedirectResponse(safe_way(goes, person), status_code=303)
        access.enter(answer, token)
        return answer

    @app.post("/log-out", include_in_schema=False)
    async def log_out(request: Request) -> Response:
        access.same_origin(request)
        staff.log_out(access.token(request))
        answer = RedirectResponse("/log-in", status_code=303)
        access.leave(answer)
        return answer


def _wrong(request: Request, pages: Pages, refused: Refused) -> str:
    translate = texts(choose_lang(request, pages.default)).gettext
    if refused.reason is Reason.TOO_MANY_TRIES:
        return translate("Too many tries. Please wait %(seconds)s seconds.") % refused.values
    return translate("Name and password do not fit together.")


def _add_turned_away(app: FastAPI, desk: Desk, access: Access) -> None:
    @app.exception_handler(LogInFirst)
    async def first(_request: Request, away: LogInFirst) -> Response:
        return to_log_in(away.goes)

    @app.exception_handler(NotYours)
    async def not_yours(request: Request, away: NotYours) -> Response:
        home = HOME[away.person.role]
        return desk.page(request, "login/not_yours.html", away.person, status=403, home=home)

    @app.exception_handler(ForeignForm)
    async def foreign(request: Request, _away: ForeignForm) -> Response:
        person = access.somebody(request)
        return desk.page(request, "login/foreign.html", person, status=403)
