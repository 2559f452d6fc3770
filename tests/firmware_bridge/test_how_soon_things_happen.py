"""What a person and the page wait for: a pulse before everything else, news without a detour."""

import asyncio
from contextlib import aclosing

import pytest

from controller.ports import DoorSight
from firmware_bridge.debounce import SETTLE_S, Debounce
from tests.firmware_bridge.jumping_loop import play

EXCHANGE_S = (8 + 9) * 10 / 19_200 + 0.008  # of this cabinet's boards
TIMERS_S = 0.003  # silence, and what timers spare


def now() -> float:
    return asyncio.get_running_loop().time()


def test_a_release_leaves_no_turn_to_a_poll_that_is_due(rig):
    async def story():
        await rig.board.look()
        await asyncio.sleep(1)
        (line,) = rig.plugs.lines
        before = len(line.sent)
        polled = asyncio.ensure_future(rig.board.look())
        await rig.board.release(7)
        await polled
        assert next(frame[:3].hex() for _, frame in line.sent[before:]) == "010502"

    play(story())


@pytest.mark.parametrize("others_open", [set(), {1}])
def test_a_change_is_told_by_the_first_read_that_may_confirm_it(rig, others_open):
    async def story():
        rig.cabinet.open_doors = set(others_open)
        async with aclosing(rig.board.watch()) as sights:
            await anext(sights)
            for moved_after_s in (0.013, 0.037, 0.061, 0.089):
                await asyncio.sleep(moved_after_s)
                rig.cabinet.open_doors = others_open | {7}
                sight = await anext(sights)
                while sight.doors[6] is not DoorSight.OPEN:
                    sight = await anext(sights)
                told_at = now()
                (line,) = rig.plugs.lines
                asked = [at for at, frame in line.sent if frame[:2] == b"\x02\x02"]
                assert told_at - asked[-2] <= SETTLE_S + EXCHANGE_S + TIMERS_S
                rig.cabinet.open_doors = set(others_open)
                while sight.doors[6] is DoorSight.OPEN:
                    sight = await anext(sights)

    play(story())


def test_the_oldest_change_is_the_next_to_be_confirmed():
    reads = Debounce(3)
    reads.feed([True, True, True], 1.0)
    assert reads.due_at == float("inf")
    reads.feed([True, False, True], 1.01)
    reads.feed([True, False, False], 1.03)
    assert reads.due_at == pytest.approx(1.06)
