"""Kerong boards that say nothing to an order, and xor boards whose answer may be an echo."""

import asyncio
from contextlib import aclosing

import pytest

from controller.faults import NotConfigured, OutcomeUnknown
from controller.ports import DoorSight
from firmware_bridge.open import Bridge
from tests.firmware_bridge.boards_by_the_book import Kerong16, XorBoard, xored
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

KERONG = "kerong+serial:///dev/ttyUSB0?address=0"
XOR = "xorboard+serial:///dev/ttyUSB0?board=1"


def now() -> float:
    return asyncio.get_running_loop().time()


def row_of(url, board):
    plugs = Plugboard(board)
    return Bridge(loop_clock(), opener=plugs).lock_board(url, "A"), plugs


def test_silence_after_an_order_is_no_fault_and_the_hook_switch_decides():
    async def story():
        board = Kerong16(springs=True)
        row, plugs = row_of(KERONG, board)
        await row.look()
        asked_at = now()
        await row.release(8)
        assert now() - asked_at < 0.8
        assert plugs.frames.count(bytes.fromhex("02 07 31 03 3D")) == 1
        assert row._bus.counters.timeouts == 0

    play(story())


def test_where_no_switch_proves_it_the_outcome_is_unknown():
    async def story():
        row, _ = row_of(KERONG, Kerong16(springs=False))
        await row.look()
        with pytest.raises(OutcomeUnknown, match="gives no proof and door 8"):
            await row.release(8)

    play(story())


def test_a_door_that_was_open_before_proves_nothing():
    async def story():
        row, _ = row_of(KERONG, Kerong16(open_doors={8}))
        await row.look()
        with pytest.raises(OutcomeUnknown):
            await row.release(8)

    play(story())


def test_silence_after_an_order_costs_the_line_nothing():
    """Another board is read at once, in the time in which this one may still answer late."""

    async def story():
        plugs = Plugboard(Kerong16())
        bridge = Bridge(loop_clock(), opener=plugs)
        row = bridge.lock_board(KERONG, "A")
        other = bridge.lock_board(KERONG.replace("address=0", "address=3"), "B")
        await row.look()
        releasing = asyncio.ensure_future(row.release(8))
        await asyncio.sleep(0.2)
        looking = asyncio.ensure_future(other.look())
        await asyncio.sleep(0.04)
        assert plugs.frames[-1] == bytes.fromhex("02 30 30 03 65")
        await asyncio.gather(releasing, looking, return_exceptions=True)

    play(story())


def test_a_board_that_will_not_take_the_pulse_is_not_used():
    async def story():
        board = Kerong16()
        row, _ = row_of(KERONG + "&pulse_ms=300", board)
        await row.look()
        assert board.pulse_10ms == 30
        board.answers = lambda _frame: [(0.02, bytes.fromhex("02 00 38 00 32 03 6F"))]
        row, _ = row_of(KERONG + "&pulse_ms=300", board)
        with pytest.raises(NotConfigured, match="300 ms"):
            await row.look()

    play(story())


def test_an_answer_that_equals_the_order_is_proven_by_reading_the_door():
    async def story():
        board = XorBoard(reversed=True, springs=True)  # a switch that closes as the door opens
        row, plugs = row_of(XOR + "&closed=0", board)
        await row.look()
        await row.release(1)
        assert plugs.frames[-1] == bytes.fromhex("80 01 00 33 B2")

    play(story())


def test_a_dead_board_behind_an_echoing_adapter_has_opened_nothing():
    async def story():
        board = XorBoard(springs=True)
        row, plugs = row_of(XOR, board)
        await row.look()
        plugs.lines[0]._far = lambda frame: [(0.001, frame)]
        with pytest.raises(OutcomeUnknown):
            await row.release(1)
        assert board.pulses == []

    play(story())


def test_an_echo_of_the_question_is_no_state():
    async def story():
        board = XorBoard(doors=8, open_doors={1})
        row, plugs = row_of(XOR + "&doors=8", lambda frame: [(0.001, frame), *board(frame)])
        sight = await row.look()
        assert sight.doors[0] is DoorSight.OPEN
        assert sight.doors[1:] == (DoorSight.CLOSED,) * 7
        assert len(plugs.frames) == 1

    play(story())


def test_a_board_that_tells_of_fewer_locks_than_wired_is_not_used():
    async def story():
        row, _ = row_of(XOR, XorBoard(doors=16))
        with pytest.raises(NotConfigured, match="doors=16"):
            await row.look()

    play(story())


def test_a_report_is_a_hint_to_look_closely_and_never_a_state():
    async def story():
        board = XorBoard()
        row, plugs = row_of(XOR, board)
        async with aclosing(row.watch()) as sights:
            await anext(sights)
            plugs.lines[0].inject(xored(0x82, 1, 2, 0x00))  # says that door 2 opened: it did not
            before = len(plugs.frames)
            sight = await anext(sights)
            assert DoorSight.OPEN not in sight.doors
            assert len(plugs.frames) - before > 9  # of 10 that fit, where 5 are usual
            assert row._bus.counters.reports == 1

    play(story())
