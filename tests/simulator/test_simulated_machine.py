"""The licence machine against its manual's bytes, and what its paper really does."""

from functools import reduce
from operator import xor

import pytest

from simulator import modbus
from simulator.devices.licence_machine import LicenceMachine
from simulator.devices.licence_registers import Command, Op, Outcome, State
from simulator.devices.mechanism import REJECTS_MAX
from simulator.door import Impossible
from simulator.lines import TcpWire, Wire
from simulator.plan import LinePlan, MachinePlan
from simulator.timeline import Timeline

STORING = MachinePlan("M1", "127.0.0.1", 0, kind="store", slots=60)
PRINTING = MachinePlan("M1", "127.0.0.1", 0, kind="print", blanks=6)


class Bench:
    """One machine on an RTU line, and the hand that moves its time."""

    def __init__(self, plan=STORING, memory=None, now=0.0):
        self.timeline = Timeline(now)
        self.kept = []
        self.machine = LicenceMachine(
            plan, self.timeline, keep=lambda: self.kept.append(self.inside.memory())
        )
        self.inside = self.machine.inside
        if memory:
            self.inside.recall(memory)
        self.inside.power_up()
        self.wire = Wire(LinePlan("X", 115_200), [self.machine], self.timeline, seed=1)

    def started(self):
        self.later(2.0)
        return self

    def later(self, seconds):
        self.timeline.advance(self.timeline.now + seconds)

    def rtu(self, text):
        pieces = self.wire.ask(bytes.fromhex(text), self.timeline.now)
        return b"".join(piece for _, piece in pieces).hex(" ").upper()

    def send(self, seq, op, arg1=0, arg2=0):
        """None when remembered, else the exception's code."""
        words = [seq, op, arg1, arg2, 0]
        words.append(reduce(xor, words, 0x5AA5))
        pdu = bytes.fromhex("10 01 00 00 06 0C") + modbus.packed_words(words)
        answer = self.machine.answer(pdu)
        return None if answer == pdu[:5] else answer[1]

    def ended(self):
        last = self.inside.last
        return (Outcome(last.outcome), int(last.detail))


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
    wire = TcpWire("M1", bench.machine, bench.timeline, seed=1)
    sent = "01 02 00 00 00 13 01 10 01 00 00 06 0C 00 29 00 01 00 07 00 00 00 00 5A 8A"
    answer = b"".join(piece for _, piece in wire.ask(bytes.fromhex(sent), bench.timeline.now))
    assert answer.hex(" ").upper() == "01 02 00 00 00 06 01 10 01 00 00 06"


def test_a_command_is_kept_before_it_is_answered_and_nothing_has_moved_yet():
    bench = Bench(PRINTING).started()
    assert bench.send(1, Op.PRINT, 0, 70) is None
    assert bench.kept[-1]["last"]["seq"] == 1
    assert bench.kept[-1]["blanks"] == 6


def test_a_job_prints_two_sheets_and_shows_its_number():
    bench = Bench(PRINTING).started()
    bench.send(1, Op.PRINT, 1, 0x1170)
    assert bench.inside.state == State.PRINTING
    bench.later(20.0)
    assert bench.inside.outlet == ["JOB:70000"]
    assert (bench.inside.blanks, bench.inside.moved) == (4, 1)
    for _ in range(5):
        assert bench.send(1, Op.PRINT, 1, 0x1170) is None
    bench.later(10.0)
    assert (bench.inside.blanks, bench.inside.moved) == (4, 1)


def test_refusals_are_outcomes_and_move_nothing():
    bench = Bench(STORING)
    bench.inside.stored = {7: "OWL:7"}
    assert bench.send(1, Op.PRESENT, 7) is None
    assert bench.ended() == (Outcome.REFUSED, 0x07)
    bench.started()
    for seq, command, detail in [
        (2, (Op.PRESENT, 61), 0x01),
        (3, (Op.PRESENT, 8), 0x02),
        (4, (Op.PRINT, 0, 1), 0x03),
        (5, (99,), 0x09),
        (6, (Op.LOAD, 7), 0x01),
    ]:
        assert bench.send(seq, *command) is None
        assert bench.ended() == (Outcome.REFUSED, detail)
    assert bench.inside.moved == 0
    printer = Bench(PRINTING).started()
    printer.send(1, Op.PRINT, 0, 0)
    assert printer.ended() == (Outcome.REFUSED, 0x0A)


