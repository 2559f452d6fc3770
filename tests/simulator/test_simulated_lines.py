"""Lines: silence, pace, noise and trouble."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import modbus
from simulator.devices.input_board import InputBoard
from simulator.faults import Trouble
from simulator.line import silence_s
from simulator.lines import Ear, Frames, TcpWire, Wire
from simulator.plan import LinePlan
from simulator.timeline import Timeline

READ = bytes.fromhex("02 02 00 00 00 20 79 E1")
HEARTBEAT = bytes.fromhex("00 07 00 00 00 06 02 02 00 00 00 20")


def wire_at(baud=19_200, **plan):
    return Wire(LinePlan("L", baud, **plan), [InputBoard(2, 32)], Timeline(0.0), seed=3)


def tcp_wire():
    return TcpWire("M", [InputBoard(2, 32)], Timeline(0.0), seed=3)


def joined(pieces):
    return b"".join(piece for _, piece in pieces)


def test_silence_is_counted_in_characters_and_fixed_above_19200():
    assert silence_s(9600) == pytest.approx(0.00401, abs=1e-5)
    assert silence_s(19_200) == pytest.approx(0.002005, abs=1e-6)
    assert silence_s(115_200) == silence_s(38_400) == 0.00175


def test_an_answer_comes_after_the_silence_the_turnaround_and_its_characters():
    pieces = wire_at(turnaround_s=(0.0, 0.0)).ask(READ, 0.0)
    assert pieces[-1][0] == pytest.approx(silence_s(19_200) + 9 * 10 / 19_200)
    slow = wire_at(turnaround_s=(0.008, 0.012)).ask(READ, 0.0)
    assert 0.008 <= slow[-1][0] - pieces[-1][0] <= 0.012


def test_characters_become_readable_no_faster_than_the_line():
    wire = wire_at(burst=2)
    begins = None
    for done, (after, piece) in enumerate(wire.ask(READ, 0.0), 1):
        assert len(piece) <= 2
        begins = begins or after - len(piece) * 10 / 19_200
        assert after - begins >= (2 * done - 1) * 10 / 19_200


@given(st.lists(st.integers(1, 8), min_size=1, max_size=8))
def test_a_request_is_one_frame_however_it_arrives_within_the_silence(sizes):
    ear = Ear(wire_at())
    now, rest = 1.0, READ
    for size in sizes:
        chunk, rest = rest[:size], rest[size:]
        if chunk:
            ear.hear(chunk, now)
            now += len(chunk) * 10 / 19_200 + 0.0008  # less than t1.5 of nothing
    if rest:
        ear.hear(rest, now)
    assert ear.cut(now + 1.0)[0] == [READ]


def test_a_pause_inside_a_request_spoils_it_for_strict_boards_only():
    for strict, heard in ((True, []), (False, [READ])):
        wire = wire_at(strict=strict)
        ear = Ear(wire)
        ear.hear(READ[:3], 1.0)
        ear.hear(READ[3:], 1.0 + 3 * 10 / 19_200 + 0.0010)
        assert ear.cut(2.0)[0] == heard
        assert wire.faults.counted.gapped == (0 if heard else 1)


def test_a_frame_is_not_cut_before_the_line_was_silent():
    ear = Ear(wire_at())
    complete = ear.hear(READ, 1.0)
    assert complete == pytest.approx(1.0 + 8 * 10 / 19_200 + silence_s(19_200))
    assert ear.cut(complete - 1e-6)[0] == []
    assert ear.cut(complete)[0] == [READ]


def test_a_strict_board_drops_what_begins_too_soon_after_the_last_frame():
    wire = wire_at()
    ear = Ear(wire)
    ear.quiet_from = 1.0
    ear.hear(READ, 1.0 + silence_s(19_200) - 1e-4)
    assert ear.cut(2.0)[0] == []
    assert wire.faults.counted.too_soon == 1
    ear.hear(READ, 3.0)
    assert ear.cut(4.0)[0] == [READ]


def test_a_tolerant_line_cuts_glued_requests_by_their_length():
    ear = Ear(wire_at(strict=False))
    ear.hear(READ + READ, 1.0)
    assert ear.cut(2.0)[0] == [READ, READ]


@given(st.binary(max_size=600))
def test_noise_costs_only_itself(noise):
    ear = Ear(wire_at())
    ear.hear(noise, 1.0)
    ear.cut(5.0)
    ear.hear(READ, 9.0)
    assert ear.cut(10.0)[0] == [READ]


@given(st.binary(max_size=300))
def test_noise_by_length_never_grows_the_ear(noise):
    ear = Ear(wire_at(strict=False))
    for start in range(0, len(noise), 50):
        ear.hear(noise[start : start + 50], 1.0)
        ear.by_length()
    assert len(ear._held) <= modbus.LONGEST_FRAME + 1


@given(st.binary(max_size=300))
def test_no_noise_is_answered_unless_it_is_whole(noise):
    if not modbus.whole(noise):
        assert wire_at().ask(noise, 0.0) == []


@given(st.lists(st.integers(0, 36), max_size=6))
def test_tcp_frames_survive_any_chopping(cuts):
    stream = HEARTBEAT * 3
    edges = [0, *sorted(cuts), len(stream)]
    frames = Frames()
    heard = []
    for start, end in pairwise(edges):
        heard += frames.feed(stream[start:end])
    assert heard == [HEARTBEAT] * 3


@pytest.mark.parametrize("start", ["00 07 00 01 00 06", "00 07 00 00 00 01", "00 07 00 00 00 FF"])
def test_a_stream_that_is_no_modbus_is_hung_up(start):
    assert Frames().feed(bytes.fromhex(start)) is None


def test_a_tcp_answer_carries_the_transaction_of_its_request():
    assert joined(tcp_wire().ask(HEARTBEAT, 0.0)) == bytes.fromhex(
        "00 07 00 00 00 07 02 02 04 00 00 00 00"
    )


def test_the_same_seed_brings_the_same_trouble():
    def answers():
        wire = wire_at()
        wire.faults.trouble = Trouble(lost=0.2, garbled=0.2, late=0.1, doubled=0.1, split=0.1)
        return [wire.ask(READ, float(n)) for n in range(200)]

    assert answers() == answers()


def test_lost_and_garbled_frames_are_counted_and_the_rest_is_whole():
    wire = wire_at()
    wire.faults.trouble = Trouble(lost=0.1, garbled=0.1)
    answers = [joined(wire.ask(READ, float(n))) for n in range(2000)]
    counted = wire.faults.counted
    silent = answers.count(b"")
    broken = sum(1 for each in answers if each and not modbus.whole(each))
    assert counted.requests == 2000
    assert 120 < counted.lost < 280
    assert 120 < counted.garbled < 280
    assert counted.lost <= silent <= counted.lost + counted.garbled
    assert broken + silent <= counted.lost + counted.garbled
    assert broken


def test_late_doubled_and_split_answers_are_still_the_answer():
    plain = joined(wire_at().ask(READ, 0.0))
    wire = wire_at()
    wire.faults.trouble = Trouble(late=1.0)
    assert wire.ask(READ, 0.0)[-1][0] > 0.3
    wire.faults.trouble = Trouble(doubled=1.0)
    assert joined(wire.ask(READ, 0.0)) == plain * 2
    wire.faults.trouble = Trouble(split=1.0)
    assert joined(wire.ask(READ, 0.0)) == plain
    assert (wire.faults.counted.late, wire.faults.counted.doubled) == (1, 1)
    assert wire.faults.counted.split == 1


def test_a_silent_unit_does_nothing_while_others_answer():
    wire = Wire(LinePlan("L"), [InputBoard(2, 32), InputBoard(3, 8)], Timeline(0.0), seed=1)
    wire.faults.trouble = Trouble(silent=(3,))
    other = modbus.sealed(bytes.fromhex("03 02 00 00 00 08"))
    assert wire.ask(other, 0.0) == []
    assert wire.ask(READ, 1.0)
    assert wire.faults.counted.silent == 1


@pytest.mark.parametrize("trouble", [Trouble(lost=1.0), Trouble(silent=(2,))])
def test_trouble_on_a_connection_is_silence_too(trouble):
    wire = tcp_wire()
    wire.faults.trouble = trouble
    assert wire.ask(HEARTBEAT, 0.0) == []
    wire.faults.trouble = Trouble(doubled=1.0, late=1.0, split=1.0)
    pieces = wire.ask(HEARTBEAT, 1.0)
    assert len(joined(pieces)) == 26
    assert pieces[0][0] > 0.3
