"""Everything physical at one site: cabinets, things, hands, machines, and their wires."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from random import Random
from typing import Any, Final

from simulator.clock import Clock
from simulator.devices.input_board import InputBoard
from simulator.devices.licence_machine import LicenceMachine
from simulator.devices.relay_board import RelayBoard
from simulator.devices.scanner import Scanner
from simulator.door import Door, Impossible, LockKind, Unknown
from simulator.faults import Faults, Trouble
from simulator.lines import TcpWire, Wire
from simulator.modbus import Device
from simulator.people import People
from simulator.plan import BoardPlan, CabinetPlan, Plan
from simulator.timeline import Timeline

CHANNELS: Final = {"waveshare-relay-8": 8, "waveshare-relay-16": 16, "waveshare-relay-32": 32}
SPEED_MAX: Final = 1000.0
USUAL_LOCKS: Final = LockKind()


def unwired() -> bool:
    """An input with no wire: no current flows."""
    return False


class World:
    """Built from a plan; every act first lets happen what was due before it."""

    def __init__(
        self,
        plan: Plan,
        clock: Clock,
        *,
        seed: int = 0,
        speed: float = 1.0,
        locks: LockKind = USUAL_LOCKS,
    ) -> None:
        self.plan = plan
        self.clock = clock
        self.timeline = Timeline(clock.monotonic(), speed)
        self.listeners: list[Callable[[], None]] = []
        self.keep: Callable[[], None] = lambda: None  # makes the world survive a restart, at once
        self.hands: list[dict[str, str]] = []
        self.doors: dict[tuple[str, int], Door] = {}
        for cabinet in plan.cabinets:
            for compartment in cabinet.compartments:
                where = (cabinet.letter, compartment.no)
                dice = Random(f"{seed}/{cabinet.letter}/{compartment.no}")
                self.doors[where] = Door(*where, locks, self.timeline, dice, self._changed)
        self.machines = {
            machine.name: LicenceMachine(
                machine, self.timeline, changed=self._changed, keep=self._keep_now
            )
            for machine in plan.machines
        }
        self.boards: dict[str, list[RelayBoard | InputBoard]] = {}
        for cabinet in plan.cabinets:
            for board in cabinet.boards:
                self.boards.setdefault(board.line, []).extend(self._board(cabinet, board))
        self.wires = {
            line.name: Wire(line, self._on(line.name), self.timeline, seed) for line in plan.lines
        }
        self.tcp_wires = {
            name: TcpWire(name, machine, self.timeline, seed)
            for name, machine in self.machines.items()
        }
        self.scanners = {each.name: Scanner(each.name, each.baud) for each in plan.scanners}
        self.people = People(self, Random(f"{seed}/people"))
        self.listeners.append(self.people.look)

    # ------------------------------------------------------------------ time

    def catch_up(self) -> None:
        """Let everything happen that was due until now."""
        self.timeline.advance(self.clock.monotonic())

    async def live(self) -> None:
        """Let the world's time pass with the loop's, waking only when something is due."""
        sooner = asyncio.Event()
        self.timeline.sooner = sooner.set
        while True:
            self.catch_up()
            sooner.clear()
            due = self.timeline.due()
            wait_s = None if due is None else max(0.0, due - self.clock.monotonic())
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await sooner.wait()

    def power_up(self) -> None:
        for machine in self.machines.values():
            machine.inside.power_up()
        self.keep()

    def set_speed(self, speed: float) -> None:
        self.timeline.speed = speed
        self._changed()

    # ------------------------------------------------------------------ acts

    def door(self, cabinet: str, no: int) -> Door:
        if (cabinet, no) not in self.doors:
            raise Unknown(f"There is no door {cabinet}/{no}.")
        return self.doors[cabinet, no]

    def machine(self, name: str) -> LicenceMachine:
        if name not in self.machines:
            raise Unknown(f"There is no machine {name}.")
        return self.machines[name]

    def put(self, cabinet: str, no: int, label: str) -> None:
        """One thing into an open compartment; out of the hand, if it was in one."""
        door = self.door(cabinet, no)
        self._must_be_free(label)
        door.put(label)
        self._out_of_hand(label)

    def take(self, cabinet: str, no: int) -> None:
        door = self.door(cabinet, no)
        self._into_hand(door.take(), door.name)

    def machine_put(self, name: str, label: str) -> None:
        machine = self.machine(name)
        self._must_be_free(label)
        machine.inside.put(label)
        self._out_of_hand(label)

    def machine_take(self, name: str) -> None:
        for document in self.machine(name).inside.take():
            self._into_hand(document, name)

    def set_trouble(self, line: str, trouble: Trouble) -> None:
        self.faults(line).trouble = trouble
        self._changed()

    def faults(self, line: str) -> Faults:
        if line in self.wires:
            return self.wires[line].faults
        if line in self.tcp_wires:
            return self.tcp_wires[line].faults
        raise Unknown(f"There is no line {line}.")

    # ------------------------------------------------------------------ state and memory

    def state(self) -> dict[str, Any]:
        """What `GET /api/sim` says."""
        wires: Iterable[tuple[str, Faults]] = [
            *((name, wire.faults) for name, wire in self.wires.items()),
            *((name, wire.faults) for name, wire in self.tcp_wires.items()),
        ]
        return {
            "cabinets": {
                cabinet.letter: {
                    "doors": {
                        str(each.no): dict(self.doors[cabinet.letter, each.no].memory())
                        for each in cabinet.compartments
                    }
                }
                for cabinet in self.plan.cabinets
            },
            "machines": {name: machine.state() for name, machine in self.machines.items()},
            "scanners": list(self.scanners),
            "hands": self.hands,
            "lines": {name: faults.state() for name, faults in wires},
            "people": {"auto": self.people.auto},
            "speed": self.timeline.speed,
        }

    def memory(self) -> dict[str, Any]:
        return {
            "doors": {door.name: door.memory() for door in self.doors.values()},
            "hands": self.hands,
            "machines": {name: each.inside.memory() for name, each in self.machines.items()},
            "boards": {
                line: [[board.settings.unit, board.settings.line] for board in boards]
                for line, boards in self.boards.items()
            },
        }

    def recall(self, memory: dict[str, Any]) -> None:
        """What the plan no longer names is forgotten, what it names anew starts fresh."""
        for door in self.doors.values():
            if door.name in memory["doors"]:
                door.recall(memory["doors"][door.name])
        self.hands = list(memory["hands"])
        for name, machine in self.machines.items():
            if name in memory["machines"]:
                machine.inside.recall(memory["machines"][name])
        for line, boards in self.boards.items():
            kept = memory["boards"].get(line, [])
            if len(kept) == len(boards):
                for board, (unit, speed) in zip(boards, kept, strict=True):
                    board.settings.unit, board.settings.line = unit, speed

    # ------------------------------------------------------------------ inside

    def _keep_now(self) -> None:
        self.keep()

    def _changed(self) -> None:
        for listener in self.listeners:
            listener()

    def _board(self, cabinet: CabinetPlan, plan: BoardPlan) -> list[RelayBoard | InputBoard]:
        if plan.profile not in CHANNELS:
            raise Unknown(f"Boards {plan.profile} of cabinet {cabinet.letter} are not simulated.")
        channels = CHANNELS[plan.profile]
        wired = range(plan.first_door, plan.first_door + min(plan.doors, channels))
        doors = [self.doors.get((cabinet.letter, no)) for no in wired]
        closed = [door.reads_closed if door else unwired for door in doors]
        present = [door.reads_present if door else unwired for door in doors]
        return [
            RelayBoard(plan.unit, channels, self.timeline, doors),
            InputBoard(plan.unit + 1, channels, closed),
            InputBoard(plan.unit + 2, channels, present),
        ]

    def _on(self, line: str) -> list[Device]:
        return [*self.boards.get(line, [])]

    def _must_be_free(self, label: str) -> None:
        for door in self.doors.values():
            if label in door.contents:
                raise Impossible(f"{label} lies in compartment {door.name}.")
        for name, machine in self.machines.items():
            inside = machine.inside
            places = (inside.outlet, inside.transport, inside.gate, inside.stored.values())
            if any(label in place for place in places):
                raise Impossible(f"{label} is in machine {name}.")

    def _into_hand(self, label: str, where: str) -> None:
        at = self.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.hands.append({"took": label, "from": where, "at": at})
        self._changed()

    def _out_of_hand(self, label: str) -> None:
        self.hands = [held for held in self.hands if held["took"] != label]
        self._changed()
