"""How long a site keeps what is not collected, and which days it does not count."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from controller.entries import CompartmentState, Down, Up
from controller.faults import NoReply
from controller.journal import Stream, parse_time, read_entry
from controller.site import compartments
from controller.site.book import Act, Book
from controller.site.deadlines import Deadlines
from controller.site.doors import Place
from controller.site.inbox import Inbox
from controller.site.items import item_of, loaded
from controller.site.premises import furnish
from controller.site.schema import compartments as places
from controller.site.schema import doors, hindrances, journal, metadata, orders
from controller.site.schema import machines as machine_table
from controller.steady import SteadyClock
from controller.store import open_store
from tests.controller.site.hardware import Cabinet, Printer
from tests.controller.site.visit import begun, state_of
from tests.controller.site.world import SITE, START, Town, placed, run, settings

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
A1 = Place("A", 1)


class HandClock:
    """Time that the test moves; nobody sleeps."""

    def __init__(self) -> None:
        self.at, self.elapsed = START, 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Shelf:
    """A site's tables and its deadlines, without anything that runs."""

    def __init__(self, store: Any, clock: HandClock) -> None:
        self.clock = clock
        steady = SteadyClock(clock)
        self.book = Book(store, SITE, steady, lambda _step: None)
        boards, machines = {"A": [Cabinet("A-1", 6)]}, {"M1": Printer()}
        (self.p,) = furnish(settings(), self.book, steady, boards, machines, {}).values()
        self.deadlines = Deadlines(self.p)
        self.steady = steady
        self.inbox = Inbox(SITE, steady)
        with self.book.store.write() as transaction:
            metadata.create_all(transaction.connection)
        with self.book.act() as act:
            for no in range(1, 7):
                at = {"cabinet": "A", "no": no}
                plan = {"size": "S", "height_cm": 100, "reach": "mid", "state": "free"}
                act.db.execute(places.insert().values(**at, **plan))
                door = {"door": "shut", "state": "closed", "n": 0, "at": act.now}
                act.db.execute(doors.insert().values(**at, **door))
            row = {"next_seq": 1, "next_job": 1, "state": "idle", "blanks": 200, "faults": ""}
            act.db.execute(machine_table.insert().values(machine="M1", at=act.now, **row))
        self.deadlines.start(None)
        self.deadlines.look()

    def tell(self, kind: Down, data: Any) -> None:
        with self.book.store.write() as transaction:
            self.inbox.apply(transaction, transaction.append(SITE, Stream.DOWN, kind.value, data))

    def has(self, order: str = "N1", place: Place = A1, **what: Any) -> None:
        """All of the order is here."""
        self.tell(Down.ORDER_PLACED, placed(order, **what))
        if what.get("seals", 1):
            with self.book.act() as act:
                compartments.change(act, place, (CompartmentState.FREE,), CompartmentState.RESERVED)
                at = {"cabinet": place.cabinet, "no": place.no}
                item = item_of(act.db, f"{order}-seal1")
                act.db.execute(
                    metadata.tables["items"]
                    .update()
                    .where(metadata.tables["items"].c.item_id == item.item_id)
                    .values(**at)
                )
                compartments.rest(act, place, CompartmentState.OCCUPIED)
                loaded(act, item_of(act.db, item.item_id), str(place), "sensor")

    def passes(self, seconds: float, *, step_s: float = HOUR_S) -> None:
        """Time goes by, and the site looks as often as it does."""
        while seconds > 0:
            step = min(step_s, seconds)
            seconds -= step
            self.clock.at += timedelta(seconds=step)
            self.clock.elapsed += step
            self.deadlines.look()

    def does(self, change: Callable[[Act], None]) -> None:
        with self.book.act() as act:
            change(act)
        self.deadlines.look()

    def row(self, order: str = "N1") -> Any:
        with self.book.look() as connection:
            return connection.execute(select(orders).where(orders.c.order_no == order)).one()

    def days(self, order: str = "N1") -> int:
        """Whole days from the first morning to the end of the last."""
        return (parse_time(self.row(order).expires_at) - START).days

    def up(self, kind: Up) -> list[Any]:
        with self.book.look() as connection:
            rows = connection.execute(select(journal.c.body).where(journal.c.kind == kind.value))
            return [read_entry(SITE, row.body).data for row in rows]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    clock = HandClock()
    with open_store(tmp_path / "site.db", journal, clock) as store:
        yield Shelf(store, clock)


