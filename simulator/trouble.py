"""Trouble over HTTP, each by its name, on one line, door, scanner, card reader or machine."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError

from simulator.body import Body, Share
from simulator.devices.card_reader import NOBODY, ON_A_PORT
from simulator.devices.machine_faults import MachineTrouble
from simulator.devices.scanner import ScannerTrouble
from simulator.door import Impossible, Unknown
from simulator.door_faults import DoorTrouble
from simulator.faults import Trouble
from simulator.possible import never_on
from simulator.standing import beside_the_lines
from simulator.world import World

Units = list[Annotated[int, Field(ge=0, le=255)]]
Gone = Annotated[float, Field(ge=0.0, le=3600.0)]  # seconds

NAMED_BY: Final = ("line", "door", "scanner", "card", "machine")


class LineTrouble(Body):
    """All zero ends it; `usb_renumber` is how long the adapter is gone, once."""

    line: str
    lost: Share = 0.0
    garbled: Share = 0.0
    late: Share = 0.0
    doubled: Share = 0.0
    split: Share = 0.0
    garbage: Share = 0.0
    reboot: Share = 0.0
    silent: Units = Field(default_factory=list)
    silent_after: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    collision: Units = Field(default_factory=list)
    wrong_speed: Units = Field(default_factory=list)
    wrong_parity: Units = Field(default_factory=list)
    slow_after_pulse: Units = Field(default_factory=list)
    busy_after_open: Units = Field(default_factory=list)
    linkage: Units = Field(default_factory=list)
    talks: Units = Field(default_factory=list)
    reads_zero: Units = Field(default_factory=list)
    holds: Units = Field(default_factory=list)
    echo: bool = False
    swapped: bool = False
    gateway: bool = False
    tcp_half_open: bool = False
    tcp_stale: bool = False
    one_client: bool = False
    usb_renumber: Gone = 0.0


class DoorTroubleAsked(Body):
    """Of one door, like `A/7`, or of a whole cabinet, like `A`."""

    door: str
    bounce: bool = False
    floating: Annotated[float, Field(ge=0.0, le=50.0)] = 0.0
    stuck_open: bool = False
    stuck_closed: bool = False
    reversed: bool = False
    welded: bool = False
    dead_relay: bool = False
    jammed: bool = False
    weak: bool = False
    relatch: bool = False
    crosswired: Annotated[int, Field(ge=0)] = 0
    wrong_lock: Annotated[int, Field(ge=0)] = 0
    ghost_item: Share = 0.0


class ScannerTroubleAsked(Body):
    scanner: str
    scanner_repeat: bool = False
    scanner_half: bool = False
    scanner_noise: bool = False
    usb_renumber: Gone = 0.0


class CardTroubleAsked(Body):
    card: str
    card_hangs: bool = False
    lost: Share = 0.0
    garbled: Share = 0.0
    late: Share = 0.0
    doubled: Share = 0.0
    split: Share = 0.0
    silent: bool = False
    usb_renumber: Gone = 0.0


class MachineTroubleAsked(Body):
    machine: str
    machine_jam: Share = 0.0
    machine_power: Share = 0.0


class RestartAsked(Body):
    """Boards whose power is cut for so long; none named is all of the line."""

    units: Units = Field(default_factory=list)
    off_s: Annotated[float, Field(ge=0.0, le=600.0)] = 0.0


def _named_by(body: Any) -> str | None:
    return next((name for name in NAMED_BY if isinstance(body, dict) and name in body), None)


Asked = Annotated[
    Annotated[LineTrouble, Tag("line")]
    | Annotated[DoorTroubleAsked, Tag("door")]
    | Annotated[ScannerTroubleAsked, Tag("scanner")]
    | Annotated[CardTroubleAsked, Tag("card")]
    | Annotated[MachineTroubleAsked, Tag("machine")],
    Discriminator(
        _named_by,
        custom_error_type="unnamed",
        custom_error_message="Name a line, door, scanner, card or machine",
    ),
]


def trouble_routes(world: World) -> APIRouter:
    router = APIRouter(prefix="/api/sim")

    @router.get("/faults")
    async def standing() -> dict[str, Any]:
        return everything(world)

    @router.post("/faults")
    async def faults(body: Asked) -> dict[str, Any]:
        return put(world, body)

    router.include_router(_power_routes(world))
    return router


def _power_routes(world: World) -> APIRouter:
    router = APIRouter()

    @router.post("/lines/{line}/restart")
    async def restart(line: str, body: RestartAsked) -> dict[str, Any]:
        world.restart(line, body.units, body.off_s)
        return {"line": line, "units": body.units}

    @router.post("/card/{reader}/restart")
    async def restart_reader(reader: str) -> dict[str, Any]:
        world.card_reader(reader).restart()
        return world.card_reader(reader).state()

    @router.post("/scanner/{scanner}/restart")
    async def restart_scanner(scanner: str) -> dict[str, Any]:
        if scanner not in world.scanners:
            raise Unknown(f"There is no scanner {scanner}.")
        world.scanners[scanner].restart()
        return world.scanners[scanner].state()

    @router.post("/machine/{machine}/power-cut")
    async def power_cut(machine: str) -> dict[str, Any]:
        world.machine(machine).faults.cut()
        return world.machine(machine).state()

    return router


def put(world: World, body: Asked) -> dict[str, Any]:
    """From now on this is wrong, and nothing else is, with what the body names."""
    match body:
        case LineTrouble():
            told = _on_line(world, body)
        case DoorTroubleAsked():
            told = _on_doors(world, body)
        case ScannerTroubleAsked():
            told = _on_scanner(world, body)
        case CardTroubleAsked():
            told = _on_card(world, body)
        case MachineTroubleAsked():
            inside = world.machine(body.machine).faults
            inside.trouble = MachineTrouble(body.machine_jam, body.machine_power)
            told = inside.state()
    world.tell()
    return told


class BadTrouble(Exception):
    """A trouble that was asked for at the start cannot be; the message says why."""


def put_all(world: World, asked: Iterable[str]) -> None:
    """What `POST /api/sim/faults` takes, as JSON texts."""
    reader: TypeAdapter[Asked] = TypeAdapter(Asked)
    for text in asked:
        try:
            put(world, reader.validate_json(text))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "trouble"
            raise BadTrouble(f"{where}: {first['msg']}: {text}") from error
        except (Unknown, Impossible) as error:
            raise BadTrouble(f"{error} {text}") from error


def everything(world: World) -> dict[str, Any]:
    """What troubles are on, and how often each has struck."""
    lines = [*world.wires, *world.tcp_wires]
    return {"lines": {name: world.faults(name).state() for name in lines}} | beside_the_lines(world)


def _on_line(world: World, body: LineTrouble) -> dict[str, Any]:
    world.faults(body.line)
    strangers = [name for name in never_on(world, body.line) if getattr(body, name)]
    if strangers:
        raise Impossible(f"{strangers[0]} cannot happen on {body.line}.")
    asked: dict[str, Any] = body.model_dump(exclude={"line", "usb_renumber"})
    asked = {name: tuple(v) if isinstance(v, list) else v for name, v in asked.items()}
    world.set_trouble(body.line, Trouble(**asked))
    if body.usb_renumber:
        world.faults(body.line).count("usb_renumber")
        world.wires[body.line].unplug(body.usb_renumber)
    return world.faults(body.line).state()


def _on_doors(world: World, body: DoorTroubleAsked) -> dict[str, Any]:
    letter, _, no = body.door.partition("/")
    doors = [
        door for door in world.doors.values() if door.cabinet == letter and no in {"", str(door.no)}
    ]
    if not doors:
        raise Unknown(f"There is no door {body.door}.")
    if not no and (body.crosswired or body.wrong_lock):
        raise Impossible("Wires are crossed at one door: name it, like A/7.")
    for door in doors:
        trouble = DoorTrouble(**body.model_dump(exclude={"door"}))
        world.set_door_trouble(door.cabinet, door.no, trouble)
    return doors[0].faults.state()


def _on_scanner(world: World, body: ScannerTroubleAsked) -> dict[str, Any]:
    if body.scanner not in world.scanners:
        raise Unknown(f"There is no scanner {body.scanner}.")
    scanner = world.scanners[body.scanner]
    asked = body.model_dump(exclude={"scanner", "usb_renumber"})
    scanner.set_trouble(
        ScannerTrouble(**{name.removeprefix("scanner_"): on for name, on in asked.items()})
    )
    if body.usb_renumber:
        scanner.unplug(body.usb_renumber)
    return scanner.state()


def _on_card(world: World, body: CardTroubleAsked) -> dict[str, Any]:
    reader = world.card_reader(body.card)
    reader.hangs = body.card_hangs
    asked = body.model_dump(include=set(ON_A_PORT))
    silent = (NOBODY,) if asked.pop("silent") else ()
    reader.faults.set(Trouble(silent=silent, **asked))
    if body.usb_renumber:
        reader.unplug(body.usb_renumber)
    return reader.state() | reader.troubles()
