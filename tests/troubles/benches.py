"""Two boards of one kind on one line, driven by the bridge, on a loop whose time jumps.

Whatever lock board the simulator and the bridge both know becomes part of every test here by one
line in BOARDS.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from controller.clock import LoopClock
from controller.faults import BadReply, DeviceFault, LineDown, NoReply
from controller.ports import BoardSight, DoorSight
from firmware_bridge.lock_board import DoorRow
from firmware_bridge.open import Bridge
from firmware_bridge.urls import parse
from simulator.door import Door
from simulator.door_faults import DoorTrouble
from simulator.faults import Counters, Trouble
from simulator.line import Line
from simulator.plan import BoardPlan, CabinetPlan, CompartmentPlan, LinePlan, Plan
from simulator.rehearsal.wires import Exchange, FarEnd, PortEnd, SerialEnd, ServerEnd
from simulator.world import World
from tests.firmware_bridge.jumping_loop import NOON, play

TTY, HOST, PORT = "/dev/ttyUSB0", "127.0.0.1", 4196
LINE: Final = "L1"
OWN_PROFILES: Final = Path(__file__).parent / "profiles"
UNANSWERED = (NoReply, BadReply, LineDown)
# What befalls any station of a Modbus line, and of a Modbus TCP connection; () is its own unit.
ON_CONNECTIONS: Final[dict[str, dict[str, Any]]] = {
    "silent": {"silent": ()},
    "lost": {"lost": 0.3},
    "late": {"late": 0.3},
    "doubled": {"doubled": 0.5},
    "split": {"split": 1.0},
}
ON_GATEWAYS = ON_CONNECTIONS | {"gateway": {"silent": (), "gateway": True}}
ON_A_LINE: Final[dict[str, dict[str, Any]]] = ON_CONNECTIONS | {
    "garbled": {"garbled": 0.3},
    "garbage": {"garbage": 0.1},
    "echo": {"echo": True},
    "collision": {"collision": ()},
    "swapped": {"swapped": True},
    "wrong_speed": {"wrong_speed": ()},
    "wrong_parity": {"wrong_parity": ()},
}
RETRY_S: Final = 1.0  # between two sessions with a board
REACH_S: Final = 0.3  # a bolt needs 60 ms
SETTLED_S: Final = 1.0  # more than a swinging door and its chatter need


@dataclass(frozen=True)
class Kind:
    """A lock board and one way to reach it."""

    profile: str
    scheme: str
    doors: int
    units: tuple[int, int]  # of the two boards
    tail: str = ""  # of the URL
    stations: int = 1  # addresses that one board takes up
    baud: int = 9600
    has_items: bool = True
    built_as: str = ""  # the simulator's name of it, where it is a profile of our own
    inputs: tuple[tuple[int, ...], tuple[int, ...]] = ((1,), (2,))  # units of doors, of items

    def __str__(self) -> str:
        return f"{self.profile} {self.scheme}"

    @property
    def speaks(self) -> str:
        protocol = self.scheme.partition("+")[0]
        return "modbus-tcp" if self.scheme == "modbus+tcp" else protocol

    @property
    def is_serial(self) -> bool:
        return self.scheme.endswith(("rtu", "serial"))

    @property
    def answers_orders(self) -> bool:
        """Whether a release is confirmed by the board itself."""
        return not self.profile.startswith("kerong")

    def url(self, unit: int, *, place: str = "", more: str = "") -> str:
        named = {"modbus": "unit", "kerong": "address", "xorboard": "board"}
        station = named[self.scheme.partition("+")[0]]
        if not place:
            place = f"{TTY}?baud={self.baud}&" if self.is_serial else f"{HOST}:{PORT}?"
        return f"{self.scheme}://{place}{station}={unit}{self.tail}{more}"

    def addresses(self, unit: int) -> tuple[int, ...]:
        return tuple(range(unit, unit + self.stations))

    def _board(self, unit: int) -> BoardPlan:
        profile, (doors, items) = self.built_as or self.profile, self.inputs
        return BoardPlan(LINE, unit, profile, 1, self.doors, door_units=doors, item_units=items)

    def plan(self, line: LinePlan) -> Plan:
        return Plan(
            lines=(line,),
            cabinets=tuple(
                CabinetPlan(
                    letter,
                    (self._board(unit),),
                    tuple(CompartmentPlan(no) for no in range(1, self.doors + 1)),
                )
                for letter, unit in zip("AB", self.units, strict=True)
            ),
        )


def modbus(profile: str, scheme: str, doors: int, **more: Any) -> Kind:
    return Kind(profile, f"modbus+{scheme}", doors, (1, 11), f"&profile={profile}", **more)


def kerong(profile: str, scheme: str, doors: int, variant: str) -> Kind:
    tail = f"&variant={variant}&doors={doors}"
    return Kind(profile, f"kerong+{scheme}", doors, (0, 1), tail, baud=19_200)


def xorboard(doors: int, scheme: str) -> Kind:
    tail = f"&doors={doors}"
    return Kind(f"xorboard-{doors}", f"xorboard+{scheme}", doors, (1, 2), tail, has_items=False)


EIGHTS = modbus(
    "relays-and-eights",
    "rtu",
    16,
    stations=5,
    built_as="waveshare-relay-16",
    inputs=((1, 2), (3, 4)),
)
BOARDS = [
    EIGHTS,
    modbus("waveshare-relay-8", "rtu", 8, stations=3),
    modbus("waveshare-relay-16", "rtu", 16, stations=3),
    modbus("waveshare-relay-32", "rtu", 32, stations=3),
    modbus("waveshare-relay-32", "rtutcp", 32, stations=3),
    modbus("waveshare-relay-32", "tcp", 32, stations=3),
    modbus("waveshare-relay-d-8", "rtu", 8, has_items=False),
    modbus("reg-lock-24", "rtu", 24),
    modbus("reg-lock-24", "tcp", 24),
    kerong("kerong-cu16", "serial", 16, "cu16"),
    kerong("kerong-cu16", "tcp", 16, "cu16"),
    kerong("kerong-cu48", "serial", 48, "cu48"),
    xorboard(24, "serial"),
    xorboard(24, "tcp"),
    xorboard(50, "serial"),
]
ON_RS485 = [kind for kind in BOARDS if kind.scheme != "modbus+tcp"]
ON_TTYS = [kind for kind in BOARDS if kind.is_serial]


class Bench:
    """Both boards, their doors, and the drivers; `A` is the one that trouble comes to."""

    def __init__(self, kind: Kind, *, seed: int = 1, more: str = "") -> None:
        self.kind = kind
        self.clock = LoopClock(NOON)
        self.world = World(kind.plan(_line(kind)), self.clock, seed=seed)
        exchange = Exchange()
        urls = [kind.url(unit, more=more) for unit in kind.units]
        exchange.ends[parse(urls[0]).place.key] = self._end()
        self.bridge = Bridge(self.clock, opener=exchange, user_profiles=OWN_PROFILES)
        self.a, self.b = (
            self.bridge.lock_board(url, name) for url, name in zip(urls, "AB", strict=True)
        )
        self.bus = next(iter(self.bridge.lines.values()))

    def _end(self) -> FarEnd:
        if LINE in self.world.tcp_wires:
            return PortEnd(self.world.tcp_wires[LINE])
        wire: Line = self.world.wires[LINE]
        return SerialEnd(wire) if self.kind.is_serial else ServerEnd(wire)

    # the world

    @property
    def counted(self) -> Counters:
        return self.world.faults(LINE).counted

    @property
    def stations(self) -> tuple[int, ...]:
        """The addresses of A."""
        return self.kind.addresses(self.kind.units[0])

    def trouble(self, **asked: Any) -> None:
        self.world.set_trouble(LINE, Trouble(**asked))

    def door_trouble(self, no: int, **asked: Any) -> dict[str, int]:
        self.world.set_door_trouble("A", no, DoorTrouble(**asked))
        return self.door(no).faults.counted

    def door(self, no: int, letter: str = "A") -> Door:
        return self.world.door(letter, no)

    def moves(self, letter: str = "A") -> int:
        """How often the bolts of a cabinet have moved."""
        return sum(
            door.released for (where, _), door in self.world.doors.items() if where == letter
        )

    def free(self) -> None:
        """Somebody repairs the locks whose coils have burnt."""
        for door in self.world.doors.values():
            if door.burnt:
                door.free()

    async def swing(self, no: int) -> None:
        """Open a door as somebody with force would, or shut it."""
        door = self.door(no)
        if door.open:
            door.close()
        else:
            door.force()
        await asyncio.sleep(SETTLED_S)

    # the bridge

    async def sees(self, *doors: int, board: DoorRow | None = None) -> BoardSight:
        """A look tells just these doors to be open."""
        sight = await (board or self.a).look()
        assert opens(sight) == sorted(doors)
        return sight

    async def tries_to_see(self, *doors: int, board: DoorRow | None = None) -> bool:
        """A look tells just these doors to be open, or that it cannot tell."""
        try:
            await self.sees(*doors, board=board)
        except UNANSWERED:
            return False
        return True

    async def release(self, no: int) -> DeviceFault | None:
        try:
            await self.a.release(no)
        except DeviceFault as fault:
            return fault
        return None

    async def pull(self, no: int) -> None:
        """Where a lock does not push its door ajar, somebody pulls a moment later."""
        await asyncio.sleep(REACH_S)
        if not self.door(no).open:
            self.door(no).pull()
        await asyncio.sleep(SETTLED_S)

    async def works(self) -> None:
        """Calm: whatever is released moves, is seen to, and is seen shut again."""
        self.trouble()
        await asyncio.sleep(10.0)
        for no in range(1, self.kind.doors + 1):
            self.door_trouble(no)
            if self.door(no).open:
                await self.swing(no)
        await asyncio.sleep(10.0)
        await self.sees()
        last, before = self.kind.doors, self.door(self.kind.doors).released
        fault = await self.release(last)
        assert fault is None or not self.kind.answers_orders, fault
        await self.pull(last)
        assert self.door(last).released == before + 1
        await self.sees(last)
        await self.swing(last)
        await self.sees()
        await self.sees(board=self.b)


def opens(sight: BoardSight) -> list[int]:
    return [no for no, door in enumerate(sight.doors, start=1) if door is DoorSight.OPEN]


def _line(kind: Kind) -> LinePlan:
    tcp = None if kind.is_serial else (HOST, PORT)
    return LinePlan(LINE, kind.baud, tcp=tcp, speaks=kind.speaks)


@asynccontextmanager
async def living(world: World) -> AsyncIterator[None]:
    """The world's time passes with the loop's."""
    async with beside(world.live()):
        yield


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Endless work goes on meanwhile; what goes wrong inside is told as it is."""
    wrong: Exception | None = None
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - told below
            wrong = error
        task.cancel()
    if wrong is not None:
        raise wrong


def rehearse(
    kind: Kind, story: Callable[[Bench], Awaitable[None]], *, calm: bool = True, **more: Any
) -> None:
    """Play a story on a bench of this kind; afterwards everything is as it should be."""

    async def whole() -> None:
        bench = Bench(kind, **more)
        async with living(bench.world):
            await story(bench)
            if calm:
                await bench.works()
        bench.bridge.close()

    play(whole())


@dataclass
class Follower:
    """Watches a board as a site does: what ends is begun again."""

    board: DoorRow
    seen: list[BoardSight]
    faults: list[DeviceFault]

    async def follow(self) -> None:
        while True:
            try:
                async for sight in self.board.watch():
                    self.seen.append(sight)
            except DeviceFault as fault:
                self.faults.append(fault)
                await asyncio.sleep(RETRY_S)

    def told(self, no: int) -> list[DoorSight]:
        """What the watch said of one door, each change once."""
        states = [sight.doors[no - 1] for sight in self.seen]
        return [now for before, now in zip([None, *states], states, strict=False) if now != before]


@asynccontextmanager
async def following(board: DoorRow) -> AsyncIterator[Follower]:
    follower = Follower(board, [], [])
    async with beside(follower.follow()):
        yield follower
