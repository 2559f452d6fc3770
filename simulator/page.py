"""The page on which doors are pressed, whole and as a frame for other pages."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from simulator.faults import Trouble
from simulator.plan import CabinetPlan, CompartmentPlan
from simulator.possible import never_of, never_on
from simulator.words import WORDS, Language
from simulator.world import World

HERE: Final = Path(__file__).parent
ROWS: Final = 14  # heights of an S compartment in one column of a cabinet
UNITS: Final = {"S": 1, "M": 2, "L": 3}
COLUMN_WIDE: Final = 148
ROW_HIGH: Final = 50
GAP: Final = 4
FRAME: Final = 12

_TROUBLE: Final = asdict(Trouble())
SHARES: Final = [name for name, value in _TROUBLE.items() if isinstance(value, float)]
COUNTS: Final = [name for name, value in _TROUBLE.items() if type(value) is int]
FLAGS: Final = [name for name, value in _TROUBLE.items() if isinstance(value, bool)]
BY_UNIT: Final = [name for name, value in _TROUBLE.items() if isinstance(value, tuple)]


@dataclass(frozen=True, slots=True)
class Front:
    """A door as drawn."""

    no: int
    size: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Drawing:
    letter: str
    doors: tuple[Front, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Lined:
    """A line, what never happens on it, and which of its units may have which trouble."""

    name: str
    never: tuple[str, ...]
    units: tuple[int, ...]
    rows: Mapping[str, tuple[tuple[int, bool], ...]]


def drawn(cabinet: CabinetPlan) -> Drawing:
    """Compartments in their order, column by column from the left, each as high as its size."""
    doors: list[Front] = []
    column = row = 0
    for compartment in cabinet.compartments:
        units = UNITS[compartment.size]
        if row + units > ROWS:
            column, row = column + 1, 0
        doors.append(_front(compartment, column, row, units))
        row += units
    return Drawing(
        cabinet.letter,
        tuple(doors),
        width=2 * FRAME + (column + 1) * COLUMN_WIDE,
        height=FRAME + GAP // 2 + max((door.y + door.height for door in doors), default=FRAME),
    )


def _front(compartment: CompartmentPlan, column: int, row: int, units: int) -> Front:
    return Front(
        no=compartment.no,
        size=compartment.size,
        x=FRAME + column * COLUMN_WIDE + GAP // 2,
        y=FRAME + row * ROW_HIGH + GAP // 2,
        width=COLUMN_WIDE - GAP,
        height=units * ROW_HIGH - GAP,
    )


def lined(world: World, name: str, stations: Sequence[Any]) -> Lined:
    """Where a trouble cannot be, the page has no place to switch it on."""
    never = never_on(world, name)
    rows = {
        kind: tuple((each.unit, kind not in never_of(each)) for each in stations)
        for kind in BY_UNIT
        if kind not in never
    }
    possible = {kind: row for kind, row in rows.items() if any(can for _, can in row)}
    return Lined(name, tuple(never), tuple(each.unit for each in stations), possible)


def language_of(request: Request) -> Language:
    """As asked for in the address, else as the browser prefers."""
    asked = request.query_params.get("lang", "")
    preferred = asked or request.headers.get("accept-language", "")
    return "zh-CN" if preferred.lower().startswith("zh") else "en"


def page_routes(world: World) -> APIRouter:
    router = APIRouter(default_response_class=HTMLResponse)
    templates = Jinja2Templates(HERE / "templates")
    drawings = [drawn(cabinet) for cabinet in world.plan.cabinets]
    lines = [lined(world, name, world.wires[name].stations) for name in world.wires]
    lines += [lined(world, name, wire.devices) for name, wire in world.tcp_wires.items()]

    def page(request: Request, *, framed: bool) -> HTMLResponse:
        lang = language_of(request)
        shown = {
            "lang": lang,
            "words": WORDS[lang],
            "framed": framed,
            "cabinets": drawings,
            "machines": world.plan.machines,
            "scanners": list(world.scanners),
            "lines": lines,
            "card_readers": list(world.card_readers),
            "sensors": bool(world.plan.sensors),
            "shares": SHARES,
            "counts": COUNTS,
            "flags": FLAGS,
        }
        return templates.TemplateResponse(request, "page.html", shown)

    @router.get("/")
    async def whole(request: Request) -> HTMLResponse:
        return page(request, framed=False)

    @router.get("/embed")
    async def framed(request: Request) -> HTMLResponse:
        return page(request, framed=True)

    return router
