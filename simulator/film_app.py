"""A film on the simulator's page: the same doors, and a projector instead of hands."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from pydantic import Field

from simulator.app import looking
from simulator.body import Body
from simulator.film import SPEEDS, Film
from simulator.live import LivePages
from simulator.page import drawn, language_of
from simulator.run import Server, config_of, ended_by_sigterm, listening
from simulator.words import WORDS

HERE: Final = Path(__file__).parent


class Turn(Body):
    """What is not said stays as it is."""

    play: bool | None = None
    position: Annotated[int | None, Field(ge=0)] = None
    speed: Annotated[float | None, Field(gt=0, le=10_000)] = None


def make_film_app(film: Film, pages: LivePages) -> FastAPI:
    """Doors to look at; nothing here moves one."""
    app = FastAPI(title="A journal as a film", docs_url=None, redoc_url=None)
    templates = Jinja2Templates(HERE / "templates")
    cabinets = [drawn(cabinet) for cabinet in film.world.plan.cabinets]
    app.include_router(looking(film.world, pages))

    @app.get("/api/sim/film")
    async def shown() -> dict[str, Any]:
        return film.state()

    @app.post("/api/sim/film")
    async def turn(body: Turn) -> dict[str, Any]:
        film.turn(play=body.play, position=body.position, speed=body.speed)
        return film.state()

    @app.get("/", response_class=HTMLResponse)
    async def page(request: Request) -> HTMLResponse:
        lang = language_of(request)
        shown = {"lang": lang, "words": WORDS[lang], "cabinets": cabinets, "speeds": SPEEDS}
        return templates.TemplateResponse(request, "film.html", shown)

    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    return app


async def show(film: Film, *, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve the film's page until cancelled or told to end by SIGTERM; `ready` once it answers."""
    with listening(host, port) as heard:
        heard.listen()
        ready()
        pages = LivePages(film.world)
        server = Server(config_of(make_film_app(film, pages)), pages)
        with ended_by_sigterm(server):
            async with asyncio.TaskGroup() as tasks:
                playing = tasks.create_task(film.run())
                await server.serve(sockets=[heard])
                playing.cancel()
