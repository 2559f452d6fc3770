"""What a Bus keeps to: turns, silence, patience, and what follows a doubt."""

import asyncio
from contextlib import suppress
from itertools import pairwise

import pytest

from controller.faults import BadReply, LineDown, NoReply, NotMoved, OutcomeUnknown
from firmware_bridge import modbus
from firmware_bridge.bus import Bus
from firmware_bridge.open import silence_s, timing_of
from firmware_bridge.turns import Turns, Urgency
from firmware_bridge.urls import parse
from tests.firmware_bridge.cabinet_by_the_book import Cabinet, crc
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

URL = "modbus+rtu:///dev/ttyUSB0?baud=19200&unit=1&profile=waveshare-relay-32"
DOORS = modbus.read(2, 2, 0, 32)
ITEMS = modbus.read(3, 2, 0, 32)
FLASH = modbus.write(1, 5, 0x0207, 5)
PROBE = modbus.read(2, 3, 0x8000, 1)


def make_bus(far, url=URL):
    plugs = Plugboard(far)
    parsed = parse(url)
    wire = modbus.TcpWire if parsed.scheme == "modbus+tcp" else modbus.RtuWire
    bus = Bus(parsed.place, timing_of(parsed), new_wire=wire, clock=loop_clock(), opener=plugs)
    return bus, plugs


async def ask(bus, request, **more):
    return await bus.ask("A", request, urgency=Urgency.POLL, **more)


@pytest.mark.parametrize(("baud", "silence_ms"), [(9600, 4.01), (19200, 2.005), (115200, 1.75)])
def test_the_silence_is_three_and_a_half_characters_of_the_line(baud, silence_ms):
    assert silence_s(baud) * 1000 == pytest.approx(silence_ms, abs=0.01)
    url = parse(f"modbus+rtu:///dev/ttyUSB0?baud={baud}&unit=1&profile=waveshare-relay-32")
    assert timing_of(url).gap_s == pytest.approx(silence_s(baud) * 1.01)


