"""A site's HTTP: the kiosk's page, the same for other makers' screens, and what watchers ask."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Protocol

from fastapi import FastAPI, Query
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, ConfigDict, StringConstraints

from api.cabinet import fronts
from api.headers import Headers
from api.live import Live
from api.pages import Lang, Pages
from api.problems import Problem, documented, install
from api.requests import BODY_MAX, Requests
from api.site.figures import Figures, SiteCollector
from api.site.screen import KioskShown, SitePlace, drawn, shown
from controller.entries import CompartmentPlan
from controller.ports import Clock
from controller.refusals import FieldsRefused, Reason, Refused
from controller.site.kiosk import KioskView


class KioskSite(Protocol):
    """What these pages ask of a site."""

    def kiosk_view(self, kiosk: str | None = None) -> KioskView:
        """The first kiosk's if none is named. Refused if there is none of that name."""
        ...

    def views(self, kiosk: str | None = None) -> AsyncIterator[KioskView]:
        """The view now, then each change."""
        ...

    def press(self, button: str, value: str | None, kiosk: str | None = None) -> None:
        """Refused where the screen does not offer the button or the value is none of its own."""
        ...

    def problems(self) -> Sequence[str]:
        """Why the site does not serve people; empty while it does."""
        ...


Kiosk = Annotated[
    str | None,
    Query(max_length=32, description="Which of a site's kiosks; the first one if none is named."),
]


class Pressed(BaseModel):
    """What a finger does on the screen."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"button": "confirm"}]}
    )

    button: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    value: Annotated[str, StringConstraints(max_length=80)] | None = None


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
    version: str = "0",
) -> FastAPI:
    """The site's app. `app.state.live.close()` ends the open event streams at shutdown.

    `framed_by` names the origins that may show the kiosk inside a page of theirs, `offline` says
    whether the district cannot be reached.
    """
    registry = CollectorRegistry()
    registry.register(SiteCollector(figures))
    app = FastAPI(
        title="OneWindow site",
        version=version,
        docs_url=None,  # these two pages load scripts from other machines
        redoc_url=None,
        openapi_url="/api/openapi.json",
        max_body_size=BODY_MAX,
        redirect_slashes=False,
    )
    app.state.live = Live(clock)
    install(app)
    app.add_middleware(Requests, clock=clock, registry=registry)
    app.add_middleware(Headers, framed_by=framed_by)
    drawings = fronts(plan)
    pages = Pages(lang)
    pages.mount(app)

    def render(template: str, kiosk: str | None) -> HTMLResponse:
        chosen, context = drawn(site.kiosk_view(kiosk), place, drawings, offline=offline())
        return HTMLResponse(pages.html(template, chosen, context))

    _add_page(app, render)
    _add_api(app, site, app.state.live)
    _add_watching(app, site, registry)
    return app


def _add_page(app: FastAPI, render: Callable[[str, str | None], HTMLResponse]) -> None:
    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse("/kiosk")

    @app.get("/kiosk", include_in_schema=False)
    async def kiosk_page(kiosk: Kiosk = None) -> HTMLResponse:
        return render("kiosk/page.html", kiosk)

    @app.get("/kiosk/screen", include_in_schema=False)
    async def kiosk_screen(kiosk: Kiosk = None) -> HTMLResponse:
        return render("kiosk/screen.html", kiosk)


def _add_api(app: FastAPI, site: KioskSite, live: Live) -> None:
    @app.get("/api/v1/kiosk", responses=documented(404))
    async def kiosk_now(kiosk: Kiosk = None) -> KioskShown:
        """What the screen shows now."""
        return shown(site.kiosk_view(kiosk))

    @app.get("/api/v1/kiosk/events", response_class=Response, responses=documented(404))
    async def kiosk_events(kiosk: Kiosk = None) -> Response:
        """The same as server-sent events named `kiosk`: one now, then one for each change."""
        site.kiosk_view(kiosk)  # refused before the stream begins
        return live.stream(_as_json(site.views(kiosk)), event="kiosk")

    @app.post("/api/v1/kiosk/press", responses=documented(404, 409, 413, 422, 503))
    async def press(pressed: Pressed, kiosk: Kiosk = None) -> KioskShown:
        """Press a button that the screen offers; the answer is what it shows right after."""
        try:
            site.press(pressed.button, pressed.value, kiosk)
        except Refused as refused:
            if refused.reason is not Reason.BAD_FIELD:
                raise
            raise FieldsRefused([("value", "is no value of this button")]) from refused
        return shown(site.kiosk_view(kiosk))

    plain = app.openapi

    def openapi() -> dict[str, object]:
        words = plain()
        words["components"]["schemas"]["Problem"] = Problem.model_json_schema(
            ref_template="#/components/schemas/Problem/$defs/{model}"
        )
        return words

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


async def _as_json(views: AsyncIterator[KioskView]) -> AsyncIterator[str]:
    async for view in views:
        yield shown(view).model_dump_json()


def _add_watching(app: FastAPI, site: KioskSite, registry: CollectorRegistry) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> Response:
        """The site serves people; else 503 and why not."""
        if reasons := site.problems():
            return JSONResponse({"status": "not ready", "reasons": reasons}, 503)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
