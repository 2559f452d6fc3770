"""Which boards a profile means, and what hangs on their relays and inputs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

from simulator.devices.air_sensor import AirSensor
from simulator.devices.input_board import Contact, InputBoard
from simulator.devices.kerong import KerongBoard, KerongLine, Variant
from simulator.devices.mixed_board import MixedBoard
from simulator.devices.register_board import RegisterBoard
from simulator.devices.relay_board import RelayBoard
from simulator.devices.settings import VERSION_1_00
from simulator.devices.xor_board import XorBoard, XorLine
from simulator.door import Door, Unknown
from simulator.line import Condition, Line, Station
from simulator.lines import Wire
from simulator.plan import BoardPlan, LinePlan, SensorPlan
from simulator.surroundings import Place
from simulator.timeline import Timeline

RELAYS: Final = {"waveshare-relay-8": 8, "waveshare-relay-16": 16, "waveshare-relay-32": 32}
INPUTS: Final = (8, 16, 32)  # of an input board
KERONG: Final[dict[str, tuple[Variant, int]]] = {
    "kerong-cu12": ("cu16", 12),
    "kerong-cu16": ("cu16", 16),
    "kerong-cu24": ("cu48", 24),
    "kerong-cu48": ("cu48", 48),
}
XOR_LOCKS: Final = (8, 12, 18, 24, 32, 36, 50)
XOR: Final = {f"xorboard-{locks}": locks for locks in XOR_LOCKS}
XOR_USUAL: Final = 24  # locks of such a board where nobody says how many are wired


class Board(Station, Protocol):
    """What a world needs of any board."""

    condition: Condition

    def fall(self) -> None: ...

    def kept(self) -> list[Any]: ...

    def recall(self, kept: list[Any]) -> None: ...


@runtime_checkable
class Reporter(Protocol):
    """A board that looks at its switches by itself and reports what changed, where it is set so."""

    reports: bool

    def look(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Spoken:
    """One protocol: its lines, its boards, and which of them a URL means."""

    line: Callable[[LinePlan, Sequence[Any], Timeline, int], Line]
    locks: Mapping[str, int]  # of each board, by its name
    hang: Callable[[BoardPlan, Sequence[Door | None], Timeline], list[Board]]
    means: Callable[[str, int | None], str]  # by a URL's profile or variant, and its doors
    springs: bool = True  # such boards come with locks that push their doors ajar


def springs(plan: BoardPlan) -> bool:
    spoken = PROTOCOLS.get(protocol_of(plan.profile) or "")
    return bool(spoken and spoken.springs) if plan.spring is None else plan.spring


def protocol_of(board: str) -> str | None:
    """What a board speaks; None where it is not simulated."""
    return next((name for name, each in PROTOCOLS.items() if board in each.locks), None)


def unwired() -> bool:
    """An input with no wire: no current flows."""
    return False


def _contacts(
    doors: Sequence[Door | None], reads: Callable[[Door], Contact]
) -> list[Callable[[], bool]]:
    return [reads(door) if door else unwired for door in doors]


def boards_of(
    plan: BoardPlan, doors: Sequence[Door | None], timeline: Timeline, speaks: str
) -> list[Board]:
    """Every board that the plan's profile means, with these doors from its first lock on."""
    name = protocol_of(plan.profile)
    if name is None:
        raise Unknown(f"Boards {plan.profile} of line {plan.line} are not simulated.")
    if name != speaks.removesuffix("-tcp"):
        raise Unknown(f"Line {plan.line} speaks {speaks}, which {plan.profile} does not.")
    spoken = PROTOCOLS[name]
    return spoken.hang(plan, doors[: spoken.locks[plan.profile]], timeline)


def _kerong(plan: BoardPlan, doors: Sequence[Door | None], timeline: Timeline) -> list[Board]:
    variant, _ = KERONG[plan.profile]
    closed, present = plan.closed, plan.present
    return [KerongBoard(plan.unit, timeline, doors, variant, closed, present, plan.reports)]


def _xor(plan: BoardPlan, doors: Sequence[Door | None], timeline: Timeline) -> list[Board]:
    return [XorBoard(plan.unit, timeline, doors, plan.closed, plan.reports)]


def _xor_with(doors: int | None) -> str:
    """The smallest board that has so many locks."""
    wired = doors or XOR_USUAL
    return f"xorboard-{next((locks for locks in XOR_LOCKS if locks >= wired), wired)}"


def _modbus(plan: BoardPlan, doors: Sequence[Door | None], timeline: Timeline) -> list[Board]:
    if plan.profile == "reg-lock-24":
        return [RegisterBoard(plan.unit, timeline, doors, closed=plan.closed, present=plan.present)]
    closed = _contacts(doors, lambda door: _seen(door, plan.closed))
    if plan.profile == "waveshare-relay-d-8":
        return [MixedBoard(plan.unit, timeline, doors, closed)]
    channels = RELAYS[plan.profile]
    present = _contacts(doors, lambda door: _there(door, plan.present))
    return [
        RelayBoard(plan.unit, channels, timeline, doors),
        *_inputs(plan, plan.door_units, closed, timeline),
        *_inputs(plan, plan.item_units, present, timeline),
    ]


def _inputs(
    plan: BoardPlan, units: tuple[int, ...], contacts: Sequence[Contact], timeline: Timeline
) -> list[Board]:
    """One board with all inputs, or several with 8 that share them."""
    if not units:
        return []
    if len(units) == 1:
        return [InputBoard(plan.unit + units[0], RELAYS[plan.profile], contacts, timeline)]
    each = -(-plan.doors // len(units))
    sizes = [size for size in INPUTS if size >= each]
    if plan.doors % len(units) or not sizes:
        raise Unknown(f"{plan.doors} inputs do not spread over {len(units)} boards.")
    return [
        InputBoard(plan.unit + unit, sizes[0], contacts[n * each : (n + 1) * each], timeline)
        for n, unit in enumerate(units)
    ]


def sensor_of(plan: SensorPlan, place: Place, timeline: Timeline) -> Board:
    """A board that measures, or sees and lights, what is around."""
    if plan.profile == "xy-md02":
        return AirSensor(plan.unit, timeline, lambda: place.now)
    return MixedBoard(plan.unit, timeline, place.lamps(), place.contacts(), VERSION_1_00)


def _seen(door: Door, closed: int) -> Contact:
    return door.reads_closed if closed else lambda: not door.reads_closed()


def _there(door: Door, present: int) -> Contact:
    return door.reads_present if present else lambda: not door.reads_present()


def line_of(plan: LinePlan, stations: Sequence[Any], timeline: Timeline, seed: int) -> Line:
    """A line that speaks what its boards speak."""
    return PROTOCOLS[plan.speaks].line(plan, stations, timeline, seed)


# One entry per protocol, by the first word of its URLs' schemes.
PROTOCOLS: Final[Mapping[str, Spoken]] = {
    "modbus": Spoken(
        Wire,
        RELAYS | {"waveshare-relay-d-8": 8, "reg-lock-24": 24},
        _modbus,
        lambda profile, _: profile,
        springs=False,
    ),
    "kerong": Spoken(
        KerongLine,
        {name: locks for name, (_, locks) in KERONG.items()},
        _kerong,
        lambda variant, _: f"kerong-{variant}",
    ),
    "xorboard": Spoken(XorLine, XOR, _xor, lambda _, doors: _xor_with(doors)),
}
