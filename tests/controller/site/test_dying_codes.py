"""Codes that die and orders that are cancelled while somebody is at the kiosk."""

import asyncio

import pytest
from sqlalchemy import select

from controller.entries import Down
from controller.site.schema import orders
from tests.controller.site.visit import begun, pulses, state_of
from tests.controller.site.world import Town, code_of, qr_of, run


def order_state(town: Town) -> str:
    return town.rows(select(orders.c.state))[0][0]


def replace_code(town: Town, number: int = 2) -> None:
    town.tell(
        Down.CODE_REPLACED,
        {"order": "N1", "replaces": "N1-code0", "code": code_of("N1", number, generation=1)},
    )


def test_a_code_replaced_in_the_middle_of_its_visit_leaves_the_rest_to_the_new_one(town):
    async def story():
        async with town.at_work():
            await town.loaded(seals=2)
            await begun(town)
            await town.opened()
            replace_code(town)
            town.hands += town.cabinet.take(town.door_shown())
            await asyncio.sleep(1)
            town.cabinet.close(town.door_shown())
            await town.shows("code_unknown")
            assert len(town.up("pickup.ended")) == 1
            await town.shows("start")
            await begun(town, 2)
            await town.take()
            await town.shows("rate")
            assert len(town.hands) == 2

    run(story)


def test_a_code_that_expires_before_the_press_opens_nothing(tmp_path):
    town = Town(tmp_path / "site.db", code_valid_s=100)

    async def story():
        async with town.at_work():
            await town.loaded()
            before = pulses(town)
            await asyncio.sleep(70)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            await asyncio.sleep(40)
            town.site.press("confirm")
            await town.shows("code_unknown")
            assert pulses(town) == before

    run(story)


def test_a_new_code_for_what_was_collected_meanwhile_is_a_dead_one(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await begun(town)
            await town.take()
            await town.shows("rate")
            replace_code(town)
            town.reader.hold(qr_of(2))
            await town.shows("code_unknown")

    run(story)


# cancelled orders


def cancel(town: Town) -> None:
    town.tell(Down.ORDER_CANCELLED, {"order": "N1", "reason": "asked"})


def test_what_is_left_inside_of_a_cancelled_order_waits_to_be_taken_back(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await begun(town)
            door = await town.opened()
            cancel(town)
            town.cabinet.close(door)
            await town.shows("item_left")
            assert (state_of(town), order_state(town)) == ("return_requested", "cancelled")
            town.site.press("skip")
            await town.shows("start", within_s=100)

    run(story)


def test_taking_the_last_of_a_cancelled_order_does_not_revive_it(town):
    async def story():
        async with town.at_work():
            await town.loaded(seals=2)
            await begun(town)
            await town.opened()
            cancel(town)
            town.cabinet.take(town.door_shown())
            await asyncio.sleep(1)
            town.cabinet.close(town.door_shown())
            await town.shows("code_unknown")
            assert order_state(town) == "cancelled"
            assert len(town.up("item.collected")) == 1

    run(story)


@pytest.mark.parametrize("put_in", [True, False])
def test_an_order_cancelled_while_it_is_loaded_stays_cancelled(town, put_in):
    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            door = await town.opened()
            cancel(town)
            if put_in:
                town.cabinet.put(door, "OWL:N1-seal1")
                await asyncio.sleep(1)
            town.cabinet.close(door)
            await town.shows("loaded", "nothing_put_in")
            expected = "return_requested" if put_in else "cancelled"
            assert (state_of(town), order_state(town)) == (expected, "cancelled")
            await asyncio.sleep(3)
            town.reader.hold("OWL:N1-seal1")
            await town.shows("label_unknown")
            assert not town.up("pickup.ready")

    run(story)
