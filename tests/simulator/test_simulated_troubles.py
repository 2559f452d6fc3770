"""Every trouble by its name: it happens, it shows on the wire, and it is counted."""

import itertools
from dataclasses import replace

import pytest

from simulator import modbus
from simulator.door import Impossible
from simulator.door_faults import DoorTrouble
from simulator.faults import Trouble
from simulator.plan import BoardPlan

RELEASE_8 = "01 05 02 07 00 05 BD B0"
DOORS = "02 02 00 00 00 20 79 E1"
ALL_SHUT = "02 02 04 FF FF FF FF C9 76"
DOOR_8_OPEN = "02 02 04 7F FF FF FF E0 B6"
ITEMS = modbus.sealed(bytes.fromhex("03 02 00 00 00 20")).hex()


@pytest.fixture
def trouble(site):
    """Puts trouble on the line, and tells what is counted there."""

    def put(**asked):
        site.world.set_trouble("L1", Trouble(**asked))
        return site.world.faults("L1").counted

    return put


@pytest.fixture
def door(site):
    """Puts trouble on door A/8."""

    def put(**asked):
        site.world.set_door_trouble("A", 8, DoorTrouble(**asked))
        return site.world.door("A", 8)

    return put


def counted(door):
    return {name: n for name, n in door.faults.counted.items() if n}


def release(site):
    site.ask(RELEASE_8)
    site.later(0.6)


# ------------------------------------------------------------------ lines


def test_echo_comes_before_the_answer_and_without_one(site, trouble):
    count = trouble(echo=True)
    assert site.ask(DOORS) == f"{DOORS} {ALL_SHUT}"
    assert site.ask("09 02 00 00 00 20 79 E1") == "09 02 00 00 00 20 79 E1"
    assert count.echo == 2


def test_garbage_follows_frames_and_comes_when_a_board_is_plugged(site, trouble):
    unasked = []
    site.world.wires["L1"].outlet = unasked.append
    count = trouble(garbage=1.0)
    assert 1 <= sum(len(piece) for _, piece in unasked[0]) <= 30
    answer = bytes.fromhex(site.ask(DOORS))
    assert answer.startswith(bytes.fromhex(ALL_SHUT))
    assert set(answer[9:]) <= {0x00, 0xFF}
    assert count.garbage == 2
    site.world.restart("L1", [1], 0.5)
    site.later(0.4)
    assert len(unasked) == 1
    site.later(0.2)
    assert len(unasked) == 2


def test_two_boards_on_one_address_spoil_or_follow_each_other(site, trouble):
    count = trouble(collision=(2,))
    answers = [bytes.fromhex(site.ask(DOORS)) for _ in range(50)]
    followed = [each for each in answers if len(each) == 18]
    assert all(modbus.whole(each[:9]) and modbus.whole(each[9:]) for each in followed)
    assert not any(modbus.whole(each) for each in answers if len(each) != 18)
    assert 10 < len(followed) < 40
    assert count.collision == 50
    assert modbus.whole(bytes.fromhex(site.ask(ITEMS)))


def test_crossed_wires_give_nothing_or_inverted_noise(site, trouble):
    count = trouble(swapped=True)
    inverted = bytes(octet ^ 0xFF for octet in bytes.fromhex(DOORS)).hex(" ").upper()
    answers = [site.ask(DOORS) for _ in range(40)]
    assert set(answers) == {"", inverted}
    assert count.swapped == 40
    release(site)
    assert site.world.door("A", 8).released == 0


def test_a_board_at_another_speed_is_found_there(site, trouble):
    count = trouble(wrong_speed=(2,))
    assert site.ask(DOORS) == ""
    assert count.wrong_speed == 1
    assert site.ask(ITEMS)
    site.world.wires["L1"].spoken_at(9600)
    assert site.ask(DOORS) == ALL_SHUT
    assert site.ask(ITEMS) == ""


def test_a_board_is_deaf_while_it_pulses(site, trouble):
    count = trouble(slow_after_pulse=(1,))
    assert site.ask(RELEASE_8) == RELEASE_8
    site.later(0.25)
    assert site.ask("01 01 00 00 00 20 3D D2") == ""
    assert site.ask(DOORS) == ALL_SHUT
    site.later(0.8)
    assert site.ask("01 01 00 00 00 20 3D D2")
    assert count.slow_after_pulse == 1


