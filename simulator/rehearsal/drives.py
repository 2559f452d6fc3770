"""What locks and machines were driven to: power on a coil, an order that a machine took."""

from simulator.devices.licence_registers import Outcome
from simulator.door import Door
from simulator.plan import Plan
from simulator.rehearsal.events import Driven, EventLog
from simulator.world import World


class Drives:
    """Notes each at the moment when it happens; the bolt or the paper moves later, if at all."""

    def __init__(self, world: World, log: EventLog) -> None:
        self._world = world
        self._log = log
        self._coils = {door.name: 0 for door in world.doors.values()}  # how often each got power
        self._orders = dict.fromkeys(world.machines, 0)  # the last number that each took
        world.door_listeners.insert(0, self._look_at)
        world.listeners.insert(0, self._look_at_machines)

    def _look_at(self, door: Door) -> None:
        if door.powered != self._coils[door.name]:
            self._coils[door.name] = door.powered
            self._log.note(Driven(door.name, door.powered))

    def _look_at_machines(self) -> None:
        for name, machine in self._world.machines.items():
            last = machine.inside.last
            if last.seq != self._orders[name]:
                self._orders[name] = last.seq
                if last.outcome != Outcome.REFUSED:
                    self._log.note(Driven(name, last.seq))


def lines_of(plan: Plan) -> dict[str, str]:
    """The line on which each door's board hangs, and each machine."""
    doors = {
        f"{cabinet.letter}/{no}": board.line
        for cabinet in plan.cabinets
        for board in cabinet.boards
        for no in range(board.first_door, board.first_door + board.doors)
    }
    return doors | {each.name: each.line or each.name for each in plan.machines}
