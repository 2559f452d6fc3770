"""The licence machine against its manual's bytes: which commands it remembers, which not."""

import pytest

from simulator.devices.licence_registers import Command, Op, Outcome, State
from simulator.lines import TcpWire
from tests.simulator.bench import PRINTING, Bench


def like_the_manuals_example():
    """60 slots, 41 filled; last was 0x0028: slot 12, taken."""
    bench = Bench(now=0.0).started()
    inside = bench.inside
    inside.boots = 0x000C
    inside.stored = {slot: f"OWL:{slot}" for slot in (*range(1, 12), *range(13, 43))}
    inside.last = Command(0x28, Op.PRESENT, 12, 0, Outcome.TAKEN)
    inside.previous = Command(0x27, Op.PRESENT, 3, 0, Outcome.TAKEN)
    return bench


PRESENT_7 = "01 10 01 00 00 06 0C 00 29 00 01 00 07 00 00 00 00 5A 8A 1E 4C"
REMEMBERED = "01 10 01 00 00 06 41 F7"
STATE_WORDS = "01 04 00 0C 00 06 B0 0B"


def test_the_block_reads_as_in_the_manual():
    bench = like_the_manuals_example()
    bench.later(0x5A10 - 2.0)
    assert bench.rtu("01 04 00 00 00 18 F0 00") == (
        "01 04 30 4C 4D 01 00 01 03 00 0C 5A 10 00 01 00 00 00 18 00 3C 00 29 FF FF 00 00 00 28 "
        "00 01 00 0C 00 00 00 03 00 00 00 00 00 27 00 01 00 03 00 03 00 00 FD 0D"
    )


def test_one_command_from_remembered_to_taken_as_in_the_manual():
    bench = like_the_manuals_example()
    assert bench.rtu(PRESENT_7) == REMEMBERED
    assert bench.rtu(PRESENT_7) == REMEMBERED
    assert bench.rtu(STATE_WORDS) == "01 04 0C 00 29 00 01 00 07 00 00 00 01 00 00 3A 7B"
    bench.later(6.0 + 2.0)
    assert bench.rtu("01 04 00 0C 00 07 71 CB") == (
        "01 04 0E 00 29 00 01 00 07 00 00 00 02 00 00 00 3A 14 91"
    )
    assert bench.inside.take() == ["OWL:7"]
    bench.later(1.0)
    assert bench.rtu(STATE_WORDS) == "01 04 0C 00 29 00 01 00 07 00 00 00 03 00 00 9B BB"
    assert bench.inside.moved == 1


def test_what_nobody_takes_is_retracted_as_in_the_manual():
    bench = like_the_manuals_example()
    bench.rtu(PRESENT_7)
    bench.later(6.0 + 60.0 + 3.0)
    assert bench.rtu(STATE_WORDS) == "01 04 0C 00 29 00 01 00 07 00 00 00 04 00 00 2A 7A"
    assert bench.inside.rejects == ["OWL:7"]


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (
            "01 10 01 00 00 06 0C 00 29 00 01 00 08 00 00 00 00 5A 85 A1 48",
            "01 90 03 0C 01",
        ),
        (
            "01 10 01 00 00 06 0C 00 28 00 01 00 0C 00 00 00 00 5A 80 20 77",
            "01 90 03 0C 01",
        ),
        (
            "01 10 01 00 00 06 0C 00 2A 00 01 00 08 00 00 00 00 5A 86 EE 0D",
            "01 90 06 CC 02",
        ),
        (
            "01 10 01 00 00 06 0C 00 2D 00 01 00 09 00 00 00 00 00 00 5F BB",
            "01 90 03 0C 01",
        ),
        ("01 06 01 00 00 2D 48 2B", "01 86 02 C3 A1"),
        ("01 06 01 20 00 5A 09 C7", "01 06 01 20 00 5A 09 C7"),
        ("01 06 01 22 12 34 25 4B", "01 06 01 22 12 34 25 4B"),
        ("01 10 01 00 00 06 0C 00 2B 00 03 00 00 00 00 00 00 5A 8D 3B 96", REMEMBERED),
    ],
)
def test_what_comes_while_a_document_waits_is_answered_as_in_the_manual(sent, answered):
    bench = like_the_manuals_example()
    bench.rtu(PRESENT_7)
    bench.later(6.0)
    assert bench.rtu(sent) == answered