def test_no_more_is_printed_than_there_are_blanks():
    bench = Bench(PRINTING).started()
    for seq in (1, 2, 3):
        bench.send(seq, Op.PRINT, 0, seq)
        bench.later(20.0)
        bench.inside.take()
        bench.later(1.0)
        assert bench.ended() == (Outcome.TAKEN, 0)
    bench.send(4, Op.PRINT, 0, 4)
    assert bench.ended() == (Outcome.REFUSED, 0x03)
    bench.inside.refill()
    bench.send(5, Op.PRINT, 0, 5)
    assert bench.inside.last.outcome == Outcome.RUNNING


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


def test_a_jam_before_the_paper_left_fails_inside_and_later_on_the_way():
    inside = Bench(PRINTING).started()
    inside.send(1, Op.PRINT, 0, 1)
    inside.later(1.0)
    inside.inside.jam()
    assert inside.ended() == (Outcome.FAILED_INSIDE, 0x10)
    assert inside.inside.blanks == 6
    under_way = Bench(PRINTING).started()
    under_way.send(1, Op.PRINT, 0, 1)
    under_way.later(5.0)
    under_way.inside.jam()
    assert under_way.ended() == (Outcome.FAILED_ON_THE_WAY, 0x11)
    under_way.send(2, Op.PRINT, 0, 1)
    assert under_way.ended() == (Outcome.REFUSED, 0x05)
    assert under_way.inside.moved == 0


def test_a_jam_that_nobody_has_met_yet_shows_when_paper_moves():
    bench = Bench(PRINTING).started()
    bench.inside.jam()
    assert bench.inside.state == State.IDLE
    bench.send(1, Op.PRINT, 0, 1)
    bench.later(20.0)
    assert bench.ended() == (Outcome.FAILED_ON_THE_WAY, 0x11)
    assert bench.machine.state()["faults"] == ["jam"]


def test_freeing_a_jam_takes_out_the_paper_and_starts_the_machine_again():
    bench = Bench(PRINTING).started()
    bench.send(1, Op.PRINT, 0, 1)
    bench.later(5.0)
    bench.inside.jam()
    bench.inside.free()
    assert bench.inside.state == State.STARTING
    bench.later(2.0)
    assert bench.inside.state == State.IDLE
    assert bench.machine.state()["rejects"] == ["JOB:1"]
    bench.send(2, Op.PRINT, 0, 2)
    assert bench.inside.last.outcome == Outcome.RUNNING


def test_clearing_moves_what_lies_in_the_transport_to_the_reject_bin():
    bench = Bench(PRINTING).started()
    bench.send(1, Op.PRINT, 0, 1)
    bench.later(5.0)
    bench.inside.jam()
    bench.send(2, Op.CLEAR)
    bench.later(4.0)
    assert bench.ended() == (Outcome.FAILED_ON_THE_WAY, 0x11)
    bench.inside.jammed = False
    bench.send(3, Op.CLEAR)
    bench.later(4.0)
    assert bench.ended() == (Outcome.DONE, 0)
    assert (bench.inside.rejects, bench.inside.state) == (["JOB:1"], State.IDLE)


def test_a_jam_while_taking_back_fails_at_the_outlet():
    bench = Bench(PRINTING).started()
    bench.send(1, Op.PRINT, 0, 1)
    bench.later(20.0)
    bench.inside.jam()
    bench.send(2, Op.RETRACT)
    assert bench.ended() == (Outcome.FAILED_ON_THE_WAY, 0x12)
    assert bench.inside.previous.outcome == Outcome.FAILED_ON_THE_WAY
    assert bench.inside.outlet == ["JOB:1"]


def test_retracting_what_was_just_taken_moves_nothing():
    bench = Bench(PRINTING).started()
    bench.send(1, Op.PRINT, 0, 1)
    bench.later(20.0)
    bench.inside.take()
    bench.send(2, Op.RETRACT)
    assert bench.ended() == (Outcome.DONE, 0)
    assert bench.inside.previous.outcome == Outcome.TAKEN
    assert bench.inside.state == State.IDLE


