"""A record of what happened, shown on simulated doors: played, stopped, wound on and back."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from simulator.clock import Clock
from simulator.plan import Plan
from simulator.words import Language
from simulator.world import World

PAUSE_MAX_S: Final = 2.0  # of film, where for hours nothing happened
SPEEDS: Final = (1.0, 2.0, 5.0, 10.0, 60.0, 600.0)


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry of the record: when, in which words, and what is another at a door then."""

    number: str
    at: str  # as it is shown
    seconds: float  # since the record's beginning
    words: Mapping[Language, str]
    door: tuple[str, int] | None = None
    change: Mapping[str, Any] = field(default_factory=dict)  # of the door's memory


class Film:
    """The first `position` frames have been shown."""

    def __init__(self, plan: Plan, frames: Sequence[Frame], clock: Clock) -> None:
        self.world = World(plan, clock)
        self.frames = frames
        self.position = 0
        self.playing = False
        self.speed = 10.0
        self._clock = clock
        self._blank = {where: door.memory() for where, door in self.world.doors.items()}
        self._turned = asyncio.Event()

    def state(self) -> dict[str, Any]:
        shown = self.frames[self.position - 1] if self.position else None
        return {
            "position": self.position,
            "of": len(self.frames),
            "number": shown.number if shown else "",
            "at": shown.at if shown else "",
            "words": dict(shown.words) if shown else {},
            "door": "/".join(map(str, shown.door)) if shown and shown.door else "",
            "playing": self.playing,
            "speed": self.speed,
        }

    def turn(
        self,
        *,
        play: bool | None = None,
        position: int | None = None,
        speed: float | None = None,
    ) -> None:
        """What a hand does at the projector."""
        if speed is not None:
            self.speed = speed
        if position is not None:
            self.seek(position)
        if play is not None:
            self.playing = play
            if play and self.position == len(self.frames):
                self.seek(0)
        self._turned.set()
        self.world.tell()

    def seek(self, position: int) -> None:
        """Show the doors as they were after so many frames."""
        position = min(max(position, 0), len(self.frames))
        if position < self.position:
            self.position = 0
            for where, memory in self._blank.items():
                self._put(where, memory)
        while self.position < position:
            self._next()

    def _next(self) -> None:
        frame = self.frames[self.position]
        self.position += 1
        if frame.door in self.world.doors:
            self._put(frame.door, frame.change)

    def _put(self, where: tuple[str, int], change: Mapping[str, Any]) -> None:
        door = self.world.doors[where]
        door.recall({**door.memory(), **change})  # type: ignore[typeddict-item]
        for listener in self.world.door_listeners:
            listener(door)

    async def run(self, told: Callable[[], None] = lambda: None) -> None:
        """Go on while it plays; `told` hears of every frame."""
        while True:
            self._turned.clear()
            if not self.playing:
                await self._turned.wait()
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._turned.wait()
                continue
            self._next()
            self.playing = self.position < len(self.frames)
            self.world.tell()
            told()

    def _pause_s(self) -> float:
        before = self.frames[self.position - 1].seconds if self.position else 0.0
        gap = self.frames[self.position].seconds - before
        return min(max(gap, 0.0) / self.speed, PAUSE_MAX_S)