def test_a_retraction_that_is_asked_for_ends_both_commands():
    bench = like_the_manuals_example()
    bench.rtu(PRESENT_7)
    bench.later(6.0)
    bench.rtu("01 10 01 00 00 06 0C 00 2B 00 03 00 00 00 00 00 00 5A 8D 3B 96")
    assert bench.inside.state == State.RETRACTING
    assert bench.inside.previous.outcome == Outcome.RUNNING
    bench.later(3.0)
    assert bench.ended() == (Outcome.DONE, 0)
    assert bench.inside.previous.outcome == Outcome.RETRACTED
    assert bench.inside.retracted == 1


def test_a_machine_without_printer_refuses_to_print_as_in_the_manual():
    bench = like_the_manuals_example()
    print_70000 = "01 10 01 00 00 06 0C 00 2C 00 02 00 01 11 70 00 00 4B FA 32 4E"
    assert bench.rtu(print_70000) == REMEMBERED
    assert bench.rtu(STATE_WORDS) == "01 04 0C 00 2C 00 02 00 01 11 70 00 08 00 03 8B CE"


def test_a_power_cut_on_the_way_is_told_as_in_the_manual():
    bench = like_the_manuals_example()
    bench.rtu(PRESENT_7)
    bench.later(3.0)
    again = Bench(memory=bench.inside.memory())
    assert again.rtu(STATE_WORDS) == "01 04 0C 00 29 00 01 00 07 00 00 00 07 00 22 5A 63"


def test_slots_read_as_bits_as_in_the_manual():
    bench = like_the_manuals_example()
    bench.inside.stored = {3: "a", 7: "b", 60: "c"}
    assert bench.rtu("01 04 00 40 00 04 F0 1D") == "01 04 08 00 44 00 00 00 00 08 00 27 C9"


def test_a_command_over_tcp_as_in_the_manual():
    bench = like_the_manuals_example()
    wire = TcpWire("M1", [bench.machine], bench.timeline, seed=1)
    sent = "01 02 00 00 00 13 01 10 01 00 00 06 0C 00 29 00 01 00 07 00 00 00 00 5A 8A"
    answer = b"".join(piece for _, piece in wire.ask(bytes.fromhex(sent), bench.timeline.now))
    assert answer.hex(" ").upper() == "01 02 00 00 00 06 01 10 01 00 00 06"


@pytest.mark.parametrize(
    ("last", "seq", "code"),
    [(0, 500, None), (65535, 1, None), (1, 65535, 3), (100, 32867, None), (100, 32868, 3)],
)
def test_a_number_that_came_late_is_told_from_one_that_has_gone_round(last, seq, code):
    bench = Bench(PRINTING).started()
    bench.inside.last = Command(last, Op.HOME, outcome=Outcome.DONE if last else Outcome.NONE)
    assert bench.send(seq, Op.HOME) == code


def test_number_zero_and_a_word_too_many_are_refused():
    bench = Bench(PRINTING).started()
    assert bench.send(0, Op.HOME) == 3
    five = bytes.fromhex("10 01 00 00 05 0A 00 29 00 01 00 07 00 00 00 00")
    assert bench.machine.answer(five) == bytes.fromhex("90 02")
    shifted = bytes.fromhex("10 01 01 00 06 0C") + bytes(12)
    assert bench.machine.answer(shifted) == bytes.fromhex("90 02")
    short = bytes.fromhex("10 01 00 00 06 0A") + bytes(10)
    assert bench.machine.answer(short) == bytes.fromhex("90 03")
    assert bench.machine.answer(bytes.fromhex("01 00 00 00 01")) == bytes.fromhex("81 01")


def test_everybody_is_nobody_for_a_licence_machine():
    bench = Bench(PRINTING).started()
    assert bench.machine.answer(bytes.fromhex("06 01 20 00 5A"), broadcast=True) is None
    assert bench.inside.take_time_s == 60


@pytest.mark.parametrize(
    ("pdu", "answer"),
    [
        ("04 00 17 00 02", "84 02"),
        ("04 00 00 00 00", "84 03"),
        ("04 00 00 00 7E", "84 03"),
        ("04 00 50 00 01", "84 02"),
        ("03 01 20 00 03", "03 06 00 3C 00 1E 00 00"),
        ("03 01 05 00 02", "83 02"),
        ("06 01 20 00 09", "86 03"),
        ("06 01 21 00 05", "06 01 21 00 05"),
        ("06 00 00 00 05", "86 02"),
        ("03 01 00 00 06", "03 0C 00 00 00 00 00 00 00 00 00 00 5A A5"),
    ],
)
def test_registers_beyond_the_map_are_refused(pdu, answer):
    assert Bench(PRINTING).machine.answer(bytes.fromhex(pdu)) == bytes.fromhex(answer)
