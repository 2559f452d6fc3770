"""Staff at the kiosk: whatever nobody knows has a way out, and it says who found out."""

import asyncio

import pytest

from controller.entries import Down
from controller.ports import DoorSight
from tests.controller.site.staffing import (
    STAFF,
    doubtful_load,
    doubtful_pickup,
    emptied,
    looked,
    offered,
    restored,
    shut,
    staff,
    stuck,
)
from tests.controller.site.visit import begun, place_state, pulses, standing, state_of
from tests.controller.site.world import run


def test_a_box_found_by_its_label_after_a_doubtful_load_is_loaded_and_the_order_ready(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_load(town)
            await staff(town)
            assert offered(town)[0] == f"place:A/{door}"
            await looked(town, door)
            town.reader.hold("OWL:N1-seal1")
            await shut(town, door)
            await town.shows("settled")
            assert (state_of(town), place_state(town, door)) == ("loaded", "occupied")
            assert restored(town) == {
                "where": f"A/{door}",
                "reason": "unexplained",
                "badge": f"badge{STAFF}",
            }
            assert town.up("item.loaded")[0]["by"] == "person"
            assert town.up("item.loaded")[0]["badge"] == f"badge{STAFF}"
            assert town.up("pickup.ready")
            assert standing(town) == []
            town.site.press("end")
            await begun(town)
            assert await town.take() == ["OWL:N1-seal1"]

    run(story)


@pytest.mark.parametrize(
    ("said", "item", "entry"),
    [
        ("in_hand", "expected", "item.expected"),
        ("to_window", "returned", "item.returned"),
        ("missing", "releasing", "item.missing"),
    ],
)
def test_an_empty_compartment_after_a_doubtful_load_has_an_end_for_its_item(
    blind_town, said, item, entry
):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_load(town)
            await staff(town)
            await looked(town, door)
            town.hands += town.cabinet.take(door)
            await emptied(town, door)
            await town.shows("where_is_it")
            assert "with_recipient" not in offered(town)
            town.site.press("choose", said)
            await town.shows("settled")
            assert (state_of(town), place_state(town, door)) == (item, "free")
            assert town.up(entry)[0]["badge"] == f"badge{STAFF}"
            assert standing(town) == (["item_missing"] if said == "missing" else [])

    run(story)


@pytest.mark.parametrize("taken", [True, False])
def test_what_a_recipient_never_confirmed_is_settled_by_a_look(blind_town, taken):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=taken)
            await staff(town)
            await looked(town, door)
            if taken:
                await emptied(town, door)
                await town.shows("where_is_it")
                town.site.press("choose", "with_recipient")
            else:
                town.reader.hold("OWL:N1-seal1")
                await shut(town, door)
            await town.shows("settled")
            after = ("collected", "free") if taken else ("loaded", "occupied")
            assert (state_of(town), place_state(town, door)) == after
            assert bool(town.up("pickup.completed")) is taken
            assert standing(town) == []

    run(story)


