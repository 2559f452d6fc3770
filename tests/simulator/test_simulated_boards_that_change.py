"""Boards that fall silent, talk unasked or tell one thing only; gateways; crossed locks."""

from dataclasses import replace

import pytest

from simulator import modbus
from simulator.door import Impossible
from simulator.door_faults import DoorTrouble
from simulator.faults import Trouble
from simulator.lines import TcpWire
from simulator.plan import BoardPlan, LinePlan, Plan, SensorPlan
from simulator.timeline import Timeline
from tests.simulator.bench import Bench

RELEASE_8 = "01 05 02 07 00 05 BD B0"
DOORS = "02 02 00 00 00 20 79 E1"
ALL_SHUT = "02 02 04 FF FF FF FF C9 76"
RELAYS = "01 01 00 00 00 20 3D D2"
AIR = "01 04 00 01 00 02 20 0B"
ITEMS_OF_8 = "02 00 00 00 08"


@pytest.fixture
def trouble(site):
    def put(**asked):
        site.world.set_trouble("L1", Trouble(**asked))
        return site.world.faults("L1").counted

    return put


@pytest.fixture
def air(make_site):
    line = LinePlan("L1", 9600)
    return make_site(plan=Plan(lines=(line,), sensors=(SensorPlan("L1", 1, "xy-md02"),)))


def test_a_board_may_fall_silent_after_some_requests(site, trouble):
    count = trouble(silent=(2,), silent_after=3)
    assert [site.ask(DOORS) for _ in range(5)] == [ALL_SHUT] * 3 + [""] * 2
    assert site.ask(RELAYS)
    assert count.silent == 2
    trouble(silent=(2,), silent_after=1)
    assert [site.ask(DOORS) for _ in range(2)] == [ALL_SHUT, ""]


def test_a_board_with_another_parity_understands_nothing(site, trouble):
    count = trouble(wrong_parity=(1,))
    site.ask(RELEASE_8)
    site.later(0.6)
    assert site.world.door("A", 8).released == 0
    assert site.ask(DOORS) == ALL_SHUT
    assert count.wrong_parity == 1


def test_an_air_sensor_left_on_its_reports_talks_over_the_bus(air):
    unasked = []
    air.world.wires["L1"].outlet = unasked.extend
    air.world.set_trouble("L1", Trouble(talks=(1,)))
    air.world.set_trouble("L1", Trouble(talks=(1,)))
    for _ in range(35):
        air.later(0.1)
    assert b"".join(piece for _, piece in unasked) == b"21.5C,45.0%\r\n" * 3
    air.world.set_trouble("L1", Trouble())
    air.later(2.0)
    assert air.world.faults("L1").counted.talks == 3


def test_a_broken_air_sensor_reads_nothing_or_what_it_read_last(air):
    before = air.ask(AIR)
    air.world.place.set(temperature=-20.5, humidity=54.6)
    air.world.set_trouble("L1", Trouble(holds=(1,)))
    assert air.ask(AIR) == before
    air.world.set_trouble("L1", Trouble(reads_zero=(1,)))
    assert air.ask(AIR) == modbus.sealed(bytes.fromhex("01 04 04 00 00 00 00")).hex(" ").upper()
    air.world.set_trouble("L1", Trouble())
    assert air.ask(AIR) == "01 04 04 FF 33 02 22 BA E6"
    counted = air.world.faults("L1").counted
    assert (counted.holds, counted.reads_zero) == (1, 1)


def test_a_gateway_may_tell_of_units_that_are_silent_or_not_there():
    machine = Bench().machine
    wire = TcpWire("M", [machine], Timeline(0.0), seed=1)
    wire.faults.set(Trouble(silent=(1,), gateway=True))

    def asked(unit):
        frame = bytes.fromhex(f"00 07 00 00 00 06 {unit:02X} 04 00 00 00 01")
        return b"".join(piece for _, piece in wire.ask(frame, 0.0)).hex(" ").upper()

    assert asked(1) == "00 07 00 00 00 03 01 84 0B"
    assert asked(2) == "00 07 00 00 00 03 02 84 0A"
    wire.faults.set(Trouble(gateway=True))
    assert asked(1).startswith("00 07 00 00 00 05 01 04 02")
    assert wire.faults.counted.gateway == 2


# ------------------------------------------------------------------ crossed locks


def crossed(site, no, **asked):
    site.world.set_door_trouble("A", no, DoorTrouble(**asked))
    return site.world.door("A", no)


def test_crossed_locks_open_the_other_door_and_its_switch_says_so(site):
    eight, nine = crossed(site, 8, wrong_lock=9), site.world.door("A", 9)
    site.ask(RELEASE_8)
    site.later(0.6)
    assert (eight.unlocked, nine.unlocked) == (False, True)
    nine.pull()
    site.later(0.5)
    assert (eight.reads_closed(), nine.reads_closed()) == (True, False)
    assert eight.faults.counted["wrong_lock"] == 1
    crossed(site, 8)
    site.ask(RELEASE_8)
    site.later(0.6)
    assert (eight.released, nine.released) == (1, 1)


def test_trouble_of_the_other_door_leaves_crossed_wires_crossed(site):
    eight = crossed(site, 8, wrong_lock=9, crosswired=7)
    nine, seven = crossed(site, 9, weak=True), crossed(site, 7, reversed=True)
    assert (eight.wrong, nine.wrong) == (nine, eight)
    assert (eight.crossed, seven.crossed) == (seven, eight)
    ten = crossed(site, 10, crosswired=7)
    assert (eight.crossed, seven.crossed, ten.crossed) == (None, ten, seven)
    with pytest.raises(Impossible, match="with itself"):
        crossed(site, 10, wrong_lock=10)
    crossed(site, 8)
    assert (eight.wrong, nine.wrong) == (None, None)


def test_wires_that_are_put_right_in_mid_pulse_leave_no_lock_under_power(site):
    crossed(site, 8, wrong_lock=9)
    site.ask(RELEASE_8)
    site.later(0.2)
    nine = site.world.door("A", 9)
    assert nine.coil
    crossed(site, 8)
    site.later(30.0)
    assert (nine.coil, nine.burnt) == (False, False)


# ------------------------------------------------------------------ several input boards


def test_inputs_spread_over_boards_of_eight(make_site, plan):
    board = BoardPlan(
        "L1", 1, "waveshare-relay-32", door_units=(1, 2, 3, 4), item_units=(5, 6, 7, 8), present=0
    )
    site = make_site(plan=replace(plan, cabinets=(replace(plan.cabinets[0], boards=(board,)),)))
    site.world.door("A", 10).force()
    site.world.put("A", 10, "OWL:1")
    site.later(1.0)
    inputs = [site.sealed(f"{unit:02X} {ITEMS_OF_8}")[9:11] for unit in range(2, 10)]
    assert inputs == ["FF", "FD", "FF", "FF", "FF", "FD", "FF", "FF"]
    assert site.sealed("02 02 00 00 00 09")[3:8] == "82 02"
