"""The machinery of exhaustive search finds what is there to find, and nothing twice."""

import asyncio

import pytest

from simulator.rehearsal.exhaust import explore
from simulator.rehearsal.forks import Ended, Forks
from simulator.rehearsal.small_world import Budget
from simulator.rehearsal.still_loop import StillLoop


def walk(forks: Forks, *, trap: tuple[int, int] | None = None) -> None:
    """Two counters to three, in any order."""
    at = [0, 0]
    try:
        while True:
            if tuple(at) == trap:
                forks.accuse("the trap")
                forks.end()
            if not forks.reach(1 + at[0] * 10 + at[1], len(forks.way)):
                forks.end()
            ways = [(f"step {n}", n) for n in (0, 1) if at[n] < 3]
            if not ways:
                forks.end()
            at[forks.choose(ways)] += 1
    except Ended:
        return


def test_each_state_is_counted_once_over_all_processes():
    forks = Forks()
    walk(forks)
    seen = forks.seen()
    assert (seen.states, seen.deepest, seen.violation) == (16, 6, "")


def test_a_violation_is_told_with_the_way_that_led_there():
    forks = Forks()
    walk(forks, trap=(0, 2))
    assert forks.seen().violation == "the trap\n  step 1\n  step 1"


def test_time_stands_still_until_it_is_let_pass():
    loop = StillLoop()
    rung: list[float] = []

    async def ring_thrice() -> None:
        for _ in range(3):
            await asyncio.sleep(2.0)
            rung.append(loop.time())

    task = loop.create_task(ring_thrice())
    loop.settle()
    assert (rung, loop.next_at()) == ([], 2.0)
    loop.pass_to(5.0)
    assert (rung, loop.time()) == ([2.0, 4.0], 5.0)
    loop.pass_to(6.0)
    assert task.done()
    assert loop.next_at() == float("inf")
    loop.close()


@pytest.mark.parametrize("sensors", [True, False])
def test_every_order_of_events_around_one_scan_is_safe(sensors: bool):  # noqa: FBT001 - a column
    seen = explore(Budget(1, cuts=0, lost=0, again=0, codes=("N2",)), sensors=sensors)
    assert seen.violation == ""
    assert seen.states > 50
    assert seen.moved > 5
