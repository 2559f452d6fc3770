from itertools import product

import pytest

from controller.site.doors import NEXT, Door, Place, Sight, follow

LOOKS = (Sight.SEEN_OPEN, Sight.SEEN_SHUT, Sight.UNSEEN)


def test_somebody_has_decided_every_case():
    assert set(NEXT) == set(product(Door, Sight))


@pytest.mark.parametrize(("door", "sight"), list(NEXT))
def test_seeing_the_same_twice_changes_nothing_more(door: Door, sight: Sight):
    once = follow(door, sight)
    assert follow(once, sight) is once


def test_opening_without_a_release_is_forcing():
    assert follow(Door.SHUT, Sight.SEEN_OPEN) is Door.FORCED


def test_a_release_makes_the_next_opening_a_good_one():
    released = follow(Door.SHUT, Sight.BOLT_RELEASED)
    assert follow(released, Sight.SEEN_OPEN) is Door.OPEN


def test_a_bolt_that_fell_back_makes_the_next_opening_a_forced_one():
    rested = follow(Door.RELEASED, Sight.BOLT_RESTED)
    assert follow(rested, Sight.SEEN_OPEN) is Door.FORCED


@pytest.mark.parametrize("door", Door)
def test_not_seeing_a_door_says_nothing_about_it(door: Door):
    assert follow(door, Sight.UNSEEN) is door


@pytest.mark.parametrize("door", [Door.OPEN, Door.FORCED])
def test_only_shutting_ends_an_opening(door: Door):
    for sight in Sight:
        assert (follow(door, sight) is door) is (sight is not Sight.SEEN_SHUT)


def test_a_place_is_read_as_it_is_written():
    assert Place.parse("A/7") == Place("A", 7)
    assert str(Place("A", 7)) == "A/7"
    assert Place("A", 7).sign == "A07"
