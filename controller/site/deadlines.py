"""Keeps each order's time to collect: what stands in its way, lost days, and when it is over."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from controller.entries import AlarmKind, CompartmentState, OrderState, Up
from controller.journal import Entry, parse_time, rfc3339
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
SILENT: Final = (AlarmKind.BOARD_SILENT, AlarmKind.BUS_DOWN)
CLOSES: Final = (Up.COMPARTMENT_RESTORED, Up.ALARM_CLEARED, Up.COMMAND_DONE, Up.MACHINE_CHANGED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that could be collected, but for what stands in its way."""

    order: Row[Any]
    spans: list[Row[Any]]
    hindered: bool
    case: bool  # somebody reported a problem that nobody has put right

    @property
    def open_span(self) -> Row[Any] | None:
        return next((span for span in self.spans if span.until is None), None)


class Deadlines:
    """One for a site."""

    def __init__(self, premises: Premises) -> None:
        self._p = premises
        self._stirred = asyncio.Event()
        self._hindered = False
        self._orphans = False  # something is kept of orders that wait no longer
        self._seen: tuple[datetime, float] | None = None
        premises.book.store.on_commit(self._committed)

    def _committed(self, entries: list[Entry]) -> None:
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
                return said["kind"] in SILENT
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
        with self._p.book.look() as connection:
            found = self._waiting(connection)
        self._hindered = any(each.hindered for each in found)
        if gap is not None or self._orphans or any(self._is_news(each, now) for each in found):
            with self._p.book.act() as act:
                waiting = [each.order.order_no for each in found]
                act.db.execute(hindrances.delete().where(hindrances.c.order_no.not_in(waiting)))
                for each in found:
                    self._follow(act, each, gap)
            with self._p.book.look() as connection:
                found = self._waiting(connection)
        dues = [parse_time(each.order.expires_at) for each in found if _may_end(each)]
        return min((due for due in dues if due > now), default=None)

    def _is_news(self, each: Waiting, now: datetime) -> bool:
        is_over = _may_end(each) and parse_time(each.order.expires_at) <= now
        return is_over or each.hindered or each.open_span is not None

    def _follow(self, act: Act, each: Waiting, gap: Span | None) -> None:
        order = each.order.order_no
        if gap is not None:
            _add(act, order, gap.since, gap.until)
        if each.hindered and each.open_span is None:
            _add(act, order, act.at, None)
        elif each.open_span is not None and not each.hindered:
            act.db.execute(
                hindrances.update()
                .where(hindrances.c.id == each.open_span.id)
                .values(until=act.now)
            )
        expires_at = self._prolong(act, each)
        if _may_end(each) and expires_at <= act.at:
            overdue(act, order)

    def _prolong(self, act: Act, each: Waiting) -> datetime:
        """The end of the time to collect, moved on by the days that are lost by now."""
        order = each.order
        expires_at = parse_time(order.expires_at)
        rows = act.db.execute(
            select(hindrances).where(hindrances.c.order_no == order.order_no)
        ).all()
        spans = [
            Span(parse_time(row.since), parse_time(row.until) if row.until else act.at)
            for row in rows
        ]
        lost = lost_days(spans, self._p.policy.day_lost_s) - _case_days(act, order.order_no)
        base = last_day(expires_at) - order.lost_days * DAY
        last = prolonged(local_day(parse_time(order.ready_at)), base, lost)
        more = (last - base).days - order.lost_days
        if more <= 0:
            return expires_at
        act.db.execute(
            table.update()
            .where(table.c.order_no == order.order_no)
            .values(lost_days=order.lost_days + more)
        )
        extend(act, order.order_no, end_of(last), DAYS_LOST)
        return end_of(last)

    def _waiting(self, connection: Connection) -> list[Waiting]:
        orders = connection.execute(
            select(table)
            .where(table.c.state.in_(COLLECTABLE), table.c.expires_at.is_not(None))
            .order_by(table.c.order_no)
        ).all()
        spans: dict[str, list[Row[Any]]] = {}
        for row in connection.execute(select(hindrances).order_by(hindrances.c.id)):
            spans.setdefault(row.order_no, []).append(row)
        self._orphans = bool(spans.keys() - {row.order_no for row in orders})
        hindered = self._hindered_orders(connection) if orders else set()
        troubled = set(
            connection.scalars(select(cases.c.order_no).where(cases.c.closed_at.is_(None)))
        )
        return [
            Waiting(
                row, spans.get(row.order_no, []), row.order_no in hindered, row.order_no in troubled
            )
            for row in orders
        ]

    def _hindered_orders(self, connection: Connection) -> set[str]:
        """Those of which something that is left cannot be handed over now."""
        unseen = self._p.watch.lost_places()
        rows = connection.execute(
            select(
                items.c.order_no,
                items.c.cabinet,
                items.c.no,
                compartments.c.state,
                machines.c.state.label("machine_state"),
                machines.c.faults,
                machines.c.blanks,
            )
            .join(table, table.c.order_no == items.c.order_no)
            .outerjoin(
                compartments,
                (compartments.c.cabinet == items.c.cabinet) & (compartments.c.no == items.c.no),
            )
            .outerjoin(machines, machines.c.machine == items.c.machine)
            .where(table.c.state.in_(COLLECTABLE), items.c.state.not_in(GONE))
        )
        return {
            row.order_no
            for row in rows
            if row.state in OUT_OF_USE
            or (row.cabinet is not None and Place(row.cabinet, row.no) in unseen)
            or row.machine_state == AWAY
            or row.faults
            or _is_empty(row.blanks)
        }


def _is_empty(blanks: int | None) -> bool:
    return blanks is not None and blanks < SHEETS_A_SET


def _may_end(each: Waiting) -> bool:
    return each.order.state != OrderState.OVERDUE.value and not each.case


def _add(act: Act, order: str, since: datetime, until: datetime | None) -> None:
    act.db.execute(
        hindrances.insert().values(
            order_no=order, since=rfc3339(since), until=None if until is None else rfc3339(until)
        )
    )


def _case_days(act: Act, order: str) -> set[Any]:
    """Days that the end of a case gives back, or has given back."""
    days = set()
    for case in act.db.execute(select(cases).where(cases.c.order_no == order)):
        day = local_day(parse_time(case.opened_at))
        until = local_day(parse_time(case.closed_at) if case.closed_at else act.at + DAY)
        while day < until:
            days.add(day)
            day += DAY
    return days
