"""How soon silence is told, what it costs the others, and what is asked once more."""

import asyncio
from contextlib import aclosing, suppress
from itertools import count, pairwise

import pytest

from controller.faults import DeviceFault, LineDown, NoReply, NotMoved, OutcomeUnknown
from firmware_bridge.lines import LineLost
from firmware_bridge.open import Bridge
from tests.firmware_bridge.cabinet_by_the_book import Cabinet
from tests.firmware_bridge.conftest import BOARD_URL
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play
from tests.firmware_bridge.lock_boards import KINDS

every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def now() -> float:
    return asyncio.get_running_loop().time()


def made(kind):
    board = kind.board()
    bridge = Bridge(loop_clock(), opener=Plugboard(kind.frames(board)))
    return board, bridge.lock_board(kind.url, "A")


async def watched(row):
    async with aclosing(row.watch()) as sights:
        async for _ in sights:
            pass


async def until_a_fault(doing):
    started = now()
    with pytest.raises((NoReply, LineDown, NotMoved, OutcomeUnknown)):
        await doing
    return now() - started


@every_kind
def test_silence_from_the_very_start_is_told_within_seconds(kind):
    async def story():
        board, row = made(kind)
        board.dead = True
        assert await until_a_fault(watched(row)) <= 6.5

    play(story())


@every_kind
def test_a_board_that_falls_silent_is_told_within_ten_seconds(kind):
    async def story():
        board, row = made(kind)
        watching = asyncio.ensure_future(watched(row))
        await asyncio.sleep(10)
        board.dead = True
        assert await until_a_fault(watching) <= 10

    play(story())


@every_kind
def test_a_person_does_not_wait_for_a_silent_board(kind):
    async def story():
        board, row = made(kind)
        await row.look()
        board.dead = True
        assert await until_a_fault(row.look()) <= 3
        await asyncio.sleep(5)
        assert await until_a_fault(row.release(1, by=now() + 2)) <= 3.5

    play(story())


@pytest.mark.parametrize("code", [0x0A, 0x0B])
def test_a_board_that_a_gateway_cannot_reach_is_asked_less_and_less(code):
    """The gateway waits a second before it says so, and nobody else is served meanwhile."""
    asked = []

    def gateway(frame):
        asked.append(now())
        return [(1.0, frame[:4] + bytes([0, 3, frame[6], frame[7] | 0x80, code]))]

    async def story():
        bridge = Bridge(loop_clock(), opener=Plugboard(gateway))
        row = bridge.lock_board("modbus+tcp://127.0.0.1?unit=1&profile=waveshare-relay-d-8", "A")

        async def follow():
            while True:
                with suppress(DeviceFault):
                    await watched(row)
                await asyncio.sleep(0.5)

        following = asyncio.ensure_future(follow())
        await asyncio.sleep(60)
        asked.clear()
        await asyncio.sleep(200)
        assert 2 <= len(asked) <= 10
        (told,) = bridge.figures()
        assert told.connected  # the line is well
        assert told.boards["A"]["silent"] > 3
        following.cancel()
        await asyncio.wait([following])
        bridge.close()

    play(story())


@pytest.mark.parametrize("lost", [1, 2])
def test_a_question_before_a_pulse_is_asked_once_more_when_it_is_lost(lost):
    """After an answer of this kind has gone missing, one of another kind comes first."""
    cabinet = Cabinet()
    probes = []

    async def story():
        plugs = Plugboard(cabinet)
        row = Bridge(loop_clock(), opener=plugs).lock_board(BOARD_URL, "A")
        await row.look()
        cabinet.silent = {1}
        with pytest.raises(OutcomeUnknown):
            await row.release(1)
        cabinet.silent = set()
        await asyncio.sleep(5)

        def losing(frame):
            answers = cabinet(frame)
            if frame[:4] != b"\x01\x03\x80\x00":
                return answers
            probes.append(frame)
            return [] if len(probes) <= lost else answers

        plugs.lines[0]._far = losing
        orders = len(plugs.frames)
        if lost == 1:
            await row.release(1, by=now() + 2)
        else:
            with pytest.raises(NotMoved):
                await row.release(1, by=now() + 2)
        pulses = [frame for frame in plugs.frames[orders:] if frame[:3] == b"\x01\x05\x02"]
        assert len(probes) == 2
        assert len(pulses) == (1 if lost == 1 else 0)

    play(story())


def test_an_answer_in_the_same_turn_as_the_time_out_has_come():
    """The loop serves timers by their time: here both are due at once, the time-out first."""
    cabinet, turns = Cabinet(), count()
    patience_s = 0.3 + (8 + 8) * 10 / 19_200  # both frames take their time on the wire

    def just_in_time(frame):
        answers = cabinet(frame)
        if frame[:3] != b"\x01\x05\x02":
            return answers
        next(turns)
        asyncio.get_running_loop().call_at(now() + patience_s, line_of().inject, frame)
        return []

    async def story():
        plugs = Plugboard(just_in_time)
        nonlocal line_of
        line_of = lambda: plugs.lines[0]  # noqa: E731 - it is made by the first use
        row = Bridge(loop_clock(), opener=plugs).lock_board(BOARD_URL, "A")
        await row.look()
        await row.release(1)
        assert next(turns) == 1
        assert cabinet.pulses == [1]

    line_of = None
    play(story())


def test_a_line_that_is_gone_is_opened_after_1_2_5_and_then_every_10_seconds():
    """Whatever the number of boards that wait for it; a person's wish does not wait."""
    tried = []

    async def nowhere(place, _clock):
        tried.append(now())
        raise LineLost(f"{place.key} is not there")

    async def story():
        bridge = Bridge(loop_clock(), opener=nowhere)
        rows = [
            bridge.lock_board(BOARD_URL.replace("unit=1", f"unit={unit}"), f"A{unit}")
            for unit in (1, 11, 21)
        ]

        async def follow(row):
            while True:
                with suppress(DeviceFault):
                    await watched(row)
                await asyncio.sleep(0.1)

        following = [asyncio.ensure_future(follow(row)) for row in rows]
        await asyncio.sleep(60)
        gaps = [later - sooner for sooner, later in pairwise(tried)]
        assert gaps[:3] == pytest.approx([1, 2, 5], abs=0.2)
        assert gaps[3:] == pytest.approx([10] * len(gaps[3:]), abs=0.2)
        assert len(gaps) >= 7
        before = len(tried)
        with pytest.raises(LineDown, match="is not there"):
            await rows[0].look()
        with pytest.raises(NotMoved, match="is not there"):
            await rows[0].release(1, by=now() + 2)
        assert len(tried) == before + 2
        for each in following:
            each.cancel()
        await asyncio.wait(following)

    play(story())


def test_a_line_that_came_back_is_opened_at_once_when_it_goes_again():
    cabinet = Cabinet()

    async def story():
        plugs = Plugboard(cabinet)
        row = Bridge(loop_clock(), opener=plugs).lock_board(BOARD_URL, "A")
        plugs.broken = True
        for _ in range(3):
            with pytest.raises(LineDown):
                await row.look()
        plugs.broken = False
        await row.look()
        plugs.lines[0].unplug()
        with pytest.raises(LineDown, match="unplugged"):
            await row.look()
        async with aclosing(row.watch()) as sights:
            await anext(sights)
        assert len(plugs.lines) == 2

    play(story())
