"""A vendor's mistakes: one clear line each time, and nothing half done."""

import asyncio

import pytest
from sqlalchemy import select

from controller.entries import Down
from controller.ports import DoorSight
from controller.site.schema import alarms, compartments, items
from tests.controller.site.world import Town, badge_text, qr_of, run


def free(town: Town) -> int:
    return len(town.rows(select(compartments).where(compartments.c.state == "free")))


def state_of(town: Town, item: str = "N1-seal1") -> str:
    return town.rows(select(items.c.state).where(items.c.item_id == item))[0][0]


def pulses(town: Town) -> int:
    return sum(box.pulses for box in town.cabinet.boxes)


def test_a_label_scanned_twice_is_loaded_once(town):
    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            await town.load("OWL:N1-seal1")
            await asyncio.sleep(3)
            town.reader.hold("OWL:N1-seal1")
            assert (await town.shows("label_loaded")).screen == "load"
            assert (pulses(town), free(town)) == (1, 5)

    run(story)


def test_another_vendors_label_is_like_an_unknown_one(town):
    async def story():
        async with town.at_work():
            town.order("N1", vendor="V02")
            town.grant()
            await town.badge()
            shown = []
            for label in ("OWL:N1-seal1", "OWL:nobody"):
                town.reader.hold(label)
                await town.until(lambda: town.view.text == "label_unknown")
                shown.append(town.view)
                town.reader.hold(badge_text(20))
                await asyncio.sleep(3)
            assert shown[0] == shown[1]
            assert (pulses(town), free(town)) == (0, 6)

    run(story)


def test_staff_load_what_any_vendor_made(town):
    async def story():
        async with town.at_work():
            town.order("N1", vendor="V02")
            town.grant(21, "staff", None)
            await town.badge(21)
            await town.load("OWL:N1-seal1")
            assert state_of(town) == "loaded"

    run(story)


def test_a_door_shut_on_nothing_leaves_item_and_compartment_as_before(town):
    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            door = await town.opened()
            town.cabinet.close(door)
            await town.shows("nothing_put_in")
            assert (state_of(town), free(town), town.up("item.loaded")) == ("expected", 6, [])
            await asyncio.sleep(3)
            await town.load("OWL:N1-seal1")
            assert state_of(town) == "loaded"

    run(story)


def test_a_door_left_open_is_asked_for_then_alarmed_and_the_round_goes_on(town):
    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            door = await town.opened()
            town.cabinet.put(door, "OWL:N1-seal1")
            await town.shows("load_close")
            await town.until(lambda: bool(town.up("alarm.raised")), 120)
            assert town.up("alarm.raised")[0]["does"] == "door_ajar"
            assert len(town.up("door.ajar")) == 1
            town.cabinet.close(door)
            await town.shows("loaded")
            assert len(town.up("alarm.cleared")) == 1
            assert state_of(town) == "loaded"

    run(story)


