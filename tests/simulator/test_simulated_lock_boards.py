"""Lock boards with protocols of their own, against the bytes that real ones were seen to send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.kerong import KerongBoard, KerongLine, summed
from simulator.devices.xor_board import XorBoard, XorLine, closed_by_xor
from simulator.faults import Trouble
from simulator.lines import Ear
from simulator.plan import LinePlan
from simulator.timeline import Timeline

LINE = LinePlan("L", 19_200)


class Lock:
    """A door that springs ajar with its first pulse."""

    def __init__(self, *, shut=True, item=False):
        self.shut, self.item, self.on, self.pulses = shut, item, False, 0

    def energise(self):
        self.on, self.shut = True, False
        self.pulses += 1

    def drop(self):
        self.on = False

    def reads_closed(self):
        return self.shut

    def reads_present(self):
        return self.item


class Bench:
    """Boards on their line, and what the line says by itself."""

    def __init__(self, kind, *boards):
        self.timeline = boards[0].timeline
        self.wire = kind(LINE, boards, self.timeline, 1)
        for board in boards:
            board.condition.on(self.wire, board.fall)
        self.unasked = b""
        self.wire.outlet = self._hear

    def _hear(self, pieces):
        self.unasked += b"".join(piece for _, piece in pieces)

    def ask(self, text):
        pieces = self.wire.ask(bytes.fromhex(text), self.timeline.now)
        return b"".join(piece for _, piece in pieces).hex(" ").upper()

    def later(self, seconds):
        self.timeline.advance(self.timeline.now + seconds)
        said, self.unasked = self.unasked.hex(" ").upper(), b""
        return said


def locks(count, open_ones=(), items=()):
    return [Lock(shut=no not in open_ones, item=no in items) for no in range(1, count + 1)]


def kerong(*boards, **more):
    timeline = Timeline(0.0)
    made = [KerongBoard(no, timeline, each, **more) for no, each in boards]
    return Bench(KerongLine, *made)


def xor(count=24, open_ones=(), board=1, **more):
    return Bench(XorLine, XorBoard(board, Timeline(0.0), locks(count, open_ones), **more))


# ------------------------------------------------------------------ Kerong


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("02 00 30 03 35", "02 00 35 FB FF 01 01 03 36"),
        ("02 20 30 03 55", "02 20 35 FF FF 00 00 03 58"),
        ("02 07 31 03 3D", ""),
        ("02 2F 31 03 65", ""),
        ("02 00 37 00 32 03 6E", "02 00 38 00 32 03 6F"),
        ("02 00 37 03 3C", "02 00 38 00 32 03 6F"),
        ("02 00 30 03 36", ""),
        ("02 10 30 03 45", ""),
        ("02 F0 31 03 26", ""),
    ],
)
def test_a_board_of_sixteen_answers_as_it_was_seen_to(asked, answered):
    bench = kerong((0, locks(16, {3}, {1, 9})), (2, locks(16)))
    assert bench.ask(asked) == answered


def test_all_boards_answer_in_turn():
    bench = kerong((1, locks(16)), (0, locks(16)))
    assert bench.ask("02 F0 32 03 27") == ("02 00 36 FF FF 00 00 03 39 02 10 36 FF FF 00 00 03 49")
    assert bench.ask("02 00 32 03 37") == "02 00 36 FF FF 00 00 03 39"


def test_a_board_that_tells_after_an_open_tells_its_state():
    bench = kerong((0, locks(16)), tells_after_open=True)
    assert bench.ask("02 07 31 03 3D") == "02 00 35 7F FF 00 00 03 B8"


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (
            "02 00 00 60 03 65",
            "02 00 00 75 FF FF FF FF FF FF 00 00 00 00 00 00 03 74",
        ),
        (
            "02 00 30 60 03 95",
            "02 00 00 75 FF FF FF FF FF FF 00 00 00 00 00 00 03 74",
        ),
        ("02 00 00 61 03 66", ""),
        ("02 00 04 61 03 6A", ""),
    ],
)
def test_a_board_of_forty_eight_answers_as_it_was_seen_to(asked, answered):
    assert kerong((0, locks(48)), variant="cu48").ask(asked) == answered


@pytest.mark.parametrize(
    ("variant", "frame", "lock"),
    [
        ("cu16", "02 07 31 03 3D", 8),
        ("cu16", "02 0F 31 03 45", 16),
        ("cu48", "02 00 00 61 03 66", 1),
        ("cu48", "02 00 04 61 03 6A", 5),
    ],
)
def test_the_board_ends_the_pulse_itself(variant, frame, lock):
    doors = locks(48 if variant == "cu48" else 16)
    bench = kerong((0, doors), variant=variant)
    bench.ask(frame)
    assert [no for no, door in enumerate(doors, 1) if door.on] == [lock]
    bench.later(0.49)
    assert doors[lock - 1].on
    bench.later(0.02)
    assert not doors[lock - 1].on


def test_an_open_during_a_pulse_waits_and_a_third_takes_its_place():
    doors = locks(16)
    bench = kerong((0, doors))
    for lock in range(3):
        bench.ask(summed(bytes([2, lock, 0x31, 3])).hex())
    bench.later(5.0)
    assert [door.pulses for door in doors[:4]] == [1, 0, 1, 0]


def test_opening_all_opens_one_after_the_other():
    doors = locks(16)
    bench = kerong((0, doors))
    bench.ask("02 00 33 03 38")
    assert sum(door.on for door in doors) == 1
    bench.later(16 * 0.5 + 0.1)
    assert [door.pulses for door in doors] == [1] * 16


def test_polarity_turns_the_hooks_and_not_the_items():
    bench = kerong((0, locks(16, {3}, {1})), closed=0)
    assert (
        bench.ask("02 00 30 03 35")
        == summed(bytes.fromhex("02 00 35 04 00 01 00 03")).hex(" ").upper()
    )


def test_a_board_that_is_busy_after_an_open_ignores_opens_until_it_hears_something_else():
    doors = locks(16)
    bench = kerong((0, doors))
    bench.wire.faults.trouble = Trouble(busy_after_open=(0,))
    bench.ask("02 00 31 03 36")
    bench.later(1.0)
    bench.ask("02 01 31 03 37")
    bench.later(1.0)
    assert (doors[1].pulses, bench.wire.faults.counted.busy_after_open) == (0, 1)
    bench.ask("02 00 30 03 35")
    bench.ask("02 01 31 03 37")
    assert doors[1].pulses == 1


def test_power_lost_in_mid_pulse_ends_it_and_the_board_is_silent_while_it_starts():
    doors = locks(16)
    bench = kerong((0, doors))
    bench.ask("02 00 31 03 36")
    bench.ask("02 01 31 03 37")
    bench.wire.stations[0].condition.restart(1.0)
    assert not doors[0].on
    bench.later(1.4)
    assert bench.ask("02 00 30 03 35") == ""
    bench.later(0.2)
    assert bench.ask("02 00 30 03 35")
    assert doors[1].pulses == 0


# ------------------------------------------------------------------ xor


@pytest.mark.parametrize(
    ("count", "open_ones", "board", "asked", "answered"),
    [
        (24, {2}, 1, "80 01 01 33 B3", "80 01 01 11 91"),
        (24, {1}, 1, "80 01 01 33 B3", "80 01 01 00 80"),
        (24, {3, 24}, 1, "80 01 00 33 B2", "80 01 7F FF FB 33 C9"),
        (8, range(1, 9), 1, "80 01 00 33 B2", "80 01 00 00 00 33 B2"),
        (32, (), 2, "80 02 00 33 B1", "80 02 FF FF FF FF 33 B1"),
        (24, (), 3, "80 01 00 99 18", "80 01 03 99 1B"),
        (24, (), 1, "80 01 00 33 B3", ""),
        (24, (), 2, "80 01 00 33 B2", ""),
        (8, (), 1, "80 01 09 33 BB", ""),
        (24, (), 1, "88 01 01 11 99", ""),
    ],
)
def test_an_xor_board_answers_reads_as_its_maker_writes(count, open_ones, board, asked, answered):
    assert xor(count, open_ones, board).ask(asked) == answered


@pytest.mark.parametrize(
    ("board", "asked", "answered"),
    [(1, "8A 01 01 11 9B", "8A 01 01 00 8A"), (2, "8A 02 01 11 98", "8A 02 01 00 89")],
)
def test_an_open_is_answered_after_the_pulse(board, asked, answered):
    bench = xor(board=board)
    assert bench.ask(asked) == ""
    assert bench.later(0.49) == ""
    assert bench.later(0.02) == answered


def test_a_bolt_that_did_not_move_looks_like_an_echo():
    bench = xor()
    bench.ask("8A 01 01 11 9B")
    bench.wire.stations[0].locks[0].shut = True
    assert bench.later(0.6) == "8A 01 01 11 9B"


def test_a_board_that_pulses_hears_nothing():
    bench = xor()
    bench.ask("8A 01 01 11 9B")
    assert bench.ask("80 01 00 33 B2") == ""
    assert bench.ask("8A 01 02 11 98") == ""
    bench.later(0.6)
    assert bench.ask("80 01 00 33 B2") == "80 01 FF FF FE 33 4C"


def test_opening_all_is_answered_once_after_the_last():
    bench = xor()
    bench.ask("8A 01 00 11 9A")
    assert bench.later(9.9) == ""
    assert bench.later(0.2) == "8A 01 00 11 9A"
    assert [door.pulses for door in bench.wire.stations[0].locks] == [1] * 24


def test_a_contact_that_closes_when_open_turns_every_bit():
    bench = xor(open_ones={3, 24}, closed=0)
    assert (
        bench.ask("80 01 00 33 B2")
        == closed_by_xor(bytes.fromhex("80 01 80 00 04 33")).hex(" ").upper()
    )


def test_custom_firmware_tells_changes_unasked():
    bench = xor(reports=True)
    board = bench.wire.stations[0]
    board.locks[1].shut = False
    board.look()
    assert bench.later(0.0) == "82 01 02 00 81"
    board.locks[1].shut = True
    board.look()
    board.look()
    assert bench.later(0.0) == "82 01 02 11 90"


def test_two_boards_asked_for_their_address_spoil_each_other():
    timeline = Timeline(0.0)
    bench = Bench(XorLine, *(XorBoard(no, timeline, locks(8)) for no in (5, 10)))
    answer = bytes.fromhex(bench.ask("80 01 00 99 18"))
    assert closed_by_xor(answer[:-1]) != answer or answer[2] not in {5, 10}


# ------------------------------------------------------------------ any chunks, any noise


@pytest.mark.parametrize(
    ("bench", "asked"),
    [
        (kerong((0, locks(16))), "02 00 30 03 35"),
        (kerong((0, locks(16))), "02 00 37 00 32 03 6E"),
        (kerong((0, locks(48)), variant="cu48"), "02 00 00 60 03 65"),
        (xor(), "80 01 00 33 B2"),
    ],
)
@given(noise=st.binary(max_size=60), cut=st.integers(0, 7))
def test_a_request_is_found_behind_noise_and_in_pieces(bench, asked, noise, cut):
    frame = bytes.fromhex(asked)
    ear = Ear(bench.wire)
    ear.hear(noise, 1.0)
    ear.by_length()
    ear.hear(frame[:cut], 3.0)
    ear.hear(frame[cut:], 3.01)
    assert ear.by_length() == [frame]


@given(st.binary(max_size=24))
def test_noise_makes_no_lock_board_fail(noise):
    for bench in (kerong((0, locks(16))), kerong((0, locks(48)), variant="cu48"), xor()):
        ear = Ear(bench.wire)
        ear.hear(noise, 1.0)
        for frame in [*ear.by_length(), noise]:
            bench.wire.ask(frame, 1.0)