def test_a_lock_that_fires_may_take_its_board_down(site, trouble):
    count = trouble(reboot=1.0)
    site.ask(RELEASE_8)
    site.later(0.15)
    assert not site.world.door("A", 8).coil
    assert site.ask("01 01 00 00 00 20 3D D2") == ""
    site.later(2.6)
    assert site.ask("01 01 00 00 00 20 3D D2") == "01 01 04 00 00 00 00 FB D1"
    assert count.reboot == 1


def test_linkage_lets_door_switches_fire_locks(make_site, plan):
    board = BoardPlan("L1", 1, "waveshare-relay-d-8", doors=8)
    site = make_site(plan=replace(plan, cabinets=(replace(plan.cabinets[0], boards=(board,)),)))
    site.world.set_trouble("L1", Trouble(linkage=(1,)))
    site.later(0.1)
    assert site.sealed("01 03 10 00 00 08")[9:14] == "00 01"
    doors = [site.world.door("A", no) for no in range(1, 9)]
    assert [door.released for door in doors] == [1] * 8
    doors[0].pull()
    site.later(0.3)
    assert not doors[0].coil
    assert site.world.faults("L1").counted.linkage == 1
    site.world.set_trouble("L1", Trouble())
    assert site.sealed("01 03 10 00 00 08")[9:14] == "00 00"


@pytest.mark.parametrize(
    ("speaks", "profile", "asked", "at_once", "later"),
    [
        ("kerong", "kerong-cu16", "02 10 31 03 46", "02 10 35 FF 00 00 00 03 49", ""),
        ("xorboard", "xorboard-8", "8A 01 01 11 9B", "", "8A 01 01 00 8A 82 01 01 00 82"),
    ],
)
def test_lock_boards_whose_firmware_says_more(
    make_site, plan, speaks, profile, asked, at_once, later
):
    board = BoardPlan("L1", 1, profile, doors=8, reports=True)
    line = replace(plan.lines[0], speaks=speaks)
    cabinets = (replace(plan.cabinets[0], boards=(board,)),)
    site = make_site(plan=replace(plan, lines=(line,), cabinets=cabinets))
    unasked = []
    site.world.wires["L1"].outlet = unasked.extend
    assert site.ask(asked) == at_once
    site.later(1.0)
    assert b"".join(piece for _, piece in unasked).hex(" ").upper() == later
    assert site.world.door("A", 1).open
    site.world.door("A", 1).close()
    site.later(1.0)
    told = b"".join(piece for _, piece in unasked).hex(" ").upper().removeprefix(later).strip()
    assert told == ("82 01 01 11 93" if speaks == "xorboard" else "")


# ------------------------------------------------------------------ doors


def test_a_switch_bounces_on_opening_and_on_a_slam(site, door):
    eight = door(bounce=True)
    release(site)
    eight.pull()
    seen = [eight.reads_closed() for _ in range(400) if not site.later(0.0005)]
    assert seen[0]
    assert not seen[-1]
    assert len([1 for a, b in itertools.pairwise(seen) if a != b]) > 1
    eight.close()
    site.later(0.5)
    assert eight.reads_closed()
    assert counted(eight) == {"bounce": 2}


@pytest.mark.parametrize("rate", [0.5, 50.0])
def test_a_floating_input_reads_at_random(site, door, rate):
    eight = door(floating=rate)
    seen = [eight.reads_closed() for _ in range(2000) if not site.later(0.01)]
    flips = len([1 for a, b in itertools.pairwise(seen) if a != b])
    assert 1 <= flips <= counted(eight)["floating"]
    assert counted(eight)["floating"] == pytest.approx(20 * rate, rel=0.6)


@pytest.mark.parametrize(("name", "reads"), [("stuck_open", False), ("stuck_closed", True)])
def test_a_stuck_switch_says_the_same(site, door, name, reads):
    eight = door(**{name: True})
    said = [eight.reads_closed()]
    release(site)
    eight.pull()
    site.later(0.5)
    said.append(eight.reads_closed())
    assert said == [reads, reads]
    assert counted(eight) == {name: 1}


