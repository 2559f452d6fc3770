"""Everything physical at one site: cabinets, things, hands, machines, and their wires."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, Final

from simulator.clock import Clock
from simulator.crossing import rewire
from simulator.devices.air_sensor import AirSensor
from simulator.devices.card_reader import CardReader
from simulator.devices.licence_machine import LicenceMachine
from simulator.devices.mixed_board import LINKAGE, NORMAL, MixedBoard
from simulator.devices.scanner import Scanner
from simulator.door import Door, Impossible, LockKind, Unknown
from simulator.door_faults import DoorTrouble
from simulator.faults import Faults, Trouble
from simulator.line import Host, Line
from simulator.lines import TcpWire
from simulator.people import People
from simulator.plan import CabinetPlan, Plan
from simulator.standing import beside_the_lines, kept, recall
from simulator.surroundings import Place
from simulator.texts import WorldText
from simulator.timeline import Timeline
from simulator.wiring import Board, Reporter, boards_of, line_of, sensor_of, springs

SPEED_MAX: Final = 1000.0
USUAL_LOCKS: Final = LockKind()


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
        self.changes = 0  # counted, so that a page can tell the newer of two states
        self.listeners: list[Callable[[], None]] = []
        self.door_listeners: list[Callable[[Door], None]] = []  # told before those
        self.keep: Callable[[], None] = lambda: None  # makes the world survive a restart, at once
        self.hands: list[dict[str, str]] = []
        self.troubled: dict[str, Door] = {}  # doors that have, or had, some trouble
        self.text = WorldText(self)
        self.doors: dict[tuple[str, int], Door] = {}
        for cabinet in plan.cabinets:
            self._hang_doors(cabinet, locks, seed)
        self.text.forget()
        self.machines = {
            machine.name: LicenceMachine(
                machine,
                self.timeline,
                changed=self._changed,
                keep=self._keep_now,
                dice=Random(f"{seed}/{machine.name}/machine"),
            )
            for machine in plan.machines
        }
        self.boards: dict[str, list[Board]] = {line.name: [] for line in plan.lines}
        for cabinet in plan.cabinets:
            self._hang_boards(cabinet)
        self.place = Place(self.timeline, self._changed)
        for sensor in plan.sensors:
            self.boards[sensor.line].append(sensor_of(sensor, self.place, self.timeline))
        self._acting: list[Callable[[], None]] = []  # on what their inputs see
        self.wires: dict[str, Line] = {}
        self.tcp_wires: dict[str, TcpWire] = {}
        self._lay_lines(seed)
        self._set_readers_up(seed)
        self.people = People(self, Random(f"{seed}/people"))
        self.door_listeners.append(self.people.look_at)
        self.listeners += [self.people.look_at_machines, self._inputs_change]

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

    def tell(self) -> None:
        """Something is another that no device tells by itself."""
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

    def card_reader(self, name: str) -> CardReader:
        if name not in self.card_readers:
            raise Unknown(f"There is no card reader {name}.")
        return self.card_readers[name]

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
        faults = self.faults(line)
        before = faults.trouble
        faults.set(trouble)
        for board in self.boards.get(line, []):
            if isinstance(board, MixedBoard):
                if board.unit in trouble.linkage:
                    board.set_modes(LINKAGE)
                elif board.unit in before.linkage:
                    board.set_modes(NORMAL)
            elif isinstance(board, AirSensor) and board.unit in trouble.talks:
                board.talk()
        if trouble.garbage and not before.garbage:
            self.host(line).burst()  # as when another board is plugged
        self._changed()

    def set_door_trouble(self, cabinet: str, no: int, trouble: DoorTrouble) -> None:
        """Whatever was wrong with the door before is right now."""
        door = self.door(cabinet, no)
        rewire(self, door, trouble)
        self.troubled[door.name] = door
        door.set_trouble(trouble)

    def restart(self, line: str, units: Iterable[int], off_s: float) -> None:
        """The supply of these boards is gone for so long; nothing is resumed."""
        self.host(line)
        there = {board.unit: board for board in self.boards.get(line, [])}
        for unit in [*units] or [*there]:
            if unit not in there:
                raise Unknown(f"There is no board {unit} on line {line}.")
            there[unit].condition.restart(off_s)
        self._changed()

    def faults(self, line: str) -> Faults:
        return self.host(line).faults

    def host(self, line: str) -> Host:
        if line in self.wires:
            return self.wires[line]
        if line in self.tcp_wires:
            return self.tcp_wires[line]
        raise Unknown(f"There is no line {line}.")

    # ------------------------------------------------------------------ state and memory

    def state_of_the_rest(self) -> dict[str, Any]:
        """Without the doors, of which there may be thousands."""
        wires: Iterable[tuple[str, Faults]] = [
            *((name, wire.faults) for name, wire in self.wires.items()),
            *((name, wire.faults) for name, wire in self.tcp_wires.items()),
        ]
        return {
            "changes": self.changes,
            "machines": {name: machine.state() for name, machine in self.machines.items()},
            "scanners": list(self.scanners),
            "cards": {name: reader.state() for name, reader in self.card_readers.items()},
            "environment": self.place.state(),
            "hands": self.hands,
            "lines": {name: faults.state() for name, faults in wires},
            "people": {"auto": self.people.auto},
            "speed": self.timeline.speed,
            "troubles": beside_the_lines(self),
        }

    def memory(self) -> dict[str, Any]:
        doors = {door.name: door.memory() for door in self.doors.values()}
        return {"doors": doors} | self.memory_of_the_rest()

    def memory_of_the_rest(self) -> dict[str, Any]:
        """Without the doors, of which there may be thousands."""
        return {
            "hands": self.hands,
            "machines": {name: each.inside.memory() for name, each in self.machines.items()},
            "boards": {
                line: [board.kept() for board in boards] for line, boards in self.boards.items()
            },
            "troubles": kept(self),
        }

    def recall(self, memory: dict[str, Any]) -> None:
        """What the plan no longer names is forgotten, what it names anew starts fresh."""
        for door in self.doors.values():
            if door.name in memory["doors"]:
                door.recall(memory["doors"][door.name])
        self.text.forget()
        self.hands = list(memory["hands"])
        for name, machine in self.machines.items():
            if name in memory["machines"]:
                machine.inside.recall(memory["machines"][name])
        for line, boards in self.boards.items():
            held = memory["boards"].get(line, [])
            if len(held) == len(boards):
                for board, each in zip(boards, held, strict=True):
                    board.recall(each)
        if troubles := memory.get("troubles"):
            recall(self, troubles)

    # ------------------------------------------------------------------ inside

    def _keep_now(self) -> None:
        self.keep()

    def _door_changed(self, where: tuple[str, int]) -> None:
        """Of thousands of doors, only this one has to be looked at."""
        for listener in self.door_listeners:
            listener(self.doors[where])
        self._changed()

    def _changed(self) -> None:
        self.changes += 1
        for listener in self.listeners:
            listener()

    def _set_readers_up(self, seed: int) -> None:
        self.scanners = {
            each.name: Scanner(
                each.name,
                each.baud,
                suffix=each.suffix,
                seed=seed,
                make=each.make,
                timeline=self.timeline,
            )
            for each in self.plan.scanners
        }
        self.card_readers = {
            each.name: CardReader(
                each.name,
                Random(f"{seed}/{each.name}/card"),
                self._changed,
                self.timeline,
                each.finds,
            )
            for each in self.plan.card_readers
        }

    def _hang_doors(self, cabinet: CabinetPlan, locks: LockKind, seed: int) -> None:
        sprung = {
            no
            for board in cabinet.boards
            if springs(board)
            for no in range(board.first_door, board.first_door + board.doors)
        }
        for compartment in cabinet.compartments:
            where = (cabinet.letter, compartment.no)
            dice = Random(f"{seed}/{cabinet.letter}/{compartment.no}")
            kind = replace(locks, spring=locks.spring or compartment.no in sprung)
            changed = partial(self._door_changed, where)
            self.doors[where] = Door(*where, kind, self.timeline, dice, changed)

    def _hang_boards(self, cabinet: CabinetPlan) -> None:
        lines = {line.name: line for line in self.plan.lines}
        for board in cabinet.boards:
            if board.line not in lines:
                raise Unknown(f"There is no line {board.line} for cabinet {cabinet.letter}.")
            wired = range(board.first_door, board.first_door + board.doors)
            doors = [self.doors.get((cabinet.letter, no)) for no in wired]
            speaks = lines[board.line].speaks
            self.boards[board.line] += boards_of(board, doors, self.timeline, speaks)

    def _lay_lines(self, seed: int) -> None:
        for line in self.plan.lines:
            machines = [self.machines[m.name] for m in self.plan.machines if m.line == line.name]
            stations: list[Any] = [*self.boards[line.name], *machines]
            if line.speaks == "modbus-tcp":
                self.tcp_wires[line.name] = TcpWire(line.name, stations, self.timeline, seed)
            else:
                self.wires[line.name] = line_of(line, stations, self.timeline, seed)
            host = self.host(line.name)
            for board in self.boards[line.name]:
                board.condition.on(host, board.fall)
                if isinstance(board, MixedBoard):
                    driven = partial(host.faults.count, "linkage")
                    self._acting.append(partial(board.follow, driven))
                elif isinstance(board, Reporter) and board.reports:
                    self._acting.append(board.look)
        for plan in self.plan.machines:
            if not plan.line:
                machine = self.machines[plan.name]
                self.tcp_wires[plan.name] = TcpWire(plan.name, [machine], self.timeline, seed)

    def _inputs_change(self) -> None:
        """Boards that act on their inputs by themselves do."""
        for act in self._acting:
            act()

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
