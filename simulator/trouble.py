"""Trouble over HTTP, each by its name."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from simulator.body import Body, Share
from simulator.door import Impossible
from simulator.faults import Trouble
from simulator.world import World

Units = list[Annotated[int, Field(ge=0, le=255)]]


class LineTrouble(Body):
    """All zero ends it."""

    line: str
    lost: Share = 0.0
    garbled: Share = 0.0
    late: Share = 0.0
    doubled: Share = 0.0
    split: Share = 0.0
    silent: Units = Field(default_factory=list)


def trouble_routes(world: World) -> APIRouter:
    router = APIRouter(prefix="/api/sim")

    @router.post("/faults")
    async def faults(body: LineTrouble) -> dict[str, object]:
        if body.garbled and body.line in world.tcp_wires:
            raise Impossible(f"{body.line} is reached by TCP, which does not garble.")
        asked: dict[str, Any] = body.model_dump(exclude={"line"})
        asked = {name: tuple(v) if isinstance(v, list) else v for name, v in asked.items()}
        world.set_trouble(body.line, Trouble(**asked))
        return world.faults(body.line).state()

    return router
