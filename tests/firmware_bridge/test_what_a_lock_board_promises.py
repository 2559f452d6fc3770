"""The lock board's port over Modbus: release, look, watch."""

import asyncio
from contextlib import aclosing
from itertools import pairwise

import pytest

from controller.faults import LineDown, NoReply, NotConfigured, NotMoved, OutcomeUnknown
from controller.ports import DoorSight, Presence
from firmware_bridge.open import Bridge
from tests.firmware_bridge.cabinet_by_the_book import Cabinet, crc
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

RELAY_D = "modbus+rtu:///dev/ttyUSB0?baud=9600&unit=1&profile=waveshare-relay-d-8"


def now() -> float:
    return asyncio.get_running_loop().time()


def opens(sight) -> list[int]:
    return [n for n, door in enumerate(sight.doors, start=1) if door is DoorSight.OPEN]


def test_outputs_are_off_before_the_first_read_and_nothing_is_pulsed(rig):
    async def story():
        sight = await rig.board.look()
        assert [frame.hex(" ") for frame in rig.plugs.frames] == [
            "01 05 00 ff 00 00 fd fa",
            "02 02 00 00 00 20 79 e1",
            "03 02 00 00 00 20 78 30",
        ]
        assert sight.doors == (DoorSight.CLOSED,) * 32
        assert sight.items == (Presence.ABSENT,) * 32
        assert rig.cabinet.pulses == []

    play(story())


def test_a_release_is_one_pulse_timed_by_the_board(rig):
    async def story():
        await rig.board.release(8)
        assert rig.plugs.frames[-1] == bytes.fromhex("01 05 02 07 00 05 BD B0")
        assert rig.cabinet.pulses == [8]

    play(story())


def test_a_door_that_is_not_there_is_not_moved(rig):
    async def story():
        with pytest.raises(NotMoved, match="no door 33"):
            await rig.board.release(33)
        assert rig.plugs.frames == []

    play(story())


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (1, NotMoved),
        (2, NotMoved),
        (3, NotMoved),
        (4, OutcomeUnknown),
        (6, OutcomeUnknown),
        (0x0B, OutcomeUnknown),
    ],
)
def test_what_a_refused_pulse_means(code, fault, cabinet):
    def far(frame):
        flash = frame[1] == 5 and frame[2] == 2
        return [(0.008, crc(bytes([1, 0x85, code])))] if flash else cabinet(frame)

    async def story():
        board = Bridge(loop_clock(), opener=Plugboard(far)).lock_board(
            "modbus+rtu:///dev/ttyUSB0?unit=1&profile=waveshare-relay-32", "A"
        )
        with pytest.raises(fault, match=f"exception {code:02x}"):
            await board.release(1)

    play(story())


def test_a_lost_echo_is_an_unknown_outcome_and_the_pulse_is_not_repeated(cabinet):
    async def story():
        plugs = Plugboard(lambda frame: [] if frame[1:3] == b"\x05\x02" else cabinet(frame))
        board = Bridge(loop_clock(), opener=plugs).lock_board(
            "modbus+rtu:///dev/ttyUSB0?unit=1&profile=waveshare-relay-32", "A"
        )
        with pytest.raises(OutcomeUnknown):
            await board.release(4)
        assert sum(frame[1:3] == b"\x05\x02" for frame in plugs.frames) == 1
        with pytest.raises(NotMoved, match="rests 5 s"):  # it may have been pulsed: the coil rests
            await board.release(4)

    play(story())


def test_a_lock_rests_between_pulses_and_has_six_a_minute(rig):
    async def story():
        for _ in range(6):
            await rig.board.release(3)
            with pytest.raises(NotMoved, match="rests 5 s"):
                await rig.board.release(3)
            await asyncio.sleep(5.01)
        with pytest.raises(NotMoved, match="6 times within 60 s"):
            await rig.board.release(3)
        await rig.board.release(4)
        await asyncio.sleep(31)
        await rig.board.release(3)
        assert rig.cabinet.pulses == [3] * 6 + [4, 3]

    play(story())


