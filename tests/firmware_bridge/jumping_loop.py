"""In-memory lines for a loop whose time jumps."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from math import inf
from typing import Any

from controller.clock import LoopClock
from controller.ports import Clock
from firmware_bridge.lines import Inbox, Line, LineLost
from firmware_bridge.urls import Place
from simulator.rehearsal.loop import JumpingLoop

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)


def play(story: Coroutine[Any, Any, Any]) -> Any:
    """Run a story to its end on a loop whose time jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(story)


def loop_clock() -> Clock:
    return LoopClock(NOON)


FarEnd = Callable[[bytes], list[tuple[float, bytes]]]


class MemoryLine:
    """Both ends of a line: `far` turns a frame into answers, each with its delay in seconds."""

    def __init__(self, far: FarEnd, char_s: float) -> None:
        self._inbox = Inbox(loop_clock())
        self._far = far
        self._char_s = char_s
        self.sent: list[tuple[float, bytes]] = []
        self.closed = False

    @property
    def last_byte_at(self) -> float:
        return self._inbox.last_byte_at

    def send(self, frame: bytes) -> None:
        self._inbox.check()
        loop = asyncio.get_running_loop()
        self.sent.append((loop.time(), frame))
        for delay_s, answer in self._far(frame):
            arrives_s = (len(frame) + len(answer)) * self._char_s + delay_s
            loop.call_later(arrives_s, self._inbox.put, answer)

    async def receive(self, at_least: int = 1, until: float = inf) -> bytes:
        return await self._inbox.receive(at_least, until)

    def drain(self) -> int:
        return self._inbox.drain()

    async def rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def unplug(self) -> None:
        self._inbox.fail("unplugged")

    def inject(self, noise: bytes) -> None:
        self._inbox.put(noise)

    def close(self) -> None:
        self.closed = True
        self._inbox.fail("closed")


class Plugboard:
    """Hands out in-memory lines in place of real ones and keeps them for the test to look at."""

    def __init__(self, far: FarEnd) -> None:
        self.far = far
        self.lines: list[MemoryLine] = []
        self.broken = False

    async def __call__(self, place: Place, _clock: Clock) -> Line:
        if self.broken:
            raise LineLost(f"{place.key} is not there")
        self.lines.append(MemoryLine(self.far, place.char_s))
        return self.lines[-1]

    @property
    def frames(self) -> list[bytes]:
        return [frame for line in self.lines for _, frame in line.sent]
