"""The simulator's wires as lines of the bridge, on a loop whose time jumps."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from controller.ports import Clock
from controller.settings import SiteSettings
from firmware_bridge.lines import Inbox, Line, LineLost
from firmware_bridge.urls import Place, parse
from simulator.devices.card_reader import CardReader
from simulator.devices.scanner import Scanner
from simulator.line import Line as SimulatedLine
from simulator.line import Pieces
from simulator.lines import Ear, Frames, Stream, TcpWire
from simulator.plan import Plan
from simulator.world import World


class VirtualLine(Inbox):
    """The site's end: what it sends goes to `heard`, what it is sent waits until it is read."""

    def __init__(self, clock: Clock, heard: Callable[["VirtualLine", bytes], None]) -> None:
        super().__init__(clock)
        self._heard = heard
        self.sent_at = float("-inf")

    def send(self, frame: bytes) -> None:
        self.check()
        self.sent_at = self._clock.monotonic()
        self._heard(self, frame)

    async def rest(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def close(self) -> None:
        self.fail("closed")

    def hang_up(self) -> None:
        self.fail("the other end closed it")


class FarEnd(Protocol):
    def opened(self, clock: Clock) -> VirtualLine: ...


class SerialEnd:
    """An RS-485 line: what was on its way when it was opened anew arrives all the same."""

    def __init__(self, wire: SimulatedLine) -> None:
        self._wire = wire
        self._ear = Ear(wire)
        self._line: VirtualLine | None = None
        wire.outlet = lambda pieces: self._emit(pieces, wire.timeline.now)

    def opened(self, clock: Clock) -> VirtualLine:
        self._line = VirtualLine(clock, self._hear)
        return self._line

    def _hear(self, _line: VirtualLine, chunk: bytes) -> None:
        loop = asyncio.get_running_loop()
        whole_at = self._ear.hear(chunk, loop.time())
        loop.call_at(whole_at, self._cut, whole_at)

    def _cut(self, at: float) -> None:
        """The loop may call a hair's breadth too early, so the time is handed on."""
        frames, ended = self._ear.cut(at)
        for frame in frames:
            self._emit(self._wire.ask(frame, ended), ended)

    def _emit(self, pieces: Pieces, start: float) -> None:
        loop = asyncio.get_running_loop()
        for after, piece in pieces:
            self._ear.quiet_from = max(self._ear.quiet_from, start + after)
            loop.call_at(start + after, self._send, piece)

    def _send(self, piece: bytes) -> None:
        if self._line is not None:
            self._line.put(piece)


class ServerEnd:
    """A line inside TCP: its device server cuts by length, and ends with its connection."""

    def __init__(self, wire: SimulatedLine) -> None:
        self._wire = wire
        self._line: VirtualLine | None = None
        wire.outlet = lambda pieces: self._emit(self._line, pieces, wire.timeline.now)

    def opened(self, clock: Clock) -> VirtualLine:
        ear = Ear(self._wire)

        def hear(line: VirtualLine, chunk: bytes) -> None:
            ended = ear.hear(chunk, asyncio.get_running_loop().time()) - self._wire.silence_s
            for frame in ear.by_length():
                asyncio.get_running_loop().call_at(ended, self._ask, line, frame, ended)

        self._line = VirtualLine(clock, hear)
        return self._line

    def _ask(self, line: VirtualLine, frame: bytes, ended: float) -> None:
        self._emit(line, self._wire.ask(frame, ended), ended)

    def _emit(self, line: VirtualLine | None, pieces: Pieces, start: float) -> None:
        for after, piece in pieces:
            if line is not None:
                asyncio.get_running_loop().call_at(start + after, line.put, piece)


class PortEnd:
    """A Modbus TCP device; answers to a connection that is gone are gone with it."""

    def __init__(self, wire: TcpWire) -> None:
        self._wire = wire

    def opened(self, clock: Clock) -> VirtualLine:
        frames, stream = Frames(), Stream()

        def hear(line: VirtualLine, chunk: bytes) -> None:
            loop = asyncio.get_running_loop()
            whole = frames.feed(chunk)
            if whole is None:
                line.hang_up()
                return
            for frame in whole:
                now = loop.time()
                for after, piece in stream.placed(self._wire.ask(frame, now), now):
                    loop.call_later(after, line.put, piece)

        return VirtualLine(clock, hear)


class ScannerEnd:
    """A serial scanner, before which somebody may hold a code."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._line: VirtualLine | None = None

    def opened(self, clock: Clock) -> VirtualLine:
        self._line = VirtualLine(clock, lambda _line, _chunk: None)
        return self._line

    def hold(self, text: str) -> None:
        loop = asyncio.get_running_loop()
        for after, piece in self._scanner.hold(text):
            loop.call_later(after, self._send, piece)

    def _send(self, piece: bytes) -> None:
        if self._line is not None:
            self._line.put(piece)


class CardEnd:
    """An ID-card reader; how fast its bytes come is of no matter here."""

    def __init__(self, reader: CardReader) -> None:
        self._reader = reader

    def opened(self, clock: Clock) -> VirtualLine:
        def hear(line: VirtualLine, chunk: bytes) -> None:
            self._reader.timeline.advance(asyncio.get_running_loop().time())
            for after, answer in self._reader.hear(chunk):
                asyncio.get_running_loop().call_later(after, line.put, answer)

        return VirtualLine(clock, hear)


class Exchange:
    """Opens the line behind a place, as `open_line` does with real ones."""

    def __init__(self) -> None:
        self.ends: dict[str, FarEnd] = {}
        self.keys: dict[str, str] = {}  # of each line's and machine's place
        self.scanners: dict[str, ScannerEnd] = {}
        self.alive = True  # whoever would open a line is there
        self.gone: set[str] = set()  # places that are unplugged
        self._opened: dict[str, VirtualLine] = {}

    async def __call__(self, place: Place, clock: Clock) -> Line:
        if place.key not in self.ends or place.key in self.gone or not self.alive:
            raise LineLost(f"{place.key} is not there")
        self._opened[place.key] = self.ends[place.key].opened(clock)
        return self._opened[place.key]

    def sent_at(self, key: str) -> float:
        """When the site last sent something there."""
        return self._opened[key].sent_at if key in self._opened else float("-inf")

    def hang_up(self, key: str) -> None:
        """Whoever has this place open hears that it is gone."""
        if key in self._opened:
            self._opened[key].hang_up()


def boards_of(plan: Plan) -> dict[str, str]:
    """The name of the board behind each door, as the site counts them."""
    return {
        f"{cabinet.letter}/{no}": f"{cabinet.letter}{number}"
        for cabinet in plan.cabinets
        for number, board in enumerate(cabinet.boards, 1)
        for no in range(board.first_door, board.first_door + board.doors)
    }


def far_ends(settings: SiteSettings, world: World) -> Exchange:
    """Everything that a site's settings name, at its place."""
    exchange = Exchange()
    for line in settings.line:
        key = exchange.keys[line.name] = parse(f"{line.url}&unit=1&profile=x").place.key
        wire = world.wires[line.name]
        exchange.ends[key] = ServerEnd(wire) if wire.plan.tcp else SerialEnd(wire)
    for machine in settings.machine:
        key = exchange.keys[machine.name] = parse(machine.url).place.key
        exchange.ends[key] = PortEnd(world.tcp_wires[machine.name])
    for scanner in settings.scanner:
        end = exchange.scanners[scanner.name] = ScannerEnd(world.scanners[scanner.name])
        exchange.ends[parse(scanner.url).place.key] = end
    for cards in settings.card_reader:
        exchange.ends[parse(cards.url).place.key] = CardEnd(world.card_readers[cards.name])
    return exchange
