"""Bolts, doors, switches: what happens physically, and only that is counted."""

import json

import pytest

from simulator.door import Impossible, LockKind
from simulator.modbus import sealed

RELEASE_8 = "01 05 02 07 00 05 BD B0"
DOORS = "02 02 00 00 00 20 79 E1"
ITEMS = sealed(bytes.fromhex("03 02 00 00 00 20")).hex()


def released(site, no=8):
    site.ask(RELEASE_8 if no == 8 else sealed(bytes([1, 5, 2, no - 1, 0, 5])).hex())
    site.later(0.6)
    return site.world.door("A", no)


def test_a_release_frees_the_bolt_once_and_the_door_waits_to_be_pulled(site):
    door = released(site)
    assert (door.unlocked, door.open, door.released) == (True, False, 1)
    assert site.ask(DOORS) == "02 02 04 FF FF FF FF C9 76"
    door.pull()
    site.later(0.2)
    assert (door.unlocked, door.open) == (False, True)
    assert site.ask(DOORS) == "02 02 04 7F FF FF FF E0 B6"


def test_the_switch_follows_the_door_a_moment_later(site):
    door = released(site)
    door.pull()
    site.later(0.049)
    assert door.reads_closed()
    site.later(0.102)
    assert not door.reads_closed()


def test_a_bolt_that_nobody_waits_for_falls_in_again(site):
    door = released(site)
    site.later(9.0)
    assert door.unlocked
    site.later(1.0)
    assert not door.unlocked
    with pytest.raises(Impossible, match="locked"):
        door.pull()


def test_a_pulse_too_short_for_the_bolt_moves_nothing(site):
    site.ask("01 05 00 00 FF 00 8C 3A")
    site.ask("01 05 00 FF 00 00 FD FA")
    site.later(1.0)
    assert site.world.door("A", 1).released == 0


def test_a_second_pulse_while_the_bolt_is_back_moves_nothing_more(site):
    released(site)
    door = released(site)
    assert door.released == 1
    site.later(9.5)
    assert door.unlocked
    site.later(1.0)
    assert not door.unlocked
    assert released(site).released == 2


def test_closing_latches_by_itself(site):
    door = released(site)
    door.pull()
    site.later(1.0)
    door.close()
    site.later(0.2)
    assert door.reads_closed()
    with pytest.raises(Impossible, match="locked"):
        door.pull()


def test_a_jammed_bolt_is_pulsed_in_vain_until_somebody_repairs_it(site):
    site.world.door("A", 8).jam()
    door = released(site)
    assert (door.released, door.unlocked) == (0, False)
    door.free()
    assert released(site).released == 1


def test_a_coil_that_is_held_burns_and_the_bolt_never_moves_again(site):
    site.ask("01 05 00 00 FF 00 8C 3A")
    site.later(10.2)
    site.ask("01 05 00 FF 00 00 FD FA")
    site.later(11.0)
    door = site.world.door("A", 1)
    assert door.burnt
    assert released(site, 1).released == 1  # the first time only, long ago


def test_a_forced_door_opens_without_a_release(site):
    door = site.world.door("A", 8)
    door.force()
    site.later(0.2)
    assert (door.open, door.released, door.broken_open) == (True, 0, True)
    assert site.ask(DOORS) == "02 02 04 7F FF FF FF E0 B6"


def test_a_spring_pushes_the_door_ajar_at_once(make_site):
    door = released(make_site(locks=LockKind(spring=True)))
    assert (door.open, door.released) == (True, 1)


def test_speed_makes_locks_faster_and_never_the_board(make_site):
    site = make_site(speed=100.0)
    door = site.world.door("A", 8)
    site.world.wires["L1"].ask(bytes.fromhex(RELEASE_8), 0.0)
    site.later(0.012)
    assert door.unlocked
    site.later(0.480)
    assert door.coil
    site.later(0.02)
    assert not door.coil


def test_a_stuck_switch_says_the_same_for_ever(site):
    door = site.world.door("A", 8)
    door.stick("open")
    assert not door.reads_closed()
    door.stick("closed")
    released(site).pull()
    site.later(1.0)
    assert door.reads_closed()


def test_things_go_in_and_out_of_an_open_door_only(site):
    world = site.world
    door = released(site)
    with pytest.raises(Impossible, match="shut"):
        world.put("A", 8, "OWL:1")
    door.pull()
    world.put("A", 8, "OWL:1")
    assert site.ask(ITEMS) == sealed(bytes.fromhex("03 02 04 80 00 00 00")).hex(" ").upper()
    with pytest.raises(Impossible, match="lies in compartment A/8"):
        world.put("A", 8, "OWL:1")
    world.take("A", 8)
    assert [(each["took"], each["from"]) for each in world.hands] == [("OWL:1", "A/8")]
    with pytest.raises(Impossible, match="empty"):
        world.take("A", 8)
    world.put("A", 8, "OWL:1")
    assert world.hands == []


def test_power_gone_in_mid_pulse_leaves_the_bolt_back_for_a_while(site, plan, make_site):
    site.ask(RELEASE_8)
    site.later(0.2)
    again = make_site()
    again.world.recall(site.world.memory())
    door = again.world.door("A", 8)
    assert (door.unlocked, door.coil) == (True, False)
    again.later(10.1)
    assert not door.unlocked


def test_what_was_inside_is_there_after_a_restart(site, make_site):
    released(site).pull()
    site.world.put("A", 8, "OWL:1")
    again = make_site()
    again.world.recall(site.world.memory())
    assert (
        json.loads(again.world.text.state())["cabinets"]
        == json.loads(site.world.text.state())["cabinets"]
    )
