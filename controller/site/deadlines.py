"""Keeps each order's time to collect: what stands in its way, lost days, and when it is over."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from controller.entries import AlarmKind, CompartmentState, OrderState, Up
from controller.journal import Entry, parse_time, rfc3339
from controller.prepared import Prepared
from controller.rows import add_row, change_rows
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.items import SHEETS_A_SET
from controller.site.machines import AWAY
from controller.site.orders import COLLECTABLE, GONE, extend, overdue
from controller.site.premises import Premises
from controller.site.retention import (
    DAY,
    DAYS_LOST,
    Span,
    end_of,
    last_day,
    local_day,
    lost_days,
    prolonged,
)
from controller.site.schema import cases, compartments, hindrances, items, machines
from controller.site.schema import orders as table

LOOK_EVERY_S: Final = 3_600.0
LOOK_CLOSELY_S: Final = 600.0  # while something stands in the way
GAP_S: Final = 300.0  # time that passed and was not lived through here
OUT_OF_USE: Final = (CompartmentState.FAULT.value, CompartmentState.BLOCKED.value)
HINDERS: Final = (AlarmKind.BOARD_SILENT, AlarmKind.BUS_DOWN, AlarmKind.MAINTENANCE, AlarmKind.FIRE)
CLOSES: Final = (Up.COMPARTMENT_RESTORED, Up.ALARM_CLEARED, Up.COMMAND_DONE, Up.MACHINE_CHANGED)


WAITING: Final = Prepared(
    select(table)
    .where(table.c.state.in_(COLLECTABLE), table.c.expires_at.is_not(None))
    .order_by(table.c.order_no)
)
SPANS: Final = Prepared(select(hindrances).order_by(hindrances.c.id))
REPORTED: Final = Prepared(
    select(cases)
    .join(table, table.c.order_no == cases.c.order_no)
    .where(table.c.state.in_(COLLECTABLE))
)
_LEFT: Final = (
    select(items.c.order_no, items.c.cabinet, items.c.no)
    .join(table, table.c.order_no == items.c.order_no)
    .where(table.c.state.in_(COLLECTABLE), items.c.state.not_in(GONE))
)
LEFT: Final = Prepared(_LEFT)
HINDERED: Final = Prepared(
    _LEFT.outerjoin(
        compartments,
        (compartments.c.cabinet == items.c.cabinet) & (compartments.c.no == items.c.no),
    )
    .outerjoin(machines, machines.c.machine == items.c.machine)
    .where(
        compartments.c.state.in_(OUT_OF_USE)
        | (machines.c.state == AWAY)
        | (machines.c.faults != "")
        | (machines.c.blanks < SHEETS_A_SET)
    )
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that could be collected, but for what stands in its way."""

    order: Row[Any]
    spans: list[Row[Any]]
    cases: list[Row[Any]]  # problems that somebody reported, put right or not
    hindered: bool

    @property
    def open_span(self) -> Row[Any] | None:
        return next((span for span in self.spans if span.until is None), None)

    @property
    def case(self) -> bool:
        """Somebody reported a problem that nobody has put right."""
        return any(case.closed_at is None for case in self.cases)

    @property
    def may_end(self) -> bool:
        return self.order.state != OrderState.OVERDUE.value and not self.case

    @property
    def expires_at(self) -> datetime:
        return parse_time(self.order.expires_at)

    def may_be_news(self, now: str) -> bool:
        """Whether anything of it may be otherwise by now: of most orders nothing is."""
        is_over = self.may_end and self.order.expires_at <= now
        return self.hindered or self.open_span is not None or is_over


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be written of one order."""

    each: Waiting
    lost: int  # more days than before
    expires_at: datetime
    is_over: bool

    @property
    def is_news(self) -> bool:
        is_span_news = self.each.hindered is not (self.each.open_span is not None)
        return is_span_news or self.lost > 0 or self.is_over


class Deadlines:
    """One for a site."""

    def __init__(self, premises: Premises) -> None:
        self._p = premises
        self._stirred = asyncio.Event()
        self._hindered = False
        self._orphans = False  # something is kept of orders that wait no longer
        self._seen: tuple[datetime, float] | None = None
        self._found: list[Waiting] | None = None  # as it stands; None: something was written since
        self._found_at: tuple[int, set[Place]] = (0, set())  # acts so far, places nobody could see
        premises.book.store.on_commit(self._committed)

    def _committed(self, entries: list[Entry]) -> None:
        self._found = None
        if any(self._matters(entry) for entry in entries):
            self._stirred.set()

    def _matters(self, entry: Entry) -> bool:
        said = entry.data
        match entry.kind:
            case Up.PICKUP_READY | Up.DEADLINE_EXTENDED:
                left = parse_time(said["expires_at"]) - self._p.clock.now()
                return left.total_seconds() < LOOK_EVERY_S
            case Up.COMPARTMENT_FAULT | Up.PROBLEM_SOLVED | Up.COMMAND_DONE:
                return True
            case Up.ALARM_RAISED:
                return said["kind"] in HINDERS
            case Up.MACHINE_CHANGED if not self._hindered:
                return bool(said["faults"]) or said["state"] == AWAY or _is_empty(said["blanks"])
        return self._hindered and entry.kind in CLOSES

    def start(self, latest: datetime | None) -> None:
        """What passed since the site was last in service counts for nobody."""
        at = latest if self._seen is None else self._seen[0]
        clock = self._p.clock
        self._seen = (at or clock.now(), clock.monotonic())

    async def run(self) -> None:
        """Look when something changes that matters, and when a time is over."""
        while True:
            self._stirred.clear()
            due = self.look()
            patience_s = LOOK_CLOSELY_S if self._hindered else LOOK_EVERY_S
            if due is not None:
                patience_s = min(patience_s, (due - self._p.clock.now()).total_seconds())
            with suppress(TimeoutError):
                async with asyncio.timeout(max(patience_s, 0)):
                    await self._stirred.wait()

    def look(self) -> datetime | None:
        """Write what is new; when the next order's time is over, if nothing happens before."""
        now, elapsed = self._p.clock.now(), self._p.clock.monotonic()
        at, then = self._seen or (now, elapsed)
        self._seen = (now, elapsed)
        lived = timedelta(seconds=elapsed - then)
        gap = Span(at, now - lived) if (now - at - lived).total_seconds() > GAP_S else None
        found = self._waiting()
        self._hindered = any(each.hindered for each in found)
        told = rfc3339(now)
        steps = [
            step
            for each in found
            if (gap is not None or each.may_be_news(told)) and (step := self._step(each, gap, now))
        ]
        if gap is not None or self._orphans or steps:
            self._write(found, steps, gap)
            found = self._waiting()
        dues = [each.order.expires_at for each in found if each.may_end]
        due = min((due for due in dues if due > told), default=None)
        return None if due is None else parse_time(due)

    def _step(self, each: Waiting, gap: Span | None, now: datetime) -> Step | None:
        """What is new of an order by now."""
        expires_at, lost = each.expires_at, 0
        is_over = each.may_end and expires_at <= now
        if gap is not None or each.hindered or each.open_span is not None or is_over:
            expires_at, lost = self._prolonged(each, gap, now)
        step = Step(each, lost, expires_at, is_over=each.may_end and expires_at <= now)
        return step if step.is_news else None

    def _prolonged(self, each: Waiting, gap: Span | None, now: datetime) -> tuple[datetime, int]:
        """The end of the time to collect, moved on by the days that are lost by now."""
        order, expires_at = each.order, each.expires_at
        spans = [
            Span(parse_time(row.since), parse_time(row.until) if row.until else now)
            for row in each.spans
        ]
        spans += [gap] if gap else []
        lost = lost_days(spans, self._p.policy.day_lost_s)
        if not lost:
            return expires_at, 0
        lost -= _case_days(each.cases, now)
        base = last_day(expires_at) - order.lost_days * DAY
        last = prolonged(local_day(parse_time(order.ready_at)), base, lost)
        more = (last - base).days - order.lost_days
        return (end_of(last), more) if more > 0 else (expires_at, 0)

    def _write(self, found: list[Waiting], steps: list[Step], gap: Span | None) -> None:
        waiting = [each.order.order_no for each in found]
        with self._p.book.act() as act:
            if self._orphans:
                act.db.execute(hindrances.delete().where(hindrances.c.order_no.not_in(waiting)))
            if gap is not None:
                for order in waiting:
                    _add(act, order, gap.since, gap.until)
            for step in steps:
                _follow(act, step)

    def _waiting(self) -> list[Waiting]:
        """Looked up again when something was written, or a board is lost or back."""
        unseen = self._p.watch.lost_places()
        if closed := self._p.maintenance.cabinets():
            unseen |= {place for place in self._p.doors if place.cabinet in closed}
        if self._p.fire.on:
            unseen |= set(self._p.doors)
        at = self._p.book.acts, unseen
        if self._found is None or at != self._found_at:
            with self._p.book.look() as connection:
                self._found = self._look_up(connection, unseen)
            self._found_at = at
        return self._found

    def _look_up(self, connection: Connection, unseen: set[Place]) -> list[Waiting]:
        orders = WAITING.rows(connection)
        spans: dict[str, list[Row[Any]]] = {}
        for row in SPANS.rows(connection):
            spans.setdefault(row.order_no, []).append(row)
        self._orphans = bool(spans.keys() - {row.order_no for row in orders})
        hindered = _hindered_orders(connection, unseen) if orders else set()
        reported: dict[str, list[Row[Any]]] = {}
        for row in REPORTED.rows(connection):
            reported.setdefault(row.order_no, []).append(row)
        return [
            Waiting(
                row,
                spans.get(row.order_no, []),
                reported.get(row.order_no, []),
                row.order_no in hindered,
            )
            for row in orders
        ]


