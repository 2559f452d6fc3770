"""What a district may have done at a site, and how little of it at once."""

import asyncio
from datetime import timedelta

import pytest

from controller.ports import DoorSight
from tests.controller.site.from_afar import BLOCK, OPEN, ended, ends, tell
from tests.controller.site.staffing import emptied, looked, staff
from tests.controller.site.visit import (
    alarms,
    begun,
    bolts,
    place_state,
    pulses,
    standing,
    state_of,
)
from tests.controller.site.world import Town, qr_of, run


async def pulls(town: Town, door: int) -> None:
    await town.until(lambda: town.cabinet.is_unlocked(door))
    await asyncio.sleep(0.5)
    town.cabinet.pull(door)


def test_an_empty_compartment_is_opened_by_one_person_with_an_intent_of_its_own(town):
    async def story():
        async with town.at_work():
            command = tell(town)
            await pulls(town, 6)
            assert await ended(town, command) == "done"
            town.cabinet.close(6)
            await town.until(lambda: place_state(town, 6) == "free")
            (intent,) = town.up("movement.intended")
            assert (intent["does"], intent["where"]) == ("remote", "A/6")
            assert (intent["command"], intent["reason"]) == (command, "stuck")
            assert pulses(town) == 1

    run(story)


@pytest.mark.parametrize("approved_by", [None, "", "ops1"])
def test_an_occupied_compartment_stays_shut_without_a_second_person(town, approved_by):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            before = pulses(town)
            command = tell(town, no=door, approved_by=approved_by)
            assert await ended(town, command) == "refused needs_two"
            assert (pulses(town), state_of(town)) == (before, "loaded")

    run(story)


def test_what_two_people_have_opened_and_somebody_took_out_has_left_in_their_names(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            command = tell(town, no=door, approved_by="ops2")
            await pulls(town, door)
            town.cabinet.take(door)
            assert await ended(town, command) == "done"
            town.cabinet.close(door)
            await town.until(lambda: place_state(town, door) == "free")
            (intent,) = (each for each in town.up("movement.intended") if each["does"] == "remote")
            assert (intent["approved_by"], intent["order"]) == ("ops2", "N1")
            assert state_of(town) == "returned"
            assert [each["reason"] for each in town.up("item.returned")] == ["remote"]

    run(story)


def test_what_stays_inside_is_collected_as_ever(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            command = tell(town, no=door, approved_by="ops2")
            await pulls(town, door)
            assert await ended(town, command) == "done"
            town.cabinet.close(door)
            await town.until(lambda: state_of(town) == "loaded")
            await asyncio.sleep(10)
            await begun(town)
            await town.take()
            await town.until(lambda: state_of(town) == "collected")

    run(story)


def test_without_a_sensor_it_is_told_that_only_staff_can_find_out_what_is_left(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            command = tell(town, no=door, approved_by="ops2")
            await pulls(town, door)
            assert await ended(town, command) == "done staff_look"
            town.hands += town.cabinet.take(door)
            town.cabinet.close(door)
            told = await town.shows("opened_from_afar")
            assert (told.values["compartment"], told.case) == (f"A{door:02d}", told.values["case"])
            assert (state_of(town), place_state(town, door)) == ("releasing", "fault")
            assert standing(town) == ["unexplained"]
            await town.shows("start", within_s=40)  # whoever read it has gone
            await staff(town)
            await looked(town, door)
            await emptied(town, door)
            await town.shows("where_is_it")
            town.site.press("choose", "to_window")
            await town.shows("settled")
            assert (state_of(town), place_state(town, door)) == ("returned", "free")
            assert standing(town) == []

    run(story)


def test_an_empty_compartment_opened_from_afar_is_nothing_to_tell(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            command = tell(town)
            await pulls(town, 6)
            assert await ended(town, command) == "done"
            town.cabinet.close(6)
            await town.until(lambda: place_state(town, 6) == "free")
            await asyncio.sleep(5)
            assert town.view.text == "start"

    run(story)


def test_something_seen_in_a_free_compartment_wants_two_people_as_well(town):
    async def story():
        async with town.at_work():
            town.cabinet[6].inside.append("a bag")
            town.cabinet.stir()
            await asyncio.sleep(2)
            assert await ended(town, tell(town)) == "refused needs_two"

    run(story)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"no": 9}, "refused place_unknown"),
        ({"cabinet": "B"}, "refused place_unknown"),
        ({"life_s": 0}, "expired"),
        ({"life_s": 0.3}, "expired"),
        ({"life_s": -3600}, "expired"),
    ],
)
def test_what_cannot_be_or_comes_too_late_moves_nothing(town, said, why):
    async def story():
        async with town.at_work():
            command = tell(town, **said)
            assert await ended(town, command) == why
            assert pulses(town) == 0

    run(story)


