"""A machine whose paper jams or whose power goes; scanners and card readers that misbehave."""

import asyncio
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from controller.clock import LoopClock
from controller.faults import BadReply, DeviceFault, NotMoved, OutcomeUnknown
from controller.ports import Job, Outcome, Slot
from firmware_bridge.open import Bridge
from firmware_bridge.urls import parse
from simulator.devices.card_reader import Card
from simulator.devices.machine_faults import MachineTrouble
from simulator.devices.scanner import ScannerTrouble
from simulator.faults import Trouble
from simulator.plan import CardReaderPlan, LinePlan, MachinePlan, Plan, ScannerPlan
from simulator.rehearsal.wires import CardEnd, Exchange, PortEnd, ScannerEnd, SerialEnd
from simulator.world import World
from tests.firmware_bridge.jumping_loop import NOON, play
from tests.troubles.benches import ON_A_LINE, ON_GATEWAYS, beside, living

TCP = "modbus+tcp://127.0.0.1:502?unit=1&profile=licence-machine"
RTU = "modbus+rtu:///dev/ttyUSB0?baud=115200&unit=1&profile=licence-machine"
SCANNER = "scanner+serial:///dev/ttyACM0?baud=9600"
CARD = Card("某人", "11010519491231002X")  # the example that the standard prints
LONGEST_S = 200.0  # a presentation, its three minutes at the outlet, a power cut
ENDS = {Outcome.FAILED_INSIDE, Outcome.FAILED_ON_THE_WAY, Outcome.INTERRUPTED, Outcome.RETRACTED}


class Counter:
    """One machine and our driver."""

    def __init__(self, url: str, kind: str, seed: int = 3) -> None:
        self.url = url
        self.document = Slot(2) if kind == "store" else Job(7)
        serial = url == RTU
        lines = (LinePlan("L1", 115_200),) if serial else ()
        plan = MachinePlan("M1", "127.0.0.1", 502, line="L1" if serial else "", kind=kind)
        self.world = World(Plan(lines=lines, machines=(plan,)), LoopClock(NOON), seed=seed)
        exchange = Exchange()
        wires = self.world.wires if serial else self.world.tcp_wires
        self.line = "L1" if serial else "M1"
        end = SerialEnd if serial else PortEnd
        exchange.ends[parse(url).place.key] = end(wires[self.line])
        self.bridge = Bridge(LoopClock(NOON), opener=exchange)
        self.driver = self.bridge.licence_machine(url, "M1")
        self.inside = self.world.machine("M1")
        self.world.power_up()

    async def presented(self, seq: int):
        """Ask once, ask about it until it is final, ask again with the same number."""
        with suppress(OutcomeUnknown, NotMoved):
            await self.driver.present(seq, self.document)
        sight = await self.until_final(seq)
        moved = self.inside.inside.moved
        with suppress(OutcomeUnknown, NotMoved):
            await self.driver.present(seq, self.document)
        await asyncio.sleep(30.0)
        assert self.inside.inside.moved == moved <= 1
        return sight.last.outcome

    async def until_final(self, seq: int):
        async with asyncio.timeout(LONGEST_S):
            while True:
                with suppress(DeviceFault):
                    sight = await self.driver.look()
                    if sight.last.seq == seq and sight.last.outcome not in {
                        Outcome.RUNNING,
                        Outcome.NONE,
                        Outcome.PRESENTED,
                    }:
                        return sight
                await asyncio.sleep(0.5)


on_each_machine = pytest.mark.parametrize(
    ("url", "kind"), [(url, kind) for url in (TCP, RTU) for kind in ("print", "store")]
)


def at_machine(url, kind, story, **more):
    async def whole():
        counter = Counter(url, kind, **more)
        async with living(counter.world):
            await asyncio.sleep(10.0)
            for slot in range(1, 4) if kind == "store" else ():
                counter.inside.inside.stored[slot] = f"licence-{slot}"
            await story(counter)

    play(whole())


@on_each_machine
@pytest.mark.parametrize("name", ["jam", "power"])
@pytest.mark.parametrize("seed", range(4))
def test_what_fails_on_the_way_is_told_and_never_moved_twice(url, kind, name, seed):
    async def story(counter):
        counter.inside.faults.trouble = MachineTrouble(**{name: 1.0})
        assert await counter.presented(1) in ENDS
        counter.inside.faults.trouble = MachineTrouble()
        assert counter.inside.faults.counted[f"machine_{name}"] > 0

    at_machine(url, kind, story, seed=seed)


CASES = [(TCP, name) for name in ON_GATEWAYS] + [(RTU, name) for name in ON_A_LINE]
WRONG = ON_A_LINE | ON_GATEWAYS


