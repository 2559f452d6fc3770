"""Returns: what is cancelled, overdue or asked back; its code works until it is taken out."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from controller.entries import Down
from controller.journal import rfc3339
from controller.site.schema import orders
from tests.controller.site.staffing import offered, shut, staff
from tests.controller.site.visit import begun, place_state, pulses, standing, state_of
from tests.controller.site.world import START, Town, qr_of, run


def order_state(town: Town, order: str = "N1") -> str:
    return town.rows(select(orders.c.state).where(orders.c.order_no == order))[0][0]


def ask_back(town: Town, order: str = "N1") -> None:
    town.tell(Down.ITEM_RETURN, {"order": order, "reason": "recall"})


def cancel(town: Town, order: str = "N1") -> None:
    town.tell(Down.ORDER_CANCELLED, {"order": order, "reason": "withdrawn"})


async def at_the_list(town: Town, badge: int = 20) -> None:
    await asyncio.sleep(3)
    await town.badge(badge)
    town.site.press("choose", "returns")
    await town.shows("returns")


async def take_back(town: Town) -> int:
    door = await town.opened()
    await town.shows("take_out", "load_close")
    await asyncio.sleep(1)
    town.hands += town.cabinet.take(door)
    await shut(town, door)
    return door


def test_what_was_cancelled_is_taken_back_by_who_brought_it(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            cancel(town)
            await at_the_list(town)
            assert offered(town) == ["N1-seal1"]
            town.site.press("choose", "N1-seal1")
            assert await take_back(town) == door
            await town.shows("no_returns")
            assert (state_of(town), place_state(town, door)) == ("returned", "free")
            assert order_state(town) == "cancelled"
            (entry,) = town.up("item.returned")
            assert (entry["by"], entry["badge"]) == ("sensor", "badge20")

    run(story)


def test_what_the_district_asks_back_makes_a_returned_order_of_a_ready_one(town):
    async def story():
        async with town.at_work():
            await town.loaded(seals=2, licence=True)
            ask_back(town)
            assert state_of(town) == "return_requested"
            await at_the_list(town)
            town.site.press("choose", "all")
            await take_back(town)
            await asyncio.sleep(2)
            assert order_state(town) == "ready"
            await take_back(town)
            await town.shows("no_returns")
            assert order_state(town) == "returned"
            assert state_of(town, "N1-licence") == "cancelled"
            assert {each["reason"] for each in town.up("item.returned")} == {"recall"}
            town.site.press("end")
            await town.shows("start")
            town.reader.hold(qr_of(1))
            await town.shows("code_unknown")

    run(story)


def test_until_it_is_taken_out_its_code_works(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            ask_back(town)
            await begun(town)
            assert await town.take() == ["OWL:N1-seal1"]
            await town.shows("rate")
            assert state_of(town) == "collected"

    run(story)


def expired(town: Town, at: datetime) -> None:
    """The order's last day ended then."""
    with town.store.write() as transaction:
        transaction.connection.execute(orders.update().values(expires_at=rfc3339(at)))


def test_what_is_long_overdue_is_on_the_list_and_before_that_not(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            expired(town, START - timedelta(days=2))
            await asyncio.sleep(3)
            await town.badge()
            assert not town.view.choices
            town.site.press("end")
            await town.shows("start")
            expired(town, START - timedelta(days=3))
            await at_the_list(town)
            town.site.press("choose", "N1-seal1")
            await take_back(town)
            await town.shows("no_returns")
            assert town.up("item.returned")[0]["reason"] == "overdue"
            assert order_state(town) == "returned"

    run(story)


def test_a_vendor_sees_only_their_own_and_staff_see_all(town):
    async def story():
        async with town.at_work():
            await town.loaded("N1")
            town.grant(24, "vendor", "V02")
            ask_back(town)
            await asyncio.sleep(3)
            await town.badge(24)
            assert not town.view.choices
            town.site.press("end")
            await town.shows("start")
            await staff(town)
            assert "returns" in offered(town)

    run(story)


def test_a_return_that_nothing_came_of_leaves_the_item_to_its_code(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            ask_back(town)
            await at_the_list(town)
            town.site.press("choose", "N1-seal1")
            await town.opened()
            await shut(town, door)
            await town.shows("still_inside")
            assert (state_of(town), place_state(town, door)) == ("return_requested", "occupied")
            town.site.press("end")
            await town.shows("returns")
            town.site.press("skip")
            await town.shows("load_next")
            town.site.press("end")
            await town.shows("start")
            await begun(town)
            await town.take()
            await town.shows("rate")

    run(story)


@pytest.mark.parametrize("taken", [True, False])
def test_a_return_cut_short_by_the_power_is_settled_by_the_sensor(town, taken):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            ask_back(town)
            await at_the_list(town)
            town.site.press("choose", "N1-seal1")
            await town.opened()
        if taken:
            town.cabinet.take(door)
        town.cabinet.close(door)
        async with town.at_work():
            await town.until(lambda: place_state(town, door) != "open")
            assert state_of(town) == ("returned" if taken else "return_requested")
            assert len(town.up("item.returned")) == taken

    run(story)


def test_a_return_cut_short_without_a_sensor_is_doubtful_by_name(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            ask_back(town)
            await at_the_list(town)
            town.site.press("choose", "N1-seal1")
            await town.opened()
        town.cabinet.close(door)
        async with town.at_work():
            await town.until(lambda: place_state(town, door) == "fault")
            assert standing(town) == ["unexplained"]

    run(story)


@pytest.mark.parametrize(("said", "state"), [("taken", "returned"), ("skip", "return_requested")])
def test_without_a_sensor_the_person_says_whether_it_is_out(blind_town, said, state):
    town = blind_town

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            ask_back(town)
            await at_the_list(town)
            town.site.press("choose", "N1-seal1")
            await town.opened()
            await shut(town, door)
            await town.shows("take_out_confirm")
            town.site.press(said)
            await town.until(lambda: state_of(town) == state)

    run(story)


def test_a_badge_revoked_at_the_list_takes_nothing_back(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            ask_back(town)
            await at_the_list(town)
            town.tell(Down.BADGE_REVOKED, {"badge": "badge20"})
            before = pulses(town)
            town.site.press("choose", "N1-seal1")
            await town.shows("badge_unknown")
            assert pulses(town) == before

    run(story)


def test_a_recipient_who_comes_while_a_door_stands_open_for_a_return_is_served(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded("N1")
            await town.loaded("N2", number=2)
            ask_back(town)
            await at_the_list(town)
            town.site.press("choose", "N1-seal1")
            await town.opened()
            await begun(town, 2)
            await town.take()
            await town.shows("rate")
            town.hands += town.cabinet.take(door)
            town.cabinet.close(door)
            await town.until(lambda: place_state(town, door) == "free")
            assert (state_of(town), state_of(town, "N2-seal1")) == ("returned", "collected")

    run(story)
