"""A recipient's visit, and everything that may get in its way."""

import asyncio

from sqlalchemy import select

from controller.entries import Down
from controller.ports import DoorSight
from controller.site.schema import codes, compartments
from tests.controller.site.visit import (
    alarms,
    at_first_door,
    begun,
    bolts,
    code_state,
    place_state,
    scanned,
    state_of,
)
from tests.controller.site.world import Town, code_of, qr_of, run


def test_a_scan_during_a_visit_starts_nothing(town):
    async def story():
        async with town.at_work():
            await at_first_door(town)
            await asyncio.sleep(2.5)
            town.reader.hold(qr_of(1))
            await town.take()
            await town.shows("rate")
            assert len(town.up("pickup.started")) == 1
            assert bolts(town) == 2

    run(story)


def test_doors_open_one_after_another(town):
    async def story():
        async with town.at_work():
            first = await at_first_door(town, seals=2)
            assert bolts(town) == 3
            await town.opened()
            await asyncio.sleep(20)
            assert bolts(town) == 3
            assert (town.view.values["number"], town.view.values["of"]) == (1, 2)
            town.hands += town.cabinet.take(first)
            await town.shows("close")
            town.cabinet.close(first)
            await town.take()
            await town.shows("rate")
            assert len(town.hands) == 2
            assert town.up("pickup.completed")[0]["left"] == []

    run(story)