def block(act: Act) -> None:
    compartments.block(act, A1, "hinge")


def unblock(act: Act) -> None:
    compartments.unblock(act, A1)


def test_the_time_to_collect_is_over_at_the_last_days_midnight_and_not_a_second_before(shelf):
    shelf.has()
    end = parse_time(shelf.row().expires_at)
    assert end - START == timedelta(days=15, hours=15)
    assert shelf.deadlines.look() == end
    shelf.passes((end - START).total_seconds() - 1, step_s=DAY_S)
    assert shelf.row().state == "ready"
    shelf.passes(1)
    assert shelf.row().state == "overdue"
    shelf.passes(9 * DAY_S, step_s=DAY_S)
    assert (shelf.up(Up.PICKUP_OVERDUE), shelf.days()) == ([{"order": "N1"}], 15)
    assert shelf.up(Up.DEADLINE_EXTENDED) == []


def test_half_an_hour_out_of_use_costs_nobody_a_day(shelf):
    shelf.has()
    shelf.does(block)
    shelf.passes(1_800)
    shelf.does(unblock)
    shelf.passes(20 * DAY_S)
    assert (shelf.row().state, shelf.days()) == ("overdue", 15)


def test_two_half_hours_of_a_day_are_an_hour(shelf):
    shelf.has()
    for _ in range(2):
        shelf.does(block)
        shelf.passes(1_800)
        shelf.does(unblock)
        shelf.passes(1_800)
    assert shelf.days() == 16


def test_each_day_out_of_use_moves_the_end_by_one_and_is_told_once(shelf):
    shelf.has()
    shelf.does(block)
    shelf.passes(2 * DAY_S)
    shelf.does(unblock)
    assert (shelf.days(), shelf.row().lost_days) == (18, 3)  # two nights are three days
    told = shelf.up(Up.DEADLINE_EXTENDED)
    assert [each["reason"] for each in told] == ["days_lost"] * 3
    assert told[-1]["expires_at"] == shelf.row().expires_at
    shelf.passes(30 * DAY_S)
    assert (shelf.row().state, shelf.days()) == ("overdue", 18)


def test_a_compartment_of_another_order_is_no_matter(shelf):
    shelf.has()
    shelf.has("N2", Place("A", 2), number=2)
    shelf.does(block)
    shelf.passes(5 * DAY_S)
    assert (shelf.days("N1"), shelf.days("N2")) == (15 + 6, 15)


def test_an_order_that_nobody_can_hand_over_is_not_overdue_meanwhile(shelf):
    shelf.has()
    shelf.passes(10 * DAY_S, step_s=DAY_S)
    shelf.does(block)
    shelf.passes(20 * DAY_S, step_s=6 * HOUR_S)
    assert shelf.row().state == "ready"
    shelf.does(unblock)
    shelf.passes(6 * DAY_S, step_s=6 * HOUR_S)
    assert shelf.row().state == "ready"
    shelf.passes(DAY_S)
    assert shelf.row().state == "overdue"


def test_a_board_that_is_silent_costs_the_days_of_what_lies_behind_its_doors(shelf):
    shelf.has()
    shelf.p.watch.lose_board("A-1", NoReply("A-1", "nobody answers"))
    shelf.deadlines.look()
    shelf.passes(2 * HOUR_S)
    assert shelf.days() == 16


@pytest.mark.parametrize("trouble", [{"state": "away"}, {"faults": "jam"}, {"blanks": 1}])
def test_a_machine_that_cannot_present_costs_the_days_of_its_licences(shelf, trouble):
    shelf.has(seals=0, licence=True)
    assert shelf.row().state == "ready"
    shelf.does(lambda act: act.db.execute(machine_table.update().values(**trouble)))
    shelf.passes(2 * DAY_S)
    good = {"state": "idle", "faults": "", "blanks": 200}
    shelf.does(lambda act: act.db.execute(machine_table.update().values(**good)))
    shelf.passes(DAY_S)
    assert shelf.days() == 15 + 3


