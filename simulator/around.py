"""What happens around the cabinets: codes and cards, light and air, people and their pace."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from simulator.body import Body
from simulator.devices.card_reader import Card
from simulator.door import Impossible, Unknown
from simulator.ends import Held
from simulator.world import SPEED_MAX, World

Code = Annotated[str, StringConstraints(max_length=8192)]
Date = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]


class Presentation(Body):
    """What is held before a scanner, and for how long; two codes in view come in turn."""

    text: Code
    held_s: Annotated[float, Field(gt=0.0, le=10.0)] = 0.6
    second: Code = ""


class CardLaid(Body):
    """A citizen's card; what is not said is that of an invented person."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=15)] = "张三"
    number: Annotated[str, StringConstraints(pattern=r"^[0-9]{17}[0-9X]$")] = "11010519491231002X"
    sex: Literal["0", "1", "2", "9"] = "2"
    nation: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")] = "01"
    birth: Date = "19491231"
    address: Annotated[str, StringConstraints(max_length=35)] = "北京市朝阳区示例路1号"
    authority: Annotated[str, StringConstraints(max_length=15)] = "北京市公安局朝阳分局"
    valid_from: Date = "20200101"
    valid_to: Annotated[str, StringConstraints(pattern=r"^([0-9]{8}|长期)$")] = "20400101"


class EnvironmentAsked(Body):
    """What changes around the cabinet; a contact that is null is not wired."""

    temperature: Annotated[float, Field(ge=-40.0, le=80.0)] | None = None
    humidity: Annotated[float, Field(ge=0.0, le=100.0)] | None = None
    mains: bool | None = None
    battery: bool | None = None
    tamper: bool | None = None
    smoke: bool | None = None
    service_key: bool | None = None
    fire: bool | None = None
    vibration: Literal[True] | None = None


class PeopleAsked(Body):
    auto: bool


class SpeedAsked(Body):
    speed: Annotated[float, Field(gt=0.0, le=SPEED_MAX)]


def around_routes(world: World, scanners: Mapping[str, Held]) -> APIRouter:
    router = APIRouter(prefix="/api/sim")

    @router.post("/scanner/{scanner}/scan")
    async def scan(scanner: str, body: Presentation) -> dict[str, Any]:
        if scanner not in scanners:
            raise Unknown(f"There is no scanner {scanner}.")
        scanners[scanner].hold(body.text, body.held_s, body.second)
        return {"scanner": scanner, "text": body.text, "held_s": body.held_s}

    @router.post("/card/{reader}/lay")
    async def lay(reader: str, body: CardLaid) -> dict[str, Any]:
        world.card_reader(reader).lay(Card(**body.model_dump()))
        return world.card_reader(reader).state()

    @router.post("/card/{reader}/take")
    async def take(reader: str) -> dict[str, Any]:
        if world.card_reader(reader).card is None:
            raise Impossible(f"No card lies on {reader}.")
        world.card_reader(reader).take()
        return world.card_reader(reader).state()

    @router.post("/environment")
    async def environment(body: EnvironmentAsked) -> dict[str, Any]:
        asked = body.model_dump(exclude_unset=True)
        if asked.pop("vibration", None):
            world.place.shake()
        wired = {"smoke", "service_key", "fire"}
        world.place.set(**{k: v for k, v in asked.items() if v is not None or k in wired})
        return world.place.state()

    @router.post("/people")
    async def people(body: PeopleAsked) -> dict[str, Any]:
        world.people.set_auto(auto=body.auto)
        return {"auto": world.people.auto}

    @router.post("/speed")
    async def speed(body: SpeedAsked) -> dict[str, Any]:
        world.set_speed(body.speed)
        return {"speed": body.speed}

    return router
