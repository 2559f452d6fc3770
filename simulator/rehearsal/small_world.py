"""Three doors, two orders, two codes: a world small enough to see everything that can happen.

The doors are physical here; the site's own rules run on them. What moves is judged at once by
what lies behind the door and what was scanned, never by the site's own tables alone.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from controller.faults import NotMoved, OutcomeUnknown
from controller.ports import BoardSight, DoorSight, Presence
from simulator.rehearsal.forks import Forks
from simulator.rehearsal.still_loop import StillLoop

DOORS: Final = 3
FALLS_BACK_S: Final = 10.0  # a bolt that was released and not used
MOVED, REFUSED, LOST_BEFORE, LOST_AFTER = "moved", "refused", "lost before", "lost after"


class PowerCut(BaseException):
    """The plug is pulled: nothing catches this."""


@dataclass(slots=True)
class Box:
    """A compartment as it really is."""

    open: bool = False
    unlocked: bool = False
    inside: list[str] = field(default_factory=list)
    bolts: int = 0


@dataclass(slots=True)
class Budget:
    """How often what can happen for ever does."""

    scans: int
    cuts: int
    lost: int
    again: int  # the district says the same order once more
    codes: tuple[str, ...] = ("N1", "N2")  # that somebody may show: of two boxes, of one


class Doors:
    """The board `A-1` and everything behind it."""

    name = "A-1"
    doors = DOORS
    pulses_longer = False

    def __init__(self, forks: Forks, budget: Budget, loop: StillLoop, *, sensors: bool) -> None:
        self.boxes = [Box() for _ in range(DOORS)]
        self.hands: list[str] = []
        self.exploring = False
        self.moving: Callable[[int], None] = lambda _door: None  # told before a bolt moves
        self._forks = forks
        self._loop = loop
        self._budget = budget
        self._sensors = sensors
        self._changed = asyncio.Event()

    def rests_s(self, door: int) -> float:  # noqa: ARG002 - as boards are asked
        return 0.0

    async def release(self, door: int, *, by: float = inf, longer: bool = False) -> None:
        """Pulse a lock, never longer; what becomes of order and answer is all that can."""
        assert by >= self._loop.time()
        del longer  # this board's pulses are all alike
        fate = self._fate()
        if fate == REFUSED:
            raise NotMoved(self.name, fate)
        if fate != LOST_BEFORE:
            self._move(door)
        if fate != MOVED:
            raise OutcomeUnknown(self.name, fate)

    def _fate(self) -> str:
        if not self.exploring or not self._budget.lost:
            return MOVED
        fate = self._forks.choose(
            [(f"the order is {fate}", fate) for fate in (REFUSED, LOST_BEFORE, LOST_AFTER, MOVED)]
        )
        if fate != MOVED:
            self._budget.lost -= 1
            self._forks.count("lost")
        return fate

    def _move(self, door: int) -> None:
        box = self.boxes[door - 1]
        box.bolts += 1
        self.moving(door)
        box.unlocked = True
        self._forks.count("moved")
        self._loop.call_later(FALLS_BACK_S, self._fall_back, box, box.bolts)
        self.touch()

    def _fall_back(self, box: Box, bolts: int) -> None:
        if box.bolts == bolts and not box.open:
            box.unlocked = False

    # what the board says

    async def look(self) -> BoardSight:
        """Say what switches and sensors show."""
        return BoardSight(
            at=self._loop.time(),
            doors=tuple(DoorSight.OPEN if b.open else DoorSight.CLOSED for b in self.boxes),
            items=tuple(self._presence(box) for box in self.boxes),
        )

    def _presence(self, box: Box) -> Presence:
        if not self._sensors:
            return Presence.UNKNOWN
        return Presence.PRESENT if box.inside else Presence.ABSENT

    async def watch(self) -> AsyncIterator[BoardSight]:
        """Say it at first, and whenever it changed."""
        while True:
            self._changed.clear()
            yield await self.look()
            await self._changed.wait()

    def touch(self) -> None:
        self._changed.set()

    # hands

    def pull(self, door: int) -> None:
        self.boxes[door - 1].open = True
        self.touch()

    def take(self, door: int) -> None:
        box = self.boxes[door - 1]
        self.hands += box.inside
        box.inside.clear()
        self.touch()

    def close(self, door: int) -> None:
        box = self.boxes[door - 1]
        box.open = box.unlocked = False
        self.touch()

    def shown(self) -> tuple[object, ...]:
        """Everything physical, to tell one state from another."""
        boxes = tuple((b.open, b.unlocked, tuple(b.inside), b.bolts) for b in self.boxes)
        return (boxes, tuple(sorted(self.hands)))
