"""The district's HTTP: orders and fleet for other systems, pages for people."""

from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api import demo
from api.district import doubts, fleet, orders, watching
from api.district.pages import add_pages
from api.headers import Headers
from api.live import Live
from api.pages import Pages
from api.problems import Problem, install
from api.requests import Requests
from controller.district.district import District
from controller.district.form import OrderForm
from controller.district.seal import Seal
from controller.district.stories import Stories
from controller.settings import DistrictSettings

SCHEMAS = "#/components/schemas/{model}"


def make_app(district: District, settings: DistrictSettings, *, version: str = "0") -> FastAPI:
    """The district's interface and pages. `app.state.live.close()` ends open event streams."""
    registry = CollectorRegistry()
    registry.register(watching.Figures(district))
    app = FastAPI(
        title="OneWindow district",
        version=version,
        docs_url=None,  # these two pages load scripts from other machines
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
    )
    install(app)
    app.add_middleware(Requests, clock=district.clock, registry=registry)
    framed_by = ("'self'",) if settings.district.demo else ()  # the phone of the demo's page
    app.add_middleware(Headers, framed_by=framed_by)
    app.include_router(orders.router(district))
    app.include_router(fleet.router(district))
    app.include_router(doubts.router(district))
    app.include_router(watching.router(district, registry))
    _add_pages(app, district, settings)
    _complete_openapi(app)
    return app


def _add_pages(app: FastAPI, district: District, settings: DistrictSettings) -> None:
    pages, live = Pages(settings.district.lang), Live(district.clock)
    app.state.live = live
    pages.mount(app)
    add_pages(app, district, settings, pages, live)
    if settings.district.demo:
        site = settings.site[0]
        stage = demo.Stage(
            site.kiosk_url,
            settings.district.simulator_url,
            site.id,
            settings.vendor[0].id,
            settings.district.demo_badge,
        )
        stories = Stories(district.store, Seal(settings.district.seal_key.get_secret_value()))
        app.include_router(demo.router(district, stories, pages, live, stage))


def _complete_openapi(app: FastAPI) -> None:
    """Add the schemas that FastAPI does not find by itself; errors are problem+json only."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        words = plain()
        schemas = words["components"]["schemas"]
        for model in (OrderForm, Problem):
            whole = model.model_json_schema(ref_template=SCHEMAS)
            schemas.update(whole.pop("$defs", {}))
            schemas[model.__name__] = whole
        for operations in words["paths"].values():
            for operation in operations.values():
                answer = operation["responses"].get("422")
                if answer is not None:
                    answer["content"].pop("application/json", None)
        return words

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it
