"""Simulated people: they pull released doors, take what is theirs, close, and empty the outlet.

Times are those of a person at a counter: at least, usually, at most; `speed` makes them faster.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final

from simulator.devices.licence_registers import State
from simulator.door import Door, Impossible
from simulator.timeline import Appointment

if TYPE_CHECKING:
    from simulator.world import World

TIMES_S: Final = {
    "pull": (1.0, 3.0, 15.0),  # see which door opened, reach it
    "take": (1.0, 3.0, 30.0),
    "close": (1.0, 2.0, 20.0),
    "wait": (20.0, 30.0, 60.0),  # before an empty compartment into which nobody puts anything
    "empty": (1.0, 3.0, 15.0),  # see the document at the outlet, take it
}
FORGETS: Final = 0.03  # of people walk away from an open door
COMES_BACK_S: Final = (45.0, 60.0, 90.0)


class People:
    """Only while `auto`; whoever loads puts things in by himself, they close behind him."""

    def __init__(self, world: "World", dice: Random) -> None:
        self.auto = False
        self._world = world
        self._dice = dice
        self._intents: dict[str, tuple[str, Appointment]] = {}  # at a door or machine: what, when
        self._was_empty: dict[str, bool] = {}  # as it was when its door was last shut

    def set_auto(self, *, auto: bool) -> None:
        self.auto = auto
        for door in self._world.doors.values():
            self.look_at(door)
        self.look_at_machines()

    def look_at(self, door: Door) -> None:
        """Told after each change of a door: somebody may have something to do there."""
        if not door.open:
            self._was_empty[door.name] = not door.contents
        self._mean(door.name, self._wish(door), partial(self._act, door))

    def look_at_machines(self) -> None:
        """Told after any change."""
        for name, machine in self._world.machines.items():
            inside = machine.inside
            waits = self.auto and inside.outlet and inside.state == State.PRESENTING
            self._mean(name, "empty" if waits else "", partial(self._empty, name))

    def _wish(self, door: Door) -> str:
        if not self.auto or door.jammed or door.broken_open:
            return ""
        if not door.open:
            return "pull" if door.unlocked else ""
        loading = self._was_empty.get(door.name, not door.contents)
        if loading == bool(door.contents):
            return "close"
        return "wait" if loading else "take"

    def _mean(self, where: str, wish: str, act: Callable[[], None]) -> None:
        """Somebody there wants this now; what he wanted before is off."""
        before, appointment = self._intents.get(where, ("", None))
        if before == wish:
            return
        if appointment:
            appointment.cancel()
        self._intents.pop(where, None)
        if wish:
            made = self._world.timeline.quickly(self._takes_s(wish), partial(self._do, where, act))
            self._intents[where] = (wish, made)

    def _do(self, where: str, act: Callable[[], None]) -> None:
        self._intents.pop(where, None)
        act()

    def _empty(self, machine: str) -> None:
        with suppress(Impossible):
            self._world.machine_take(machine)
        self.look_at_machines()

    def _act(self, door: Door) -> None:
        with suppress(Impossible):  # the bolt fell in before he came
            wish = self._wish(door)
            if wish == "pull":
                door.pull()
            elif wish == "take":
                self._world.take(door.cabinet, door.no)
            elif wish:
                door.close()
        self.look_at(door)

    def _takes_s(self, wish: str) -> float:
        least, usual, most = TIMES_S[wish]
        if wish == "close" and self._dice.random() < FORGETS:
            least, usual, most = COMES_BACK_S
        width = most - least
        # The usual estimate from three numbers: a beta distribution about the usual one.
        return least + width * self._dice.betavariate(
            1 + 4 * (usual - least) / width, 1 + 4 * (most - usual) / width
        )
