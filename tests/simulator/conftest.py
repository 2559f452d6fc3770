"""A small site, a clock that is moved by hand, and a world on it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator import modbus
from simulator.door import LockKind
from simulator.plan import (
    BoardPlan,
    CabinetPlan,
    CompartmentPlan,
    LinePlan,
    MachinePlan,
    Plan,
    ScannerPlan,
)
from simulator.world import World
from tests.simulator.served import free_port

SIZES = ["S"] * 24 + ["M"] * 6 + ["L"] * 2
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """Stands still until a test moves it."""

    at: float = 0.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return START + timedelta(seconds=self.at)


@dataclass
class Site:
    """A world and the hand that moves its time."""

    plan: Plan
    clock: HandClock = field(default_factory=HandClock)
    speed: float = 1.0
    locks: LockKind = field(default_factory=LockKind)

    def __post_init__(self) -> None:
        self.world = World(self.plan, self.clock, speed=self.speed, locks=self.locks)
        self.world.power_up()

    def later(self, seconds: float) -> None:
        self.clock.at += seconds
        self.world.catch_up()

    def ask(self, text: str, line: str = "L1") -> str:
        """The whole answer on an RS-485 line, after the time that it takes."""
        pieces = self.world.wires[line].ask(bytes.fromhex(text), self.clock.at)
        if pieces:
            self.later(pieces[-1][0])
        return b"".join(piece for _, piece in pieces).hex(" ").upper()

    def sealed(self, text: str, line: str = "L1") -> str:
        """The same for a request that has no checksum yet."""
        return self.ask(modbus.sealed(bytes.fromhex(text)).hex(), line)


def plan_in(folder: Path, **machine) -> Plan:
    return Plan(
        lines=(LinePlan("L1", 19_200, folder / "lines" / "L1"),),
        cabinets=(
            CabinetPlan(
                "A",
                (BoardPlan("L1", 1),),
                tuple(CompartmentPlan(no, size) for no, size in enumerate(SIZES, 1)),
            ),
        ),
        machines=(MachinePlan("M1", "127.0.0.1", 0, **machine),),
        scanners=(ScannerPlan("S1", folder / "lines" / "S1"),),
    )


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_in(tmp_path)


@pytest.fixture
def site(plan: Plan) -> Site:
    return Site(plan)


@pytest.fixture
def make_site(tmp_path: Path):
    def make(
        *, speed: float = 1.0, locks: LockKind | None = None, plan: Plan | None = None, **machine
    ) -> Site:
        plan = plan or plan_in(tmp_path, **machine)
        return Site(plan, speed=speed, locks=locks or LockKind())

    return make


@pytest.fixture
def quick(plan: Plan) -> Plan:
    """Boards that answer as soon as they may, and a machine on a port that is free."""
    return replace(
        plan,
        lines=(replace(plan.lines[0], turnaround_s=(0.0, 0.0)),),
        machines=(replace(plan.machines[0], port=free_port()),),
    )
