"""Two people at the district settle what nobody at the site knew: that very doubt, and in time."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from controller.entries import Down
from controller.journal import rfc3339
from controller.ports import DoorSight
from controller.site.schema import alarms, commands, intents
from tests.controller.site.from_afar import ended, ends
from tests.controller.site.replaying import check
from tests.controller.site.staffing import (
    doubtful_load,
    doubtful_pickup,
    emptied,
    licence_astray,
    looked,
    shut,
    staff,
)
from tests.controller.site.visit import begun, place_state, pulses, standing, state_of
from tests.controller.site.world import Town, run


def last_intent(town: Town, item: str) -> str:
    found = town.rows(select(intents).where(intents.c.item_id == item).order_by(intents.c.number))
    return found[-1].intent_id


def settle(town: Town, outcome: str, item: str = "N1-seal1", **said: object) -> str:
    """What ops say, about the doubt that stands now."""
    command = str(said.pop("command", f"C{town.count(Down.DOUBT_SETTLE.value) + 1}"))
    life_s = float(str(said.pop("life_s", 300)))
    data = {
        "command": command,
        "item": item,
        "intent": said.pop("intent", None) or last_intent(town, item),
        "outcome": outcome,
        "reason": "seen by camera",
        "requested_by": "ops1",
        "approved_by": "ops2",
        "expires_at": rfc3339(town.site.time.now() + timedelta(seconds=life_s)),
    }
    town.tell(Down.DOUBT_SETTLE, data | said)
    return command


def all_that_counts(town: Town) -> object:
    return (state_of(town), standing(town), pulses(town), town.count("movement.settled"))


@pytest.mark.parametrize(
    ("outcome", "item", "entry", "left"),
    [
        ("with_recipient", "collected", "item.collected", ["unexplained"]),
        ("to_window", "returned", "item.returned", ["unexplained"]),
        ("in_hand", "expected", "item.expected", ["unexplained"]),
        ("missing", "releasing", "item.missing", ["unexplained", "item_missing"]),
    ],
)
def test_what_is_gone_is_settled_and_its_compartment_waits_for_eyes(
    blind_town, tmp_path, outcome, item, entry, left
):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=True)
            before = pulses(town)
            assert await ended(town, settle(town, outcome)) == "done"
            assert (state_of(town), place_state(town, door)) == (item, "fault")
            (told,) = town.up(entry)
            assert (told["item"], told["where"]) == ("N1-seal1", f"A/{door}")
            assert told.get("badge") is None
            assert (sorted(standing(town)), pulses(town)) == (sorted(left), before)
            check(town, tmp_path / "again.db")
            await staff(town)
            await looked(town, door)
            await emptied(town, door)
            await town.shows("settled")
            assert place_state(town, door) == "free"
            assert "unexplained" not in standing(town)

    run(story)


def test_what_is_still_inside_can_be_collected_at_once(blind_town, tmp_path):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            assert await ended(town, settle(town, "inside")) == "done"
            assert (state_of(town), place_state(town, door)) == ("loaded", "occupied")
            assert "badge" not in town.up("compartment.restored")[0]
            assert standing(town) == []
            check(town, tmp_path / "again.db")
            await asyncio.sleep(100)
            await begun(town)
            assert await town.take() == ["OWL:N1-seal1"]

    run(story)


def test_a_box_that_somebody_is_sure_was_loaded_makes_the_order_ready(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_load(town)
            assert await ended(town, settle(town, "with_recipient")) == "refused stale_decision"
            assert await ended(town, settle(town, "inside")) == "done"
            assert (state_of(town), place_state(town, door)) == ("loaded", "occupied")
            assert len(town.up("pickup.ready")) == 1

    run(story)


def test_where_a_sensor_sees_the_empty_compartment_it_is_in_use_again(town):
    async def story():
        async with town.at_work():
            town.cabinet.sensors = False
            door = await doubtful_pickup(town, taken=True)
            town.cabinet.sensors = True
            town.cabinet.stir()
            await asyncio.sleep(2)
            assert await ended(town, settle(town, "inside")) == "refused sensor_disagrees"
            assert await ended(town, settle(town, "with_recipient")) == "done"
            assert (state_of(town), place_state(town, door)) == ("collected", "free")
            assert standing(town) == []

    run(story)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"approved_by": "ops1"}, "refused needs_two"),
        ({"approved_by": ""}, "refused needs_two"),
        ({"intent": "I1"}, "refused stale_decision"),
        ({"item": "N9-seal1", "intent": "I1"}, "refused stale_decision"),
        ({"outcome": "evaporated"}, "refused stale_decision"),
        ({"life_s": 0}, "expired"),
        ({"life_s": -3600}, "expired"),
    ],
)
def test_whatever_is_not_this_doubt_by_two_people_in_time_changes_nothing(blind_town, said, why):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=True)
            before = all_that_counts(town)
            outcome = said.pop("outcome", "with_recipient")
            assert await ended(town, settle(town, outcome, **said)) == why
            assert (all_that_counts(town), place_state(town, door)) == (before, "fault")

    run(story)


def test_what_staff_settled_meanwhile_stays_as_they_found_it(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            command = None
            await staff(town)
            await looked(town, door)
            command = settle(town, "with_recipient")  # waits, since somebody is at the kiosk
            town.reader.hold("OWL:N1-seal1")
            await shut(town, door)
            await town.shows("settled")
            assert ends(town, command) == []
            town.site.press("end")
            assert await ended(town, command) == "refused stale_decision"
            assert (state_of(town), place_state(town, door)) == ("loaded", "occupied")

    run(story)


def test_a_settlement_of_an_earlier_doubt_does_not_touch_the_later_one(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            first = last_intent(town, "N1-seal1")
            assert await ended(town, settle(town, "inside")) == "done"
            await begun(town)
            await town.opened()
            await asyncio.sleep(1)
            town.cabinet.close(door)
            await town.shows("unsure", within_s=300)
            await town.shows("start", within_s=300)
            before = all_that_counts(town)
            late = settle(town, "with_recipient", intent=first)
            assert await ended(town, late) == "refused stale_decision"
            assert (all_that_counts(town), state_of(town)) == (before, "releasing")

    run(story)


def test_the_same_word_twice_is_one_and_another_one_after_it_too_late(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            await doubtful_pickup(town, taken=True)
            for _ in range(2):
                settle(town, "with_recipient", command="C7")
            assert await ended(town, "C7") == "done"
            again = settle(town, "to_window")
            assert await ended(town, again) == "refused stale_decision"
            assert (ends(town, "C7"), len(town.up("item.collected"))) == (["done"], 1)
            assert town.up("item.returned") == []

    run(story)


def test_a_word_that_waited_when_the_site_stopped_is_never_heard_again(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            await doubtful_pickup(town, taken=True)
            town.site.press("help")
            command = settle(town, "with_recipient")
            await asyncio.sleep(5)
            assert ends(town, command) == []
        async with town.at_work():
            assert await ended(town, command) == "expired"
            assert state_of(town) == "releasing"
            assert [row.ended for row in town.rows(commands.select())] == ["expired"]

    run(story)


def test_while_the_door_stands_open_nothing_is_settled_and_unseen_it_stays_out_of_use(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            town.cabinet.force(door)
            await asyncio.sleep(2)
            assert await ended(town, settle(town, "inside")) == "refused door_open"
            town.cabinet.close(door)
            town.cabinet[door].says = DoorSight.UNKNOWN
            town.cabinet.stir()
            await asyncio.sleep(2)
            assert await ended(town, settle(town, "inside")) == "done"
            assert (state_of(town), place_state(town, door)) == ("loaded", "fault")

    run(story)


@pytest.mark.parametrize(("said", "state"), [("inside", "loaded"), ("to_window", "returned")])
def test_a_licence_that_went_astray_in_its_machine_is_settled_from_afar(
    town, tmp_path, said, state
):
    async def story():
        async with town.at_work():
            await licence_astray(town)
            assert await ended(town, settle(town, said, "N1-licence")) == "done"
            assert (state_of(town, "N1-licence"), standing(town)) == (state, [])
            check(town, tmp_path / "again.db")

    run(story)


def test_an_alarm_remembers_who_at_the_district_took_it_on_first(blind_town, tmp_path):
    town = blind_town

    async def story():
        async with town.at_work():
            await doubtful_pickup(town, taken=True)
            (raised,) = (each for each in town.up("alarm.raised") if each["does"] == "unexplained")
            for who in ("ops1", "ops2"):
                town.tell(Down.ALARM_ACKNOWLEDGED, {"alarm": raised["alarm"], "by": who})
            town.tell(Down.ALARM_ACKNOWLEDGED, {"alarm": "L0", "by": "ops1"})
            assert [each["by"] for each in town.up("alarm.acknowledged")] == ["ops1"]
            found = town.rows(select(alarms.c.acknowledged_by).where(alarms.c.cleared_at.is_(None)))
            assert found == [("ops1",)]
            check(town, tmp_path / "again.db")

    run(story)
