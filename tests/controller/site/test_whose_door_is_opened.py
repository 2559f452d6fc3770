"""Each code opens what is its own, and each box goes where nothing else may go."""

import asyncio

from sqlalchemy import select
from structlog.testing import capture_logs

from controller.codes import keyed_hash
from controller.entries import Down
from controller.site.schema import compartments, journal
from tests.controller.site.visit import bolts, place_state, scanned, state_of
from tests.controller.site.world import CODE_KEY, badge_text, placed, qr_of, run, secret


def test_a_visit_opens_its_own_order_s_doors_and_no_other(town):
    async def story():
        async with town.at_work():
            (own,) = await town.loaded("N1")
            (other,) = await town.loaded("N2", number=2)
            moved = bolts(town)
            assert await scanned(town) == own != other
            assert await town.take() == ["OWL:N1-seal1"]
            await town.shows("rate")
            await asyncio.sleep(30)
            assert bolts(town) == moved + 1
            assert (state_of(town), state_of(town, "N2-seal1")) == ("collected", "loaded")

    run(story)


def test_a_code_is_known_by_all_of_its_hash(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            alike = placed("N2", number=2)
            known = keyed_hash(CODE_KEY, secret(3))
            alike["codes"][0]["qr"] = known[:-1] + ("0" if known[-1] != "0" else "1")
            town.tell(Down.ORDER_PLACED, alike)
            town.reader.hold(qr_of(3))
            await town.shows("code_unknown", "code_not_ready")
            assert town.view.text == "code_unknown"

    run(story)


def test_a_compartment_is_the_boxs_from_the_intent_on(town):
    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            town.reader.hold("OWL:N1-seal1")
            door = await town.opened()
            assert place_state(town, door) == "reserved"
            (told,) = town.up("movement.intended")
            assert (told["where"], told["order"], told["item"]) == (f"A/{door}", "N1", "N1-seal1")

    run(story)


def test_a_blocked_compartment_is_not_loaded(town):
    async def story():
        async with town.at_work():
            with town.store.write() as transaction:
                transaction.connection.execute(
                    compartments.update().where(compartments.c.no != 2).values(state="blocked")
                )
            assert await town.loaded() == [2]
            town.order("N2", number=2)
            await town.badge()
            town.reader.hold("OWL:N2-seal1")
            await town.shows("no_compartment", "cabinet_full")

    run(story)


def test_a_badge_opens_nothing_after_its_last_day(town):
    async def story():
        async with town.at_work():
            town.order()
            ends = {"valid_until": "2026-11-24T01:05:00.000Z"}
            town.tell(
                Down.BADGE_GRANTED,
                {"badge": "badge20", "role": "vendor", "vendor_id": "V01", **ends}
                | {"hash": keyed_hash(CODE_KEY, secret(20))},
            )
            await asyncio.sleep(200)
            await town.badge()
            await asyncio.sleep(100)
            town.reader.hold("OWL:N1-seal1")
            await town.shows("badge_unknown")
            town.reader.hold(badge_text(20))
            await asyncio.sleep(30)
            assert town.up("movement.intended") == []

    run(story)


def test_nothing_that_opens_a_door_is_logged_or_journaled(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.reader.hold(qr_of(7))
            await town.shows("code_unknown")
            await town.shows("start")
            await scanned(town)
            await town.take()
            await town.shows("rate")
            return [each.body for each in town.rows(select(journal.c.body))]

    with capture_logs() as logs:
        bodies = run(story)
    told = f"{logs} {bodies}"
    assert "pickup.completed" in told
    for number in (1, 7, 20):
        assert secret(number) not in told
