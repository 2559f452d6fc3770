"""One contract for all kinds of lock boards on all transports."""

import asyncio
from contextlib import aclosing, suppress
from random import Random
from types import SimpleNamespace

import pytest

from controller.faults import BadReply, DeviceFault, LineDown, NoReply, NotMoved, OutcomeUnknown
from controller.ports import DoorSight, Presence
from firmware_bridge.open import Bridge, timing_of
from firmware_bridge.urls import parse
from tests.firmware_bridge.boards_by_the_book import OverTcp
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play
from tests.firmware_bridge.lock_boards import KINDS

pytestmark = pytest.mark.parametrize("kind", KINDS, ids=str)


def now() -> float:
    return asyncio.get_running_loop().time()


def set_up(kind, *, springs=True, trouble=lambda far: far):
    board = kind.board()
    board.springs = springs
    plugs = Plugboard(trouble(kind.frames(board)))
    bridge = Bridge(loop_clock(), opener=plugs)
    row = bridge.lock_board(kind.url, "A")
    return SimpleNamespace(board=board, plugs=plugs, row=row, bridge=bridge)


def opens(sight) -> list[int]:
    return [n for n, door in enumerate(sight.doors, start=1) if door is DoorSight.OPEN]


async def until_open(sights, doors):
    async for sight in sights:
        if opens(sight) == doors:
            return sight
    raise AssertionError("the watch has ended")


def test_a_look_tells_doors_and_items(kind):
    async def story():
        rig = set_up(kind)
        last = rig.board.doors
        rig.board.open_doors |= {3, last}
        rig.board.items |= {1, last}
        sight = await rig.row.look()
        assert opens(sight) == [3, last]
        assert len(sight.doors) == len(sight.items) == last
        there = [n for n, item in enumerate(sight.items, 1) if item is Presence.PRESENT]
        assert there == ([1, last] if kind.has_items else [])

    play(story())


def test_a_release_pulses_one_lock_once(kind):
    async def story():
        rig = set_up(kind)
        await rig.row.look()
        for door in (1, rig.board.doors):
            await rig.row.release(door)
        assert rig.board.pulses == [1, rig.board.doors]
        assert opens(await rig.row.look()) == [1, rig.board.doors]

    play(story())


def test_a_door_that_is_not_there_is_not_moved(kind):
    async def story():
        rig = set_up(kind)
        for door in (-1, 0, rig.board.doors + 1):  # what a frame takes for all doors among them
            with pytest.raises(NotMoved, match="there is no door"):
                await rig.row.release(door)
        assert rig.plugs.frames == []

    play(story())


def test_an_order_that_waited_for_the_line_too_long_is_not_given(kind):
    async def story():
        rig = set_up(kind)
        await rig.row.look()
        rig.board.dead = True  # whoever asks it now has the line for a while
        looking = asyncio.ensure_future(rig.row.look())
        await asyncio.sleep(0.05)
        with pytest.raises(NotMoved, match=r"in time|went down"):
            await rig.row.release(1, by=now() + 0.04)
        rig.board.dead = False
        await asyncio.wait([looking])
        looking.exception()
        assert rig.board.pulses == []
        await rig.row.release(1, by=now() + 2)

    play(story())


def test_an_order_that_waited_for_another_door_too_long_is_not_given(kind):
    async def story():
        rig = set_up(kind)
        await rig.row.look()
        await rig.row.release(1)
        with pytest.raises(NotMoved, match="others were before it"):
            await rig.row.release(2, by=now() + 0.1)
        await rig.row.release(2, by=now() + 2)
        assert rig.board.pulses == [1, 2]

    play(story())


def test_a_longer_pulse_is_given_where_the_order_says_how_long(kind):
    async def story():
        rig = set_up(kind)
        await rig.row.look()
        before = len(rig.plugs.frames)
        await rig.row.release(1, longer=True)
        orders = [frame for frame in rig.plugs.frames[before:] if b"\x05\x02\x00" in frame]
        assert [order for order in orders if b"\x05\x02\x00\x00\x0a" in order] == orders
        assert rig.row.pulses_longer is bool(orders) is ("relay" in kind.name)
        await asyncio.sleep(6)
        if rig.row.pulses_longer:
            with pytest.raises(NotMoved, match="rests 10 s"):
                await rig.row.release(1)
            assert 3.9 < rig.row.rests_s(1) < 4.1
            await asyncio.sleep(rig.row.rests_s(1))
        rig.board.open_doors.clear()
        await rig.row.look()
        await rig.row.release(1)
        assert rig.board.pulses == [1, 1]

    play(story())


def test_a_watch_tells_a_door_s_story(kind):
    async def story():
        rig = set_up(kind, springs=False)
        async with aclosing(rig.row.watch()) as sights:
            assert opens(await anext(sights)) == []
            with suppress(OutcomeUnknown):
                await rig.row.release(2)
            await asyncio.sleep(1.5)
            rig.board.open_doors.add(2)
            await until_open(sights, [2])
            rig.board.items.add(2)
            rig.board.open_doors.discard(2)
            sight = await until_open(sights, [])
            assert sight.items[1] is (Presence.PRESENT if kind.has_items else Presence.UNKNOWN)
            seen = [(await anext(sights)).at for _ in range(4)]
        assert seen[-1] - seen[0] <= 3 * 1.3  # signs of life
        assert rig.board.pulses == [2]

    play(story())