@pytest.mark.parametrize("kind", ["print", "store"])
@pytest.mark.parametrize(("url", "name"), CASES)
def test_a_bad_line_gives_no_second_document(url, name, kind):
    async def story(counter):
        asked = {key: (1,) if value == () else value for key, value in WRONG[name].items()}
        counter.world.set_trouble(counter.line, Trouble(**asked))
        for _ in range(3):
            with suppress(OutcomeUnknown, NotMoved):
                await counter.driver.present(1, counter.document)
            await asyncio.sleep(5.0)
        for _ in range(20):
            with suppress(DeviceFault):
                await counter.driver.look()
        assert counter.inside.inside.moved <= 1
        assert getattr(counter.world.faults(counter.line).counted, name) > 0
        counter.world.set_trouble(counter.line, Trouble())
        await asyncio.sleep(30.0)
        await counter.driver.look()

    at_machine(url, kind, story)


# ------------------------------------------------------------------ scanners


@pytest.mark.parametrize("suffix", ["cr", "lf", "crlf", "none"])
@pytest.mark.parametrize("name", ["repeat", "half", "noise"])
def test_one_presentation_is_one_code(suffix, name):
    async def whole():
        plan = Plan(scanners=(ScannerPlan("S1", Path("/dev/ttyACM0"), suffix=suffix),))
        world = World(plan, LoopClock(NOON))
        end = ScannerEnd(world.scanners["S1"])
        exchange = Exchange()
        exchange.ends["/dev/ttyACM0"] = end
        reader = Bridge(LoopClock(NOON), opener=exchange).code_reader(
            f"{SCANNER}&suffix={suffix}", "S1"
        )
        read = []

        async def listen():
            async for code in reader.codes():
                read.append(code)  # noqa: PERF401 - as they come

        async with beside(listen()):
            await asyncio.sleep(1.0)
            world.scanners["S1"].set_trouble(ScannerTrouble(**{name: True}))
            for code in ("OWX:first-code", "OWX:second-code"):
                end.hold(code)
                await asyncio.sleep(15.0)
            world.scanners["S1"].set_trouble(ScannerTrouble())
            end.hold("OWX:calm")
            await asyncio.sleep(5.0)
        assert world.scanners["S1"].counted[f"scanner_{name}"] > 0
        whole_ones = [code for code in read if code.startswith("OWX:")]
        if (name, suffix) == ("noise", "none"):
            assert whole_ones == ["OWX:calm"]  # nothing parts a code from the noise before it
        else:
            assert whole_ones == ["OWX:first-code", "OWX:second-code", "OWX:calm"]

    play(whole())


# ------------------------------------------------------------------ ID-card readers


def test_a_card_reader_that_hangs_is_given_up_after_three_cards():
    async def whole():
        plan = Plan(card_readers=(CardReaderPlan("C1", Path("/dev/ttyUSB1")),))
        world = World(plan, LoopClock(NOON))
        reader = world.card_reader("C1")
        exchange = Exchange()
        exchange.ends["/dev/ttyUSB1"] = CardEnd(reader)
        bridge = Bridge(LoopClock(NOON), opener=exchange)
        driver = bridge.id_card_reader("idcard+serial:///dev/ttyUSB1?baud=115200", "C1")

        async def first():
            async with aclosing(driver.cards()) as cards:
                return (await anext(cards)).number

        reader.lay(CARD)
        reader.hangs = True
        with pytest.raises(BadReply, match="3 cards in a row"):
            await first()
        assert reader.hung == 3
        assert reader.reads == 0
        reader.restart()
        assert await first() == CARD.number
        assert reader.reads == 1

    play(whole())


@pytest.mark.parametrize("name", ["lost", "garbled", "late", "doubled", "split", "silent"])
def test_a_card_behind_a_bad_port_is_read_as_it_is_or_not_at_all(name):
    async def whole():
        plan = Plan(card_readers=(CardReaderPlan("C1", Path("/dev/ttyUSB1")),))
        world = World(plan, LoopClock(NOON))
        reader = world.card_reader("C1")
        exchange = Exchange()
        exchange.ends["/dev/ttyUSB1"] = CardEnd(reader)
        bridge = Bridge(LoopClock(NOON), opener=exchange)
        driver = bridge.id_card_reader("idcard+serial:///dev/ttyUSB1?baud=115200", "C1")
        read = []

        async def listen():
            while True:
                with suppress(DeviceFault):
                    async with aclosing(driver.cards()) as cards:
                        async for card in cards:
                            read.append(card.number)  # noqa: PERF401 - as they come
                await asyncio.sleep(1.0)

        async with beside(listen()):
            wrong = {"split": 1.0, "silent": (0,)}.get(name, 0.2)
            reader.faults.set(Trouble(**{name: wrong}))
            for _ in range(10):
                reader.lay(CARD)
                await asyncio.sleep(15.0)
                reader.take()
                await asyncio.sleep(5.0)
            during = len(read)
            assert during <= 10
            assert (during == 0) is (name == "silent")
            assert getattr(reader.faults.counted, name) > 0
            reader.faults.set(Trouble())
            await asyncio.sleep(10.0)
            reader.lay(CARD)
            await asyncio.sleep(10.0)
        assert len(read) == during + 1
        assert set(read) == {CARD.number}

    play(whole())
