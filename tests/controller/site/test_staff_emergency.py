"""An emergency at the kiosk: a named person, or two, may open whatever is shut."""

import asyncio

import pytest
from sqlalchemy import select

from controller.site.schema import compartments
from tests.controller.site.staffing import STAFF, shut, staff
from tests.controller.site.visit import place_state, pulses, standing, state_of
from tests.controller.site.world import Town, badge_text, qr_of, run


async def chosen(town: Town, value: str) -> None:
    await staff(town)
    town.site.press("choose", "emergency")
    await town.shows("which_door")
    town.site.press("choose", value)


async def look_behind_every_door(town: Town) -> list[int]:
    """Somebody opens each door that gives way, and shuts it."""
    doors: list[int] = []
    while True:
        await town.until(
            lambda: (
                town.view.text == "all_opened"
                or (bool(town.view.doors) and town.cabinet.is_unlocked(town.door_shown()))
            )
        )
        if town.view.text == "all_opened":
            return doors
        doors.append(await town.opened())
        assert sum(box.open for box in town.cabinet.boxes) == 1
        await shut(town, doors[-1])
        await asyncio.sleep(1)


def test_one_door_is_opened_with_an_intent_that_names_the_badge(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await chosen(town, f"A/{door}")
            await town.opened()
            await town.shows("door_stands_open")
            intent = town.up("movement.intended")[-1]
            assert (intent["does"], intent["reason"], intent["badge"], intent["order"]) == (
                "emergency",
                "emergency",
                f"badge{STAFF}",
                "N1",
            )
            await shut(town, door)
            await town.until(lambda: place_state(town, door) == "occupied")
            assert state_of(town) == "loaded"
            assert not town.up("item.returned", "item.collected")

    run(story)


def test_what_staff_take_out_in_an_emergency_is_in_their_hands(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await chosen(town, f"A/{door}")
            await town.opened()
            town.cabinet.take(door)
            await shut(town, door)
            await town.until(lambda: place_state(town, door) == "free")
            (entry,) = town.up("item.returned")
            assert (entry["badge"], entry["reason"]) == (f"badge{STAFF}", "emergency")
            town.site.press("end")
            await town.shows("start")
            town.reader.hold(qr_of(1))
            await town.shows("code_unknown")

    run(story)


def test_all_doors_are_opened_one_after_another_each_with_an_intent_of_its_own(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            before = len(town.up("movement.intended"))
            await chosen(town, "all")
            assert await look_behind_every_door(town) == [1, 2, 3, 4, 5, 6]
            intents = town.up("movement.intended")[before:]
            assert [each["where"] for each in intents] == [f"A/{no}" for no in range(1, 7)]
            assert {each["does"] for each in intents} == {"emergency"}
            assert state_of(town) == "loaded"
            assert standing(town) == []

    run(story)


def test_a_walk_goes_past_a_door_that_is_stuck_or_blocked(town):
    async def story():
        async with town.at_work():
            town.cabinet[2].jammed = True
            with town.store.write() as transaction:
                transaction.connection.execute(
                    compartments.update().where(compartments.c.no == 4).values(state="blocked")
                )
            await chosen(town, "all")
            assert await look_behind_every_door(town) == [1, 3, 5, 6]
            assert town.cabinet[4].pulses == 0
            assert place_state(town, 4) == "blocked"

    run(story)


def test_a_walk_can_be_ended_at_any_door(town):
    async def story():
        async with town.at_work():
            await chosen(town, "all")
            door = await town.opened()
            town.site.press("end")
            await shut(town, door)
            await town.shows("all_opened")
            assert pulses(town) == 1

    run(story)


@pytest.fixture
def strict_town(tmp_path) -> Town:
    return Town(tmp_path / "site.db", emergency_two_badges=True)


def test_where_two_badges_are_asked_for_both_are_in_the_intent(strict_town):
    town = strict_town

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.grant(STAFF, "staff", None)
            town.grant(22, "staff", None)
            await chosen(town, f"A/{door}")
            await town.shows("second_badge")
            await asyncio.sleep(3)
            town.reader.hold(badge_text(STAFF))
            await asyncio.sleep(3)
            assert (town.view.text, pulses(town)) == ("second_badge", 1)
            town.reader.hold(badge_text(22))
            await town.opened()
            intent = town.up("movement.intended")[-1]
            assert (intent["badge"], intent["approved_by"]) == (f"badge{STAFF}", "badge22")

    run(story)


@pytest.mark.parametrize("second", [20, 23])
def test_a_vendors_or_an_unknown_badge_is_no_second_one(strict_town, second):
    town = strict_town

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await chosen(town, f"A/{door}")
            await town.shows("second_badge")
            town.reader.hold(badge_text(second))
            await town.shows("badge_unknown")
            assert pulses(town) == 1

    run(story)


def test_power_that_fails_in_an_emergency_leaves_the_item_where_the_sensor_sees_it(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await chosen(town, f"A/{door}")
            await town.opened()
        town.cabinet.close(door)
        async with town.at_work():
            await town.until(lambda: place_state(town, door) == "occupied")
            assert state_of(town) == "loaded"
            assert {row.state for row in town.rows(select(compartments))} == {"free", "occupied"}

    run(story)
