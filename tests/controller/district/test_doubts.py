"""What the district knows of a doubt, and how two people here have it settled."""

from datetime import timedelta

import pytest
import town

from controller.district.doubts import LASTS, Settlement
from controller.entries import AlarmKind, Up
from controller.refusals import FieldsRefused, Reason, Refused

NO = town.ORDER["order_no"]
SITE = "FT-0001"


@pytest.fixture
def placed(district, site):
    site.starts()
    return district.place_order(town.order(), "bureau")[0]


@pytest.fixture
def doubt(district, site, placed):
    """A box was in A/2, its door was opened, and nobody knows more."""
    (_, (seals, where)) = site.loads(NO)
    site.moves("I7", "collect", where, seals)
    site.says(Up.COMPARTMENT_FAULT, where=where, reason="unexplained")
    (found,) = district.doubts.standing(SITE)
    return found


def said(doubt, **changes):
    words = {
        "site_id": SITE,
        "item_id": doubt.item_id,
        "intent": doubt.intent,
        "outcome": "with_recipient",
        "reason": "phoned",
        "requested_by": "ops1",
        "approved_by": "ops2",
    }
    return Settlement(**words | changes)


def states(district):
    return [each.state for each in district.order(NO).items]


def test_a_pickup_that_nobody_saw_the_end_of_is_a_doubt(doubt):
    assert (doubt.where, doubt.intent, doubt.order_no) == ("A/2", "I7", NO)
    assert doubt.may_be == ("inside", "with_recipient", "in_hand", "to_window", "missing")


def test_nothing_is_in_doubt_while_somebody_stands_there(district, site, placed):
    (_, (seals, where)) = site.loads(NO)
    site.says(Up.MOVEMENT_INTENDED, **site.movement("I7", "collect", where, seals))
    assert district.doubts.standing(SITE) == []
    site.says(Up.ITEM_STAYED, where=where, item=seals, inside=True, by="sensor")
    assert states(district)[1] == "loaded"


def test_a_load_that_nobody_is_sure_of_is_a_doubt_where_the_box_may_lie(district, site, placed):
    seals = placed.items[1].item_id
    site.moves("I3", "load", "A/1", seals)
    site.says(Up.COMPARTMENT_FAULT, where="A/1", reason="unexplained")
    (found,) = district.doubts.standing(SITE)
    assert (found.item_id, found.intent, found.where) == (seals, "I3", "A/1")
    assert "with_recipient" not in found.may_be
    assert district.order(NO).items[1].compartment == 1


def test_a_licence_of_which_its_machine_says_nothing_is_a_doubt_until_it_does(
    district, site, placed
):
    licence = site.loads(NO)[0][0]
    site.says(Up.MOVEMENT_INTENDED, **site.movement("I9", "present", "M1", licence), seq=4)
    assert district.doubts.standing(SITE) == []
    site.says(Up.MOVEMENT_SETTLED, intent="I9", outcome="unknown", seen_by=None)
    (found,) = district.doubts.standing(SITE)
    assert (found.where, found.may_be) == (
        "M1",
        ("inside", "with_recipient", "to_window", "missing"),
    )
    site.says(Up.MOVEMENT_SETTLED, intent="I9", outcome="not_moved", seen_by="machine")
    assert district.doubts.standing(SITE) == []


def test_two_people_settle_it_and_the_site_says_that_it_is_done(district, site, doubt, store):
    told = district.doubts.settle(said(doubt), "bureau")
    assert (told.state, told.expires_at - told.at) == ("accepted", LASTS)
    (entry,) = (data for kind, data in town.told(store) if kind == "doubt.settle")
    assert entry == {
        "command": told.command_id,
        "item": doubt.item_id,
        "intent": "I7",
        "outcome": "with_recipient",
        "reason": "phoned",
        "requested_by": "ops1",
        "approved_by": "ops2",
        "expires_at": "2026-11-24T02:05:00.000Z",
    }
    assert states(district)[1] == "releasing"  # the site decides
    site.gives(NO, doubt.item_id, doubt.where)
    site.says(Up.COMMAND_DONE, command=told.command_id)
    site.says(Up.COMMAND_REFUSED, command=told.command_id, reason="stale_decision")
    ended = district.doubts.command(told.command_id)
    assert (ended.state, ended.why) == ("done", None)
    assert (states(district)[1], district.doubts.standing(SITE)) == ("collected", [])