def test_a_look_has_an_intent_with_its_badge_and_its_reason(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            await staff(town)
            await looked(town, door)
            intent = town.up("movement.intended")[-1]
            assert (intent["does"], intent["reason"], intent["badge"], intent["where"]) == (
                "inspect",
                "settle",
                f"badge{STAFF}",
                f"A/{door}",
            )

    run(story)


def test_a_look_that_says_nothing_changes_nothing(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            await staff(town)
            await looked(town, door)
            await shut(town, door)
            await town.shows("not_settled")
            assert (state_of(town), place_state(town, door)) == ("releasing", "fault")
            assert standing(town) == ["unexplained"]
            assert f"place:A/{door}" in offered(town)

    run(story)


def test_a_sensor_that_says_otherwise_is_not_overruled(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await begun(town)
            await town.take()
            await town.shows("rate")
            await asyncio.sleep(6)
            town.site.press("again")
            await town.opened()
            town.cabinet.put(door, "a hat")
            await shut(town, door)
            await town.until(lambda: place_state(town, door) == "fault")
            town.site.press("skip")
            await town.shows("start", within_s=100)
            await staff(town)
            await looked(town, door)
            await emptied(town, door)
            await town.shows("sensor_disagrees")
            assert standing(town) == ["item_left"]
            await looked(town, door)
            town.cabinet.take(door)
            await emptied(town, door)
            await town.shows("settled")
            assert (place_state(town, door), standing(town)) == ("free", [])

    run(story)


def test_a_seal_put_back_after_it_was_collected_goes_to_the_window_and_to_nobody_else(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await begun(town)
            taken = await town.take()
            await town.shows("rate")
            await asyncio.sleep(6)
            town.site.press("again")
            await town.opened()
            town.cabinet.put(door, *taken)
            await shut(town, door)
            await town.until(lambda: place_state(town, door) == "fault")
            await town.shows("start", within_s=100)
            await staff(town)
            await looked(town, door)
            town.reader.hold("OWL:N1-seal1")
            await town.shows("belongs_elsewhere")
            town.cabinet.take(door)
            await emptied(town, door)
            await town.shows("settled")
            assert (state_of(town), place_state(town, door)) == ("returned", "free")
            assert town.up("item.returned")[0]["reason"] == "left_behind"

    run(story)


def test_a_box_found_behind_another_door_makes_its_own_door_doubtful(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            await town.loaded("N2", number=2)
            door = await doubtful_pickup(town, taken=True)
            await staff(town)
            await looked(town, door)
            town.reader.hold("OWL:N2-seal1")
            await town.shows("belongs_elsewhere")
            await emptied(town, door)
            await town.shows("where_is_it")
            town.site.press("choose", "with_recipient")
            await town.shows("settled")
            assert state_of(town, "N2-seal1") == "releasing"
            (other,) = (value for value in offered(town) if value.startswith("place:"))
            assert other != f"place:A/{door}"
            assert standing(town) == ["unexplained"]

    run(story)


def test_a_door_that_does_not_open_stays_in_doubt(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            await staff(town)
            await stuck(town, door)
            assert (state_of(town), place_state(town, door)) == ("releasing", "fault")
            town.cabinet[door].jammed = False
            town.cabinet.refuse = 1
            town.site.press("choose", f"place:A/{door}")
            await town.until(lambda: town.up("movement.settled")[-1]["outcome"] == "not_moved")
            await town.shows("door_not_opened")
            assert (state_of(town), place_state(town, door)) == ("releasing", "fault")

    run(story)


def test_what_is_behind_a_door_that_nobody_sees_is_said_all_the_same_and_the_door_stays_out_of_use(
    blind_town,
):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=True)
            await staff(town)
            town.cabinet[door].says = DoorSight.CLOSED
            town.site.press("choose", f"place:A/{door}")
            await town.shows("look_inside")
            town.site.press("choose", "nothing_inside")
            await town.shows("where_is_it")
            town.site.press("choose", "with_recipient")
            await town.shows("settled")
            assert (state_of(town), place_state(town, door)) == ("collected", "fault")
            town.cabinet[door].says = None
            await looked(town, door)
            await emptied(town, door)
            await town.until(lambda: place_state(town, door) == "free")
            assert standing(town) == []

    run(story)


def test_power_that_fails_with_the_door_open_before_staff_leaves_it_in_doubt(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            await staff(town)
            await looked(town, door)
        town.cabinet.close(door)
        async with town.at_work():
            await asyncio.sleep(30)
            assert (state_of(town), place_state(town, door)) == ("releasing", "fault")
            assert standing(town) == ["unexplained"]

    run(story)


def test_a_missing_item_that_is_found_is_loaded_again(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_load(town)
            await staff(town)
            await looked(town, door)
            town.cabinet.take(door)
            await emptied(town, door)
            await town.shows("where_is_it")
            town.site.press("choose", "missing")
            await town.shows("settled")
            town.site.press("choose", "item:N1-seal1")
            await town.shows("where_is_it")
            assert offered(town) == ["in_hand", "to_window"]
            town.site.press("choose", "in_hand")
            await town.shows("settled")
            assert standing(town) == []
            await asyncio.sleep(3)
            await town.load("OWL:N1-seal1")
            assert state_of(town) == "loaded"

    run(story)


def test_a_vendors_badge_settles_nothing(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            await town.badge()
            assert town.view.screen == "load"
            assert not town.view.choices
            assert place_state(town, door) == "fault"

    run(story)


def test_a_badge_revoked_at_the_menu_opens_nothing(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await doubtful_pickup(town, taken=False)
            await staff(town)
            before = pulses(town)
            town.tell(Down.BADGE_REVOKED, {"badge": f"badge{STAFF}"})
            town.site.press("choose", f"place:A/{door}")
            await town.shows("badge_unknown")
            assert pulses(town) == before

    run(story)
