"""Drivers and simulated machines, each written from the makers' texts alone, on virtual time."""

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from random import Random
from types import SimpleNamespace

import pytest

from controller.faults import DeviceFault, NotMoved, OutcomeUnknown
from controller.ports import DoorSight, Presence
from firmware_bridge.open import Bridge
from firmware_bridge.urls import parse
from simulator.devices.card_reader import Card, CardReader
from simulator.door import Impossible, LockKind
from simulator.faults import Trouble
from simulator.plan import BoardPlan, CabinetPlan, CompartmentPlan, LinePlan, Plan, SensorPlan
from simulator.rehearsal.wires import CardEnd, Exchange, PortEnd, SerialEnd, ServerEnd
from simulator.world import World
from tests.firmware_bridge.jumping_loop import loop_clock, play

TTY, HOST = "///dev/ttyUSB0", "//127.0.0.1:4196"


@dataclass(frozen=True)
class Kind:
    url: str
    profile: str
    doors: int
    speaks: str = "modbus"
    unit: int = 1
    baud: int = 9600
    has_items: bool = True

    def __str__(self) -> str:
        return f"{self.profile} by {self.url.partition(':')[0]}"


def modbus(profile, doors, **more):
    tail = f"?unit=1&profile={profile}"
    return [
        Kind(f"modbus+rtu:{TTY}{tail}", profile, doors, **more),
        Kind(f"modbus+rtutcp:{HOST}{tail}", profile, doors, **more),
        Kind(f"modbus+tcp:{HOST}{tail}", profile, doors, speaks="modbus-tcp", **more),
    ]


def native(scheme, tail, profile, doors, **more):
    return [
        Kind(f"{scheme}+serial:{TTY}?{tail}", profile, doors, scheme, **more),
        Kind(f"{scheme}+tcp:{HOST}?{tail}", profile, doors, scheme, **more),
    ]


KERONG = {"unit": 0, "baud": 19_200}
XOR = {"has_items": False}
KINDS = [
    *modbus("waveshare-relay-8", 8),
    *modbus("waveshare-relay-16", 16),
    *modbus("waveshare-relay-32", 32),
    *modbus("waveshare-relay-d-8", 8, has_items=False),
    *modbus("reg-lock-24", 24),
    *native("kerong", "address=0", "kerong-cu16", 16, **KERONG),
    *native("kerong", "address=0&doors=12", "kerong-cu12", 12, **KERONG),
    *native("kerong", "address=0&variant=cu48", "kerong-cu48", 48, **KERONG),
    *native("kerong", "address=0&variant=cu48&doors=24", "kerong-cu24", 24, **KERONG),
    *native("xorboard", "board=1&doors=8", "xorboard-8", 8, **XOR),
    *native("xorboard", "board=1", "xorboard-24", 24, **XOR),
    *native("xorboard", "board=1&doors=50", "xorboard-50", 50, **XOR),
]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def far_end(world, kind):
    if kind.speaks == "modbus-tcp":
        return PortEnd(world.tcp_wires["L1"])
    wire = world.wires["L1"]
    return SerialEnd(wire) if "///" in kind.url else ServerEnd(wire)


@asynccontextmanager
async def at_work(kind, *, seed=1, trouble=None, spring=True, **board):
    tcp = None if "///" in kind.url else ("127.0.0.1", 4196)
    plan = Plan(
        lines=(LinePlan("L1", kind.baud, tcp=tcp, speaks=kind.speaks),),
        cabinets=(
            CabinetPlan(
                "A",
                (
                    BoardPlan(
                        "L1", kind.unit, kind.profile, doors=kind.doors, spring=spring, **board
                    ),
                ),
                tuple(CompartmentPlan(no) for no in range(1, kind.doors + 1)),
            ),
        ),
    )
    clock = loop_clock()
    world = World(plan, clock, seed=seed, locks=LockKind(spring=spring))
    world.power_up()
    if trouble is not None:
        world.set_trouble("L1", trouble)
    exchange = Exchange()
    exchange.ends[parse(kind.url).place.key] = far_end(world, kind)
    bridge = Bridge(clock, opener=exchange)
    row = bridge.lock_board(kind.url, "A")
    living = asyncio.ensure_future(world.live())
    try:
        yield SimpleNamespace(world=world, row=row, bridge=bridge)
    finally:
        living.cancel()
        await asyncio.wait([living])
        bridge.close()


def opens(sight):
    return [n for n, door in enumerate(sight.doors, 1) if door is DoorSight.OPEN]


@every_kind
def test_a_door_is_released_pulled_filled_and_shut(kind):
    async def story():
        async with at_work(kind, spring=False) as site:
            door = site.world.door("A", kind.doors)
            async with aclosing(site.row.watch()) as sights:
                assert opens(await anext(sights)) == []
                with suppress(OutcomeUnknown):
                    await site.row.release(kind.doors)
                await asyncio.sleep(1)
                assert (door.released, door.unlocked, door.open) == (1, True, False)
                door.pull()
                async for sight in sights:
                    if opens(sight):
                        break
                assert opens(sight) == [kind.doors]
                door.put("OWL:1")
                door.close()
                async for sight in sights:
                    if not opens(sight):
                        break
                there = Presence.PRESENT if kind.has_items else Presence.UNKNOWN
                assert sight.items[-1] is there

    play(story())