def test_who_does_not_confirm_opens_nothing_and_keeps_the_code(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.reader.hold(qr_of(1))
            await town.shows("still_there", within_s=61)
            await town.shows("some_left", "start", within_s=31)
            assert (bolts(town), code_state(town), town.up("pickup.started")) == (1, "open", [])

    run(story)


def test_without_confirmation_by_policy_the_first_door_opens_at_once(tmp_path):
    town = Town(tmp_path / "site.db", confirm_pickup=False)

    async def story():
        async with town.at_work():
            await town.loaded()
            town.reader.hold(qr_of(1))
            assert await town.take() == ["OWL:N1-seal1"]

    run(story)


def test_a_door_that_does_not_spring_is_to_be_pushed_and_then_opens(town):
    async def story():
        async with town.at_work():
            door = await at_first_door(town)
            await town.shows("push")
            await asyncio.sleep(5)
            assert town.cabinet.pull(door)
            await town.shows("take")
            settled = town.up("movement.settled")[-1]
            assert (settled["outcome"], settled["seen_by"]) == ("moved", "door")

    run(story)


def test_a_jam_is_told_alarmed_and_pulsed_again_only_by_a_press(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            door = await jammed(town)
            view = await town.shows("stuck")
            assert (view.screen, view.values["tel"]) == ("trouble", "0755-1")
            assert view.values["case"] == town.up("problem.reported")[0]["case"]
            assert alarms(town) == ["lock_jammed"]
            assert town.up("movement.settled")[-1]["outcome"] == "unknown"
            assert town.cabinet[door].pulses == 2
            town.cabinet[door].jammed = False
            town.site.press("again")
            await town.take()
            await town.shows("rate")
            assert town.cabinet[door].pulses == 3
            assert len(town.up("movement.intended")) == 3
            assert len(town.up("alarm.cleared")) == 1

    run(story)


async def jammed(town: Town) -> int:
    for box in town.cabinet.boxes:
        box.jammed = True
    return await scanned(town)


def test_after_three_pulses_it_is_a_matter_for_staff_and_the_item_stays_the_persons(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            door = await jammed(town)
            for _ in range(2):
                await town.shows("stuck")
                town.site.press("again")
                await town.shows("opening")
            view = await town.shows("lock_given_up")
            assert (town.cabinet[door].pulses, "again" in view.buttons) == (4, False)
            assert (state_of(town), place_state(town, door)) == ("loaded", "fault")
            assert town.up("compartment.fault")[0]["reason"] == "lock_jammed"
            town.site.press("skip")
            await town.shows("some_left")
            assert code_state(town) == "open"
            for box in town.cabinet.boxes:
                box.jammed = False
            await begun(town)
            assert (await town.shows("door_out_of_use")).values["case"]
            assert town.cabinet[door].pulses == 4

    run(story)


def test_a_jam_of_one_door_does_not_keep_the_next_item(town):
    async def story():
        async with town.at_work():
            first, second = sorted(await town.loaded(seals=2))
            town.cabinet[first].jammed = True
            await scanned(town)
            await town.shows("stuck")
            town.site.press("skip")
            await town.shows("opening")
            assert town.door_shown() == second
            await town.take()
            await town.shows("some_left")
            left = town.up("pickup.ended")[0]["left"]
            assert len(left) == 1
            assert state_of(town, left[0]) == "loaded"

    run(story)


def test_a_reply_that_got_lost_is_settled_by_the_door_and_never_by_a_second_pulse(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.cabinet.lose_replies = 1
            door = await scanned(town)
            await town.take()
            await town.shows("rate")
            assert town.cabinet[door].pulses == 2
            assert town.up("movement.settled")[-1]["outcome"] == "moved"

    run(story)


def test_a_bolt_that_certainly_stayed_leaves_all_as_it_was(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.cabinet.refuse = 1
            await scanned(town)
            await town.shows("door_out_of_use")
            assert (state_of(town), town.cabinet[1].open) == ("loaded", False)
            town.site.press("again")
            await town.take()
            await town.shows("rate")
            assert state_of(town) == "collected"

    run(story)


def test_something_left_inside_is_seen_and_may_be_had(town):
    async def story():
        async with town.at_work():
            door = await at_first_door(town)
            await town.opened()
            town.cabinet.close(door)
            await town.shows("item_left")
            assert (state_of(town), town.up("item.collected")) == ("loaded", [])
            town.site.press("again")
            assert await town.take() == ["OWL:N1-seal1"]
            await town.shows("rate")
            assert len(town.up("item.collected")) == 1

    run(story)


def test_a_visit_never_ends_while_a_door_is_open(town):
    async def story():
        async with town.at_work():
            door = await at_first_door(town)
            await town.opened()
            await asyncio.sleep(200)
            assert town.view.screen == "close"
            assert alarms(town) == ["door_ajar"]
            town.cabinet.take(door)
            town.cabinet.close(door)
            await town.shows("rate")

    run(story)


def test_the_same_person_may_have_the_same_door_twice_more_and_nobody_after_the_next_scan(town):
    async def story():
        async with town.at_work():
            door = await at_first_door(town)
            await town.take()
            for _ in range(2):
                await town.shows("rate")
                town.site.press("again")
                await town.opened()
                town.cabinet.close(door)
            await town.shows("rate")
            assert "again" not in town.view.buttons
            assert [each["does"] for each in town.up("movement.intended")][-2:] == ["reopen"] * 2
            assert len(town.up("item.collected")) == 1
            town.reader.hold(qr_of(5))
            await town.shows("code_unknown")
            assert "again" not in town.view.buttons

    run(story)


def test_a_code_that_dies_before_the_press_opens_nothing(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.tell(
                Down.CODE_REPLACED,
                {"order": "N1", "replaces": "N1-code0", "code": code_of("N1", 2, generation=1)},
            )
            town.site.press("confirm")
            await town.shows("code_unknown")
            assert bolts(town) == 1

    run(story)


def test_an_order_cancelled_in_the_middle_of_its_visit_opens_no_further_door(town):
    async def story():
        async with town.at_work():
            await at_first_door(town, seals=2)
            town.tell(Down.ORDER_CANCELLED, {"order": "N1", "reason": "asked"})
            await town.take()
            await town.shows("code_unknown")
            assert bolts(town) == 3
            assert not town.rows(select(codes.c.code_id).where(codes.c.state == "open"))

    run(story)


def test_without_a_sensor_and_without_a_word_the_item_is_doubtful(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await at_first_door(town)
            await town.opened()
            town.cabinet.close(door)
            await town.shows("unsure", within_s=100)
            assert (state_of(town), alarms(town)) == ("releasing", ["unexplained"])
            await town.shows("start", within_s=200)
            town.reader.hold(qr_of(1))
            await town.shows("some_left", "confirm")
            assert bolts(town) == 2

    run(story)


def test_without_a_sensor_the_person_may_say_taken_while_the_door_is_open(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            door = await at_first_door(town)
            await town.opened()
            town.site.press("taken")
            town.cabinet.take(door)
            town.cabinet.close(door)
            await town.shows("rate")
            assert state_of(town) == "collected"

    run(story)


def test_a_switch_that_says_open_is_told_and_a_press_releases_all_the_same(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.cabinet[door].says = DoorSight.OPEN
            await asyncio.sleep(2)
            assert alarms(town) == ["door_forced"]
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.shows("door_out_of_use")
            assert bolts(town) == 1
            town.site.press("again")
            await town.opened()
            town.cabinet.take(door)
            await town.shows("rate", within_s=60)
            assert town.up("item.collected")[0]["by"] == "sensor"

    run(story)


def test_compartments_are_free_again_once_all_is_in_hand(town):
    async def story():
        async with town.at_work():
            await at_first_door(town, seals=2)
            await town.take()
            await town.take()
            await town.shows("rate")
            states = {row.state for row in town.rows(select(compartments))}
            assert (states, code_state(town)) == ({"free"}, "spent")

    run(story)
