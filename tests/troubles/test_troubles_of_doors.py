"""What goes wrong with a switch, a lock or a sensor, on each kind of board that reads it."""

import asyncio

import pytest

from controller.faults import OutcomeUnknown
from controller.ports import DoorSight, Presence
from simulator.door import Impossible
from tests.troubles.benches import BOARDS, following, opens, rehearse

OPEN, CLOSED, UNKNOWN = DoorSight.OPEN, DoorSight.CLOSED, DoorSight.UNKNOWN
NO = 2  # the door that trouble comes to

on_each_board = pytest.mark.parametrize("kind", BOARDS, ids=str)
with_items = pytest.mark.parametrize("kind", [kind for kind in BOARDS if kind.has_items], ids=str)


async def released(bench):
    """The order was given, whether or not the board can say so."""
    fault = await bench.release(NO)
    assert fault is None or isinstance(fault, OutcomeUnknown)
    await asyncio.sleep(1.0)


@pytest.mark.parametrize("kind", BOARDS, ids=str)
def test_a_switch_that_bounces_is_one_opening_and_one_shutting(kind):
    async def story(bench):
        counted = bench.door_trouble(NO, bounce=True)
        async with following(bench.a) as ours:
            await asyncio.sleep(2.0)
            for _ in range(10):
                await bench.swing(NO)
            await asyncio.sleep(1.0)
        assert ours.told(NO) == [CLOSED, *[OPEN, CLOSED] * 5]
        assert counted["bounce"] == 10

    rehearse(kind, story)


@on_each_board
@pytest.mark.parametrize("rate", [3.0, 20.0])
def test_an_input_that_floats_is_unknown_and_no_storm(kind, rate):
    async def story(bench):
        async with following(bench.a) as ours:
            await asyncio.sleep(2.0)
            counted = bench.door_trouble(NO, floating=rate)
            await asyncio.sleep(30.0)
            told = ours.told(NO)
            assert told[-1] is UNKNOWN
            assert told.count(OPEN) <= 6
            assert ours.told(1) == ours.told(kind.doors) == [CLOSED]
            assert counted["floating"] > 10
            bench.door_trouble(NO)
            await asyncio.sleep(15.0)
            assert ours.told(NO)[-1] is CLOSED

    rehearse(kind, story)


@on_each_board
@pytest.mark.parametrize(("name", "says"), [("stuck_open", [NO]), ("stuck_closed", [])])
def test_a_stuck_switch_is_told_as_it_is(kind, name, says):
    async def story(bench):
        counted = bench.door_trouble(NO, **{name: True})
        await bench.sees(*says)
        await bench.swing(NO)
        await bench.sees(*says)
        assert counted[name] > 0

    rehearse(kind, story)


@on_each_board
def test_a_reversed_door_is_found_by_opening_it(kind):
    async def story(bench):
        counted = bench.door_trouble(NO, reversed=True)
        await bench.sees(NO)
        await released(bench)
        await bench.pull(NO)
        await bench.sees()
        assert counted["reversed"] > 0

    rehearse(kind, story)


@on_each_board
def test_a_reversed_board_is_told_to_us_in_its_url(kind):
    async def story(bench):
        counts = [bench.door_trouble(no, reversed=True) for no in range(1, kind.doors + 1)]
        await bench.sees()
        await released(bench)
        await bench.pull(NO)
        await bench.sees(NO)
        assert all(counted["reversed"] for counted in counts)
        for each in range(1, kind.doors + 1):  # calm is a board that is wired as we are told
            bench.door_trouble(each)

    rehearse(kind, story, more="&closed=0", calm=False)


@on_each_board
def test_a_welded_contact_frees_its_lock_without_any_pulse(kind):
    async def story(bench):
        counted = bench.door_trouble(NO, welded=True)
        await asyncio.sleep(1.0)
        await bench.pull(NO)
        await bench.sees(NO)
        assert bench.bus.budget.refusal(bench.a.panel.lock(NO)) == ""
        await bench.swing(NO)
        await released(bench)
        await bench.pull(NO)
        assert counted["welded"] > 0
        bench.door_trouble(NO)
        bench.free()

    rehearse(kind, story)


@on_each_board
@pytest.mark.parametrize(
    ("name", "moves"), [("dead_relay", 0), ("weak", 0), ("jammed", 1), ("relatch", 1)]
)
def test_a_door_that_does_not_open_is_never_told_to_be_open(kind, name, moves):
    async def story(bench):
        async with following(bench.a) as ours:
            await asyncio.sleep(2.0)
            counted = bench.door_trouble(NO, **{name: True})
            await released(bench)
            if name == "relatch":
                await asyncio.sleep(3.0)
            with pytest.raises(Impossible):
                await bench.pull(NO)
            await asyncio.sleep(12.0)
            assert ours.told(NO) == [CLOSED]
        assert bench.moves() == bench.door(NO).released == moves
        assert counted[name] > 0

    rehearse(kind, story)


@on_each_board
def test_crossed_switches_show_the_other_door(kind):
    async def story(bench):
        await bench.sees()
        counted = bench.door_trouble(NO, crosswired=kind.doors)
        await released(bench)
        await bench.pull(NO)
        assert opens(await bench.a.look()) == [kind.doors]
        assert counted["crosswired"] > 0
        bench.door_trouble(NO)
        await bench.sees(NO)

    rehearse(kind, story)


@on_each_board
def test_crossed_locks_open_the_other_door_and_show_it(kind):
    async def story(bench):
        await bench.sees()
        counted = bench.door_trouble(NO, wrong_lock=kind.doors)
        await released(bench)
        await bench.pull(kind.doors)
        assert opens(await bench.a.look()) == [kind.doors]
        assert (bench.door(NO).released, bench.door(kind.doors).released) == (0, 1)
        assert counted["wrong_lock"] > 0

    rehearse(kind, story)


@with_items
@pytest.mark.parametrize("share", [0.01, 1.0])
def test_a_ghost_behind_a_door_moves_no_door(kind, share):
    async def story(bench):
        async with following(bench.a) as ours:
            await asyncio.sleep(2.0)
            counted = bench.door_trouble(NO, ghost_item=share)
            await asyncio.sleep(10.0 if share == 1.0 else 100.0)
            ghosts = [sight for sight in ours.seen if sight.items[NO - 1] is Presence.PRESENT]
            assert bool(ghosts) is (share == 1.0)  # one read alone is not believed
            assert ours.told(NO) == [CLOSED]
        assert counted["ghost_item"] > 0

    rehearse(kind, story)