def test_a_pulse_that_was_never_sent_costs_nothing(rig):
    async def story():
        await rig.board.look()
        rig.plugs.broken = True
        rig.plugs.lines[0].unplug()
        with pytest.raises(NotMoved):
            await rig.board.release(5)
        rig.plugs.broken = False
        await rig.board.release(5)
        assert rig.cabinet.pulses == [5]

    play(story())


def test_two_locks_of_one_supply_are_pulsed_one_after_the_other(rig):
    async def story():
        async with asyncio.TaskGroup() as tasks:
            for door in (1, 2, 3):
                tasks.create_task(rig.board.release(door))
        (line,) = rig.plugs.lines
        at = [when for when, frame in line.sent if frame[1:3] == b"\x05\x02"]
        assert all(later - sooner >= 0.7 for sooner, later in pairwise(at))
        assert rig.cabinet.pulses == [1, 2, 3]

    play(story())


def test_a_release_while_the_board_is_polled_goes_out_within_one_exchange(rig):
    async def story():
        rig.cabinet.open_doors = {1}  # polled as fast as the line allows
        await rig.board.look()
        async with aclosing(rig.board.watch()) as sights:
            await anext(sights)
            watching = asyncio.ensure_future(_drain(sights))
            waits = []
            for door in range(2, 12):
                await asyncio.sleep(0.8137)
                asked_at = now()
                await rig.board.release(door)
                (sent_at,) = (
                    at for at, frame in rig.plugs.lines[0].sent[-3:] if frame[1:3] == b"\x05\x02"
                )
                waits.append(sent_at - asked_at)
            watching.cancel()
            await asyncio.wait([watching])
        exchange_s = (8 + 9) * 10 / 19200 + 0.008
        assert max(waits) <= exchange_s + 0.0025

    play(story())


async def _drain(sights):
    async for _ in sights:
        pass


def test_a_change_counts_after_two_equal_reads_at_least_50_ms_apart(rig):
    async def story():
        async with aclosing(rig.board.watch()) as sights:
            first = await anext(sights)
            assert opens(first) == []
            rig.cabinet.open_doors = {7}
            moved_at = now()
            sight = await anext(sights)
            while opens(sight) == []:
                sight = await anext(sights)
            assert opens(sight) == [7]
            assert 0.05 <= now() - moved_at <= 0.1 + 0.05 + 0.08

    play(story())


def test_a_bouncing_switch_is_not_a_moving_door(rig):
    async def story():
        loop = asyncio.get_running_loop()
        for n in range(8):  # 160 ms of chatter
            loop.call_later(2 + n * 0.02, rig.cabinet.open_doors.__ixor__, {7})
        async with aclosing(rig.board.watch()) as sights:
            async for sight in sights:
                assert opens(sight) == []
                if now() > 4:
                    break

    play(story())


def test_an_input_that_flips_on_and_on_is_unknown(rig):
    async def story():
        loop = asyncio.get_running_loop()
        for n in range(200):
            loop.call_later(n * 0.15, rig.cabinet.open_doors.__ixor__, {7})
        unknown = 0
        async with aclosing(rig.board.watch()) as sights:
            async for sight in sights:
                unknown += sight.doors[6] is DoorSight.UNKNOWN
                assert sight.doors[7] is DoorSight.CLOSED
                if now() > 60:
                    break
        assert unknown > 5
        assert sight.doors[6] is DoorSight.CLOSED  # calm for ten seconds: it counts again

    play(story())


def test_signs_of_life_come_once_a_second(rig):
    async def story():
        at = []
        async with aclosing(rig.board.watch()) as sights:
            async for sight in sights:
                at.append(sight.at)
                if len(at) == 6:
                    break
        gaps = [later - sooner for sooner, later in pairwise(at)]
        assert all(1.0 <= gap <= 1.2 for gap in gaps)

    play(story())


def test_an_open_door_is_polled_at_least_every_60_ms(rig):
    async def story():
        rig.cabinet.open_doors = {1}
        async with aclosing(rig.board.watch()) as sights:
            await anext(sights)
            await anext(sights)
        (line,) = rig.plugs.lines
        reads = [at for at, frame in line.sent if frame[:2] == b"\x02\x02"]
        gaps = [later - sooner for sooner, later in pairwise(reads)]
        assert len(gaps) > 10
        assert max(gaps) <= 0.06

    play(story())


