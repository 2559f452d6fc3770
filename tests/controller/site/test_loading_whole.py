"""A round at the pace of who knows the work, and every way in which a box can go wrong."""

import asyncio

import pytest
from sqlalchemy import select

from controller.entries import Down
from controller.settings import CompartmentTable
from controller.site.schema import items, orders
from tests.controller.site.staffing import offered, shut
from tests.controller.site.visit import begun, place_state, standing, state_of
from tests.controller.site.world import Town, qr_of, run


async def vendor(town: Town, **what: object) -> None:
    town.order(**what)
    town.grant()
    await town.badge()


def place_of(town: Town, item: str = "N1-seal1") -> int | None:
    return town.rows(select(items.c.no).where(items.c.item_id == item))[0][0]


# a box too big


@pytest.mark.parametrize("sensors", [True, False])
def test_a_box_too_big_for_its_door_gets_a_bigger_one_with_one_press(tmp_path, sensors):
    town = Town(tmp_path / "site.db", sensors=sensors)

    async def story():
        async with town.at_work():
            await vendor(town)
            town.reader.hold("OWL:N1-seal1")
            small = await town.opened()
            await town.shows("load_open")
            town.site.press("bigger")
            await town.shows("load_close")
            town.cabinet.close(small)
            big = await town.opened()
            assert big == 5
            assert (place_state(town, small), place_state(town, big)) == ("free", "reserved")
            town.cabinet.put(big, "OWL:N1-seal1")
            await shut(town, big)
            if not sensors:
                await town.shows("load_confirm")
                town.site.press("confirm")
            await town.shows("loaded")
            assert (state_of(town), place_of(town)) == ("loaded", 5)

    run(story)


def test_a_door_shut_on_a_box_that_did_not_fit_offers_a_bigger_one_too(town):
    async def story():
        async with town.at_work():
            await vendor(town)
            town.reader.hold("OWL:N1-seal1")
            town.cabinet.close(await town.opened())
            await town.shows("nothing_put_in")
            town.site.press("bigger")
            assert await town.opened() == 5

    run(story)


def test_where_there_is_no_bigger_one_the_person_is_told(town):
    async def story():
        async with town.at_work():
            await vendor(town, size="L")
            town.reader.hold("OWL:N1-seal1")
            door = await town.opened()
            await town.shows("load_open")
            town.site.press("bigger")
            town.cabinet.close(door)
            await town.shows("no_compartment")
            assert (state_of(town), place_state(town, door)) == ("expected", "free")

    run(story)


# undo


@pytest.mark.parametrize("sensors", [True, False])
def test_the_last_box_is_undone_with_one_press_and_its_order_is_not_ready_any_more(
    tmp_path, sensors
):
    town = Town(tmp_path / "site.db", sensors=sensors)

    async def story():
        async with town.at_work():
            await vendor(town)
            door = await town.load("OWL:N1-seal1")
            await town.shows("loaded")
            town.site.press("undo")
            assert await town.opened() == door
            town.cabinet.take(door)
            await shut(town, door)
            if not sensors:
                await town.shows("take_out_confirm")
                town.site.press("taken")
            await town.shows("undone")
            assert (state_of(town), place_state(town, door)) == ("expected", "free")
            assert town.rows(select(orders.c.state))[0][0] == "placed"
            assert town.up("item.expected")[0]["badge"] == "badge20"
            town.site.press("end")
            await town.shows("start")
            town.reader.hold(qr_of(1))
            await town.shows("code_not_ready")
            town.site.press("end")
            await asyncio.sleep(3)
            await town.badge()
            await town.load("OWL:N1-seal1")
            assert len(town.up("pickup.ready")) == 2

    run(story)


def test_an_undo_that_nobody_used_leaves_the_box_loaded(town):
    async def story():
        async with town.at_work():
            await vendor(town)
            door = await town.load("OWL:N1-seal1")
            await town.shows("loaded")
            town.site.press("undo")
            await town.opened()
            await shut(town, door)
            await town.shows("still_inside")
            assert (state_of(town), place_state(town, door)) == ("loaded", "occupied")
            assert not town.up("item.expected")

    run(story)


def test_power_that_fails_in_an_undo_is_settled_by_what_the_sensor_sees(town):
    async def story():
        async with town.at_work():
            await vendor(town)
            door = await town.load("OWL:N1-seal1")
            await town.shows("loaded")
            town.site.press("undo")
            await town.opened()
            town.cabinet.take(door)
        town.cabinet.close(door)
        async with town.at_work():
            await town.until(lambda: place_state(town, door) == "free")
            assert state_of(town) == "expected"
            assert len(town.up("item.expected")) == 1

    run(story)


