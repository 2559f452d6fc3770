"""Faults that strike in the very middle of a movement: between its intent and its end.

Each waits for the next movement, so that it is never spent on an idle hour.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final

from controller.entries import Up
from simulator.door import Impossible
from simulator.rehearsal.drives import lines_of
from simulator.rehearsal.events import Driven, Event, Struck, Wrote
from simulator.rehearsal.loop import JumpingLoop
from simulator.rehearsal.stage import Stage

AT_MOVEMENTS: Final = ("frozen", "answer_lost", "order_lost", "hung_up", "broken_open")
STEPS: Final = (1, 14)
ORDER_LOST_S: Final = 0.3  # of its line, until it would have been there
ANSWER_LOST_S: Final = 0.1  # and the next frame is heard again
WAITS_S: Final = (0.0, 0.01)  # an order, for the poll that is on its line
WHILE_SERVED_S: Final = (0.5, 6.0)  # after a door was released for somebody
SHUT_AFTER_S: Final = (30.0, 600.0)

Mute = Callable[[str, float], None]  # loses every frame of a line for so long


class Strokes:
    """What is armed strikes at the next movement; `disarm` forgets it."""

    def __init__(self, stage: Stage, dice: Random, mute: Mute) -> None:
        self._stage = stage
        self._dice = dice
        self._mute = mute
        self._lines = lines_of(stage.world.plan)
        self._at_intents: deque[Callable[[str], None]] = deque()
        self._at_pulses: deque[Callable[[str], None]] = deque()
        stage.log.listeners.append(self._hear)

    def arm(self, name: str, lasts_s: float) -> None:
        match name:
            case "frozen":
                self._at_intents.append(lambda where: self._freeze_soon(where, lasts_s))
            case "step":
                self._at_intents.append(lambda _where: self._fall_soon(lasts_s))
            case "order_lost":
                self._at_intents.append(self._lose_order)
            case "answer_lost":
                self._at_pulses.append(self._lose_answer)
            case "hung_up":
                self._at_pulses.append(self._hang_up)
            case "broken_open":
                self._at_pulses.append(self._break_open_soon)

    def disarm(self) -> None:
        self._at_intents.clear()
        self._at_pulses.clear()

    def _hear(self, event: Event) -> None:
        if isinstance(event, Wrote) and event.entry.kind == Up.MOVEMENT_INTENDED:
            if self._at_intents:
                self._at_intents.popleft()(event.entry.data["where"])
        elif isinstance(event, Driven) and self._at_pulses:
            self._at_pulses.popleft()(event.where)

    def _struck(self, name: str, where: str) -> None:
        self._stage.log.note(Struck(name, where))

    # before the pulse

    def _freeze_soon(self, where: str, seconds: float) -> None:
        """At once, between the intent and its order; or while the order waits for its line."""
        if self._dice.random() < 1 / 2:
            self._freeze(seconds)
            return
        loop, line = asyncio.get_running_loop(), self._lines[where]
        intended_at = loop.time()

        def freeze() -> None:
            if self._stage.sent_at(line) < intended_at:
                self._freeze(seconds)
            else:  # it is on its way, which nothing can stop
                self.arm("frozen", seconds)

        loop.call_later(self._dice.uniform(*WAITS_S), freeze)

    def _fall_soon(self, off_s: float) -> None:
        """The process ends at a step of this movement, or of what it leads to."""
        self._stage.cut_at_step = self._stage.steps + self._dice.randint(*STEPS)
        self._stage.next_off_s = off_s

    def _freeze(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, JumpingLoop), "only a time that jumps can jump over this"
        loop.freeze(seconds)
        self._struck("frozen", f"{seconds:.1f} s")

    def _lose_order(self, where: str) -> None:
        self._struck("order_lost", where)
        self._mute(self._lines[where], ORDER_LOST_S)

    # after it

    def _lose_answer(self, where: str) -> None:
        self._struck("answer_lost", where)
        self._mute(self._lines[where], ANSWER_LOST_S)

    def _hang_up(self, where: str) -> None:
        self._struck("hung_up", where)
        self._stage.unplug(self._lines[where], out=True)
        self._stage.unplug(self._lines[where], out=False)

    def _break_open_soon(self, where: str) -> None:
        """Somebody else, at another door, while this one is served."""
        after_s = self._dice.uniform(*WHILE_SERVED_S)
        self._stage.world.timeline.after(after_s, lambda: self._break_open(where))

    def _break_open(self, served: str) -> None:
        doors = [
            door
            for door in self._stage.world.doors.values()
            if door.name != served and not (door.open or door.stuck or door.unlocked)
        ]
        door = self._dice.choice(doors)
        door.force()
        self._struck("broken_open", door.name)
        after_s = self._dice.uniform(*SHUT_AFTER_S)
        self._stage.world.timeline.after(after_s, lambda: _shut(door.close))


def _shut(close: Callable[[], None]) -> None:
    with suppress(Impossible):
        close()