def test_three_missed_polls_end_the_watch_and_a_new_one_goes_on(rig):
    async def story():
        async with aclosing(rig.board.watch()) as sights:
            await anext(sights)
            rig.cabinet.silent = {2}
            before = len(rig.plugs.frames)
            with pytest.raises(NoReply, match="3 polls of doors missed"):
                async for _ in sights:
                    pass
        assert sum(frame[:2] == b"\x02\x02" for frame in rig.plugs.frames[before:]) >= 1
        rig.cabinet.silent = set()
        async with aclosing(rig.board.watch()) as sights:
            assert opens(await anext(sights)) == []

    play(story())


def test_doors_are_still_seen_while_item_sensors_miss_a_poll(rig):
    async def story():
        async with aclosing(rig.board.watch()) as sights:
            await anext(sights)
            rig.cabinet.silent = {3}
            rig.cabinet.open_doors = {5}
            assert opens(await anext(sights)) == [5]
            with pytest.raises(NoReply, match="3 polls of items missed"):
                async for _ in sights:
                    pass

    play(story())


def test_a_release_that_is_cancelled_on_the_wire_counts_as_a_pulse(rig):
    async def story():
        await rig.board.look()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.012):
                await rig.board.release(6)
        with pytest.raises(NotMoved, match="rests 5 s"):
            await rig.board.release(6)
        await rig.board.release(7)
        assert rig.cabinet.pulses == [6, 7]

    play(story())


def test_a_new_connection_begins_with_outputs_off_again(rig):
    async def story():
        async with aclosing(rig.board.watch()) as sights:
            await anext(sights)
            rig.plugs.lines[0].unplug()
            with pytest.raises(LineDown):
                async for _ in sights:
                    pass
        async with aclosing(rig.board.watch()) as sights:
            await anext(sights)
        assert rig.plugs.lines[1].sent[0][1] == bytes.fromhex("01 05 00 FF 00 00 FD FA")
        assert rig.cabinet.switched_off == 2

    play(story())


def test_a_board_whose_inputs_may_fire_its_outputs_is_not_used():
    async def story():
        cabinet = Cabinet(doors=8, modes=[0, 0, 1, 0, 0, 0, 0, 0])
        plugs = Plugboard(cabinet)
        board = Bridge(loop_clock(), opener=plugs).lock_board(RELAY_D, "A")
        with pytest.raises(
            NotConfigured,
            match="register 0x1002 reads 1, not 0: in this control mode an input drives an output",
        ):
            await board.look()
        with pytest.raises(NotMoved, match="control mode"):
            await board.release(1)
        assert cabinet.pulses == []
        cabinet.modes = [0] * 8
        await board.release(1)
        sight = await board.look()
        assert sight.items == (Presence.UNKNOWN,) * 8
        assert cabinet.pulses == [1]

    play(story())


def test_a_look_waits_for_a_switch_to_settle(rig):
    async def story():
        await rig.board.look()
        rig.cabinet.open_doors = {2}
        rig.cabinet.items = {2}
        sight = await rig.board.look()
        assert opens(sight) == [2]
        assert sight.items[1] is Presence.PRESENT

    play(story())


def test_polarity_and_number_of_doors_follow_the_url(cabinet):
    async def story():
        cabinet.open_doors = {1}
        cabinet.items = {1}
        url = "modbus+rtu:///dev/ttyUSB0?unit=1&profile=waveshare-relay-32"
        bridge = Bridge(loop_clock(), opener=Plugboard(cabinet))
        board = bridge.lock_board(url + "&doors=4&closed=0&item=0&pulse_ms=300", "A")
        sight = await board.look()
        assert opens(sight) == [2, 3, 4]
        assert sight.items == (Presence.ABSENT, *[Presence.PRESENT] * 3)
        await board.release(4)
        assert cabinet.heard[-1][4:6] == b"\x00\x03"

    play(story())