def test_what_the_site_refused_may_be_said_otherwise(district, site, doubt):
    told = district.doubts.settle(said(doubt, outcome="inside"), "bureau")
    with pytest.raises(Refused, match=Reason.CONFLICT):
        district.doubts.settle(said(doubt), "bureau")
    site.says(Up.COMMAND_REFUSED, command=told.command_id, reason="sensor_disagrees")
    ended = district.doubts.command(told.command_id)
    assert (ended.state, ended.why) == ("refused", "sensor_disagrees")
    assert district.doubts.settle(said(doubt), "bureau").state == "accepted"


def test_what_was_not_answered_in_its_time_may_be_said_again(district, clock, doubt):
    first = district.doubts.settle(said(doubt), "bureau")
    clock.jump(LASTS.total_seconds() + 1)
    second = district.doubts.settle(said(doubt), "bureau")
    assert first.command_id != second.command_id
    assert [each.command_id for each in district.doubts.told(SITE, timedelta(hours=1))] == [
        second.command_id,
        first.command_id,
    ]


def test_a_clients_key_tells_the_site_once(district, doubt, store):
    first = district.doubts.settle(said(doubt), "bureau", "key-1")
    assert district.doubts.settle(said(doubt), "bureau", "key-1") == first
    with pytest.raises(Refused, match=Reason.KEY_REUSED):
        district.doubts.settle(said(doubt, outcome="missing"), "bureau", "key-1")
    assert [kind for kind, _ in town.told(store)].count("doubt.settle") == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"approved_by": "ops1"}, Reason.NEEDS_TWO),
        ({"intent": "I6"}, Reason.STALE_DECISION),
        ({"item_id": "other"}, Reason.STALE_DECISION),
        ({"site_id": "FT-0002"}, Reason.STALE_DECISION),
    ],
)
def test_a_doubt_that_does_not_stand_is_settled_by_nobody(district, doubt, store, changes, why):
    before = len(town.told(store))
    with pytest.raises(Refused, match=why):
        district.doubts.settle(said(doubt, **changes), "bureau")
    assert len(town.told(store)) == before


def test_words_that_nobody_knows_are_named(district, doubt):
    with pytest.raises(FieldsRefused) as refused:
        district.doubts.settle(said(doubt, outcome="gone", reason="because"), "bureau")
    assert [name for name, _ in refused.value.errors] == ["outcome", "reason"]


def test_of_two_people_the_first_has_the_alarm_and_the_site_is_told(district, site, store):
    words = {"kind": "door_ajar", "where": "A/7", "severity": "warning"}
    site.says(Up.ALARM_RAISED, alarm="L9", since="2026-11-24T02:00:00.000Z", **words)
    district.take_on("L9", "ops1")
    district.take_on("L9", "ops2", SITE)
    told = [data for kind, data in town.told(store) if kind == "alarm.acknowledged"]
    assert told == [{"alarm": "L9", "by": "ops1"}]
    assert district.alarms()[0].acknowledged_by == "ops1"
    site.says(Up.ALARM_ACKNOWLEDGED, alarm="L9", by="badge7")  # staff there were first
    assert district.alarms()[0].acknowledged_by == "badge7"
    site.says(Up.ALARM_CLEARED, alarm="L9")
    with pytest.raises(Refused, match=Reason.NOT_FOUND):
        district.take_on("L9", "ops1")


def test_an_alarm_of_our_own_is_told_to_nobody(district, store):
    district.raise_alarm(SITE, AlarmKind.JOURNAL_BROKEN)
    (alarm,) = district.alarms()
    district.take_on(alarm.alarm_id, "ops1")
    assert district.alarms()[0].acknowledged_by == "ops1"
    assert "alarm.acknowledged" not in [kind for kind, _ in town.told(store)]
