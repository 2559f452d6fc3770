"""Reads for clients and pages. Every function takes a connection and changes nothing."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, tuple_

from controller.district import schema as s
from controller.district.seal import Seal
from controller.district.views import (
    Figures,
    ItemView,
    JournalPage,
    OrderFilter,
    OrdersPage,
    OrderView,
    PhoneText,
    SitePlace,
    VendorItem,
)
from controller.entries import ItemState
from controller.journal import Stream, entries, head, parse_time, rfc3339
from controller.refusals import FieldsRefused

PHONE_TEXTS_MAX = 50


def time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


def order(connection: Connection, order_no: str, client: str | None = None) -> OrderView | None:
    """One order; with `client`, only if that client placed it."""
    wanted = select(s.orders).where(s.orders.c.order_no == order_no)
    if client is not None:
        wanted = wanted.where(s.orders.c.client == client)
    found = _orders(connection, wanted)
    return found[0] if found else None


def orders(
    connection: Connection, wanted: OrderFilter, cursor: str | None, limit: int
) -> OrdersPage:
    """Newest first. A cursor goes on below the last order that its page showed."""
    statement = select(s.orders).order_by(s.orders.c.placed_at.desc(), s.orders.c.order_no.desc())
    for column, value in (
        (s.orders.c.client, wanted.client),
        (s.orders.c.state, wanted.state),
        (s.orders.c.site_id, wanted.site_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.since:
        statement = statement.where(s.orders.c.placed_at >= rfc3339(wanted.since))
    if wanted.until:
        statement = statement.where(s.orders.c.placed_at < rfc3339(wanted.until))
    if cursor:
        placed_at, _, order_no = cursor.partition("_")
        if not order_no:
            raise FieldsRefused([("cursor", "is not a cursor that a page gave")])
        below = tuple_(s.orders.c.placed_at, s.orders.c.order_no)
        statement = statement.where(below < tuple_(placed_at, order_no))
    found = _orders(connection, statement.limit(limit + 1))
    page = found[:limit]
    more = len(found) > limit
    return OrdersPage(
        tuple(page), f"{rfc3339(page[-1].placed_at)}_{page[-1].order_no}" if more else None
    )


def _orders(connection: Connection, statement: Select[Any]) -> list[OrderView]:
    rows = connection.execute(statement).all()
    theirs: dict[str, list[ItemView]] = defaultdict(list)
    numbers = [row.order_no for row in rows]
    for item in connection.execute(
        select(s.items).where(s.items.c.order_no.in_(numbers)).order_by(s.items.c.position)
    ):
        theirs[item.order_no].append(_item(item))
    return [
        OrderView(
            row.order_no,
            row.client,
            row.site_id,
            row.company,
            row.uscc,
            row.state,
            parse_time(row.placed_at),
            time(row.ready_at),
            time(row.expires_at),
            tuple(theirs[row.order_no]),
        )
        for row in rows
    ]


def _item(row: Row[Any]) -> ItemView:
    return ItemView(
        row.item_id,
        row.kind,
        row.holder,
        row.vendor_id,
        tuple(row.seals.split()),
        row.label,
        row.size,
        row.state,
        row.cabinet,
        row.no,
        row.machine,
    )


def vendor_items(
    connection: Connection, vendor_id: str, states: Iterable[ItemState]
) -> list[VendorItem]:
    """A vendor's items in these states, oldest order first."""
    rows = connection.execute(
        select(s.items, s.orders.c.company, s.orders.c.placed_at, s.sites)
        .join(s.orders, s.orders.c.order_no == s.items.c.order_no)
        .join(s.sites, s.sites.c.site_id == s.orders.c.site_id)
        .where(s.items.c.vendor_id == vendor_id, s.items.c.state.in_(list(states)))
        .order_by(s.orders.c.placed_at, s.orders.c.order_no, s.items.c.position)
    )
    return [
        VendorItem(
            row.order_no,
            row.company,
            row.item_id,
            row.label,
            row.kind,
            tuple(row.seals.split()),
            row.size,
            row.state,
            place(row),
            f"{row.cabinet}/{row.no}" if row.cabinet else row.machine,
            parse_time(row.placed_at),
        )
        for row in rows
    ]


def place(row: Row[Any]) -> SitePlace:
    return SitePlace(row.site_id, row.name, row.address, row.how_to_find)


def journal_page(
    connection: Connection, site_id: str, stream: Stream, after: int, limit: int
) -> JournalPage:
    found = list(entries(connection, s.journal, site_id, stream, after, limit))
    last = head(connection, s.journal, site_id, stream)
    more = bool(found) and found[-1].seq < last.seq
    return JournalPage(
        tuple(entry.body.decode() for entry in found), last, found[-1].seq if more else None
    )


def phone_texts(connection: Connection, seal: Seal, phone_key: str) -> list[PhoneText]:
    """What reached one phone of the demo, newest first."""
    return _texts(connection, seal, s.phone_texts.c.phone_key == phone_key)


def order_texts(connection: Connection, seal: Seal, order_no: str) -> list[PhoneText]:
    """What reached the demo's phones about one order, newest first."""
    about = select(s.messages.c.message_id).where(s.messages.c.order_no == order_no)
    return _texts(connection, seal, s.phone_texts.c.message_id.in_(about))


def _texts(connection: Connection, seal: Seal, which: ColumnElement[bool]) -> list[PhoneText]:
    rows = connection.execute(
        select(s.phone_texts)
        .where(which)
        .order_by(s.phone_texts.c.at.desc(), s.phone_texts.c.message_id)
        .limit(PHONE_TEXTS_MAX)
    )
    return [
        PhoneText(parse_time(row.at), seal.open(row.text, f"text {row.message_id}")) for row in rows
    ]


def figures(connection: Connection) -> Figures:
    def count(statement: Select[Any]) -> dict[Any, int]:
        return {row[0]: row[-1] for row in connection.execute(statement)}

    standing = Counter(
        (row.site_id, row.kind)
        for row in connection.execute(
            select(s.site_alarms.c.site_id, s.site_alarms.c.kind).where(
                s.site_alarms.c.cleared_at.is_(None)
            )
        )
    )
    return Figures(
        orders=count(select(s.orders.c.state, func.count()).group_by(s.orders.c.state)),
        messages=count(select(s.messages.c.state, func.count()).group_by(s.messages.c.state)),
        alarms=dict(standing),
        doubtful=count(
            select(s.site_movements.c.site_id, func.count())
            .where(s.site_movements.c.outcome == "unknown")
            .group_by(s.site_movements.c.site_id)
        ),
        online={
            row.site_id: bool(row.online)
            for row in connection.execute(select(s.site_status.c.site_id, s.site_status.c.online))
        },
    )
