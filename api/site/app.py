"""A site's HTTP: the kiosk's page, the same for other makers' screens, and what watchers ask."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, StringConstraints

from api.cabinet import fronts
from api.headers import Headers
from api.live import Live
from api.pages import Lang, Pages
from api.problems import problem
from api.site.figures import Figures, exposition
from api.site.screen import KioskShown, SitePlace, drawn, shown
from controller.entries import CompartmentPlan
from controller.ports import Clock
from controller.refusals import Reason, Refused
from controller.site.kiosk import KioskView


class KioskSite(Protocol):
    """What the kiosk's page asks of a site."""

    def kiosk_view(self) -> KioskView: ...

    def views(self) -> AsyncIterator[KioskView]:
        """The view now, then each change."""
        ...

    def press(self, button: str, value: str | None) -> None:
        """Refused where the screen does not offer the button or the value is none of its own."""
        ...

    def problems(self) -> Sequence[str]:
        """Why the site does not serve people; empty while it does."""
        ...


class Pressed(BaseModel):
    """What a finger does on the screen."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"button": "confirm"}]}
    )

    button: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    value: Annotated[str, StringConstraints(max_length=64)] | None = None


def make_app(
    site: KioskSite,
    *,
    place: SitePlace,
    plan: Sequence[CompartmentPlan],
    lang: Lang,
    clock: Clock,
    figures: Callable[[], Figures],
    offline: Callable[[], bool] = lambda: False,
    framed_by: Sequence[str] = (),
) -> FastAPI:
    """The site's app. `app.state.live.close()` ends the open event streams at shutdown.

    `framed_by` names the origins that may show the kiosk inside a page of theirs.
    """
    app = FastAPI(
        title="OneWindow site", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json"
    )
    live = app.state.live = Live(clock)
    pages = Pages(lang)
    pages.mount(app)
    app.add_middleware(Headers, framed_by=framed_by)
    drawings = fronts(plan)

    def render(template: str) -> HTMLResponse:
        chosen, context = drawn(site.kiosk_view(), place, drawings, offline=offline())
        return HTMLResponse(pages.html(template, chosen, context))

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("/kiosk")

    @app.get("/kiosk", include_in_schema=False)
    async def kiosk_page() -> HTMLResponse:
        return render("kiosk/page.html")

    @app.get("/kiosk/screen", include_in_schema=False)
    async def kiosk_screen() -> HTMLResponse:
        return render("kiosk/screen.html")

    _add_api(app, site, live)
    _add_watching(app, site, figures)
    _add_errors(app)
    return app


def _add_api(app: FastAPI, site: KioskSite, live: Live) -> None:
    @app.get("/api/v1/kiosk")
    async def kiosk() -> KioskShown:
        """What the screen shows now."""
        return shown(site.kiosk_view())

    @app.get("/api/v1/kiosk/events", response_class=Response)
    async def kiosk_events() -> Response:
        """The same as server-sent events named `kiosk`: one now, then one for each change."""
        return live.stream(_as_json(site.views()), event="kiosk")

    @app.post("/api/v1/kiosk/press")
    async def press(pressed: Pressed) -> KioskShown:
        """Press a button that the screen offers; the answer is what it shows right after."""
        site.press(pressed.button, pressed.value)
        return shown(site.kiosk_view())


async def _as_json(views: AsyncIterator[KioskView]) -> AsyncIterator[str]:
    async for view in views:
        yield shown(view).model_dump_json()


def _add_watching(app: FastAPI, site: KioskSite, figures: Callable[[], Figures]) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> Response:
        """The site serves people; else 503 and why not."""
        if reasons := list(site.problems()):
            return JSONResponse({"status": "not ready", "reasons": reasons}, 503)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(exposition(figures()), media_type=CONTENT_TYPE_LATEST)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(_request: Request, refusal: Refused) -> Response:
        if refusal.reason is Reason.BUTTON_NOT_OFFERED:
            return problem(
                409,
                refusal.reason,
                "Button not offered",
                "The screen does not offer this button now.",
            )
        field = str(refusal.values.get("field", "value"))
        errors = [{"field": field, "message": "not a value of this button"}]
        return _bad_fields(errors)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        return _bad_fields([_field_error(each) for each in error.errors()])


def _bad_fields(errors: list[dict[str, str]]) -> Response:
    return problem(
        422, Reason.BAD_FIELD, "Bad fields", "Correct the fields named in errors.", errors=errors
    )


def _field_error(error: dict[str, Any]) -> dict[str, str]:
    path = [str(part) for part in error["loc"] if part != "body"]
    return {"field": ".".join(path), "message": error["msg"]}
