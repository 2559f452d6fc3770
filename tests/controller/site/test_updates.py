"""An order that changes while it is at a site: more time, more codes, another place."""

import asyncio
from datetime import timedelta

from sqlalchemy import select

from controller.entries import Down
from controller.journal import parse_time
from controller.site.schema import codes, items, orders, typed_codes
from tests.controller.site.visit import begun, pulses, state_of
from tests.controller.site.world import Town, code_of, placed, qr_of, run, typed_of

DAY_S = 86_400


def update(town: Town, **what: object) -> None:
    town.tell(Down.ORDER_UPDATED, {"order": "N1"} | what)


def row(town: Town, order: str = "N1"):
    return town.rows(select(orders).where(orders.c.order_no == order))[0]


def delegate(town: Town, number: int) -> None:
    update(town, codes=[code_of("N1", number, generation=number)])


async def refused(town: Town, number: int) -> None:
    before = pulses(town)
    await town.shows("start")
    town.reader.hold(qr_of(number))
    await town.shows("code_unknown")
    await town.shows("start")
    assert pulses(town) == before


def test_more_days_are_told_in_one_entry_and_less_time_is_never_taken(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            before = parse_time(row(town).expires_at)
            update(town, retention_s=22 * DAY_S)
            for retention_s in (22, 15, 3):
                update(town, retention_s=retention_s * DAY_S)
            (told,) = town.up("deadline.extended")
            assert parse_time(told["expires_at"]) - before == timedelta(days=7)
            assert (told["reason"], row(town).expires_at) == ("asked_for", told["expires_at"])

    run(story)


def test_more_days_for_an_order_that_is_not_ready_are_counted_from_when_it_is(town):
    async def story():
        async with town.at_work():
            town.order()
            update(town, retention_s=30 * DAY_S)
            assert town.up("deadline.extended") == []
            town.grant()
            await town.badge()
            await town.load("OWL:N1-seal1")
            days = (parse_time(row(town).expires_at) - parse_time(row(town).ready_at)).days
            assert days == 30

    run(story)


def test_more_days_take_an_overdue_order_back(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            with town.store.write() as transaction:
                transaction.connection.execute(
                    orders.update().values(state="overdue", expires_at="2026-11-20T16:00:00.000Z")
                )
            update(town, retention_s=17 * DAY_S)
            assert row(town).state == "overdue"  # that was not enough
            update(town, retention_s=30 * DAY_S)
            assert row(town).state == "ready"

    run(story)


def test_who_needs_a_low_door_later_gets_one(town):
    async def story():
        async with town.at_work():
            town.order()
            update(town, needs={"reach": "low"})
            town.grant()
            await town.badge()
            assert await town.load("OWL:N1-seal1") == 3

    run(story)


def test_a_delegates_code_kills_no_other_and_the_last_item_kills_all(town):
    async def story():
        async with town.at_work():
            await town.loaded(seals=2)
            delegate(town, 2)
            delegate(town, 3)
            await begun(town, 2)
            await town.take()
            await town.until(lambda: town.count("item.collected") == 1)
            await town.opened()
            delegate(town, 4)
            assert {each.state for each in town.rows(select(codes.c.state))} == {"open", "claimed"}
            town.hands += town.cabinet.take(town.door_shown())
            town.cabinet.close(town.door_shown())
            await town.until(lambda: town.count("pickup.completed") == 1)
            for number in (1, 2, 3, 4):
                await refused(town, number)
            assert {each.state for each in town.rows(select(codes.c.state))} == {"spent"}

    run(story)


def test_one_code_of_several_is_replaced_and_the_others_stay_good(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            delegate(town, 2)
            replaced = {
                "order": "N1",
                "replaces": "N1-code2",
                "code": code_of("N1", 4, generation=4),
            }
            town.tell(Down.CODE_REPLACED, replaced)
            await refused(town, 2)
            for number in (1, 4):
                town.reader.hold(qr_of(number))
                assert (await town.shows("confirm")).order == "N1"
                town.site.press("end")
                await town.shows("start")

    run(story)


def test_a_replacement_that_names_another_orders_code_does_not_kill_it(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.order("N2", number=2)
            wrong = {"order": "N2", "replaces": "N1-code0", "code": code_of("N2", 3, generation=1)}
            town.tell(Down.CODE_REPLACED, wrong)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")

    run(story)


def test_an_order_that_moves_away_is_no_longer_expected_and_may_come_back(town):
    async def story():
        async with town.at_work():
            town.order()
            update(town, moved_to="FT-0002")
            await refused(town, 1)
            town.grant()
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            await town.shows("label_unknown")
            assert pulses(town) == 0
            town.order()
            await asyncio.sleep(5)  # the label was away from the scanner
            assert await town.load("OWL:N1-seal1") > 0

    run(story)


def test_what_lies_here_when_its_order_moves_away_waits_to_be_taken_back(town):
    async def story():
        async with town.at_work():
            await town.loaded(seals=1)
            update(town, moved_to="FT-0002")
            assert (state_of(town), row(town).state) == ("return_requested", "cancelled")
            await refused(town, 1)

    run(story)


def test_a_collected_order_does_not_change_any_more(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await begun(town)
            await town.take()
            await town.until(lambda: state_of(town) == "collected")
            delegate(town, 2)
            update(town, retention_s=40 * DAY_S, moved_to="FT-0002")
            assert (state_of(town), row(town).state) == ("collected", "collected")
            assert town.up("deadline.extended") == []
            await town.shows("start")
            await refused(town, 2)

    run(story)


def test_what_changes_of_an_order_that_is_not_here_changes_nothing(town):
    async def story():
        async with town.at_work():
            update(town, retention_s=40 * DAY_S, needs={}, moved_to="FT-0002")
            assert town.rows(select(orders)) == town.rows(select(items)) == []

    run(story)


def test_two_phones_that_end_alike_and_digits_that_come_again(town):
    async def story():
        async with town.at_work():
            order = placed("N1", seals=1)
            order["codes"][0]["typed"] *= 2
            town.tell(Down.ORDER_PLACED, order)
            assert len(town.rows(select(typed_codes))) == 1
            town.tell(Down.ORDER_CANCELLED, {"order": "N1", "reason": "x"})
            again = placed("N2") | {"codes": [code_of("N2", 1) | {"qr": "0" * 64}]}
            town.tell(Down.ORDER_PLACED, again)
            with town.store.write() as transaction:
                transaction.connection.execute(codes.update().values(state="spent"))
            later = placed("N3") | {"codes": [code_of("N3", 1) | {"qr": "1" * 64}]}
            town.tell(Down.ORDER_PLACED, later)
            assert [each.code_id for each in town.rows(select(typed_codes))] == ["N3-code0"]
            assert typed_of(1) == "00000001"

    run(story)
