"""What goes wrong between a board and us, on each kind of board that it can happen to."""

import asyncio
from contextlib import suppress
from math import inf
from random import Random

import pytest

from controller.faults import NotConfigured, NotMoved, OutcomeUnknown
from controller.ports import DoorSight
from firmware_bridge.turns import Urgency
from tests.firmware_bridge.jumping_loop import play
from tests.troubles.benches import (
    BOARDS,
    ON_RS485,
    UNANSWERED,
    Bench,
    following,
    living,
    rehearse,
)

LOOKS = 20
NOTICED_S = 30.0  # by then a silent board is asked as seldom as it will be
WINDOW_S = 40.0
BACK_S = 30.0  # until it is asked again and heard
HARDLY = 1e-9
NOTHING_LOST = 0.9  # of the looks, where only a few answers suffer


def on(kinds):
    return pytest.mark.parametrize("kind", kinds, ids=str)


async def looks(bench: Bench, dice: Random) -> int:
    """Doors swing and are looked at; nothing untrue is believed. How many looks told something."""
    told, open_door = 0, 0
    for _ in range(LOOKS):
        no = dice.randint(1, bench.kind.doors)
        if open_door:
            await bench.swing(open_door)
        await bench.swing(no)
        open_door = no
        told += await bench.tries_to_see(no)
    await bench.swing(open_door)
    return told


async def releases(bench: Bench) -> list[Exception | None]:
    """Every door once: its bolt moves at most once, not at all where that was said."""
    outcomes = []
    for no in range(1, bench.kind.doors + 1):
        before = bench.moves()
        outcomes.append(fault := await bench.release(no))
        await asyncio.sleep(2.0)
        moved = bench.moves() - before
        assert moved in ((0,) if isinstance(fault, NotMoved) else (0, 1))
        assert fault is None or isinstance(fault, (NotMoved, OutcomeUnknown))
        if bench.door(no).open:
            await bench.swing(no)
    return outcomes


# ------------------------------------------------------------------ answers that fail


@on(BOARDS)
def test_a_silent_board_costs_the_others_nothing(kind):
    async def story(bench):
        async with following(bench.a) as ours, following(bench.b) as others:
            await asyncio.sleep(WINDOW_S)
            usual = requests(bench)
            bench.trouble(silent=bench.stations)
            await asyncio.sleep(NOTICED_S)
            assert ours.faults
            assert all(isinstance(fault, UNANSWERED) for fault in ours.faults)
            noticed = requests(bench)
            await asyncio.sleep(WINDOW_S)
            since = [now - then for now, then in zip(requests(bench), noticed, strict=True)]
            assert since[0] <= 0.1 * usual[0]
            assert since[1] >= 0.9 * usual[1]
            assert not others.faults
            seen = len(ours.seen)
            bench.trouble()
            await asyncio.sleep(BACK_S)
            assert len(ours.seen) > seen
        assert bench.counted.silent > 0

    rehearse(kind, story)


def requests(bench):
    return [
        sum(bench.bus.stations[unit].requests for unit in bench.kind.addresses(first))
        for first in bench.kind.units
    ]


@on(BOARDS)
def test_a_board_that_falls_silent_in_the_middle_is_noticed(kind):
    async def story(bench):
        bench.trouble(silent=bench.stations, silent_after=5)
        async with following(bench.a) as ours, following(bench.b) as others:
            await asyncio.sleep(40.0)
            assert ours.seen
            assert ours.faults
            assert not others.faults
        assert bench.counted.silent > 0

    rehearse(kind, story)


@on([kind for kind in BOARDS if kind.scheme == "modbus+tcp"])
def test_a_gateway_that_tells_of_a_silent_board_is_well_itself(kind):
    async def story(bench):
        bench.trouble(silent=bench.stations, gateway=True)
        with pytest.raises(UNANSWERED):
            await bench.a.look()
        assert isinstance(await bench.release(1), (NotMoved, OutcomeUnknown))
        await bench.sees(board=bench.b)
        assert bench.moves() == 0
        assert bench.counted.gateway > 0

    rehearse(kind, story)


@on(BOARDS)
def test_what_is_lost_is_read_again_and_never_pulsed_again(kind):
    async def story(bench):
        await bench.sees()
        bench.trouble(lost=0.3)
        outcomes = await releases(bench)
        assert bench.moves() <= len(outcomes)
        assert await looks(bench, Random(1)) >= LOOKS / 3
        assert bench.counted.lost > 0
        assert bench.bus.counters.timeouts > 0

    rehearse(kind, story)


