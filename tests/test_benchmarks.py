"""The plain parts of the benchmarks; what they measure is not measured here."""

import os
import time

import pytest

from script.benchmarks import mqtt, pickup, site_start, site_writer
from script.benchmarks.far_end import BAUD, EXCHANGE_S, SILENCE_S, Cabinet, FarEnd, sealed
from script.benchmarks.paced import PacedBoards, exchange_s
from script.benchmarks.pickup import Played
from script.benchmarks.rows import Row
from script.benchmarks.running_site import quantile


def test_a_quantile_is_a_value_that_was_measured():
    values = [float(number) for number in range(100, 0, -1)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile([3.0], 0.5)) == (50, 99, 3)


@pytest.mark.parametrize(("goal", "met"), [("", True), (">= 2", True), ("< 2", False)])
def test_a_goal_is_a_comparison(goal, met):
    assert Row("door", 2.0, "of the floor", goal).met is met


def test_the_floor_of_a_door_is_a_scan_and_a_second_read_50_ms_later():
    assert mqtt.floor_s(0.5) == pytest.approx(0.0710, abs=0.0001)
    assert mqtt.floor_s(1.0) - mqtt.floor_s(0.0) == pytest.approx(0.0257, abs=0.0001)


def test_syncs_are_counted_between_a_scan_and_its_pulse():
    played = Played(waits=[(1.0, 2.0), (3.0, 4.0)], line_free=[1.5, 3.0], syncs=[])
    assert played.counts([0.9, 1.1, 1.9, 2.1, 3.5]) == [2, 1]
    assert played.beyond_line() == [0.5, 1.0]


def test_a_pulse_may_be_a_fifth_later_than_its_syncs_and_one_exchange():
    floor_s = 0.001 + EXCHANGE_S + SILENCE_S
    played = Played(
        waits=[(1.0, 1.0 + 1.1 * floor_s), (2.0, 2.0 + 1.3 * floor_s)],
        line_free=[1.0, 2.0],
        syncs=[0.001, 0.001],
    )
    p50, p99, syncs = pickup.rows(played, [1, 1])
    assert (p50.value, p50.met) == (1.1, True)
    assert (p99.value, p99.met) == (1.3, False)
    assert (syncs.value, syncs.met) == (1, True)
    assert not pickup.rows(played, [1, 3])[2].met


def test_a_site_writes_little_in_its_busiest_hour():
    assert site_writer.peak_acts_a_second() == pytest.approx(0.065)


def test_a_writer_is_compared_by_its_best_round_and_waited_for_as_usual():
    ours, theirs = [(500.0, 0.03), (400.0, 0.05), (100.0, 0.2)], [(250.0, 0.1), (200.0, 0.1)]
    of_thread, headroom, on_card, last = site_writer.rows(ours, theirs, [0.001, 0.009])
    assert of_thread.value == 2
    assert headroom.value == pytest.approx(500 / 0.065)
    assert on_card.value == pytest.approx(1 / (0.001 + 0.020) / 0.065)  # an act, then its sync
    assert (last.value, last.met) == (50, True)


async def test_both_writers_make_every_act_durable(tmp_path):
    rows = await site_writer.measure(tmp_path, lambda _doing: None, rounds=1)
    assert rows[0].name == "site_writer.of_thread"


def test_a_long_journal_is_told_apart_by_processor_time():
    short, long = site_start.Started(5.0, 1.0, 90.0), site_start.Started(9.0, 1.5, 100.0)
    rows = {row.name: row for row in site_start.rows(0.3, 10, short, long, {"entries": 500_000})}
    process = rows["site_start.process"]
    assert (process.value, process.met, process.detail["ns_an_entry"]) == (1.5, False, 1000)
    assert rows["site_start.memory"].met
    assert rows["site_start.ready"].met


def test_the_far_end_answers_as_slowly_as_its_line_and_notes_a_pulse():
    cabinet = Cabinet(1)
    cabinet.shut[2] = False
    with FarEnd([cabinet]) as far_end:
        master = os.open(far_end.line, os.O_RDWR | os.O_NOCTTY)
        began = time.monotonic()
        os.write(master, sealed(bytes([2, 2, 0, 0, 0, 32])))
        assert _read(master, 9) == sealed(bytes([2, 2, 4, 0b11111011, 255, 255, 255]))
        assert time.monotonic() - began >= EXCHANGE_S
        assert far_end.free_at(began + 0.001) >= began + EXCHANGE_S + SILENCE_S - 0.001
        pulse = sealed(bytes([1, 5, 2, 6, 0, 1]))
        os.write(master, pulse)
        assert _read(master, 8) == pulse
        assert far_end.pulses.get(timeout=5).door == 7
        os.close(master)


def _read(master: int, size: int) -> bytes:
    heard = b""
    while len(heard) < size:
        heard += os.read(master, size - len(heard))
    return heard


def test_strict_boards_answer_at_the_pace_of_their_line_and_keep_count():
    question = sealed(bytes([3, 2, 0, 0, 0, 32]))
    with PacedBoards(BAUD, strict=True) as boards:
        master = os.open(boards.path, os.O_RDWR | os.O_NOCTTY)
        began = time.monotonic()
        os.write(master, question)
        assert _read(master, 9) == sealed(bytes([3, 2, 4, 255, 255, 255, 255]))
        assert time.monotonic() - began >= exchange_s(BAUD)
        time.sleep(0.05)
        os.write(master, question)
        _read(master, 9)
        os.close(master)
    assert (boards.heard.answered, boards.heard.ignored, boards.broken) == (2, 0, 0)