@every_kind
def test_a_lock_that_springs_open_proves_its_release(kind):
    async def story():
        async with at_work(kind, spring=True) as site:
            await site.row.look()
            for door in (1, kind.doors):
                await site.row.release(door)
            await asyncio.sleep(1)
            assert opens(await site.row.look()) == [1, kind.doors]
            moved = {no: door.released for (_, no), door in site.world.doors.items()}
            assert moved == {no: int(no in (1, kind.doors)) for no in moved}

    play(story())


TROUBLES = {
    "lost": Trouble(lost=0.3),
    "late": Trouble(late=0.2),
    "doubled": Trouble(doubled=0.2),
    "garbled": Trouble(garbled=0.03),
    "split": Trouble(split=0.5),
    "reboot": Trouble(reboot=0.3),
    "echo": Trouble(echo=True),
    "garbage": Trouble(garbage=0.1),
}


@every_kind
@pytest.mark.parametrize("name", TROUBLES)
def test_bolts_move_at_most_as_often_as_asked_whatever_the_line_does(kind, name):
    """And what a release says afterwards is what the bolt did, or that nobody knows."""

    async def story():
        dice = Random(name)
        wrong = []
        async with at_work(kind, trouble=TROUBLES[name], spring=True) as site:
            await asyncio.sleep(1.5)  # boards have started
            with suppress(DeviceFault):
                await site.row.look()
            for _ in range(12):
                no = dice.randint(1, kind.doors)
                door = site.world.door("A", no)
                before = door.released
                try:
                    await site.row.release(no)
                    allowed = {1} if name not in ("echo", "reboot") else {0, 1}
                except NotMoved:
                    allowed = {0}
                except OutcomeUnknown:
                    allowed = {0, 1}
                await asyncio.sleep(1)
                if door.released - before not in allowed:
                    wrong.append((no, door.released - before, allowed))
                assert door.released - before <= 1
                with suppress(Impossible):
                    door.close()
                await asyncio.sleep(5)
            assert sum(door.released for door in site.world.doors.values()) <= 12
            counted = getattr(site.world.faults("L1").counted, name)
        assert not wrong
        assert counted or name in ("reboot", "garbage", "garbled") or kind.speaks == "modbus-tcp"

    play(story())


@every_kind
def test_a_board_that_starts_again_is_watched_again(kind):
    async def story():
        async with at_work(kind, spring=True) as site:
            await site.row.look()
            site.world.restart("L1", (), 1.0)  # every board on the line
            site.world.door("A", 2).force()
            for _ in range(12):
                with suppress(DeviceFault):
                    if opens(await site.row.look()) == [2]:
                        return
                await asyncio.sleep(0.5)
            raise AssertionError("it is not read again")

    play(story())


def test_an_xor_board_s_reports_make_its_row_attentive():
    async def story():
        kind = next(each for each in KINDS if each.profile == "xorboard-24")
        async with at_work(kind, reports=True) as site:
            async with aclosing(site.row.watch()) as sights:
                await anext(sights)
                await asyncio.sleep(2)
                site.world.door("A", 5).force()
                async for sight in sights:
                    if opens(sight):
                        break
            assert opens(sight) == [5]
            (bus,) = site.bridge.lines.values()
            assert bus.counters.reports >= 1

    play(story())


def test_two_cards_are_read_one_after_the_other():
    async def story():
        reader = CardReader("C1", Random(3), lambda: None)
        exchange = Exchange()
        exchange.ends["/dev/ttyUSB1"] = CardEnd(reader)
        bridge = Bridge(loop_clock(), opener=exchange)
        cards = bridge.id_card_reader("idcard+serial:///dev/ttyUSB1", "C1").cards()
        loop = asyncio.get_running_loop()
        zhang = Card("张三", "11010519491231002X")
        loop.call_later(1, reader.lay, zhang)
        async with aclosing(cards):
            first = await anext(cards)
            assert (first.name, first.number) == ("张三", "11010519491231002X")
            loop.call_later(4, reader.take)
            loop.call_later(6, reader.lay, replace(zhang, name="李四"))
            second = await anext(cards)
            assert second.name == "李四"
            assert first.name == ""
        assert reader.reads == 2
        bridge.close()

    play(story())


def test_air_power_and_lamps():
    async def story():
        plan = Plan(
            lines=(LinePlan("L1", 9600),),
            sensors=(SensorPlan("L1", 1, "xy-md02"), SensorPlan("L1", 5, "env-io-8")),
        )
        clock = loop_clock()
        world = World(plan, clock)
        world.power_up()
        exchange = Exchange()
        exchange.ends["/dev/ttyUSB0"] = SerialEnd(world.wires["L1"])
        bridge = Bridge(clock, opener=exchange)
        air = bridge.environment(f"modbus+rtu:{TTY}?unit=1&profile=xy-md02", "E1")
        power = bridge.environment(f"modbus+rtu:{TTY}?unit=5&profile=env-io-8", "E2")
        await asyncio.sleep(2)
        assert set((await air.look()).measures) == {"temperature_c", "humidity_percent"}
        sight = await power.look()
        assert sight.contacts["mains"]
        assert sight.contacts["tamper"]
        await power.switch("light", on=True)
        bridge.close()

    play(story())