def test_a_full_reject_bin_refuses_and_a_refill_empties_it():
    bench = Bench(PRINTING).started()
    bench.inside.rejects = ["x"] * REJECTS_MAX
    bench.send(1, Op.PRINT, 0, 1)
    bench.later(20.0)
    bench.send(2, Op.RETRACT)
    assert bench.ended() == (Outcome.REFUSED, 0x08)
    bench.inside.take()
    bench.later(1.0)
    assert bench.inside.previous.outcome == Outcome.TAKEN
    bench.inside.refill()
    assert not bench.inside.faults()


@pytest.mark.parametrize(
    ("after", "outcome", "detail", "state"),
    [
        (1.0, Outcome.INTERRUPTED, 0x21, State.IDLE),
        (5.0, Outcome.INTERRUPTED, 0x22, State.FAULT),
        (25.0, Outcome.PRESENTED, 0x00, State.PRESENTING),
        (81.0, Outcome.INTERRUPTED, 0x23, State.FAULT),
    ],
)
def test_after_a_power_cut_the_machine_knows_where_its_paper_is(after, outcome, detail, state):
    bench = Bench(PRINTING).started()
    bench.send(1, Op.PRINT, 0, 1)
    bench.later(after)
    again = Bench(PRINTING, memory=bench.inside.memory()).started()
    assert again.ended() == (outcome, detail)
    assert again.inside.state == state
    assert again.inside.boots == 2
    assert again.inside.moved == bench.inside.moved


def test_an_outlet_found_empty_after_a_power_cut_is_for_a_person_to_settle():
    bench = Bench(PRINTING).started()
    bench.send(1, Op.PRINT, 0, 1)
    bench.later(20.0)
    bench.inside.take()
    again = Bench(PRINTING, memory=bench.inside.memory()).started()
    assert again.ended() == (Outcome.INTERRUPTED, 0x25)
    assert again.inside.state == State.IDLE


def test_a_storing_machine_takes_in_what_is_put_at_its_gate_and_presents_it():
    bench = Bench(STORING).started()
    with pytest.raises(Impossible, match="not waiting"):
        bench.inside.put("OWL:1")
    bench.send(1, Op.LOAD, 7)
    bench.inside.put("OWL:1")
    bench.later(2.0)
    assert bench.ended() == (Outcome.DONE, 0)
    assert bench.inside.stored == {7: "OWL:1"}
    bench.send(2, Op.PRESENT, 7)
    bench.later(6.0)
    assert bench.inside.take() == ["OWL:1"]
    bench.later(1.0)
    bench.send(3, Op.LOAD, 8)
    bench.later(60.0)
    assert bench.ended() == (Outcome.FAILED_INSIDE, 0)


def test_an_open_service_door_stops_everything_until_it_is_shut():
    bench = Bench(PRINTING).started()
    with pytest.raises(Impossible, match="not unlocked"):
        bench.inside.open_service_door()
    bench.send(1, Op.UNLOCK)
    assert bench.ended() == (Outcome.DONE, 0)
    bench.inside.open_service_door()
    bench.send(2, Op.PRINT, 0, 1)
    assert bench.ended() == (Outcome.REFUSED, 0x04)
    assert bench.machine.state()["faults"] == ["service_door"]
    bench.inside.close_service_door()
    bench.later(2.0)
    assert bench.inside.state == State.IDLE


def test_without_a_sign_of_life_the_machine_says_out_of_service():
    bench = Bench(PRINTING).started()
    assert bench.machine.out_of_service()
    bench.machine.answer(bytes.fromhex("06 01 22 00 01"))
    assert not bench.machine.out_of_service()
    bench.later(20.0)
    bench.machine.answer(bytes.fromhex("06 01 22 00 01"))
    bench.later(11.0)
    assert bench.machine.out_of_service()


def test_speed_makes_paper_faster():
    bench = Bench(PRINTING)
    bench.started()
    bench.timeline.speed = 20.0
    bench.send(1, Op.PRINT, 0, 1)
    bench.later(1.0)
    assert bench.inside.state == State.PRESENTING
    assert bench.inside.take_left_s() == 60
    bench.later(1.0)
    assert bench.inside.take_left_s() == 40