@on(BOARDS)
def test_a_late_answer_is_never_taken_for_another(kind):
    async def story(bench):
        bench.trouble(late=0.2)
        assert await looks(bench, Random(2)) >= LOOKS / 2
        await releases(bench)
        assert bench.counted.late > 0

    rehearse(kind, story)


@on(BOARDS)
def test_the_second_of_two_answers_is_dropped(kind):
    async def story(bench):
        bench.trouble(doubled=1.0 / max(3, 2 * kind.stations))  # a look is that many answers
        assert await looks(bench, Random(3)) >= NOTHING_LOST * LOOKS
        await releases(bench)
        assert bench.counted.doubled > 0

    rehearse(kind, story)


@on(ON_RS485)
def test_what_is_garbled_is_counted_and_not_believed(kind):
    async def story(bench):
        bench.trouble(garbled=0.2)
        assert await looks(bench, Random(4)) >= LOOKS / 2
        await releases(bench)
        assert bench.counted.garbled > 0
        assert bench.bus.counters.refused.total() + bench.bus.counters.noise_bytes > 0

    rehearse(kind, story)


@on(BOARDS)
def test_an_answer_in_pieces_is_put_together(kind):
    async def story(bench):
        bench.trouble(split=1.0)
        assert await looks(bench, Random(5)) == LOOKS
        await releases(bench)
        assert bench.counted.split > 0

    rehearse(kind, story)


# ------------------------------------------------------------------ what else is on the wire


@on(ON_RS485)
def test_an_echo_is_no_answer_to_a_read(kind):
    async def story(bench):
        bench.trouble(echo=True)
        await looks(bench, Random(6))
        await releases(bench)
        bench.trouble(echo=True, silent=bench.stations)
        with pytest.raises(UNANSWERED):
            await bench.a.look()
        assert bench.counted.echo > 0

    rehearse(kind, story)


@on(ON_RS485)
def test_garbage_costs_one_exchange_at_most(kind):
    async def story(bench):
        await bench.sees()
        await asyncio.sleep(1.0)
        before, bursts = failures(bench), 20
        for _ in range(bursts):
            bench.trouble()
            bench.trouble(garbage=HARDLY)  # another board is plugged
            await bench.sees()
        assert failures(bench) - before <= bursts
        bench.world.restart("L1", [], 0.0)
        await asyncio.sleep(3.0)
        await bench.sees()
        bench.trouble(garbage=0.1)  # the line has no bias
        assert await looks(bench, Random(7)) >= NOTHING_LOST * LOOKS
        assert bench.counted.garbage > bursts

    rehearse(kind, story)


def failures(bench):
    return bench.bus.counters.timeouts + bench.bus.counters.refused.total()


@on(ON_RS485)
def test_two_boards_on_one_address_show_on_that_address_only(kind):
    async def story(bench):
        bench.trouble(collision=bench.stations)
        for _ in range(LOOKS):  # whichever of the two is heard, it is not known which
            with suppress(*UNANSWERED):
                await bench.a.look()
            await bench.sees(board=bench.b)
        assert bench.counted.collision > 0
        bad = [
            sum(bench.bus.stations[unit].refused.total() for unit in kind.addresses(first))
            for first in kind.units
        ]
        assert bad[0] > 0
        assert bad[1] == 0

    rehearse(kind, story)


@pytest.mark.parametrize("seed", range(8))
@on([kind for kind in ON_RS485 if kind.scheme.startswith("xorboard")])
def test_two_xor_boards_on_one_address_do_not_add_up_in_the_first_read(kind, seed):
    """How long a board's answer is, is not known then: a pause ends it."""

    async def story():
        bench = Bench(kind, seed=seed)
        async with living(bench.world):
            await bench.swing(3)
            bench.trouble(collision=bench.stations)
            try:
                sight = await bench.a.look()
            except UNANSWERED:
                pass
            else:  # one of the two was heard, and they differ in one bit
                shut = [door is DoorSight.CLOSED for door in sight.doors]
                true = [no != 3 for no in range(1, kind.doors + 1)]
                assert sum(one is not other for one, other in zip(shut, true, strict=True)) <= 1
            assert bench.counted.collision > 0
            bench.trouble()
            await asyncio.sleep(10.0)
            await bench.sees(3)
        bench.bridge.close()

    play(story())


