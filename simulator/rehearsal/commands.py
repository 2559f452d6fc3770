"""People at the district who want a compartment opened, blocked or back in use.

They ask too late, too often, or alone where two must want it; somebody at the site pulls the door.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from random import Random
from typing import Final

from controller.entries import Down, Up
from simulator.door import Door, Impossible
from simulator.rehearsal.events import Event, Wrote
from simulator.rehearsal.shapes import HOUR_S, chosen
from simulator.rehearsal.stage import Stage

Plan = Callable[[float, Callable[[], None]], None]

A_DAY: Final = 4
HURRY: Final = 0.15  # asks for many doors at once
BURST: Final = 5
OCCUPIED: Final = 0.5  # of doors asked for, where something lies behind one
BLOCKS: Final = 0.3  # of what is wanted; the rest is opening
BLOCKED_S: Final = (600.0, 20 * HOUR_S)
AGAIN_S: Final = 900.0  # after an unblock that was not done
LASTS_S: Final = ((0.70, 300.0), (0.10, 86_400.0), (0.10, 4.0), (0.10, -30.0))
# Who says yes beside the first: another one, nobody, the first one again.
APPROVED: Final = ((0.6, "ops2"), (0.3, None), (0.1, "ops1"))
PULLS_S: Final = (0.8, 11.0)
SHUTS_S: Final = (2.0, 45.0)
NOT_DONE: Final = (Up.COMMAND_REFUSED, Up.COMMAND_EXPIRED)


class Operators:
    """Writes commands into the down journal; `plan` calls at a time."""

    def __init__(self, stage: Stage, dice: Random, plan: Plan) -> None:
        self._stage = stage
        self._dice = dice
        self._plan = plan
        self._numbers = count(1)
        self._loaded_at = ""  # the last door that was opened to put something in
        self._blocked: dict[str, str] = {}  # compartments, and the command that shall unblock each
        stage.log.listeners.append(self._hear)

    def plan_day(self, begins: float) -> None:
        """What they will want, and when."""
        for _ in range(A_DAY):
            self._plan(begins + self._dice.triangular(7.0, 20.0, 12.0) * HOUR_S, self._wish)

    def free_all(self) -> None:
        """Everything that is blocked is wanted back in use."""
        for where in list(self._blocked):
            self._unblock(where)

    def _wish(self) -> None:
        self._stage.rouse()
        if self._dice.random() < BLOCKS:
            self._block(self._some_door_to_block())
            return
        for _ in range(BURST if self._dice.random() < HURRY else 1):
            approved_by = chosen(self._dice, list(APPROVED))
            lasts_s = chosen(self._dice, list(LASTS_S))
            self._tell(Down.COMPARTMENT_OPEN, self._some_door().name, lasts_s, approved_by)

    def _some_door(self) -> Door:
        doors = list(self._stage.world.doors.values())
        full = [door for door in doors if door.contents]
        return self._dice.choice(full if full and self._dice.random() < OCCUPIED else doors)

    def _some_door_to_block(self) -> Door:
        """Often one that was loaded lately: it is the next that would be chosen again."""
        if self._loaded_at and self._dice.random() < 1 / 2:
            cabinet, _, no = self._loaded_at.partition("/")
            return self._stage.world.door(cabinet, int(no))
        return self._dice.choice(list(self._stage.world.doors.values()))

    def _block(self, door: Door) -> None:
        if door.name in self._blocked:
            return
        self._blocked[door.name] = ""
        self._tell(Down.COMPARTMENT_BLOCK, door.name, 300.0, None)
        least, most = BLOCKED_S
        blocked_s = least + (most - least) * self._dice.random()
        self._later(blocked_s, lambda: self._unblock(door.name))

    def _unblock(self, where: str) -> None:
        if where in self._blocked:
            self._blocked[where] = self._tell(Down.COMPARTMENT_UNBLOCK, where, 300.0, None)

    def _tell(self, kind: Down, where: str, lasts_s: float, approved_by: str | None) -> str:
        cabinet, _, no = where.partition("/")
        command = f"C{next(self._numbers)}"
        ends = self._stage.clock.true_now() + timedelta(seconds=lasts_s)
        self._stage.district.command(kind, command, (cabinet, int(no)), approved_by, ends)
        return command

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._plan(self._stage.clock.monotonic() + seconds, act)

    def _hear(self, event: Event) -> None:
        if not isinstance(event, Wrote):
            return
        entry = event.entry
        if entry.kind == Up.MOVEMENT_INTENDED and entry.data["kind"] == "load":
            self._loaded_at = entry.data["where"] if "/" in entry.data["where"] else ""
        if entry.kind == Up.MOVEMENT_INTENDED and "command" in entry.data:
            self._later(self._dice.uniform(*PULLS_S), lambda: self._pull(entry.data["where"]))
        for where, command in list(self._blocked.items()):
            if command and command == entry.data.get("command"):
                if entry.kind == Up.COMMAND_DONE:
                    del self._blocked[where]
                elif entry.kind in NOT_DONE:
                    self._later(AGAIN_S, lambda where=where: self._unblock(where))  # type: ignore[misc]

    def _pull(self, where: str) -> None:
        """Somebody at the site was told to: looks inside and shuts it again."""
        self._stage.rouse()
        self._stage.world.catch_up()
        cabinet, _, no = where.partition("/")
        door = self._stage.world.door(cabinet, int(no))
        try:
            door.pull()
        except Impossible:
            return
        self._later(self._dice.uniform(*SHUTS_S), lambda: self._shut(door))

    def _shut(self, door: Door) -> None:
        self._stage.rouse()
        self._stage.world.catch_up()
        if door.open and not door.broken_open:
            door.close()
