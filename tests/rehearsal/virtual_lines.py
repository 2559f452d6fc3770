"""The simulator's wires as lines of the bridge, on a loop whose time jumps."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from controller.ports import Clock
from firmware_bridge.lines import Inbox, Line, LineLost
from firmware_bridge.urls import Place
from simulator.devices.scanner import Scanner
from simulator.lines import Ear, Frames, TcpWire, Wire


class VirtualLine:
    """The site's end: what it sends goes to `heard`, what it is sent waits in its inbox."""

    def __init__(self, clock: Clock, heard: Callable[["VirtualLine", bytes], None]) -> None:
        self._clock = clock
        self._heard = heard
        self._inbox = Inbox(clock)

    @property
    def last_byte_at(self) -> float:
        return self._inbox.last_byte_at

    def send(self, frame: bytes) -> None:
        self._inbox.check()
        self._heard(self, frame)

    async def receive(self, at_least: int = 1) -> bytes:
        return await self._inbox.take(at_least)

    def drain(self) -> int:
        return self._inbox.drain()

    async def rest(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def close(self) -> None:
        self._inbox.fail("closed")

    def arrive(self, piece: bytes) -> None:
        self._inbox.put(piece)

    def hang_up(self) -> None:
        self._inbox.fail("the other end closed it")


class FarEnd(Protocol):
    def opened(self, clock: Clock) -> VirtualLine: ...


class SerialEnd:
    """An RS-485 line: what was on its way when it was opened anew arrives all the same."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._ear = Ear(wire)
        self._line: VirtualLine | None = None

    def opened(self, clock: Clock) -> VirtualLine:
        self._line = VirtualLine(clock, self._hear)
        return self._line

    def _hear(self, _line: VirtualLine, chunk: bytes) -> None:
        loop = asyncio.get_running_loop()
        whole_at = self._ear.hear(chunk, loop.time())
        loop.call_at(whole_at, self._cut, whole_at)

    def _cut(self, at: float) -> None:
        """The loop may call a hair's breadth too early, so the time is handed on."""
        loop = asyncio.get_running_loop()
        frames, ended = self._ear.cut(at)
        for frame in frames:
            for after, piece in self._wire.ask(frame, ended):
                self._ear.quiet_from = max(self._ear.quiet_from, ended + after)
                loop.call_at(ended + after, self._send, piece)

    def _send(self, piece: bytes) -> None:
        if self._line is not None:
            self._line.arrive(piece)


class PortEnd:
    """A Modbus TCP device; answers to a connection that is gone are gone with it."""

    def __init__(self, wire: TcpWire) -> None:
        self._wire = wire

    def opened(self, clock: Clock) -> VirtualLine:
        frames = Frames()

        def hear(line: VirtualLine, chunk: bytes) -> None:
            loop = asyncio.get_running_loop()
            whole = frames.feed(chunk)
            if whole is None:
                line.hang_up()
                return
            for frame in whole:
                for after, piece in self._wire.ask(frame, loop.time()):
                    loop.call_later(after, line.arrive, piece)

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
            self._line.arrive(piece)


class Exchange:
    """Opens the line behind a place, as `open_line` does with real ones."""

    def __init__(self) -> None:
        self.ends: dict[str, FarEnd] = {}

    async def __call__(self, place: Place, clock: Clock) -> Line:
        if place.key not in self.ends:
            raise LineLost(f"{place.key} is not there")
        return self.ends[place.key].opened(clock)