def test_without_a_sensor_the_person_may_say_that_nothing_is_inside(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            door = await town.opened()
            town.cabinet.close(door)
            await town.shows("load_confirm")
            town.site.press("skip")
            await town.shows("nothing_put_in")
            assert (state_of(town), free(town)) == ("expected", 6)

    run(story)


def test_without_a_sensor_and_without_a_word_it_is_doubtful(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            town.cabinet.close(await town.opened())
            await town.shows("unsure", within_s=300)
            assert state_of(town) == "releasing"
            assert town.up("alarm.raised")[0]["does"] == "unexplained"
            assert town.up("compartment.fault")
            assert not town.up("pickup.ready")

    run(story)


def test_a_round_takes_under_a_quarter_minute_a_box_with_the_next_label_scanned_early(town):
    async def story():
        async with town.at_work():
            town.order(seals=4)
            town.grant()
            await town.badge()
            began = asyncio.get_running_loop().time()
            town.reader.hold("OWL:N1-seal1")
            for number in range(1, 5):
                door = await town.opened()
                town.cabinet.put(door, f"OWL:N1-seal{number}")
                if number < 4:
                    town.reader.hold(f"OWL:N1-seal{number + 1}")
                await asyncio.sleep(1.0)
                town.cabinet.close(door)
            await town.until(lambda: len(town.up("item.loaded")) == 4)
            assert asyncio.get_running_loop().time() - began < 4 * 8
            assert all(box.bolts <= 1 for box in town.cabinet.boxes)

    run(story)


def test_a_badge_revoked_in_the_middle_of_a_round_opens_nothing_more(town):
    async def story():
        async with town.at_work():
            town.order(seals=2)
            town.grant()
            await town.badge()
            await town.load("OWL:N1-seal1")
            town.tell(Down.BADGE_REVOKED, {"badge": "badge20"})
            town.reader.hold("OWL:N1-seal2")
            await town.shows("badge_unknown")
            assert pulses(town) == 1

    run(story)


def test_a_round_ends_by_itself_when_nobody_goes_on(town):
    async def story():
        async with town.at_work():
            town.grant()
            await town.badge()
            await town.shows("start", within_s=121)

    run(story)


def test_a_full_cabinet_says_so(tmp_path):
    town = Town(tmp_path / "site.db", doors=1)

    async def story():
        async with town.at_work():
            town.order(seals=2)
            town.grant()
            await town.badge()
            await town.load("OWL:N1-seal1")
            town.reader.hold("OWL:N1-seal2")
            await town.shows("no_compartment")
            assert pulses(town) == 1

    run(story)


def test_a_low_door_for_who_asked_for_one_and_kept_free_otherwise(town):
    async def story():
        async with town.at_work():
            (other,) = await town.loaded("N1")
            (low,) = await town.loaded("N2", number=2, needs={"reach": "low"})
            assert (other != 3, low) == (True, 3)

    run(story)


def test_boxes_of_one_round_do_not_lie_side_by_side(town):
    async def story():
        async with town.at_work():
            first, second = await town.loaded(seals=2)
            assert abs(first - second) > 1

    run(story)


def test_what_does_not_fit_a_small_one_gets_a_bigger_one(town):
    async def story():
        async with town.at_work():
            assert await town.loaded(size="M") == [5]

    run(story)


@pytest.mark.parametrize("trouble", ["open", "full"])
def test_a_compartment_that_is_not_surely_empty_and_shut_is_not_taken(town, trouble):
    async def story():
        async with town.at_work():
            for door in (1, 2, 4):
                if trouble == "open":
                    town.cabinet.force(door)
                else:
                    town.cabinet[door].inside.append("a hat")
                    town.cabinet.stir()
            await asyncio.sleep(2)
            assert await town.loaded(size="S") == [3]

    run(story)


def test_a_door_that_certainly_did_not_move_leaves_all_as_it_was(town):
    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            town.cabinet.refuse = 1
            town.reader.hold("OWL:N1-seal1")
            await town.shows("load_stuck")
            assert (state_of(town), free(town)) == ("expected", 6)
            assert town.up("movement.settled")[0]["outcome"] == "not_moved"
            await asyncio.sleep(3)
            await town.load("OWL:N1-seal1")

    run(story)


def test_a_recipient_who_steps_up_ends_the_round(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await town.badge()
            town.reader.hold(qr_of(1))
            await town.shows("confirm")

    run(story)


def test_a_board_lost_with_the_door_open_leaves_a_way_on(town):
    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            await town.opened()
            town.cabinet.silent = True
            town.cabinet.stir()
            shown = await town.shows("unsure")
            assert shown.screen == "load"
            assert "end" in shown.buttons
            assert shown.values["case"]
            assert state_of(town) == "expected"

    run(story)


def test_a_door_too_quick_to_be_seen_is_loaded_and_no_lock_is_jammed(town):
    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            for box in town.cabinet.boxes:
                box.says = DoorSight.CLOSED
            town.reader.hold("OWL:N1-seal1")
            await town.until(lambda: pulses(town) == 1)
            await asyncio.sleep(1)
            (door,) = (no for no, box in enumerate(town.cabinet.boxes, 1) if box.pulses)
            town.cabinet.pull(door)
            town.cabinet.put(door, "OWL:N1-seal1")
            town.cabinet.close(door)
            assert (await town.shows("loaded")).values["loaded"] == 1
            assert state_of(town) == "loaded"
            assert not town.rows(select(alarms).where(alarms.c.cleared_at.is_(None)))

    run(story)