def test_a_silent_board_is_said_to_be_silent_and_moves_nothing(kind):
    async def story():
        rig = set_up(kind)
        rig.board.dead = True
        gone = LineDown if "tcp:" in kind.url else NoReply  # a silent stream is taken for dead
        with pytest.raises((NoReply, gone)):
            await rig.row.look()
        with pytest.raises((OutcomeUnknown, NotMoved)):
            await rig.row.release(1)
        async with aclosing(rig.row.watch()) as sights:
            with pytest.raises((NoReply, gone)):
                await anext(sights)
        rig.board.dead = False
        assert opens(await rig.row.look()) == []
        assert rig.board.pulses == []

    play(story())


def test_an_order_whose_answer_is_lost_is_not_sent_again(kind):
    async def story():
        rig = set_up(kind, springs=False)
        await rig.row.look()
        far = rig.plugs.lines[0]._far

        def deaf(frame):
            before = len(rig.board.pulses)
            answers = far(frame)
            return [] if len(rig.board.pulses) > before else answers

        rig.plugs.lines[0]._far = deaf
        with pytest.raises(OutcomeUnknown):
            await rig.row.release(4)
        assert rig.board.pulses == [4]
        with pytest.raises(NotMoved, match="rests 5 s"):  # it may have been pulsed: the coil rests
            await rig.row.release(4)
        assert rig.board.pulses == [4]

    play(story())


@pytest.mark.parametrize("trouble", ["late", "doubled", "garbled", "cut", "lost", "pieces"])
def test_what_a_bad_line_does_to_a_look(kind, trouble):
    """Whatever happens to every fifth answer, what is believed was true at that moment."""

    async def story():
        dice = Random(kind.name + trouble)
        reply_s = timing_of(parse(kind.url)).reply_s
        rig = set_up(kind, springs=False, trouble=lambda far: _spoilt(far, trouble, dice, reply_s))
        looked = 0
        for _ in range(24):
            rig.board.open_doors.clear()
            rig.board.open_doors |= {dice.randint(1, rig.board.doors)}
            await asyncio.sleep(dice.uniform(1, 3))
            with suppress(NoReply, BadReply, LineDown):
                sight = await rig.row.look()
                assert set(opens(sight)) == rig.board.open_doors
                looked += 1
        assert looked >= 12
        assert rig.board.pulses == []

    play(story())


def _spoilt(far, trouble, dice, reply_s):
    def answers(frame):
        told = []
        for delay, answer in far(frame):
            if trouble == "garbled" and isinstance(far, OverTcp):
                told.append((delay, answer))  # nor does it change them
            elif trouble == "pieces":
                at = dice.randrange(1, len(answer))
                told += [(delay, answer[:at]), (delay + dice.uniform(0, 0.02), answer[at:])]
            elif dice.random() >= 0.2:
                told.append((delay, answer))
            elif trouble == "late":
                told.append((delay + dice.uniform(1.0, 2.9) * reply_s, answer))
            elif trouble == "doubled":
                told += [(delay, answer), (delay + dice.uniform(0.002, 0.02), answer)]
            elif trouble == "garbled":
                spot = dice.randrange(len(answer))
                flipped = bytes([answer[spot] ^ 1 << dice.randrange(8)])
                told.append((delay, answer[:spot] + flipped + answer[spot + 1 :]))
            elif trouble == "cut" and not isinstance(far, OverTcp):  # a stream loses no bytes
                told.append((delay, answer[: dice.randrange(1, len(answer))]))
        return told

    return answers


def _losing(far, dice, lost):
    """Requests and answers go missing, half and half."""

    def answers(frame):
        throw = dice.random()
        told = [] if throw < lost / 2 else far(frame)
        return [] if throw < lost else told

    return answers


def test_bolts_move_at_most_as_often_as_asked_and_every_doubt_is_named(kind):
    async def story():
        dice = Random(kind.name)
        rig = set_up(kind, trouble=lambda far: _losing(far, dice, lost=0.3))
        for door in range(1, rig.board.doors + 1):
            before = rig.board.pulses.count(door)
            try:
                await rig.row.release(door)
                allowed = {1}
            except NotMoved:
                allowed = {0}
            except OutcomeUnknown:
                allowed = {0, 1}
            assert rig.board.pulses.count(door) - before in allowed, door
        assert rig.board.pulses

    play(story())


def test_a_board_that_restarts_is_read_again(kind):
    async def story():
        rig = set_up(kind)
        async with aclosing(rig.row.watch()) as sights:
            await anext(sights)
            rig.board.dead = True
            asyncio.get_running_loop().call_later(0.4, setattr, rig.board, "dead", False)  # noqa: FBT003
            rig.board.open_doors.add(1)
            await until_open(sights, [1])
        assert rig.board.pulses == []

    play(story())


def test_a_line_that_vanishes_is_down_and_comes_back_by_itself(kind):
    async def story():
        rig = set_up(kind)
        await rig.row.look()
        rig.plugs.broken = True
        rig.plugs.lines[0].unplug()
        with pytest.raises(LineDown, match="A: "):
            await rig.row.look()
        with pytest.raises(LineDown, match="is not there"):
            await rig.row.look()
        with pytest.raises(NotMoved):
            await rig.row.release(1)
        rig.plugs.broken = False
        await rig.row.look()
        await rig.row.release(1)
        assert rig.board.pulses == [1]
        assert len(rig.plugs.lines) == 2

    play(story())


def test_a_cancelled_release_counts_as_a_pulse(kind):
    async def story():
        rig = set_up(kind)
        await rig.row.look()
        with suppress(TimeoutError, DeviceFault):
            async with asyncio.timeout(0.04):
                await rig.row.release(1)
        assert rig.board.pulses == [1]
        with pytest.raises(NotMoved, match="rests 5 s"):
            await rig.row.release(1)

    play(story())
