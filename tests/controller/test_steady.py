"""The time that a site decides by: forward only, and no jump is believed that nobody confirms."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from controller.steady import FOLLOW_S, SteadyClock

START = datetime(2026, 11, 24, 1, tzinfo=UTC)
YEAR = 365.25 * 86_400
JUMPS = (-20 * YEAR, -3600.0, -301.0, -299.0, -1.0, 1.0, 299.0, 301.0, 3600.0, 20 * YEAR)


class Machine:
    """A machine's two clocks, each set by hand."""

    def __init__(self) -> None:
        self.wall = START
        self.elapsed = 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def passes(self, seconds: float) -> None:
        self.elapsed += seconds
        self.wall += timedelta(seconds=seconds)

    def jumps(self, wall_s: float) -> None:
        self.wall += timedelta(seconds=wall_s)


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def time(machine):
    steady = SteadyClock(machine)
    steady.start_from(START)
    return steady


def seconds(time):
    return (time.now() - START).total_seconds()


def test_while_the_wall_clock_is_near_it_is_the_time(machine, time):
    for _ in range(100):
        machine.passes(7.5)
        assert time.now() == machine.wall
    assert not time.doubted
    assert time.since_step_s() is None


@pytest.mark.parametrize("jump_s", JUMPS)
@pytest.mark.parametrize("asleep", [False, True], ids=["wall", "wall and elapsed"])
def test_no_jump_turns_time_back_and_no_large_one_is_followed(machine, time, jump_s, asleep):
    machine.passes(60)
    before = seconds(time)
    machine.jumps(jump_s)
    slept = abs(jump_s) if asleep else 0.0
    machine.elapsed += slept
    after = seconds(time)
    step = jump_s - slept
    assert after >= before
    if abs(step) <= FOLLOW_S:
        assert after - before <= max(jump_s, slept)
    else:
        assert after - before == pytest.approx(slept)
    assert time.doubted is (abs(step) > FOLLOW_S)
    assert (time.since_step_s() is not None) is (abs(step) > 2)


@pytest.mark.parametrize("jump_s", JUMPS)
def test_a_clock_that_is_set_right_again_has_expired_nothing(machine, time, jump_s):
    machine.passes(60)
    machine.jumps(jump_s)
    machine.passes(600)
    time.now()
    machine.jumps(-jump_s)
    machine.passes(1)
    assert seconds(time) <= 661 + max(0.0, jump_s if abs(jump_s) <= FOLLOW_S else 0.0)
    machine.passes(1000)
    assert time.now() == machine.wall
    assert not time.doubted


def test_a_small_step_back_is_waited_for_and_time_never_stands_still(machine, time):
    machine.passes(10)
    told = [seconds(time)]
    machine.jumps(-200)
    for _ in range(420):
        machine.passes(1)
        told.append(seconds(time))
    assert all(before < after for before, after in pairwise(told))
    assert time.now() == machine.wall


def test_the_districts_word_makes_a_jump_believed(machine, time):
    machine.passes(60)
    machine.jumps(3600)
    time.hear(machine.wall - timedelta(seconds=299))
    assert time.now() == machine.wall
    assert not time.doubted


@pytest.mark.parametrize("told_s", [-YEAR, 0.0, 3600 - 301.0, 3600 + 301.0, YEAR])
def test_a_word_that_does_not_agree_with_the_wall_clock_changes_nothing(machine, time, told_s):
    machine.jumps(3600)
    time.hear(START + timedelta(seconds=told_s))
    assert seconds(time) == 0
    assert time.doubted


def test_nobodys_word_turns_time_back(machine, time):
    machine.passes(3600)
    machine.jumps(-1800)
    time.hear(machine.wall)
    assert seconds(time) == 3600
    assert time.doubted


def test_after_a_start_no_time_before_the_mark_is_believed(machine):
    time = SteadyClock(machine)
    machine.wall = datetime(2000, 1, 1, tzinfo=UTC)  # a dead battery
    time.start_from(START)
    machine.passes(5)
    assert seconds(time) == 5
    assert time.doubted
    assert time.since_step_s() is None


def test_a_short_time_without_power_is_no_doubt(machine):
    time = SteadyClock(machine)
    machine.passes(200)
    time.start_from(START)
    assert time.now() == machine.wall
    assert not time.doubted


def test_whatever_the_clocks_do_time_goes_forward(machine):
    dice = Random(7)
    time = SteadyClock(machine)
    last = time.now()
    for _ in range(20_000):
        match dice.randrange(4):
            case 0:
                machine.jumps(dice.choice(JUMPS))
            case 1:
                time.hear(machine.wall + timedelta(seconds=dice.uniform(-400, 400)))
            case 2 if dice.random() < 0.1:
                time = SteadyClock(machine)
                time.start_from(last)
            case _:
                machine.passes(dice.expovariate(0.1))
        now = time.now()
        assert now >= last
        last = now
