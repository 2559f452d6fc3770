"""Rare turns of events, each of which could lose an item, a door's truth or the next person."""

import asyncio
import sqlite3
from datetime import timedelta

from sqlalchemy import select

from controller.site.schema import intents
from tests.controller.site.visit import begun, place_state, pulses, standing, state_of
from tests.controller.site.world import Town, qr_of, run, typed_of

# what nobody sees


def test_a_board_that_falls_silent_after_the_pulse_is_not_said_to_have_stayed_shut(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await begun(town)
            await town.until(lambda: pulses(town) == 2)
            town.cabinet.silent = True
            door = town.door_shown()
            await asyncio.sleep(2)
            assert town.cabinet.pull(door)
            town.hands += town.cabinet.take(door)
            await asyncio.sleep(60)
            assert (state_of(town), place_state(town, door)) == ("releasing", "open")
            assert standing(town) == ["board_silent"]
            assert town.up("movement.settled")[-1]["outcome"] == "unknown"
            town.cabinet.silent = False
            await town.until(lambda: not town.site.problems(), 60)
            assert standing(town) == []
            assert town.up("movement.settled")[-1]["outcome"] == "moved"
            town.cabinet.close(door)
            await town.until(lambda: state_of(town) == "collected", 60)
            assert place_state(town, door) == "free"

    run(story)


def test_a_mistake_in_a_boards_driver_leaves_its_doors_unknown(town):
    async def story():
        async with town.at_work():

            async def broken():
                raise ZeroDivisionError

            town.cabinet.look = broken
            await asyncio.sleep(30)
            assert town.site.problems() == ["A-1 does not answer"]
            assert {row["state"] for row in town.site.describe().doors} == {"unknown"}
            assert standing(town) == ["board_silent"]

    run(story)


def test_a_mistake_in_a_machines_driver_takes_the_machine_away(town):
    async def story():
        async with town.at_work():

            async def broken():
                raise ZeroDivisionError

            town.printer.look = broken
            await asyncio.sleep(30)
            assert town.site.describe().machines[0]["state"] == "away"

    run(story)


def test_what_was_gone_before_the_door_opened_is_not_said_to_be_collected(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.cabinet.force(door)
            town.cabinet.take(door)
            await asyncio.sleep(1)
            town.cabinet.close(door)
            await asyncio.sleep(1)
            await begun(town)
            await town.opened()
            await town.shows("take")
            town.cabinet.close(door)
            await town.shows("did_you_take")
            assert not town.up("item.collected")
            await town.shows("unsure", within_s=100)
            assert (state_of(town), place_state(town, door)) == ("releasing", "fault")
            assert standing(town) == ["unexplained"]

    run(story)


# alarms


def test_a_board_that_is_back_after_a_restart_has_no_alarm_left(town):
    async def story():
        async with town.at_work():
            town.cabinet.silent = True
            await asyncio.sleep(20)
            assert standing(town) == ["board_silent"]
        town.cabinet.silent = False
        async with town.at_work():
            await asyncio.sleep(2)
            assert standing(town) == []

    run(story)


def test_a_machine_that_stays_away_is_an_alarm_until_it_is_back(town):
    async def story():
        async with town.at_work():
            town.printer.gone = True
            await asyncio.sleep(5)
            assert standing(town) == []
            await asyncio.sleep(20)
            assert standing(town) == ["machine_fault"]
        async with town.at_work():
            await asyncio.sleep(20)
            assert standing(town) == ["machine_fault"]
            town.printer.gone = False
            await asyncio.sleep(20)
            assert standing(town) == []

    run(story)


async def typed(town: Town, number: int) -> str:
    town.site.press("code", typed_of(number) + "9999")
    await town.until(lambda: town.view.text in ("code_unknown", "too_many_tries"))
    text = str(town.view.text)
    town.site.press("end")
    await town.shows("start")
    return text


def test_the_alarm_about_guessing_ends_with_the_guessing(town):
    async def story():
        async with town.at_work():
            wrong = 0
            while not town.up("alarm.raised"):
                wrong += await typed(town, 1000 + wrong) == "code_unknown"
                await asyncio.sleep(41)
            assert standing(town) == ["guessing"]
        town.wall_ahead = timedelta(days=2)
        async with town.at_work():
            town.confirm_time()
            await typed(town, 1)  # one wrong try is no guessing
            await town.until(lambda: standing(town) == [], within_s=1_000.0)

    run(story)


# the clock, the journal, the settings


def test_a_clock_that_went_back_a_year_does_not_lock_the_keypad_for_a_year(town):
    async def story():
        town.wall_ahead = timedelta(days=365)
        async with town.at_work():
            assert not town.site.time_doubted  # nothing is on record yet
            for n in range(5):
                await typed(town, 100 + n)
        town.wall_ahead = timedelta()
        async with town.at_work():
            assert await typed(town, 200) == "too_many_tries"
            await asyncio.sleep(60)
            assert await typed(town, 201) == "code_unknown"

    run(story)


def test_a_journal_entry_that_cannot_be_read_opens_nothing_and_is_an_alarm(town):
    async def story():
        async with town.at_work():
            await town.loaded()
        with sqlite3.connect(town.path) as raw:
            raw.execute("DROP TRIGGER IF EXISTS journal_no_update")
            raw.execute("UPDATE journal SET body = x'00ff' WHERE stream = 'up' AND seq = 3")
        raw.close()
        async with town.at_work():
            assert town.site.problems()
            assert town.view.text == "out_of_service"
            assert "journal_broken" in [each["kind"] for each in town.site.describe().alarms]

    run(story)


def test_a_compartment_taken_out_of_the_settings_stops_nobody(tmp_path):
    town = Town(tmp_path / "site.db", doors=6)
    small = Town(tmp_path / "site.db", doors=2)

    async def story():
        async with town.at_work():
            await town.loaded(seals=3)
        small.cabinet.boxes = town.cabinet.boxes[:2]
        async with small.at_work():
            await small.badge()
            small.order("N2", number=2)
            small.reader.hold("OWL:N2-seal1")
            await small.shows("no_compartment", "opening")
            small.site.press("end")
            await small.shows("start")
            await begun(small)
            await small.take()
            await small.shows("door_out_of_use")
            small.site.press("end")
            await small.shows("some_left")

    run(story)


# doors once more, and licences


def test_a_scan_that_waits_goes_before_a_press_for_the_same_door(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await begun(town)
            await town.take()
            await town.shows("rate")
            before = pulses(town)
            await asyncio.sleep(6)
            town.site.scanned(qr_of(9))
            town.site.press("again")
            await town.shows("code_unknown")
            assert pulses(town) == before

    run(story)


def test_a_door_with_something_left_inside_is_not_offered_as_an_open_again(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await begun(town)
            door = await town.opened()
            town.cabinet.close(door)
            await town.shows("item_left")
            town.site.press("skip")
            await town.shows("some_left")
            assert "again" not in town.view.buttons

    run(story)


def test_taking_a_licence_back_is_a_movement_with_a_reason_and_an_end(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await begun(town)
            await town.shows("licence_retracted", within_s=400)
            await asyncio.sleep(10)
            retract = town.up("movement.intended")[-1]
            assert (retract["does"], retract["order"]) == ("retract", "N1")
            assert not town.rows(select(intents).where(intents.c.outcome.is_(None)))

    run(story)