def test_days_that_the_site_did_not_live_through_are_lost(shelf):
    shelf.has()
    shelf.clock.at += timedelta(days=5)  # there was no power, and nobody believes the clock yet
    shelf.deadlines.look()
    assert shelf.days() == 15
    shelf.steady.hear(shelf.clock.at)
    shelf.deadlines.look()
    assert shelf.days() == 15 + 6
    shelf.passes(DAY_S)
    assert shelf.days() == 15 + 6


def test_days_before_a_start_are_lost_where_the_clock_is_believed(shelf):
    shelf.has()
    shelf.clock.at += timedelta(days=2)
    shelf.clock.elapsed = 0.0
    shelf.steady.hear(shelf.clock.at)
    later = Deadlines(shelf.p)
    later.start(START)
    later.look()
    assert shelf.days() == 15 + 3


def test_a_hold_costs_its_days(shelf):
    shelf.has()
    shelf.deadlines.look()
    shelf.clock.at += timedelta(days=2)
    shelf.clock.elapsed += 2 * DAY_S
    shelf.deadlines.start(START)  # in service again
    shelf.deadlines.look()
    assert shelf.days() == 15 + 3


def test_the_days_of_an_open_case_are_given_back_once(shelf):
    shelf.has()
    case = shelf.p.desk.case(None, "damaged")
    shelf.does(lambda act: act.db.execute(metadata.tables["cases"].update().values(order_no="N1")))
    shelf.does(block)
    shelf.passes(20 * DAY_S)
    assert (shelf.row().state, shelf.days()) == ("ready", 15)  # its time stands still
    shelf.does(unblock)
    shelf.tell(Down.PROBLEM_SOLVED, {"case": case, "by": "ops1"})
    shelf.deadlines.look()
    assert shelf.days() == 15 + 20
    shelf.passes(DAY_S)
    assert shelf.days() in (15 + 20, 15 + 21)


def test_trouble_of_another_order_gives_no_day_to_one_whose_case_was_solved(shelf):
    shelf.has()
    shelf.has("N2", Place("A", 2), number=2)
    case = shelf.p.desk.case(None, "damaged")
    shelf.does(lambda act: act.db.execute(metadata.tables["cases"].update().values(order_no="N1")))
    shelf.does(block)
    shelf.passes(2 * DAY_S)
    shelf.does(unblock)
    shelf.tell(Down.PROBLEM_SOLVED, {"case": case, "by": "ops1"})
    shelf.does(lambda act: compartments.block(act, Place("A", 2), "hinge"))
    shelf.passes(3 * DAY_S)
    assert (shelf.days(), shelf.days("N2")) == (15 + 2, 15 + 4)


def test_nothing_is_kept_of_what_stood_in_the_way_of_an_order_that_is_gone(shelf):
    shelf.has()
    shelf.has("N2", Place("A", 2), number=2)
    shelf.does(block)
    shelf.passes(DAY_S)
    shelf.does(unblock)

    def gone(act: Act) -> None:
        act.db.execute(orders.update().where(orders.c.order_no == "N1").values(state="collected"))

    shelf.does(gone)
    with shelf.book.look() as connection:
        assert connection.execute(select(hindrances)).all() == []


def test_a_site_at_work_notices_midnight(tmp_path):
    town = Town(tmp_path / "site.db", machine=False)
    town.wall_ahead = timedelta(hours=14, minutes=50)

    async def story():
        async with town.at_work():
            await town.loaded()
            with town.store.write() as transaction:
                transaction.connection.execute(orders.update().values(retention_s=0))
            town.tell(Down.ORDER_PLACED, placed("N2", number=2) | {"retention_s": 0})
            await town.badge()
            await town.load("OWL:N2-seal1")
            town.site.press("end")
            assert town.up("pickup.overdue") == []
            await asyncio.sleep(900)
            assert [each["order"] for each in town.up("pickup.overdue")] == ["N2"]
            await town.shows("start")
            await begun(town, 2)
            await town.take()
            await town.until(lambda: state_of(town, "N2-seal1") == "collected")

    run(story)
