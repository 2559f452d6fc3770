"""The site dies in the middle and is started again, among doors and people that went on."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import select

from controller.site.schema import codes, compartments, intents, items
from tests.controller.site.world import Town, qr_of, run


async def dies_with_a_door_released(town: Town, **what: object) -> int:
    """The pulse was given, nothing was seen yet, and the power is gone."""
    async with town.at_work():
        await town.loaded(**what)
        town.reader.hold(qr_of(1))
        await town.shows("confirm")
        town.site.press("confirm")
        before = pulses(town)
        await town.until(lambda: pulses(town) > before)
        return town.door_shown()


def state_of(town: Town, item: str = "N1-seal1") -> str:
    return town.rows(select(items.c.state).where(items.c.item_id == item))[0][0]


def place_state(town: Town, door: int) -> str:
    return town.rows(select(compartments.c.state).where(compartments.c.no == door))[0][0]


def settled(town: Town) -> tuple[str, str | None]:
    last = town.up("movement.settled")[-1]
    return last["outcome"], last["seen_by"]


def pulses(town: Town) -> int:
    return sum(box.pulses for box in town.cabinet.boxes)


def test_no_scan_is_taken_before_what_was_unfinished_is_settled(town):
    async def story():
        await dies_with_a_door_released(town)
        town.cabinet.look_s = 5.0
        town.reader.hold(qr_of(1))
        texts = []

        async def listen() -> None:
            await asyncio.sleep(4.5)
            texts.append(str(town.view.text))
            assert town.site.problems() == ["settling"]
            assert town.rows(select(intents).where(intents.c.outcome.is_(None)))

        listening = asyncio.create_task(listen())
        async with town.at_work():
            await listening
            assert texts == ["starting"]
            assert not town.rows(select(intents).where(intents.c.outcome.is_(None)))
            assert pulses(town) == 2

    run(story)


def test_a_start_gives_no_pulse_and_ends_the_visit_of_before(town):
    async def story():
        await dies_with_a_door_released(town, seals=2)
        assert pulses(town) == 3
        async with town.at_work():
            await asyncio.sleep(60)
            assert pulses(town) == 3
            assert len(town.up("pickup.ended")) == 1
            assert town.rows(select(codes.c.state))[0][0] == "open"

    run(story)


def test_a_door_found_open_had_moved_and_its_item_is_settled_when_it_is_shut(town):
    async def story():
        door = await dies_with_a_door_released(town)
        assert town.cabinet.pull(door)
        async with town.at_work():
            assert settled(town) == ("moved", "door")
            assert state_of(town) == "releasing"
            town.cabinet.take(door)
            await asyncio.sleep(2)
            town.cabinet.close(door)
            await asyncio.sleep(3)
            assert (state_of(town), place_state(town, door)) == ("collected", "free")
            assert town.up("pickup.completed")
            assert not town.up("alarm.raised")

    run(story)


def test_a_door_pulled_after_the_start_is_no_forced_one(town):
    async def story():
        door = await dies_with_a_door_released(town)
        async with town.at_work():
            assert settled(town) == ("unknown", None)
            await asyncio.sleep(2)
            assert town.cabinet.pull(door)
            await asyncio.sleep(2)
            assert settled(town) == ("moved", "door")
            town.cabinet.close(door)
            await asyncio.sleep(3)
            assert (state_of(town), place_state(town, door)) == ("loaded", "occupied")
            assert not town.up("alarm.raised")

    run(story)


def test_what_was_taken_while_the_power_was_off_is_collected_by_the_sensor(town):
    async def story():
        door = await dies_with_a_door_released(town)
        assert town.cabinet.pull(door)
        town.cabinet.take(door)
        town.cabinet.close(door)
        async with town.at_work():
            await asyncio.sleep(20)
            assert (state_of(town), place_state(town, door)) == ("collected", "free")
            town.reader.hold(qr_of(1))
            await town.shows("code_unknown")

    run(story)


def test_what_nobody_touched_is_still_there_and_may_be_had(town):
    async def story():
        door = await dies_with_a_door_released(town)
        async with town.at_work():
            await asyncio.sleep(20)
            assert (state_of(town), place_state(town, door)) == ("loaded", "occupied")
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take()
            await town.shows("rate")

    run(story)


def test_without_a_sensor_it_is_doubtful_and_handed_to_nobody(blind_town):
    town = blind_town

    async def story():
        door = await dies_with_a_door_released(town)
        async with town.at_work():
            await asyncio.sleep(20)
            assert (state_of(town), place_state(town, door)) == ("releasing", "fault")
            assert [alarm["does"] for alarm in town.up("alarm.raised")] == ["unexplained"]
            await town.until(lambda: town.view.text == "start")
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.shows("some_left")
            assert pulses(town) == 2

    run(story)


def test_a_dead_board_does_not_keep_the_site_from_starting(town):
    async def story():
        door = await dies_with_a_door_released(town, licence=True)
        town.cabinet.silent = True
        async with town.at_work():
            assert settled(town) == ("unknown", None)
            await town.shows("start")
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take_licence()
            await town.shows("some_left")
            town.cabinet.silent = False
            await asyncio.sleep(60)
            assert (state_of(town), place_state(town, door)) == ("loaded", "occupied")

    run(story)


@pytest.mark.parametrize("taken", [True, False])
def test_a_licence_under_way_is_settled_by_what_the_machine_remembers(town, taken):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.until(lambda: town.printer.frames == 1)
        async with town.at_work():
            assert state_of(town, "N1-licence") == "releasing"
            await town.until(lambda: bool(town.printer.outlet))
            if taken:
                await town.take_licence()
            else:
                town.printer.swallow()
            await asyncio.sleep(5)
            state = "collected" if taken else "releasing"
            assert (state_of(town, "N1-licence"), town.printer.moved) == (state, 1)
            assert settled(town) == ("moved", "machine")
            assert [alarm["does"] for alarm in town.up("alarm.raised")][:1] == (
                [] if taken else ["item_left"]
            )

    run(story)


def test_a_command_that_never_arrived_is_not_sent_at_start(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            town.printer.lose_frames = 99
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.until(lambda: town.printer.lose_frames < 99)
        town.printer.lose_frames = 0
        async with town.at_work():
            assert settled(town) == ("not_moved", "machine")
            await asyncio.sleep(30)
            assert (town.printer.frames, state_of(town, "N1-licence")) == (0, "loaded")

    run(story)


def test_a_machine_that_is_ahead_of_the_record_is_held(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take_licence()
            await town.shows("rate")
        town.printer.last = town.printer.last.__class__(40, None, town.printer.last.outcome, 0)
        async with town.at_work():
            assert [alarm["does"] for alarm in town.up("alarm.raised")] == ["unexplained"]
            town.order("N2", seals=0, licence=True, number=2)
            town.reader.hold(qr_of(2))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.shows("machine_rests")
            assert town.printer.frames == 1

    run(story)


def test_a_machine_that_is_new_to_the_site_goes_on_where_it_stands(town):
    async def story():
        town.printer.last = town.printer.last.__class__(40, None, town.printer.last.outcome, 0)
        async with town.at_work():
            town.order(seals=0, licence=True)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take_licence()
            await town.shows("rate")
            assert town.printer.last.seq == 41

    run(story)


def test_a_journal_that_does_not_hold_together_opens_nothing(town):
    async def story():
        async with town.at_work():
            await town.loaded()
        with sqlite3.connect(town.path) as raw:
            raw.execute("DROP TRIGGER journal_no_update")
            raw.execute(
                "UPDATE journal SET body = CAST(replace(CAST(body AS TEXT), 'item.loaded',"
                " 'item.zoaded') AS BLOB) WHERE kind = 'item.loaded'"
            )
        raw.close()
        async with town.at_work():
            assert town.view.text == "out_of_service"
            assert "item.zoaded" not in str(town.view)
            assert "journal up" in town.site.problems()[0]
            assert [alarm["does"] for alarm in town.up("alarm.raised")] == ["journal_broken"]
            town.reader.hold(qr_of(1))
            await asyncio.sleep(5)
            assert pulses(town) == 1

    run(story)