# a box that went elsewhere, a person who went away


def test_a_box_put_behind_another_open_door_is_found_there_by_staff(town):
    async def story():
        async with town.at_work():
            town.cabinet.force(6)
            await vendor(town)
            town.reader.hold("OWL:N1-seal1")
            door = await town.opened()
            town.cabinet.put(6, "OWL:N1-seal1")
            await asyncio.sleep(1)
            town.cabinet.close(6)
            town.cabinet.close(door)
            await town.shows("put_elsewhere")
            assert (place_state(town, 6), place_state(town, door)) == ("fault", "free")
            assert "item_left" in standing(town)
            assert state_of(town) == "expected"

    run(story)


def test_who_walks_away_from_an_open_door_leaves_the_kiosk_to_the_next(town):
    async def story():
        async with town.at_work():
            await town.loaded("N2", number=2)
            town.order("N1")
            await asyncio.sleep(3)
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            door = await town.opened()
            town.cabinet.put(door, "OWL:N1-seal1")
            await town.shows("load_close")
            await begun(town, 2)
            assert await town.take() == ["OWL:N2-seal1"]
            await town.shows("rate")
            town.cabinet.close(door)
            await town.until(lambda: state_of(town) == "loaded")
            assert place_state(town, door) == "occupied"

    run(story)


def test_an_open_door_that_nobody_comes_back_to_ends_the_round_and_stays_an_alarm(town):
    async def story():
        async with town.at_work():
            await vendor(town)
            town.reader.hold("OWL:N1-seal1")
            door = await town.opened()
            await town.shows("start", within_s=300)
            assert standing(town) == ["door_ajar"]
            town.cabinet.close(door)
            await town.until(lambda: place_state(town, door) == "free")
            assert (state_of(town), standing(town)) == ("expected", [])

    run(story)


def test_the_next_label_is_taken_while_a_door_is_still_open_and_the_same_one_is_no_second_box(town):
    async def story():
        async with town.at_work():
            await vendor(town, seals=2)
            town.reader.hold("OWL:N1-seal1")
            first = await town.opened()
            await asyncio.sleep(3)
            town.reader.hold("OWL:N1-seal1")
            await asyncio.sleep(0.2)
            town.reader.hold("OWL:N1-seal2")
            town.cabinet.put(first, "OWL:N1-seal1")
            await shut(town, first)
            second = await town.opened()
            assert state_of(town) == "loaded"
            town.cabinet.put(second, "OWL:N1-seal2")
            await shut(town, second)
            await town.until(lambda: len(town.up("item.loaded")) == 2)
            assert not town.up("pickup.refused")

    run(story)


# which door


def test_of_doors_that_fit_the_one_at_the_height_of_a_hand_is_taken(tmp_path):
    town = Town(tmp_path / "site.db", doors=4)
    heights = (20, 180, 110, 60)
    town.settings = town.settings.model_copy(
        update={
            "compartment": [
                CompartmentTable(cabinet="A", no=no, size="S", height_cm=height)
                for no, height in enumerate(heights, 1)
            ]
        }
    )

    async def story():
        async with town.at_work():
            assert await town.loaded() == [3]

    run(story)


def test_a_full_cabinet_names_what_could_be_taken_back_first(tmp_path):
    town = Town(tmp_path / "site.db", doors=1)

    async def story():
        async with town.at_work():
            await town.loaded("N1")
            town.tell(Down.ITEM_RETURN, {"order": "N1", "reason": "recall"})
            town.order("N2", number=2)
            await asyncio.sleep(3)
            await town.badge()
            town.reader.hold("OWL:N2-seal1")
            shown = await town.shows("cabinet_full")
            assert shown.values == {"places": "A01"}
            assert offered(town) == ["returns"]

    run(story)


# an order behind several doors


def test_an_order_behind_three_doors_is_handed_over_door_by_door_over_two_visits(town):
    async def story():
        async with town.at_work():
            doors = await town.loaded(seals=3)
            assert len(set(doors)) == 3
            await begun(town)
            await town.take()
            await town.opened()
            town.cabinet.close(town.door_shown())
            await town.shows("item_left")
            town.site.press("skip")
            await town.take()
            await town.shows("some_left")
            assert len(town.hands) == 2
            await town.shows("start", within_s=60)
            await begun(town)
            await town.take()
            await town.shows("rate")
            assert len(set(town.hands)) == 3
            assert len(town.up("item.collected")) == 3

    run(story)
