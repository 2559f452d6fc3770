"""A site, the real driver and the simulated machine that stores: one licence in, and out again."""

import asyncio
from pathlib import Path

import pytest

from controller.clock import LoopClock
from controller.site.site import Site
from firmware_bridge.open import Bridge
from firmware_bridge.urls import parse
from simulator.devices.machine_faults import MachineTrouble
from simulator.plan import MachinePlan, Plan
from simulator.rehearsal.wires import Exchange, PortEnd
from simulator.world import World
from tests.controller.site.staffing import staff
from tests.controller.site.visit import begun, standing, state_of
from tests.controller.site.world import Town, at_once, run

URL = "modbus+tcp://127.0.0.1:502?unit=1&profile=licence-machine"
LICENCE, LABEL = "N1-licence", "OWL:N1-licence"


class StoringTown(Town):
    """Its machine is the simulator's, behind the product's own driver."""

    world: World

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.exchange = Exchange()
        self.plan = Plan(machines=(MachinePlan("M1", "127.0.0.1", 502, kind="store", slots=20),))
        self.is_up = False

    def build(self, clock: LoopClock) -> Site:
        if not self.is_up:  # the machine stands there whether the site's process runs or not
            self.world = World(self.plan, clock, seed=7)
            self.exchange.ends[parse(URL).place.key] = PortEnd(self.world.tcp_wires["M1"])
            self.world.power_up()
            self.is_up = True
        bridge = Bridge(clock, opener=self.exchange)
        return Site(
            self.settings,
            self.store,
            clock,
            boards={"A": [self.cabinet]},
            machines={"M1": bridge.licence_machine(URL, "M1")},
            readers={"S1": self.reader},
            slow=at_once,
        )

    def beside(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        return [group.create_task(self.world.live())]

    @property
    def inside(self):
        return self.world.machine("M1").inside

    async def asked(self) -> None:
        self.order(seals=0, licence=True)
        await staff(self)
        self.reader.hold(LABEL)
        await self.shows("lay_in")


@pytest.fixture
def town(tmp_path):
    return StoringTown(tmp_path / "site.db")


def test_a_licence_goes_in_and_comes_out_by_the_real_frames(town):
    async def story():
        async with town.at_work():
            town.inside.stored[1] = "somebody's"
            await asyncio.sleep(10)
            await town.asked()
            town.world.machine_put("M1", LABEL)
            await town.shows("taken_in")
            assert town.inside.stored == {1: "somebody's", 2: LABEL}
            town.site.press("end")
            await town.shows("staff_menu")
            town.site.press("end")
            await town.shows("start")
            await begun(town)
            await town.shows("take_licence")
            assert town.inside.take() == [LABEL]
            await town.shows("rate")
            assert (state_of(town, LICENCE), town.inside.moved) == ("collected", 2)
            assert not standing(town)

    run(story)


def test_a_machine_into_which_nothing_is_laid_is_ready_for_the_next(town):
    async def story():
        async with town.at_work():
            await asyncio.sleep(10)
            await town.asked()
            await town.shows("nothing_taken_in", within_s=80)
            town.reader.hold(LABEL)
            await town.shows("lay_in")
            town.world.machine_put("M1", LABEL)
            await town.shows("taken_in")
            assert (state_of(town, LICENCE), town.inside.moved) == ("loaded", 1)

    run(story)


def test_a_jam_in_the_intake_is_settled_by_staff_and_alarmed_until_freed(town):
    async def story():
        async with town.at_work():
            await asyncio.sleep(10)
            await town.asked()
            town.world.machine_put("M1", LABEL)
            town.inside.jam()
            await town.shows("unsure")
            assert state_of(town, LICENCE) == "releasing"
            assert sorted(standing(town)) == ["machine_fault", "unexplained"]
            town.site.press("end")
            await town.shows("staff_menu")
            town.site.press("choose", f"item:{LICENCE}")
            await town.shows("where_is_it")
            town.inside.free()
            town.site.press("choose", "in_hand")
            await town.shows("settled")
            await town.until(lambda: not standing(town))
            await asyncio.sleep(10)  # it starts, and is seen to be idle
            town.reader.hold(LABEL)
            await town.shows("lay_in")
            town.world.machine_put("M1", LABEL)
            await town.shows("taken_in")
            assert town.inside.stored == {1: LABEL}

    run(story)


def test_the_machine_s_power_goes_while_it_waits_and_staff_have_the_licence(town):
    async def story():
        async with town.at_work():
            await asyncio.sleep(10)
            await town.asked()
            town.world.machine("M1").faults.cut(5.0)
            await town.shows("unsure", within_s=200)
            assert state_of(town, LICENCE) == "releasing"
            assert town.world.machine("M1").faults.trouble == MachineTrouble()
            town.site.press("end")
            await town.shows("staff_menu")
            town.site.press("choose", f"item:{LICENCE}")
            await town.shows("where_is_it")
            town.site.press("choose", "in_hand")
            await town.shows("settled")
            assert state_of(town, LICENCE) == "expected"
            assert town.inside.moved == 0

    run(story)
