"""Machines made by hand: doors, bolts, boxes and paper that count what physically happened."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from math import inf

from controller.faults import LineDown, NoReply, NotMoved, OutcomeUnknown
from controller.ports import (
    BoardSight,
    Command,
    DoorSight,
    Job,
    MachineSight,
    MachineState,
    Outcome,
    Presence,
    Slot,
)

FALLS_BACK_S = 10.0  # a bolt that was released and not used


@dataclass
class Box:
    """One compartment as it really is."""

    open: bool = False
    unlocked_until: float = -1.0
    jammed: bool = False
    weak: bool = False  # moves by a longer pulse only
    inside: list[str] = field(default_factory=list)
    pulses: int = 0  # frames that reached the board
    longer_pulses: int = 0  # of these
    bolts: int = 0  # times that the bolt really moved
    says: DoorSight | None = None  # a switch that lies


class Cabinet:
    """A board with real doors behind it."""

    def __init__(self, name: str, doors: int, *, sensors: bool = True) -> None:
        self.name = name
        self.doors = doors
        self.sensors = sensors
        self.follows = asyncio.Event()  # cleared: its driver hangs
        self.follows.set()
        self.boxes = [Box() for _ in range(doors)]
        self.lose_replies = 0  # of so many releases to come
        self.refuse = 0
        self.look_s = 0.0
        self.pulses_longer = True
        self.coil_rest_s = 0.0  # that the board itself demands after a pulse
        self._rested_at: dict[int, float] = {}
        self.line_busy_s = 0.0  # with others, before a release has its turn
        self.silent = False
        self.gone = False
        self.before_pulse: Callable[[int], None] = lambda _door: None
        self.crossed: dict[int, int] = {}  # door: the one to which its switch's wire leads
        self._changed = asyncio.Event()

    def __getitem__(self, door: int) -> Box:
        return self.boxes[door - 1]

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    def rests_s(self, door: int) -> float:
        return self._rested_at.get(door, 0.0) - self.now()

    async def release(self, door: int, *, by: float = inf, longer: bool = False) -> None:
        self._check_line()
        await asyncio.sleep(self.line_busy_s)
        if self.now() > by:
            raise NotMoved(self.name, "the line was not free in time")
        await asyncio.sleep(0.02)
        if self.refuse:
            self.refuse -= 1
            raise NotMoved(self.name, "refused")
        if self.rests_s(door) > 0:
            raise NotMoved(self.name, "its coil rests")
        self._rested_at[door] = self.now() + self.coil_rest_s
        self._pulse(door, longer=longer and self.pulses_longer)
        if self.lose_replies:
            self.lose_replies -= 1
            await asyncio.sleep(0.3)
            raise OutcomeUnknown(self.name, "no reply")

    def _pulse(self, door: int, *, longer: bool) -> None:
        self.before_pulse(door)
        box = self[door]
        box.pulses += 1
        box.longer_pulses += longer
        if not box.jammed and (longer or not box.weak):
            box.bolts += 1
            box.unlocked_until = self.now() + FALLS_BACK_S
        self._changed.set()

    async def look(self) -> BoardSight:
        self._check_line()
        if self.look_s:
            await asyncio.sleep(self.look_s)
        return BoardSight(
            at=self.now(),
            doors=tuple(
                self._door(self[self.crossed.get(door, door)]) for door in range(1, self.doors + 1)
            ),
            items=tuple(self._item(box) for box in self.boxes),
        )

    async def watch(self) -> AsyncIterator[BoardSight]:
        while True:
            self._changed.clear()
            yield await self.look()
            await self.follows.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._changed.wait()
            await asyncio.sleep(0.05)

    def _check_line(self) -> None:
        if self.gone:
            raise LineDown(self.name, "the line is gone")
        if self.silent:
            raise NoReply(self.name, "nobody answers")

    @staticmethod
    def _door(box: Box) -> DoorSight:
        return box.says or (DoorSight.OPEN if box.open else DoorSight.CLOSED)

    def _item(self, box: Box) -> Presence:
        if not self.sensors:
            return Presence.UNKNOWN
        return Presence.PRESENT if box.inside else Presence.ABSENT

    # hands

    def is_unlocked(self, door: int) -> bool:
        return self[door].unlocked_until >= self.now()

    def pull(self, door: int) -> bool:
        if self.is_unlocked(door):
            self[door].open = True
        self._changed.set()
        return self[door].open

    def close(self, door: int) -> None:
        self[door].open = False
        self[door].unlocked_until = -1.0
        self._changed.set()

    def put(self, door: int, label: str) -> None:
        assert self[door].open
        self[door].inside.append(label)
        self._changed.set()

    def take(self, door: int) -> list[str]:
        assert self[door].open
        taken, self[door].inside = self[door].inside, []
        self._changed.set()
        return taken

    def force(self, door: int) -> None:
        self[door].open = True
        self._changed.set()

    def stir(self) -> None:
        self._changed.set()


class Printer:
    """A licence machine that prints, with the memory that its maker promises."""

    def __init__(self, name: str = "M1") -> None:
        self.name = name
        self.blanks = 200
        self.print_s = 20.0
        self.last = Command(0, None, Outcome.NONE, 0)
        self.previous = Command(0, None, Outcome.NONE, 0)
        self.state = MachineState.IDLE
        self.faults: set[str] = set()
        self.outlet: list[str] = []
        self.moved = 0
        self.frames = 0
        self.presented_at = 0.0
        self.done_at: float | None = None
        self.lose_frames = 0
        self.lose_replies = 0
        self.gone = False
        self.fails: Outcome | None = None
        self.reject: list[str] = []

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    def _pass_time(self) -> None:
        if self.done_at is None or self.now() < self.done_at:
            return
        self.done_at = None
        if self.last.outcome is not Outcome.RUNNING:
            return
        if self.fails is not None:
            self._end(self.fails)
            return
        self._finish()

    def _finish(self) -> None:
        job = self.last.document
        assert isinstance(job, Job)
        self.blanks -= 2
        self._present(f"JOB:{job.number}")

    def _present(self, document: str) -> None:
        self.moved += 1
        self.outlet = [document]
        self._end(Outcome.PRESENTED)
        self.state = MachineState.PRESENTING

    def _end(self, outcome: Outcome, detail: int = 0) -> None:
        self.last = Command(self.last.seq, self.last.document, outcome, detail)
        self.state = MachineState.IDLE

    async def look(self) -> MachineSight:
        if self.gone:
            raise LineDown(self.name, "refused")
        await asyncio.sleep(0.005)
        self._pass_time()
        return MachineSight(
            at=self.now(),
            state=self.state,
            faults=frozenset(self.faults),
            last=self.last,
            previous=self.previous,
            blanks=self.blanks,
            slots=0,
            filled=0,
            at_outlet=bool(self.outlet),
            take_left_s=0,
            boots=1,
            heartbeat=int(self.now()),
        )

    async def present(self, seq: int, document: Job | Slot) -> None:
        await self._remember(seq, document, MachineState.PRINTING, self.print_s)

    async def take_in(self, seq: int, slot: Slot) -> None:
        raise AssertionError(f"{self.name} stores nothing: {seq}, {slot}")

    async def _remember(
        self, seq: int, document: Job | Slot | None, state: MachineState, busy_s: float
    ) -> None:
        if self.gone:
            raise NotMoved(self.name, "not sent")
        await asyncio.sleep(0.005)
        if self.lose_frames:
            self.lose_frames -= 1
            raise OutcomeUnknown(self.name, "no reply")
        self.frames += 1
        if seq != self.last.seq:
            assert seq > self.last.seq
            assert self.state is MachineState.IDLE
            self.previous = self.last
            self.last = Command(seq, document, Outcome.RUNNING, 0)
            self.state = state
            self.done_at = self.now() + busy_s
        if self.lose_replies:
            self.lose_replies -= 1
            raise OutcomeUnknown(self.name, "no reply")

    async def retract(self, seq: int) -> None:
        self.previous = Command(self.last.seq, self.last.document, Outcome.RETRACTED, 0)
        self.last = Command(seq, None, Outcome.DONE, 0)
        self.reject += self.outlet
        self.outlet = []
        self.state = MachineState.IDLE

    async def alive(self) -> None:
        """Its sign of life."""

    def swallow(self) -> None:
        """Its own take time is over: what nobody took goes back inside."""
        self.reject += self.outlet
        self.outlet = []
        self._end(Outcome.RETRACTED)

    # hands

    def take(self) -> list[str]:
        taken, self.outlet = self.outlet, []
        if taken:
            self._end(Outcome.TAKEN)
        return taken


class Reader:
    """A scanner."""

    name = "S1"

    def __init__(self) -> None:
        self._texts: asyncio.Queue[str] = asyncio.Queue()

    def hold(self, text: str) -> None:
        self._texts.put_nowait(text)

    async def codes(self) -> AsyncIterator[str]:
        while True:
            yield await self._texts.get()
