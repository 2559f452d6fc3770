"""What a test or a page may do to the world over HTTP. JSON, loopback."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import StringConstraints
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.around import around_routes
from simulator.body import Body
from simulator.door import Impossible, Unknown
from simulator.ends import Held
from simulator.live import LivePages
from simulator.memory import WorldFile
from simulator.page import page_routes
from simulator.trouble import trouble_routes
from simulator.world import World

LOOPBACK: Final = r"https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"
FRAMED_BY: Final = (
    b"content-security-policy",
    b"frame-ancestors http://127.0.0.1:* http://localhost:*",
)
HERE: Final = Path(__file__).parent

Label = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class Labelled(Body):
    label: Label


DoorAct = Literal["pull", "close", "force", "jam", "free", "stick-open", "stick-closed"]
MachineAct = Literal["jam", "free", "refill", "open", "close"]


class Kept:
    """Time has passed before a request is looked at; the world is kept before its answer goes."""

    def __init__(self, app: ASGIApp, world: World, file: WorldFile) -> None:
        self._app = app
        self._world = world
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def keep_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._file.save_if_changed()
                message["headers"] = [*message["headers"], FRAMED_BY]
            await send(message)

        self._world.catch_up()
        await self._app(scope, receive, keep_and_send)


def make_app(
    world: World, scanners: Mapping[str, Held], file: WorldFile, pages: LivePages
) -> FastAPI:
    """Every act is in `world.json` before its answer leaves."""
    app = FastAPI(title="Simulated machines", docs_url=None, redoc_url=None)
    app.add_middleware(
        CORSMiddleware, allow_origin_regex=LOOPBACK, allow_methods=["*"], allow_headers=["*"]
    )

    app.add_middleware(Kept, world=world, file=file)
    app.add_exception_handler(Unknown, _said(404))
    app.add_exception_handler(Impossible, _said(409))
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.include_router(looking(world, pages))
    app.include_router(_doors(world))
    app.include_router(trouble_routes(world))
    app.include_router(_machine(world))
    app.include_router(around_routes(world, scanners))
    app.include_router(page_routes(world))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app


def _said(status: int) -> Callable[[Request, Exception], Response]:
    def answer(_: Request, error: Exception) -> Response:
        return JSONResponse({"detail": str(error)}, status)

    return answer


def _unreadable(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"detail": f"{where}: {first['msg']}."}, 422)


def looking(world: World, pages: LivePages) -> APIRouter:
    """Routes that show the world, once and live."""
    router = APIRouter(prefix="/api/sim")

    @router.get("")
    async def everything() -> Response:
        return Response(world.text.state(), media_type="application/json")

    @router.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(
            pages.events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    return router


def _doors(world: World) -> APIRouter:
    router = APIRouter(prefix="/api/sim/doors/{cabinet}/{no}")

    @router.post("/put")
    async def put(cabinet: str, no: int, body: Labelled) -> dict[str, Any]:
        world.put(cabinet, no, body.label)
        return dict(world.door(cabinet, no).memory())

    @router.post("/take")
    async def take(cabinet: str, no: int) -> dict[str, Any]:
        world.take(cabinet, no)
        return dict(world.door(cabinet, no).memory())

    @router.post("/{act}")
    async def act(cabinet: str, no: int, act: DoorAct) -> dict[str, Any]:
        door = world.door(cabinet, no)
        match act:
            case "stick-open":
                door.stick("open")
            case "stick-closed":
                door.stick("closed")
            case _:
                getattr(door, act)()
        return dict(door.memory())

    return router


def _machine(world: World) -> APIRouter:
    router = APIRouter(prefix="/api/sim/machine/{machine}")

    @router.post("/put")
    async def put(machine: str, body: Labelled) -> dict[str, Any]:
        world.machine_put(machine, body.label)
        return world.machine(machine).state()

    @router.post("/take")
    async def take(machine: str) -> dict[str, Any]:
        world.machine_take(machine)
        return world.machine(machine).state()

    @router.post("/{act}")
    async def act(machine: str, act: MachineAct) -> dict[str, Any]:
        inside = world.machine(machine).inside
        acts = {
            "jam": inside.jam,
            "free": inside.free,
            "refill": inside.refill,
            "open": inside.open_service_door,
            "close": inside.close_service_door,
        }
        acts[act]()
        return world.machine(machine).state()

    return router