@on(ON_RS485)
def test_crossed_wires_move_nothing_and_tell_nothing(kind):
    async def story(bench):
        bench.trouble(swapped=True)
        async with following(bench.a) as ours, following(bench.b) as others:
            await asyncio.sleep(40.0)
            assert ours.faults
            assert others.faults
            assert not ours.seen + others.seen
        with pytest.raises(UNANSWERED):
            await bench.a.look()
        assert isinstance(await bench.release(1), (NotMoved, OutcomeUnknown))
        assert bench.moves() == 0
        assert bench.counted.swapped > 0

    rehearse(kind, story)


@on(ON_RS485)
@pytest.mark.parametrize("name", ["wrong_speed", "wrong_parity"])
def test_a_board_that_is_set_otherwise_is_silent_and_the_others_are_not(kind, name):
    async def story(bench):
        bench.trouble(**{name: bench.stations})
        with pytest.raises(UNANSWERED):
            await bench.a.look()
        assert isinstance(await bench.release(1), (NotMoved, OutcomeUnknown))
        await bench.sees(board=bench.b)
        assert bench.moves() == 0
        assert getattr(bench.counted, name) > 0

    rehearse(kind, story)


# ------------------------------------------------------------------ boards that pulse


@on(BOARDS)
def test_a_board_that_is_deaf_while_it_pulses_has_not_failed(kind):
    async def story(bench):
        await bench.sees()
        bench.trouble(slow_after_pulse=bench.stations)
        for no in (1, 2, 3):
            assert not isinstance(await bench.release(no), NotMoved)
            await asyncio.sleep(2.0)
            assert bench.door(no).released == 1
            await bench.pull(no)
        await bench.sees(1, 2, 3)
        assert bench.counted.slow_after_pulse > 0

    rehearse(kind, story)


@on(BOARDS)
def test_a_board_that_restarts_on_a_pulse_is_read_and_not_pulsed_again(kind):
    async def story(bench):
        async with following(bench.a) as ours:
            await asyncio.sleep(2.0)
            bench.trouble(reboot=1.0)
            assert not isinstance(await bench.release(1), NotMoved)
            await asyncio.sleep(10.0)
            bench.trouble()
            assert bench.door(1).released <= 1
            assert not bench.door(1).coil
            if not bench.door(1).open:
                await bench.swing(1)
            await asyncio.sleep(10.0)
            assert ours.told(1)[-1] == "open"
            assert bench.door(1).released <= 1
        assert bench.counted.reboot > 0

    rehearse(kind, story)


@on([kind for kind in BOARDS if kind.profile.startswith("kerong")])
def test_a_board_that_stays_busy_after_an_open_opens_the_next_door_too(kind):
    async def story(bench):
        bench.trouble(busy_after_open=bench.stations)
        for no in range(1, 9):
            assert not isinstance(await bench.release(no), NotMoved)
            await asyncio.sleep(1.0)
            assert bench.door(no).released == 1
        assert bench.counted.busy_after_open == 0  # no order met a board that was stuck
        # The trouble is real: who does not read between two orders opens one door.
        panel = bench.a.panel
        for no in (9, 10):
            await panel.pulse(no, by=inf, longer=False)
            await asyncio.sleep(3.0)
        assert [bench.door(no).released for no in (9, 10)] == [1, 0]
        assert bench.counted.busy_after_open == 1
        await panel.read_doors(Urgency.LOOK, 1)
        await panel.pulse(10, by=inf, longer=False)
        await asyncio.sleep(1.0)
        assert bench.door(10).released == 1

    rehearse(kind, story)


@on([kind for kind in BOARDS if kind.profile == "waveshare-relay-d-8"])
def test_a_board_whose_inputs_fire_its_locks_is_refused(kind):
    async def story(bench):
        bench.trouble(linkage=bench.stations)
        with pytest.raises(NotConfigured, match="control mode"):
            await bench.a.look()
        assert isinstance(await bench.release(1), NotMoved)
        await bench.swing(1)
        assert bench.counted.linkage > 0
        bench.trouble()
        await bench.a.look()
        bench.free()

    rehearse(kind, story)
