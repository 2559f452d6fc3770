"""Who is read when: a released door closely, the others in turn, the dead hardly ever."""

import asyncio
from contextlib import aclosing, suppress
from itertools import pairwise
from random import Random

import pytest

from controller.faults import DeviceFault, NoReply
from firmware_bridge.open import Bridge
from firmware_bridge.turns import Shares, Turns, Urgency
from tests.firmware_bridge.cabinet_by_the_book import crc
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

T35_S = 0.002005  # at 19200 baud
SLOT_S = 17 * 10 / 19_200 + 2 * T35_S
PROFILE = """
[profile.doors-32]
doors = 32
pulse = { fc = 5, address = 0x0200, value = "ms/100" }
door = { fc = 2 }
"""


def now() -> float:
    return asyncio.get_running_loop().time()


class EightBoards:
    """Units 1 to 8 with 32 doors each, as quick as the standard lets them be."""

    def __init__(self):
        self.open_doors = {unit: set() for unit in range(1, 9)}
        self.dead = set()
        self.asked = []

    def __call__(self, frame):
        unit = frame[0]
        self.asked.append((now(), unit))
        if unit in self.dead:
            return []
        if frame[1] == 5:
            return [(T35_S, frame)]
        first, number = frame[2] << 8 | frame[3], frame[4] << 8 | frame[5]
        shut = [n + 1 not in self.open_doors[unit] for n in range(first, first + number)]
        packed = bytearray((number + 7) // 8)
        for n, bit in enumerate(shut):
            packed[n // 8] |= bit << n % 8
        return [(T35_S, crc(bytes([unit, 2, len(packed)]) + packed))]


@pytest.fixture
def eight(tmp_path):
    (tmp_path / "mine.toml").write_text(PROFILE)
    boards = EightBoards()

    def rows(**more):
        bridge = Bridge(loop_clock(), opener=Plugboard(boards), user_profiles=tmp_path, **more)
        url = "modbus+rtu:///dev/ttyUSB0?baud=19200&profile=doors-32&unit="
        return bridge, [bridge.lock_board(f"{url}{unit}", f"A{unit}") for unit in range(1, 9)]

    boards.rows = rows
    return boards


async def watch(row, seen=None):
    """As a site does: what ends is begun again."""
    while True:
        with suppress(DeviceFault):
            async with aclosing(row.watch()) as sights:
                async for sight in sights:
                    if seen is not None:
                        seen(sight)
        await asyncio.sleep(0.5)


async def watching(rows, story):
    async with asyncio.TaskGroup() as tasks:
        watches = [tasks.create_task(watch(row)) for row in rows]
        await asyncio.sleep(1)
        await story()
        for each in watches:
            each.cancel()


def gaps(asked, unit):
    at = [when for when, whom in asked if whom == unit]
    return sorted(later - sooner for sooner, later in pairwise(at))


def test_idle_boards_are_read_in_turn(eight):
    async def story():
        eight.asked.clear()
        await asyncio.sleep(10)
        for unit in range(1, 9):
            assert gaps(eight.asked, unit)[-1] <= 8 * SLOT_S * 1.1 + 0.002

    play(watching(eight.rows()[1], story))


def test_a_released_door_s_board_has_every_second_slot_until_it_is_shut_again(eight):
    _, rows = eight.rows()

    async def story():
        await rows[2].release(7)
        await asyncio.sleep(0.1)
        eight.asked.clear()
        await asyncio.sleep(5)
        assert gaps(eight.asked, 3)[-1] <= 2 * SLOT_S * 1.1
        for unit in (1, 2, 4, 5, 6, 7, 8):  # the others share the rest
            assert gaps(eight.asked, unit)[-1] <= 7 * 2 * SLOT_S * 1.1
        eight.open_doors[3].add(7)
        await asyncio.sleep(20)  # longer than a bolt is waited for: it stands open
        eight.asked.clear()
        await asyncio.sleep(2)
        assert gaps(eight.asked, 3)[-1] <= 2 * SLOT_S * 1.1
        eight.open_doors[3].clear()
        await asyncio.sleep(1)
        eight.asked.clear()
        await asyncio.sleep(2)
        assert gaps(eight.asked, 3)[0] >= 4 * SLOT_S

    play(watching(rows, story))


def test_a_door_that_was_released_is_seen_within_40_ms_and_others_wait_less_than_twice(eight):
    _, rows = eight.rows()
    dice = Random(4)

    async def first_read(unit):
        """Until the board is asked after its door has moved, and has answered."""
        moved_at = now()
        before = len(eight.asked)
        await asyncio.sleep(16 * SLOT_S)
        asked_at = next(at for at, whom in eight.asked[before:] if whom == unit)
        return asked_at - moved_at + SLOT_S - T35_S

    async def story():
        released, idle = [], []
        for _ in range(150):
            await rows[2].release(dice.randint(1, 32)) if len(released) % 20 == 0 else None
            await asyncio.sleep(dice.uniform(0.1, 0.2))  # between two boards' reads
            released.append(await first_read(3))
            idle.append(await first_read(6))
        assert sorted(released)[148] <= 0.040
        assert sorted(idle)[148] <= 1.8 * 8 * SLOT_S + SLOT_S

    play(watching(rows, story))


def test_shares_are_settings(eight):
    _, rows = eight.rows(shares=Shares(attentive_slots=1, idle_slots=3))

    async def story():
        await rows[2].release(7)
        await asyncio.sleep(0.1)
        eight.asked.clear()
        await asyncio.sleep(4)
        assert gaps(eight.asked, 3)[0] >= 3.5 * SLOT_S
        assert gaps(eight.asked, 3)[-1] <= 4 * SLOT_S * 1.1

    play(watching(rows, story))


@pytest.mark.parametrize(
    "wrong", [{"attentive_slots": 0}, {"idle_slots": 0}, {"silent": 0}, {"silent": 1}]
)
def test_nobody_is_left_without_a_share(wrong):
    with pytest.raises(ValueError, match="slot|share"):  # noqa: RUF043 - either
        Shares(**wrong)


def test_two_attentive_boards_share_what_one_would_have():
    async def story():
        turns, held = Turns(), []

        async def ask(name, urgency, times):
            for _ in range(times):
                async with turns.turn(urgency):
                    held.append(name)
                    await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as tasks:
            for name in "AB":
                tasks.create_task(ask(name, Urgency.ATTEND, 20))
            for name in "xyz":
                tasks.create_task(ask(name, Urgency.POLL, 20))
        assert sum(name in "AB" for name in held[:60]) == pytest.approx(30, abs=2)
        assert held[:60].count("A") == pytest.approx(15, abs=2)

    play(story())


def test_a_dead_board_costs_the_living_a_twentieth_of_the_line_at_most(eight):
    bridge, rows = eight.rows()
    (bus,) = bridge.lines.values()

    async def polls_of_the_living(seconds):
        eight.asked.clear()
        await asyncio.sleep(seconds)
        return sum(unit != 5 for _, unit in eight.asked)

    async def story():
        await asyncio.sleep(5)  # how fast they answer is learnt
        before = await polls_of_the_living(30)
        eight.dead = {5}
        assert await polls_of_the_living(30) >= 0.87 * before  # it takes a while to be sure
        with_a_corpse = await polls_of_the_living(100)
        eight.dead = set()
        await asyncio.sleep(30)
        assert bus.stations[5].silent == 0  # it is back
        all_alive = await polls_of_the_living(100)
        assert with_a_corpse >= 0.95 * all_alive

    play(watching(rows, story))


def test_the_patience_follows_what_a_board_has_shown(eight):
    _, rows = eight.rows()

    async def asked_in_vain():
        started = now()
        with pytest.raises(NoReply) as fault:
            await rows[0].panel.read_doors(Urgency.LOOK, 1)
        assert "no answer within" in fault.value.what
        return now() - started

    async def story():
        for _ in range(8):
            await rows[0].look()
        await asyncio.sleep(1)
        eight.dead = {1}
        assert await asked_in_vain() == pytest.approx(0.1, abs=0.02)  # the floor
        await asyncio.sleep(2)
        assert await asked_in_vain() == pytest.approx(0.3, abs=0.02)  # in doubt, the ceiling

    play(story())


def test_a_slow_board_is_waited_for_three_times_its_slowest():
    async def story():
        def slow(frame):
            return (
                [(0.06, crc(b"\x01\x02\x04\xff\xff\xff\xff"))] if frame[1] == 2 else [(0.06, frame)]
            )

        bridge = Bridge(loop_clock(), opener=Plugboard(slow))
        row = bridge.lock_board("modbus+rtu:///dev/ttyUSB0?unit=1&profile=waveshare-relay-d-8", "A")
        (bus,) = bridge.lines.values()
        with suppress(DeviceFault):
            await row.look()
        station = bus.stations[1]
        for _ in range(8):
            station.answered(0.06)
        assert station.patience_s(0.1, 0.3) == pytest.approx(0.18)
        station.answered(0.2)
        assert station.patience_s(0.1, 0.3) == 0.3

    play(story())


def test_figures_of_a_line_and_of_a_board(eight):
    bridge, rows = eight.rows()

    async def story():
        await asyncio.sleep(20)
        eight.dead = {5}
        await asyncio.sleep(5)
        (told,) = bridge.figures()
        line, board, dead = told.numbers, told.boards["A1"], told.boards["A5"]
        assert told.line == "/dev/ttyUSB0"
        assert told.connected
        assert line["utilisation"] < line["utilisation_of_limit"] <= 1.0
        assert 0 < board["replies"] <= board["requests"]
        assert board["turnaround_p50_s"] == pytest.approx(T35_S, abs=0.0001)
        assert board["turnaround_p99_s"] >= board["turnaround_p50_s"]
        assert 0.1 <= board["read_gap_longest_s"] <= 0.8
        assert line["turnaround_p50_s"] == board["turnaround_p50_s"]
        assert line["pause_shortest_s"] == pytest.approx(line["pause_owed_s"], abs=1e-6)
        assert line["pause_owed_s"] >= T35_S
        assert board["timeouts"] == board["silent"] == 0
        assert dead["timeouts"] >= dead["silent"] >= 3
        assert dead["read_gap_longest_s"] == dead["read_ago_s"] >= 5

    play(watching(rows, story))
