"""Weather of faults: when each strikes, and that all of it ends."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Final

from simulator.devices.machine_faults import MachineTrouble
from simulator.devices.scanner import ScannerTrouble
from simulator.door import Door, Impossible
from simulator.door_faults import DoorTrouble
from simulator.faults import Trouble
from simulator.rehearsal.events import ClockSet, Struck
from simulator.rehearsal.flips import Flips
from simulator.rehearsal.shapes import HOUR_S
from simulator.rehearsal.stage import Stage
from simulator.rehearsal.strokes import AT_MOVEMENTS, Strokes
from simulator.rehearsal.weak_disk import Weakness
from simulator.rehearsal.weather import FAULTS, LONG_AGO_S, WELL_UNTIL, Fault

Plan = Callable[[float, Callable[[], None]], None]

WEAKNESSES: Final = frozenset(Weakness)
SHARES: Final = {"lost": 0.15, "late": 0.10, "garbled": 0.10, "doubled": 0.10, "split": 0.10}
SUPPLY_S: Final = (3.0, 12.0)  # until a cabinet has its power again, after the box had it


class Storm:
    """Plans every stroke of one site; `end` puts all parts right again."""

    def __init__(self, stage: Stage, strengths: dict[str, float], dice: Random, plan: Plan) -> None:
        self.strengths = strengths
        self._stage = stage
        self._dice = dice
        self._plan = plan
        self._over = False
        self._standing: set[str] = set()  # troubles that only polling finds out
        self._troubles: dict[str, Trouble] = {}
        self._flips = Flips(stage, dice)
        self._strokes = Strokes(stage, dice, self._mute_for)
        if not WEAKNESSES.isdisjoint(strengths):
            stage.driver = stage.disk.module

    # the weather

    def plan_day(self, begins: float) -> None:
        """All strokes of a day, each at its moment."""
        for fault in FAULTS:
            strength = self.strengths.get(fault.name, 0.0)
            expected = fault.a_day * strength
            times = int(expected) + (self._dice.random() < expected - int(expected))
            for _ in range(times):
                at = begins + self._moment() * HOUR_S
                self._plan(at, lambda fault=fault: self._strike(fault))  # type: ignore[misc]

    def _moment(self) -> float:
        """Mostly while people are there."""
        hour = self._dice.triangular(7.0, 22.0, 12.0)
        return hour if self._dice.random() < 0.85 else 24.0 * self._dice.random()  # noqa: PLR2004

    def _strike(self, fault: Fault) -> None:
        if self._over:
            return
        self._stage.rouse()
        self._stage.world.catch_up()
        least, most = fault.lasts_s
        lasts_s = least + (most - least) * self._dice.random() ** 2
        if fault.name in AT_MOVEMENTS:
            self._strokes.arm(fault.name, lasts_s)
            return
        if fault.name in WEAKNESSES:
            self._weaken(Weakness(fault.name), lasts_s)
            return
        if fault.name in SHARES:
            self._share(fault.name, lasts_s, SHARES[fault.name])
            return
        with suppress(Impossible):
            getattr(self, f"_{fault.name}")(lasts_s)

    def struck(self, name: str, where: str) -> None:
        self._stage.log.note(Struck(name, where))

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def end() -> None:
            if not self._over:
                self._stage.rouse()
                self._stage.world.catch_up()
                act()

        self._plan(self._stage.clock.monotonic() + seconds, end)

    def _troubled(self, what: str, *, so: bool) -> None:
        """While a device may fall silent the site must poll as in earnest."""
        (self._standing.add if so else self._standing.discard)(what)
        self._stage.troubled = bool(self._standing)
        self._stage.poll_again()

    # power and process

    def _power(self, lasts_s: float) -> None:
        self._mains_off(lasts_s)

    def _mains_off(self, lasts_s: float) -> float:
        """The time until all have their power again."""
        self._stage.cut(lasts_s, mains=True)
        if self._dice.random() < 1 / 2:  # a cabinet's supply needs longer than the box
            lasts_s += self._dice.uniform(*SUPPLY_S)
            for line in self._stage.world.boards:
                self._stage.world.restart(line, (), lasts_s)
        return lasts_s

    def _kill(self, lasts_s: float) -> None:
        self._stage.cut(lasts_s, mains=False)

    def _flipped(self, lasts_s: float) -> None:
        if self._flips.strike():
            self._later(lasts_s, self._flips.mend)

    def _step(self, lasts_s: float) -> None:
        if self._dice.random() < 1 / 2:
            self._strokes.arm("step", lasts_s)
            return
        self._stage.cut_at_step = self._stage.steps + self._dice.randint(1, 60)
        self._stage.next_off_s = lasts_s

    def _twice(self, lasts_s: float) -> None:
        """The next cut is followed by another one in the middle of settling."""
        self._step(lasts_s)
        self._stage.cut_again_after = self._dice.randint(1, 8)

    def _clock(self, lasts_s: float) -> None:
        seconds = self._dice.choice((-3_600.0, -400.0, -5.0, 5.0, 400.0, 3_600.0, 86_400.0 * 400))
        self.struck("clock", f"{seconds:+.0f} s")
        self._set_clock(seconds)
        self._later(lasts_s, self._put_clock_right)

    def _battery(self, lasts_s: float) -> None:
        """The clock's battery is dead: after a power cut it is long ago, until somebody sees it."""
        self.struck("battery", "clock")
        lasts_s = self._mains_off(lasts_s)
        self._set_clock(-self._dice.choice(LONG_AGO_S))
        self._later(lasts_s + self._dice.uniform(0.0, HOUR_S), self._put_clock_right)

    def _set_clock(self, seconds: float) -> None:
        clock = self._stage.clock
        clock.step(seconds)
        self._stage.log.note(ClockSet(clock.wrong_s))

    def _put_clock_right(self) -> None:
        self._stage.clock.put_right()
        self._stage.log.note(ClockSet(0.0))

    def _weaken(self, weakness: Weakness, lasts_s: float) -> None:
        """The disk's next operations of its kind fail: one, or all for a while."""
        disk = self._stage.disk
        lasting = weakness is Weakness.FULL or self._dice.random() < 1 / 2
        after = self._dice.randrange(WELL_UNTIL)
        disk.arm(weakness, lambda: self._later(lasts_s, disk.heal), after=after, lasting=lasting)

    def _offline(self, lasts_s: float) -> None:
        self.struck("offline", "link")
        self._stage.online = False

        def back() -> None:
            self._stage.online = True
            self._stage.bell.ring()

        self._later(lasts_s, back)

    # lines and boards

    def _on_line(self, line: str, **shares: float) -> None:
        now = replace(self._troubles.get(line, Trouble()), **shares)  # type: ignore[arg-type]
        self._troubles[line] = now
        self._stage.world.set_trouble(line, now)

    def _mute_for(self, line: str, seconds: float) -> None:
        """Every frame is lost; afterwards it is as it was."""
        before = self._troubles.get(line, Trouble()).lost
        self._on_line(line, lost=1.0)
        self._later(seconds, lambda: self._on_line(line, lost=before))

    def _some_line(self) -> str:
        return self._dice.choice([*self._stage.world.wires, *self._stage.world.tcp_wires])

    def _share(self, name: str, lasts_s: float, most: float) -> None:
        line = self._some_line()
        if name == "garbled" and line in self._stage.world.tcp_wires:
            return
        self.struck(name, line)
        self._on_line(line, **{name: most * self.strengths.get(name, 1.0)})
        self._later(lasts_s, lambda: self._on_line(line, **{name: 0.0}))

    def _hostile(self, lasts_s: float) -> None:
        self.struck("hostile", "link")
        self._stage.wire.hostile = True

        def over() -> None:
            self._stage.wire.hostile = False

        self._later(lasts_s, over)

    def _silent(self, lasts_s: float) -> None:
        line = self._dice.choice(list(self._stage.world.boards))
        units = tuple(board.unit for board in self._stage.world.boards[line])
        if not units:
            return
        start = self._dice.randrange(0, len(units), 3)
        some = units if self._dice.random() < 0.3 else units[start : start + 3]  # noqa: PLR2004
        self.struck("silent", f"{line} units {some[0]}-{some[-1]}")
        self._mute(line, some)
        self._later(lasts_s, lambda: self._mute(line, ()))

    def _mute(self, line: str, units: tuple[int, ...]) -> None:
        now = replace(self._troubles.get(line, Trouble()), silent=units)
        self._troubles[line] = now
        self._stage.world.set_trouble(line, now)
        self._troubled(f"silent {line}", so=bool(units))

    def _unplugged(self, lasts_s: float) -> None:
        line = self._dice.choice(list(self._stage.world.boards))
        self.struck("unplugged", line)
        self._stage.unplug(line, out=True)
        self._troubled(f"unplugged {line}", so=True)

        def back() -> None:
            self._stage.unplug(line, out=False)
            self._troubled(f"unplugged {line}", so=False)

        self._later(lasts_s, back)

    def _driver(self, lasts_s: float) -> None:
        board = self._dice.choice(sorted(set(self._stage.boards.values())))
        self.struck("driver", board)
        self._stage.mistaken.add(board)
        self._stage.sees_no_more()
        self._troubled("driver", so=True)

        self._later(lasts_s, self._mend_drivers)

    def _mend_drivers(self) -> None:
        if self._stage.mistaken:
            self._stage.mistaken.clear()
            self._stage.cut(1.0, mains=False)
            self._troubled("driver", so=False)

    def _noisy_scanner(self, lasts_s: float) -> None:
        scanners = list(self._stage.world.scanners.values())
        scanner = scanners[0] if len(scanners) == 1 else self._dice.choice(scanners)
        self.struck("noisy_scanner", scanner.name)
        scanner.set_trouble(ScannerTrouble(noise=True, half=self._dice.random() < 1 / 2))
        self._later(lasts_s, lambda: scanner.set_trouble(ScannerTrouble()))

    # doors

    def _some_door(self) -> Door:
        return self._dice.choice(list(self._stage.world.doors.values()))

    def _weak_lock(self, lasts_s: float) -> None:
        self._on_door("weak_lock", lasts_s, DoorTrouble(weak=True))

    def _dead_relay(self, lasts_s: float) -> None:
        self._on_door("dead_relay", lasts_s, DoorTrouble(dead_relay=True))

    def _on_door(self, name: str, lasts_s: float, trouble: DoorTrouble) -> None:
        door = self._some_door()
        self.struck(name, door.name)
        self._stage.world.set_door_trouble(door.cabinet, door.no, trouble)
        self._later(lasts_s, self._calm_doors)

    def _bouncing(self, lasts_s: float) -> None:
        for door in self._stage.world.doors.values():
            if self._dice.random() < 0.3:  # noqa: PLR2004 - some springs are old
                door.set_trouble(DoorTrouble(bounce=True))
        self.struck("bouncing", "doors")
        self._later(lasts_s, self._calm_doors)

    def _calm_doors(self) -> None:
        for door in self._stage.world.doors.values():
            if door.faults.trouble != DoorTrouble():
                self._stage.world.set_door_trouble(door.cabinet, door.no, DoorTrouble())

    def _stuck_lock(self, lasts_s: float) -> None:
        door = self._some_door()
        door.jam()
        self.struck("stuck_lock", door.name)
        self._later(lasts_s, lambda: self._repair(door))

    def _stuck_switch(self, lasts_s: float) -> None:
        door = self._some_door()
        if door.open:
            return
        at = "closed" if self._dice.random() < 0.7 else "open"  # noqa: PLR2004
        door.stick(at)  # type: ignore[arg-type]
        self.struck("stuck_switch", f"{door.name} {at}")
        self._later(lasts_s, lambda: self._repair(door))

    @staticmethod
    def _repair(door: Door) -> None:
        with suppress(Impossible):
            door.free()

    def _forced(self, _lasts_s: float) -> None:
        door = self._some_door()
        if door.stuck:
            return
        door.force()
        self.struck("forced", door.name)
        self._stage.world.timeline.after(self._dice.uniform(30.0, 600.0), lambda: self._shut(door))

    @staticmethod
    def _shut(door: Door) -> None:
        with suppress(Impossible):
            door.close()

    def _left_open(self, _lasts_s: float) -> None:
        self._stage.whims.add("walks_off")

    def _item_left(self, _lasts_s: float) -> None:
        self._stage.whims.add("leaves_item")

    # machines

    def _machine_jam(self, lasts_s: float) -> None:
        if not self._stage.world.machines:
            return
        machine = self._dice.choice(list(self._stage.world.machines.values()))
        machine.inside.jam()
        self.struck("machine_jam", machine.name)
        self._later(lasts_s, lambda: self._free(machine.name))

    def _free(self, name: str) -> None:
        with suppress(Impossible):
            self._stage.world.machine(name).inside.free()

    def _no_blanks(self, lasts_s: float) -> None:
        if not self._stage.world.machines:
            return
        machine = self._dice.choice(list(self._stage.world.machines.values()))
        machine.inside.blanks = 0
        machine.inside.changed()
        self.struck("no_blanks", machine.name)
        self._later(lasts_s, lambda: self._refill(machine.name))

    def _refill(self, name: str) -> None:
        with suppress(Impossible):
            self._stage.world.machine(name).inside.refill()

    def _machine_power(self, _lasts_s: float) -> None:
        if not self._stage.world.machines:
            return
        machine = self._dice.choice(list(self._stage.world.machines.values()))
        machine.faults.trouble = MachineTrouble(power=1.0)  # in the middle of its next command
        self.struck("machine_power", machine.name)

        def over() -> None:
            machine.faults.trouble = MachineTrouble()

        self._later(HOUR_S, over)

    # the end

    def end(self) -> None:
        """All parts are as good as new; what was done to items stays done."""
        self._over = True
        stage, world = self._stage, self._stage.world
        stage.rouse()
        world.catch_up()
        self._put_clock_right()
        stage.disk.heal()
        self._flips.mend()
        self._mend_drivers()
        stage.cut_at_step = stage.cut_again_after = None
        stage.whims.clear()
        self._strokes.disarm()
        stage.online = True
        stage.wire.hostile = False
        for line in [*world.wires, *world.tcp_wires]:
            world.set_trouble(line, Trouble())
        for line in world.boards:
            stage.unplug(line, out=False)
        self._calm_doors()
        for door in world.doors.values():
            self._repair(door)
            self._shut(door)
        for name, machine in world.machines.items():
            machine.faults.trouble = MachineTrouble()
            self._free(name)
            self._refill(name)
        for scanner in world.scanners.values():
            scanner.set_trouble(ScannerTrouble())
        self._standing.clear()
        stage.troubled = False
        stage.poll_again()
        stage.bell.ring()
