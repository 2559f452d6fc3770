"""Each code opens what is its own, and each box goes where nothing else may go."""

import asyncio
from typing import TYPE_CHECKING, cast

from sqlalchemy import select
from structlog.testing import capture_logs

from controller.clock import ManualClock
from controller.codes import keyed_hash
from controller.entries import Down
from controller.site.bell import Bell
from controller.site.fire import Fire
from controller.site.kiosk import Desk
from controller.site.machines import SEQ_MAX
from controller.site.schema import compartments, journal, machines
from tests.controller.site.visit import alarms, begun, bolts, place_state, scanned, state_of
from tests.controller.site.world import CODE_KEY, START, badge_text, placed, qr_of, run, secret

if TYPE_CHECKING:
    from controller.site.book import Book


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


def test_a_lock_that_was_stuck_does_not_stay_released(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            for box in town.cabinet.boxes:
                box.jammed = True
            door = await scanned(town)
            await town.shows("stuck")
            town.site.press("end")
            await town.shows("start", "goodbye", "rate")
            await asyncio.sleep(60)
            town.cabinet.force(door)
            await town.until(lambda: "door_forced" in alarms(town), 10)

    run(story)


def test_what_was_scanned_before_the_ears_were_shut_serves_nobody():
    desk = Desk(cast("Book", None), ManualClock(START), Bell(), Fire(), lang="en", quiet_s=2.0)
    desk.listen(on=True)
    desk.scanned(qr_of(1))
    desk.listen(on=False)
    desk.scanned(qr_of(2))
    desk.listen(on=True)
    assert not desk.is_scan_waiting()


def test_a_machines_numbers_begin_anew_after_the_last_one(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            with town.store.write() as transaction:
                transaction.connection.execute(machines.update().values(next_seq=SEQ_MAX))
            await begun(town)
            await town.take_licence()
            await town.shows("rate")
            assert town.up("movement.intended")[0]["seq"] == SEQ_MAX
            assert town.rows(select(machines.c.next_seq)) == [(1,)]

    run(story)