def test_a_reversed_switch_says_the_opposite(site, door):
    eight = door(reversed=True)
    assert site.ask(DOORS) == DOOR_8_OPEN
    assert counted(eight) == {"reversed": 1}


def test_a_welded_contact_keeps_the_lock_free_and_no_command_helps(site, door):
    eight = door(welded=True)
    site.later(60.0)
    assert (eight.unlocked, eight.burnt) == (True, False)
    assert site.ask("01 01 00 00 00 20 3D D2") == "01 01 04 00 00 00 00 FB D1"
    site.ask("01 05 00 FF 00 00 FD FA")
    site.later(1.0)
    eight.pull()
    eight.close()
    site.later(1.0)
    eight.pull()
    eight.close()
    assert counted(eight)["welded"] >= 1
    door()
    site.later(11.0)
    assert not eight.unlocked


def test_a_dead_relay_gives_the_lock_nothing(site, door):
    eight = door(dead_relay=True)
    site.ask(RELEASE_8)
    assert site.ask("01 01 00 00 00 20 3D D2")[9:11] == "80"
    site.later(0.6)
    assert (eight.released, counted(eight)) == (0, {"dead_relay": 1})


def test_a_load_holds_a_released_door(site, door):
    eight = door(jammed=True)
    release(site)
    with pytest.raises(Impossible, match="held by its load"):
        eight.pull()
    assert (eight.released, counted(eight)) == (1, {"jammed": 1})


def test_a_weak_lock_needs_a_longer_pulse(site, door):
    eight = door(weak=True)
    release(site)
    assert (eight.released, counted(eight)) == (0, {"weak": 1})
    site.sealed("01 05 02 07 00 08")
    site.later(1.0)
    assert (eight.released, counted(eight)) == (1, {"weak": 1})


def test_a_bolt_may_fall_in_before_anybody_pulls(site, door):
    eight = door(relatch=True)
    release(site)
    site.later(3.1)
    assert (eight.unlocked, eight.released, counted(eight)) == (False, 1, {"relatch": 1})
    assert site.ask(DOORS) == ALL_SHUT


def test_crossed_wires_show_the_wrong_door(site, door):
    eight = door(crosswired=3)
    release(site)
    eight.pull()
    site.later(0.5)
    assert site.ask(DOORS)[9:20] == "FB FF FF FF"
    assert counted(eight) == {"crosswired": 1}
    door()
    assert site.ask(DOORS) == DOOR_8_OPEN
    with pytest.raises(Impossible, match="with itself"):
        door(crosswired=8)


def test_an_item_sensor_sees_ghosts(site, door):
    eight = door(ghost_item=1.0)
    assert site.ask(ITEMS)[9:11] == "80"
    door(ghost_item=0.1)
    seen = [eight.reads_present() for _ in range(2000)]
    assert 120 < sum(seen) < 280
    assert counted(eight)["ghost_item"] == sum(seen) + 1


# ------------------------------------------------------------------ machines


def presented(site, share, name):
    machine = site.world.machine("M1")
    machine.faults.trouble = type(machine.faults.trouble)(**{name: share})
    site.later(3.0)
    words = [1, 2, 0, 7, 0, 1 ^ 2 ^ 7 ^ 0x5AA5]
    machine.answer(bytes.fromhex("10 01 00 00 06 0C") + modbus.packed_words(words))
    return machine


def test_paper_jams_on_the_way(site):
    machine = presented(site, 1.0, "jam")
    site.later(30.0)
    assert machine.state()["outcome"] in {"failed_inside", "failed_on_the_way"}
    assert machine.faults.counted == {"machine_jam": 1, "machine_power": 0}


def test_power_is_cut_on_the_way_and_nothing_moves_a_second_time(site):
    machine = presented(site, 1.0, "power")
    silent = []
    for _ in range(300):
        site.later(0.1)
        silent.append(machine.answer(bytes.fromhex("04 00 00 00 18")) is None)
    assert any(silent)
    assert not silent[-1]
    assert machine.faults.counted["machine_power"] == 1
    assert machine.state()["outcome"] == "interrupted"
    assert (machine.state()["boots"], machine.state()["moved"]) == (2, 0)
