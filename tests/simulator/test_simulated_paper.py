"""What the paper in a licence machine really does: printed, taken, jammed, taken back, loaded."""

import pytest

from simulator.devices.licence_registers import Op, Outcome, State
from simulator.devices.machine_refusals import REJECTS_MAX
from simulator.door import Impossible
from tests.simulator.bench import PRINTING, STORING, Bench


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