def test_frames_are_apart_by_the_silence_and_no_more(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        for _ in range(6):
            for unit in (1, 2, 3):
                await ask(bus, modbus.read(unit, 2, 0, 32))
        (line,) = plugs.lines
        spent = [later - sooner for (sooner, _), (later, _) in pairwise(line.sent)]
        exchange_s = (8 + 9) * 10 / 19200 + 0.008 + silence_s(19200) * 1.01
        assert spent == pytest.approx([exchange_s] * 17)
        assert bus.counters.pause_shortest_s >= silence_s(19200)

    play(story())


def test_a_release_overtakes_everything_that_waits(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        async with asyncio.TaskGroup() as tasks:
            for unit in (1, 2, 3):
                tasks.create_task(ask(bus, modbus.read(unit, 3, 0x8000, 1)))
            await asyncio.sleep(0.003)
            tasks.create_task(bus.ask("A", DOORS, urgency=Urgency.LOOK))
            tasks.create_task(bus.move("A", FLASH))
        kinds = [(frame[0], frame[1]) for frame in plugs.frames]
        assert kinds == [(1, 3), (1, 5), (2, 2), (2, 3), (3, 3)]

    play(story())


def test_a_poll_that_keeps_its_silence_makes_way_and_is_the_next_poll(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        async with asyncio.TaskGroup() as tasks:
            for unit in (1, 2):
                tasks.create_task(ask(bus, modbus.read(unit, 3, 0x8000, 1)))
            await asyncio.sleep(0.001)
            tasks.create_task(bus.move("A", FLASH))
        kinds = [(frame[0], frame[1]) for frame in plugs.frames]
        assert kinds == [(1, 5), (1, 3), (2, 3)]

    play(story())


def test_one_who_stops_waiting_takes_nobody_s_turn():
    async def story():
        turns, held = Turns(), []

        async def hold(name, urgency=Urgency.POLL):
            async with turns.turn(urgency):
                held.append(name)
                await asyncio.sleep(1)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hold("first"))
            await asyncio.sleep(0)
            impatient = tasks.create_task(hold("impatient", Urgency.RELEASE))
            tasks.create_task(hold("last"))
            await asyncio.sleep(0.5)
            impatient.cancel()
        assert held == ["first", "last"]

    play(story())


def test_a_turn_given_to_one_who_is_cancelled_at_that_moment_goes_to_the_next():
    async def story():
        turns, held = Turns(), []

        async def hold(name):
            async with turns.turn(Urgency.POLL):
                held.append(name)

        async with asyncio.TaskGroup() as tasks:
            async with turns.turn(Urgency.POLL):
                unlucky = tasks.create_task(hold("unlucky"))
                tasks.create_task(hold("next"))
                await asyncio.sleep(0)
            unlucky.cancel()
        assert held == ["next"]

    play(story())


def test_a_read_is_repeated_and_a_movement_is_not(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        await ask(bus, DOORS)
        cabinet.silent = {1, 2}
        with pytest.raises(NoReply, match="A: no answer within 300 ms"):
            await ask(bus, DOORS, tries=3)
        with pytest.raises(OutcomeUnknown):
            await bus.move("A", FLASH)
        assert [frame[0] for frame in plugs.frames] == [2, 2, 2, 2, 1]
        assert bus.counters.timeouts == 4

    play(story())


def test_after_a_time_out_the_line_rests_before_anybody_speaks(cabinet):
    async def story():
        cabinet.silent = {2}
        bus, plugs = make_bus(cabinet)
        with suppress(NoReply):
            await ask(bus, DOORS)
        gave_up_at = asyncio.get_running_loop().time()
        await ask(bus, ITEMS)
        (line,) = plugs.lines
        assert line.sent[-1][0] >= gave_up_at + 0.25

    play(story())


def test_what_trickles_in_while_the_line_rests_makes_it_rest_longer(cabinet):
    async def story():
        cabinet.silent = {2}
        bus, plugs = make_bus(cabinet)
        with suppress(NoReply):
            await ask(bus, DOORS)
        (line,) = plugs.lines
        loop = asyncio.get_running_loop()
        last = loop.time() + 0.3
        for at in (0.1, 0.24, 0.27, 0.3):
            loop.call_later(at, line.inject, b"\xff")
        await ask(bus, ITEMS)
        assert line.sent[-1][0] >= last + 0.05
        assert bus.counters.noise_bytes == 0

    play(story())


def test_a_line_that_babbles_is_given_up_in_words(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        await ask(bus, DOORS)
        loop = asyncio.get_running_loop()
        for n in range(4000):
            loop.call_later(n * 0.001, plugs.lines[0].inject, b"\x55")
        with pytest.raises(BadReply, match="never quiet"):
            await ask(bus, ITEMS)
        assert len(plugs.frames) == 1

    play(story())


def test_after_a_lost_answer_the_station_is_asked_something_else_first(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        cabinet.silent = {2}
        with suppress(NoReply):
            await ask(bus, DOORS, probe=PROBE)
        cabinet.silent = set()
        await ask(bus, DOORS, probe=PROBE)
        await ask(bus, DOORS, probe=PROBE)
        assert [frame[1] for frame in plugs.frames] == [2, 3, 2, 2]

    play(story())


def test_a_movement_to_a_station_that_does_not_answer_the_probe_is_not_sent(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        probe = modbus.read(1, 3, 0x8000, 1)
        cabinet.silent = {1}
        with pytest.raises(OutcomeUnknown):
            await bus.move("A", FLASH, probe=probe)
        with pytest.raises(NotMoved):
            await bus.move("A", FLASH, probe=probe)
        assert [frame[1] for frame in plugs.frames] == [5, 3, 3]

    play(story())


def test_another_unit_s_frame_is_dropped_and_the_wait_goes_on():
    async def story():
        stranger = crc(bytes([9, 2, 4, 0, 0, 0, 0]))
        bus, _ = make_bus(lambda _: [(0.008, stranger), (0.06, crc(bytes([2, 2, 4, 1, 2, 3, 4])))])
        reply = await ask(bus, DOORS)
        assert reply.body == bytes([2, 4, 1, 2, 3, 4])
        assert bus.counters.refused == {"other_station": 1}

    play(story())


def test_a_doubled_answer_is_dropped_and_the_line_stays_settled(cabinet):
    async def story():
        bus, plugs = make_bus(lambda frame: [*cabinet(frame), (0.0085, cabinet(frame)[0][1])])
        await ask(bus, DOORS)
        await ask(bus, ITEMS)
        (line,) = plugs.lines
        assert line.sent[1][0] - line.sent[0][0] < 0.05
        assert bus.counters.unasked_bytes + bus.counters.refused["other_station"] > 0

    play(story())


def test_a_garbled_answer_is_a_bad_one(cabinet):
    async def story():
        bus, _ = make_bus(lambda frame: [(0.008, cabinet(frame)[0][1][:-1] + b"\x00")])
        with pytest.raises(BadReply, match="garbled"):
            await ask(bus, DOORS)
        assert bus.counters.refused == {"garbled": 1}

    play(story())


def test_an_echo_is_no_answer_to_a_read():
    async def story():
        bus, _ = make_bus(lambda frame: [(0.0, frame)])
        with pytest.raises((NoReply, BadReply)):
            await ask(bus, DOORS)

    play(story())


def test_a_line_that_fails_is_thrown_away_and_the_next_request_opens_another(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        await ask(bus, DOORS)
        plugs.lines[0].unplug()
        with pytest.raises(LineDown, match="A: unplugged"):
            await ask(bus, DOORS)
        assert plugs.lines[0].closed
        assert bus.connection == 0
        await ask(bus, DOORS)
        assert bus.connection == 2

    play(story())


def test_a_movement_on_a_dead_line_was_certainly_not_sent(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        plugs.broken = True
        with pytest.raises(NotMoved, match="is not there"):
            await bus.move("A", FLASH)
        plugs.broken = False
        await asyncio.sleep(1)  # a poll does not open it anew any sooner
        await ask(bus, DOORS)
        plugs.lines[0].unplug()
        with pytest.raises(NotMoved, match="unplugged"):
            await bus.move("A", FLASH)
        assert [frame[1] for frame in plugs.frames] == [2]

    play(story())


def test_a_line_that_breaks_after_an_order_leaves_its_outcome_unknown():
    async def story():
        def breaks(_frame):
            asyncio.get_running_loop().call_later(0.01, plugs.lines[0].unplug)
            return []

        bus, plugs = make_bus(breaks)
        with pytest.raises(OutcomeUnknown, match="asked to move, then unplugged"):
            await bus.move("A", FLASH)
        assert len(plugs.frames) == 1

    play(story())


def test_a_cancelled_question_leaves_a_line_that_rests(cabinet):
    async def story():
        bus, plugs = make_bus(cabinet)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.005):
                await ask(bus, DOORS)
        await ask(bus, ITEMS)
        (line,) = plugs.lines
        assert line.sent[1][0] - line.sent[0][0] > 0.25
        await ask(bus, DOORS)
        assert line.sent[2][0] - line.sent[0][0] > 3 * 0.3

    play(story())


def test_the_figures_name_everything_that_was_counted():
    async def story():
        cabinet = Cabinet()
        bus, _ = make_bus(cabinet)
        await ask(bus, DOORS)
        figures = bus.figures()
        assert figures["requests"] == figures["replies"] == 1
        assert figures["turnaround_s"] == pytest.approx(0.008)
        assert 0 < figures["utilisation"] < 1

    play(story())