def _hindered_orders(connection: Connection, unseen: set[Place]) -> set[str]:
    """Those of which something that is left cannot be handed over now."""
    found = {row.order_no for row in HINDERED.rows(connection)}
    if unseen:
        found |= {
            row.order_no
            for row in LEFT.rows(connection)
            if row.cabinet is not None and Place(row.cabinet, row.no) in unseen
        }
    return found


def _is_empty(blanks: int | None) -> bool:
    return blanks is not None and blanks < SHEETS_A_SET


def _follow(act: Act, step: Step) -> None:
    each, order = step.each, step.each.order
    if each.hindered and each.open_span is None:
        _add(act, order.order_no, act.at, None)
    elif each.open_span is not None and not each.hindered:
        change_rows(act.db, hindrances, {"id": each.open_span.id}, until=act.now)
    if step.lost:
        days = order.lost_days + step.lost
        change_rows(act.db, table, {"order_no": order.order_no}, lost_days=days)
        extend(act, order.order_no, step.expires_at, DAYS_LOST)
    if step.is_over:
        overdue(act, order.order_no)


def _add(act: Act, order: str, since: datetime, until: datetime | None) -> None:
    ends = None if until is None else rfc3339(until)
    add_row(act.db, hindrances, order_no=order, since=rfc3339(since), until=ends)


def _case_days(cases: list[Row[Any]], now: datetime) -> set[date]:
    """Days that the end of a case gives back, or has given back."""
    days = set()
    for case in cases:
        day = local_day(parse_time(case.opened_at))
        until = local_day(parse_time(case.closed_at) if case.closed_at else now + DAY)
        while day < until:
            days.add(day)
            day += DAY
    return days
