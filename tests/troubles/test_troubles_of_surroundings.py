"""Air sensors and boards of contacts and lamps, on lines that misbehave."""

import asyncio
from pathlib import Path

import pytest

from controller.clock import LoopClock
from controller.faults import DeviceFault, NotConfigured
from firmware_bridge.open import Bridge
from firmware_bridge.urls import parse
from simulator.faults import Trouble
from simulator.plan import LinePlan, Plan, SensorPlan
from simulator.rehearsal.wires import Exchange, PortEnd, SerialEnd, ServerEnd
from simulator.world import World
from tests.firmware_bridge.jumping_loop import NOON, play
from tests.troubles.benches import HOST, LINE, ON_A_LINE, ON_GATEWAYS, PORT, TTY, living

UNIT = 5
ROUNDS = 12
SETTLES_S = 1.3  # more than a contact needs
RTU, RTUTCP, TCP = "modbus+rtu", "modbus+rtutcp", "modbus+tcp"
PLACES = {
    RTU: f"{TTY}?baud=9600&",
    RTUTCP: f"{HOST}:{PORT}?",
    TCP: f"{HOST}:{PORT}?",
}
ENDS = {RTU: SerialEnd, RTUTCP: ServerEnd, TCP: PortEnd}
PROFILES = ("xy-md02", "env-io-8")
KINDS = [(profile, scheme) for profile in PROFILES for scheme in PLACES]
CELLS = [(*kind, name) for kind in KINDS for name in (ON_GATEWAYS if kind[1] == TCP else ON_A_LINE)]
SILENT = {"gateway", "silent", "swapped", "wrong_speed", "wrong_parity"}
HEARD = {"lost", "late", "doubled", "split", "garbled", "garbage"}


class Around:
    """One sensor and our driver."""

    def __init__(self, profile: str, scheme: str) -> None:
        speaks = "modbus-tcp" if scheme == TCP else "modbus"
        tcp = None if scheme == RTU else (HOST, PORT)
        line = LinePlan(LINE, 9600, Path("L1") if scheme == RTU else None, tcp, speaks)
        plan = Plan(lines=(line,), sensors=(SensorPlan(LINE, UNIT, profile),))
        self.world = World(plan, LoopClock(NOON), seed=5)
        wires = self.world.tcp_wires if scheme == TCP else self.world.wires
        exchange = Exchange()
        url = f"{scheme}://{PLACES[scheme]}unit={UNIT}&profile={profile}"
        exchange.ends[parse(url).place.key] = ENDS[scheme](wires[LINE])
        self.bridge = Bridge(LoopClock(NOON), opener=exchange)
        self.driver = self.bridge.environment(url, "E1")
        self.profile = profile

    @property
    def counted(self):
        return self.world.faults(LINE).counted

    def trouble(self, **asked):
        self.world.set_trouble(LINE, Trouble(**asked))

    def change(self, turn: int) -> None:
        self.world.place.set(temperature=20.0 + turn / 10, mains=bool(turn % 2))

    async def told(self):
        """What a look tells of what was changed; None when it tells nothing."""
        try:
            sight = await self.driver.look()
        except DeviceFault:
            return None
        if self.profile == "xy-md02":
            return sight.measures["temperature_c"]
        return sight.contacts.get("mains")

    def truth(self):
        now = self.world.place.now
        return now.temperature if self.profile == "xy-md02" else now.mains

    async def settled(self):
        for _ in range(3):
            seen = await self.told()
            await asyncio.sleep(SETTLES_S)
        return seen


def at_cabinet(profile, scheme, story):
    async def whole():
        around = Around(profile, scheme)
        async with living(around.world):
            assert await around.settled() == around.truth()
            await story(around)
            around.trouble()
            await asyncio.sleep(40.0)
            around.change(40)
            assert await around.settled() == around.truth()
        around.bridge.close()

    play(whole())


@pytest.mark.parametrize(("profile", "scheme", "name"), CELLS)
def test_nothing_untrue_is_told_of_what_is_around(profile, scheme, name):
    asked = (ON_GATEWAYS | ON_A_LINE)[name]

    async def story(around):
        around.trouble(**{key: (UNIT,) if value == () else value for key, value in asked.items()})
        heard = 0
        for turn in range(ROUNDS):
            before = around.truth()
            around.change(turn)
            for _ in range(3):
                seen = await around.told()
                assert seen in {None, around.truth(), before}
                heard += seen is not None
                await asyncio.sleep(SETTLES_S)
            assert seen in {None, around.truth()} or around.profile == "env-io-8"
        assert getattr(around.counted, name) > 0
        assert heard == 0 or name not in SILENT
        assert heard > 0 or name not in HEARD

    at_cabinet(profile, scheme, story)


@pytest.mark.parametrize("scheme", [RTU, RTUTCP])
@pytest.mark.parametrize("name", ["late", "doubled"])
def test_an_old_answer_about_the_air_is_never_taken_for_the_next(scheme, name):
    async def story(around):
        around.trouble(**{name: 0.4})
        heard = 0
        for turn in range(40):
            around.change(turn)
            seen = await around.told()
            assert seen in {None, around.truth()}
            heard += seen is not None
            await asyncio.sleep(0.05 * (turn % 7))
        assert heard > 20
        assert getattr(around.counted, name) > 5

    at_cabinet("xy-md02", scheme, story)


@pytest.mark.parametrize("scheme", [RTU, RTUTCP])
def test_a_sensor_that_talks_over_the_bus_tells_nothing_untrue(scheme):
    async def story(around):
        around.trouble(talks=(UNIT,))
        heard = 0
        for turn in range(60):
            around.change(turn)
            seen = await around.told()
            assert seen in {None, around.truth()}
            heard += seen is not None
            await asyncio.sleep(0.31)
        assert heard > 0
        assert around.counted.talks > 0
        assert around.bridge.lines[next(iter(around.bridge.lines))].counters.noise_bytes > 0

    at_cabinet("xy-md02", scheme, story)


@pytest.mark.parametrize("scheme", PLACES)
@pytest.mark.parametrize(("name", "seen"), [("reads_zero", 0.0), ("holds", 21.5)])
def test_a_broken_sensor_is_told_as_it_is(scheme, name, seen):
    async def story(around):
        around.trouble(**{name: (UNIT,)})
        around.change(99)
        assert await around.told() == seen
        assert getattr(around.counted, name) > 0

    at_cabinet("xy-md02", scheme, story)


@pytest.mark.parametrize("scheme", PLACES)
def test_lamps_that_inputs_would_drive_are_refused(scheme):
    async def story(around):
        around.bridge.lines[next(iter(around.bridge.lines))].close()
        around.trouble(linkage=(UNIT,))
        with pytest.raises(NotConfigured, match="control mode"):
            await around.driver.look()
        around.world.place.set(mains=False)
        await asyncio.sleep(0.1)
        assert around.counted.linkage > 0

    at_cabinet("env-io-8", scheme, story)


@pytest.mark.parametrize(("profile", "scheme"), KINDS)
def test_a_board_that_starts_again_is_heard_again_and_its_lamps_are_dark(profile, scheme):
    async def story(around):
        if around.driver.outputs:
            await around.driver.switch("light", on=True)
            await asyncio.sleep(0.1)
            assert around.world.place.now.light
        around.world.restart(LINE, [UNIT], 20.0)
        assert await around.told() is None
        assert not around.world.place.now.light

    at_cabinet(profile, scheme, story)
