"""A bridge that is told of changes asks nothing meanwhile, and sees the same as one that polls."""

import asyncio
from contextlib import aclosing, suppress
from itertools import groupby
from random import Random
from types import SimpleNamespace

import pytest

from controller.faults import DeviceFault, LineDown, NoReply
from controller.ports import DoorSight
from firmware_bridge.news import News
from firmware_bridge.open import Bridge
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play
from tests.firmware_bridge.lock_boards import KINDS

HOUR_S = 3600.0
QUICK = [kind for kind in KINDS if kind.name in ("waveshare-relay-32 rtu", "kerong cu16 serial")]


def told(kind, news):
    board = kind.board()
    plugs = Plugboard(kind.frames(board))
    bridge = Bridge(loop_clock(), opener=plugs, news=news)
    row = bridge.lock_board(kind.url, "A1")
    return SimpleNamespace(board=board, plugs=plugs, row=row, bridge=bridge)


async def watch(row, seen):
    """As a site does: what ends is begun again."""
    while True:
        with suppress(DeviceFault):
            async with aclosing(row.watch()) as sights:
                async for sight in sights:
                    if not seen or (seen[-1].doors, seen[-1].items) != (sight.doors, sight.items):
                        seen.append(sight)
        await asyncio.sleep(0.5)


async def meanwhile(rig, story):
    """What was seen, each different sight once."""
    rig.seen = seen = []
    watching = asyncio.ensure_future(watch(rig.row, seen))
    await asyncio.sleep(2)
    await story(rig)
    watching.cancel()
    await asyncio.wait([watching])
    rig.bridge.close()
    return [(sight.doors, sight.items) for sight in seen]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_an_idle_board_costs_a_heartbeat(kind):
    async def story(rig):
        before = len(rig.plugs.frames)
        await asyncio.sleep(24 * HOUR_S)
        assert len(rig.plugs.frames) - before <= 24 * 2

    play(meanwhile(told(kind, News()), story))


@pytest.mark.parametrize("kind", QUICK, ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_the_same_is_seen_as_by_polling(kind, seed):
    def a_day(news, settled):
        async def story(rig):
            dice, board = Random(seed), rig.board
            for _ in range(15):
                door = dice.randint(1, board.doors)
                for _ in range(dice.choice([1, 1, 3])):  # some switches chatter
                    board.open_doors ^= {door}
                    news.tell("A1")
                    await asyncio.sleep(0.01)
                if door in board.open_doors and dice.random() < 0.7:
                    await asyncio.sleep(2)
                    board.items ^= {door}
                    board.open_doors ^= {door}
                    news.tell("A1")
                await asyncio.sleep(3)
                settled.append(rig.seen[-1].items)

        return story

    def doors(seen):
        return [each for each, _ in groupby(doors for doors, _ in seen)]

    by_polls, by_news = [], []
    polled = play(meanwhile(told(kind, None), a_day(News(), by_polls)))
    heard = play(meanwhile(told(kind, news := News()), a_day(news, by_news)))
    assert doors(heard) == doors(polled)
    assert by_news == by_polls
    assert len(doors(polled)) > 10


@pytest.mark.parametrize("kind", QUICK, ids=str)
def test_a_change_that_nobody_told_is_found_with_the_heartbeat(kind):
    async def story(rig):
        rig.board.open_doors.add(3)
        await asyncio.sleep(601)

    seen = play(meanwhile(told(kind, News(heartbeat_s=600)), story))
    assert [doors[2] for doors, _ in seen] == [DoorSight.CLOSED, DoorSight.OPEN]


@pytest.mark.parametrize("kind", QUICK, ids=str)
def test_a_change_during_a_read_is_not_lost(kind):
    """Right after the board has taken the answer's bits, and before we have them."""
    news = News()

    async def story(rig):
        far, stirred = rig.plugs.lines[0]._far, []

        def late(frame):
            answers = far(frame)
            if not stirred:
                stirred.append(frame)
                rig.board.open_doors.add(5)
                news.tell("A1")
            return answers

        await asyncio.sleep(60)
        rig.plugs.lines[0]._far = late
        news.tell("A1")
        await asyncio.sleep(2)

    seen = play(meanwhile(told(kind, news), story))
    assert [doors[4] for doors, _ in seen] == [DoorSight.CLOSED, DoorSight.OPEN]


@pytest.mark.parametrize("kind", QUICK, ids=str)
def test_silence_and_its_end_are_told_too(kind):
    news = News()

    async def story():
        rig = told(kind, news)
        async with aclosing(rig.row.watch()) as sights:
            await anext(sights)
            rig.board.dead = True
            news.tell_all()
            with pytest.raises((NoReply, LineDown)):
                await anext(sights)
        rig.board.dead = False
        async with aclosing(rig.row.watch()) as sights:
            await anext(sights)

    play(story())


@pytest.mark.parametrize("kind", QUICK, ids=str)
def test_a_board_is_read_after_a_release(kind):
    async def story(rig):
        rig.board.springs = True
        await asyncio.sleep(60)
        with suppress(DeviceFault):
            await rig.row.release(2)
        await asyncio.sleep(2)

    seen = play(meanwhile(told(kind, News()), story))
    assert [doors[1] for doors, _ in seen] == [DoorSight.CLOSED, DoorSight.OPEN]


@pytest.mark.parametrize("kind", QUICK, ids=str)
def test_an_input_that_flipped_is_known_again_without_a_word(kind):
    news = News()

    async def story(rig):
        for _ in range(16):
            rig.board.open_doors ^= {1}
            news.tell("A1")
            await asyncio.sleep(0.3)
        await asyncio.sleep(15)

    seen = play(meanwhile(told(kind, news), story))
    assert DoorSight.UNKNOWN in [doors[0] for doors, _ in seen]
    assert seen[-1][0][0] is DoorSight.CLOSED


def test_surroundings_are_read_by_news_too():
    news, frames = News(), []

    def air(frame):
        frames.append(frame)
        return [(0.008, bytes.fromhex("01 04 04 FF 33 02 22 BA E6"))]

    async def story():
        bridge = Bridge(loop_clock(), opener=Plugboard(air), news=news)
        around = bridge.environment("modbus+rtu:///dev/ttyUSB0?unit=1&profile=xy-md02", "E1")
        async with aclosing(around.watch()) as sights:
            first = await anext(sights)
            waiting = asyncio.ensure_future(anext(sights))
            await asyncio.sleep(1800)
            assert len(frames) == 1
            news.tell("E1")
            assert (await waiting).at == pytest.approx(first.at + 1800, abs=0.1)

    play(story())