def test_nobody_who_is_served_is_disturbed(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await begun(town)
            await town.shows("take", "opening")
            command = tell(town)
            await town.take()
            before = pulses(town)
            await town.until(lambda: state_of(town) == "collected")
            await asyncio.sleep(1.5)
            assert (pulses(town), ends(town, command)) == (before, [])
            town.site.press("skip")
            await pulls(town, 6)
            assert await ended(town, command) == "done"

    run(story)


def test_a_visit_that_lasts_too_long_outlives_the_command(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            command = tell(town, life_s=20)
            assert await ended(town, command) == "expired"
            await asyncio.sleep(120)
            assert pulses(town) == 1

    run(story)


def test_an_age_is_an_age_however_long_a_command_says_that_it_lasts(tmp_path):
    town = Town(tmp_path / "site.db", session_idle_s=1_000)

    async def story():
        async with town.at_work():
            town.site.press("help")
            command = tell(town, life_s=86_400)
            await asyncio.sleep(301)
            town.site.press("end")
            assert await ended(town, command) == "expired"
            assert pulses(town) == 0

    run(story)


def test_the_line_is_free_too_late(town):
    async def story():
        async with town.at_work():
            town.cabinet.line_busy_s = 1.0
            command = tell(town, life_s=1.4)
            assert await ended(town, command) == "expired"
            assert pulses(town) == 0
            settled = [each["outcome"] for each in town.up("movement.settled")]
            assert settled == ["not_moved"]
            assert place_state(town, 6) == "free"

    run(story)


def test_two_doors_an_hour_and_no_more_and_the_alarm_says_so(town):
    async def story():
        async with town.at_work():
            for door in (6, 5):
                command = tell(town, no=door)
                await pulls(town, door)
                assert await ended(town, command) == "done"
                town.cabinet.close(door)
            more = [tell(town, no=door) for door in (4, 3, 2)]
            assert {await ended(town, each) for each in more} == {"refused remote_cap"}
            assert (bolts(town), standing(town)) == (2, ["remote_cap"])
        async with town.at_work():
            assert await ended(town, tell(town, no=1)) == "refused remote_cap"
            await asyncio.sleep(3_700)
            assert standing(town) == []
            command = tell(town, no=1)
            await pulls(town, 1)
            assert await ended(town, command) == "done"
            assert bolts(town) == 3

    run(story)


def test_what_certainly_did_not_move_is_not_counted(town):
    async def story():
        async with town.at_work():
            for _ in range(3):
                town.cabinet.refuse = 1
                assert await ended(town, tell(town)) == "failed door_not_opened"
                await asyncio.sleep(10)
            command = tell(town)
            await pulls(town, 6)
            assert await ended(town, command) == "done"

    run(story)


def test_at_a_time_that_is_doubted_nothing_is_done_at_anybodys_word(town):
    async def story():
        async with town.at_work():
            town.clock.ahead += timedelta(hours=1)
            for kind in (OPEN, BLOCK):
                assert await ended(town, tell(town, kind)) == "refused time_doubted"
            assert (pulses(town), place_state(town, 6)) == (0, "free")

    run(story)


def test_a_command_that_waited_when_the_site_stopped_is_never_done(town):
    async def story():
        async with town.at_work():
            town.site.press("help")
            command = tell(town, life_s=300)
            await asyncio.sleep(5)
            assert ends(town, command) == []
        async with town.at_work():
            assert await ended(town, command) == "expired"
            await asyncio.sleep(60)
            assert pulses(town) == 0

    run(story)


@pytest.mark.parametrize("pulled", [True, False])
def test_a_command_that_was_under_way_when_the_site_stopped_is_not_tried_again(town, pulled):
    async def story():
        async with town.at_work():
            command = tell(town, life_s=300)
            await town.until(lambda: pulses(town) == 1)
        if pulled:
            town.cabinet.pull(6)
        async with town.at_work():
            assert await ended(town, command) == ("done" if pulled else "unknown")
            await asyncio.sleep(60)
            assert pulses(town) == 1

    run(story)


def test_the_same_command_twice_is_one(town):
    async def story():
        async with town.at_work():
            for _ in range(2):
                tell(town, command="C7")
            await pulls(town, 6)
            await asyncio.sleep(1)
            town.cabinet.close(6)
            await asyncio.sleep(20)
            tell(town, command="C7")
            await asyncio.sleep(60)
            assert (ends(town, "C7"), pulses(town)) == (["done"], 1)

    run(story)


def test_a_door_that_nobody_pulls_is_a_failure_and_no_jam(town):
    async def story():
        async with town.at_work():
            assert await ended(town, tell(town)) == "failed door_not_opened"
            assert (alarms(town), pulses(town)) == ([], 1)
            await town.until(lambda: place_state(town, 6) == "free")

    run(story)


def test_a_door_that_stands_open_already_is_not_released(town):
    async def story():
        async with town.at_work():
            town.cabinet.force(6)
            await asyncio.sleep(1)
            assert await ended(town, tell(town)) == "refused door_open"
            assert pulses(town) == 0

    run(story)


def test_what_nobody_can_see_is_unknown(town):
    async def story():
        async with town.at_work():
            town.cabinet[6].says = DoorSight.UNKNOWN
            town.cabinet.stir()
            await asyncio.sleep(1)
            assert await ended(town, tell(town)) == "unknown"
            assert [each["outcome"] for each in town.up("movement.settled")] == ["unknown"]

    run(story)
