"""Follows a site's journal: each entry changes the district's picture in its own transaction.

An entry of an unknown kind changes nothing, so that a site may be newer than its district.
"""

from collections.abc import Callable, Collection
from typing import Any

import structlog
from sqlalchemy import Connection, Table, delete, select, update

from controller.district import schema as s
from controller.district.notices import Notices
from controller.entries import AlarmKind, ItemState, OrderState, Up
from controller.journal import Entry, parse_time, rfc3339
from controller.store import Transaction

log = structlog.get_logger()

OVER = (OrderState.COLLECTED, OrderState.RETURNED, OrderState.CANCELLED)
DISTRICT = "district"  # where an alarm stands that no site raised
GONE: dict[str, None] = {"cabinet": None, "no": None, "machine": None}  # lies nowhere here
DOOR_STATES = {
    Up.DOOR_OPENED: "open",
    Up.DOOR_FORCED: "open",
    Up.DOOR_AJAR: "open",
    Up.DOOR_CLOSED: "closed",
    Up.DOOR_UNKNOWN: "unknown",
}


class Inbox:
    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._follow: dict[str, Callable[[Connection, Entry], None]] = {
            Up.SITE_STARTED: _site_started,
            Up.MOVEMENT_INTENDED: _movement_intended,
            Up.MOVEMENT_SETTLED: _movement_settled,
            Up.ITEM_LOADED: _item_loaded,
            Up.ITEM_COLLECTED: _item_collected,
            Up.ITEM_RETURNED: _item_returned,
            Up.ITEM_EXPECTED: _item_expected,
            Up.ITEM_MISSING: _item_missing,
            Up.PICKUP_READY: self._pickup_ready,
            Up.PICKUP_COMPLETED: _pickup_completed,
            Up.COMPARTMENT_FAULT: _compartment_fault,
            Up.COMPARTMENT_RESTORED: _compartment_restored,
            Up.MACHINE_CHANGED: _machine_changed,
            Up.ALARM_RAISED: _alarm_raised,
            Up.ALARM_CLEARED: _alarm_cleared,
            **dict.fromkeys(DOOR_STATES, _door_changed),
            Up.DOORS_UNKNOWN: _doors_changed,
            Up.DOORS_CLOSED: _doors_changed,
        }

    def apply(self, tx: Transaction, entry: Entry) -> None:
        """The entry's effect, in the transaction that stores it."""
        connection = tx.connection
        upsert(connection, s.site_status, {"site_id": entry.site}, {"entry_at": entry.at})
        follow = self._follow.get(entry.kind)
        if follow is None:
            return
        try:
            with connection.begin_nested():
                follow(connection, entry)
        except (KeyError, TypeError, ValueError) as error:
            log.error(  # noqa: TRY400 - a traceback would hold the entry's values
                "inbox.unreadable",
                site=entry.site,
                seq=entry.seq,
                kind=entry.kind,
                why=type(error).__name__,
            )

    def _pickup_ready(self, connection: Connection, entry: Entry) -> None:
        order_no, expires_at = entry.data["order"], entry.data["expires_at"]
        changed = connection.execute(
            update(s.orders)
            .where(_order_of(entry), s.orders.c.state.not_in(OVER))
            .values(
                state=OrderState.READY,
                ready_at=entry.at,
                expires_at=rfc3339(parse_time(expires_at)),
            )
        )
        if changed.rowcount:
            self._notices.queue_ready(connection, order_no)


def upsert(
    connection: Connection, table: Table, where: dict[str, Any], values: dict[str, Any]
) -> None:
    """Change the row or write it; what is not named keeps its value, or its default."""
    match = [table.c[name] == value for name, value in where.items()]
    if not connection.execute(update(table).where(*match).values(**values)).rowcount:
        connection.execute(table.insert().values(**where, **values))


def split_where(where: str) -> tuple[str, int] | None:
    """`A/7` as cabinet and number; None for a machine's name."""
    cabinet, slash, number = where.partition("/")
    return (cabinet, int(number)) if slash else None


def _order_of(entry: Entry) -> Any:
    """The order that an entry names, if it is that site's own."""
    return (s.orders.c.order_no == entry.data["order"]) & (s.orders.c.site_id == entry.site)


def _set_state(connection: Connection, entry: Entry, state: OrderState) -> None:
    connection.execute(
        update(s.orders).where(_order_of(entry), s.orders.c.state.not_in(OVER)).values(state=state)
    )
    if state in (OrderState.COLLECTED, OrderState.RETURNED):
        mine = select(s.orders.c.order_no).where(_order_of(entry))
        connection.execute(
            update(s.codes).where(s.codes.c.order_no.in_(mine)).values(state="spent")
        )


def _site_started(connection: Connection, entry: Entry) -> None:
    plans, machines, version = (entry.data[key] for key in ("compartments", "machines", "version"))
    here = {"site_id": entry.site}
    upsert(connection, s.site_status, here, {"version": version, "started_at": entry.at})
    kept = select(s.site_compartments.c.cabinet, s.site_compartments.c.no).where(
        s.site_compartments.c.site_id == entry.site
    )
    named = {(plan["cabinet"], plan["no"]) for plan in plans}
    for cabinet, no in {tuple(row) for row in connection.execute(kept)} - named:
        for table in (s.site_compartments, s.site_doors):
            connection.execute(
                delete(table).where(
                    table.c.site_id == entry.site, table.c.cabinet == cabinet, table.c.no == no
                )
            )
    for plan in plans:
        spot = {"cabinet": plan["cabinet"], "no": plan["no"]}
        words = {key: plan[key] for key in ("size", "height_cm", "reach")}
        upsert(connection, s.site_compartments, here | spot, words)
    table = s.site_machines
    connection.execute(
        delete(table).where(table.c.site_id == entry.site, table.c.machine.not_in(machines))
    )
    known = select(table.c.machine).where(table.c.site_id == entry.site)
    for machine in set(machines) - set(connection.execute(known).scalars()):
        connection.execute(
            table.insert().values(
                site_id=entry.site, machine=machine, state="unknown", faults="", at=entry.at
            )
        )


def _movement_intended(connection: Connection, entry: Entry) -> None:
    words = entry.data
    intent = {"site_id": entry.site, "intent": words["intent"]}
    values = {"kind": words["kind"], "place": words["where"], "order_no": words.get("order")}
    upsert(connection, s.site_movements, intent, values | {"at": entry.at})
    if words["kind"] in ("collect", "present"):
        _mark(connection, entry, words["where"], words.get("order"), ItemState.RELEASING)


def _movement_settled(connection: Connection, entry: Entry) -> None:
    table = s.site_movements
    match = (table.c.site_id == entry.site, table.c.intent == entry.data["intent"])
    outcome = entry.data["outcome"]
    connection.execute(update(table).where(*match).values(outcome=outcome, settled_at=entry.at))
    row = connection.execute(select(table).where(*match)).first()
    if row is not None and outcome == "not_moved" and row.kind in ("collect", "present"):
        _mark(connection, entry, row.place, row.order_no, ItemState.LOADED)


def _mark(
    connection: Connection, entry: Entry, where: str, order_no: str | None, state: ItemState
) -> None:
    """The item of that order that lies there is being given out, or still lies there."""
    spot = split_where(where)
    there = (
        (s.items.c.cabinet == spot[0]) & (s.items.c.no == spot[1])
        if spot
        else s.items.c.machine == where
    )
    mine = select(s.orders.c.order_no).where(
        s.orders.c.order_no == order_no, s.orders.c.site_id == entry.site
    )
    connection.execute(
        update(s.items)
        .where(
            s.items.c.order_no.in_(mine),
            there,
            s.items.c.state.in_((ItemState.LOADED, ItemState.RELEASING)),
        )
        .values(state=state)
    )


def _item_loaded(connection: Connection, entry: Entry) -> None:
    spot = split_where(entry.data["where"])
    place = {"cabinet": spot[0], "no": spot[1]} if spot else {"machine": str(entry.data["where"])}
    changed = _change_item(connection, entry, state=ItemState.LOADED, **place)
    if changed:
        connection.execute(
            update(s.orders)
            .where(_order_of(entry), s.orders.c.state == OrderState.PLACED)
            .values(state=OrderState.PARTLY_LOADED)
        )


def _item_collected(connection: Connection, entry: Entry) -> None:
    if _change_item(connection, entry, state=ItemState.COLLECTED, **GONE):
        left = connection.execute(
            select(s.items.c.item_id).where(
                s.items.c.order_no == entry.data["order"], s.items.c.state != ItemState.COLLECTED
            )
        ).first()
        _set_state(connection, entry, OrderState.PARTLY_COLLECTED if left else OrderState.COLLECTED)


def _item_returned(connection: Connection, entry: Entry) -> None:
    """It goes to the window; with the last one nothing is left for the order's codes."""
    if not _change_item(connection, entry, state=ItemState.RETURNED, **GONE):
        return
    waits = (ItemState.EXPECTED, ItemState.LOADED, ItemState.RELEASING, ItemState.RETURN_REQUESTED)
    in_hand = select(s.items.c.item_id).where(
        s.items.c.order_no == entry.data["order"],
        s.items.c.state.in_(waits),
        s.items.c.holder == "cabinet",
    )
    if connection.execute(in_hand).first() is None:
        _set_state(connection, entry, OrderState.RETURNED)


def _item_expected(connection: Connection, entry: Entry) -> None:
    """It will be loaded anew: an order of which nothing was collected waits for it."""
    if _change_item(connection, entry, state=ItemState.EXPECTED, **GONE):
        ready = (OrderState.READY, OrderState.OVERDUE)
        connection.execute(
            update(s.orders)
            .where(_order_of(entry), s.orders.c.state.in_(ready))
            .values(state=OrderState.PARTLY_LOADED, ready_at=None, expires_at=None)
        )


def _item_missing(connection: Connection, entry: Entry) -> None:
    _change_item(connection, entry, state=ItemState.RELEASING, **GONE)


def _change_item(connection: Connection, entry: Entry, **values: Any) -> bool:
    mine = select(s.orders.c.order_no).where(_order_of(entry))
    changed = connection.execute(
        update(s.items)
        .where(s.items.c.item_id == entry.data["item"], s.items.c.order_no.in_(mine))
        .values(**values)
    )
    return bool(changed.rowcount)


def _pickup_completed(connection: Connection, entry: Entry) -> None:
    _set_state(connection, entry, OrderState.COLLECTED)


def _door_changed(connection: Connection, entry: Entry) -> None:
    _set_door(connection, entry, DOOR_STATES[Up(entry.kind)], entry.data)


def _doors_changed(connection: Connection, entry: Entry) -> None:
    state = entry.kind.removeprefix("doors.")
    for door in entry.data["doors"]:
        _set_door(connection, entry, state, door)


def _set_door(connection: Connection, entry: Entry, state: str, told: dict[str, Any]) -> None:
    spot = split_where(told["where"])
    if spot is not None:
        door = {"site_id": entry.site, "cabinet": spot[0], "no": spot[1]}
        values = {"state": state, "n": told["n"], "at": entry.at}
        upsert(connection, s.site_doors, door, values)


def _compartment_fault(connection: Connection, entry: Entry) -> None:
    _set_fault(connection, entry, str(entry.data["reason"]))


def _compartment_restored(connection: Connection, entry: Entry) -> None:
    _set_fault(connection, entry, None)


def _set_fault(connection: Connection, entry: Entry, reason: str | None) -> None:
    spot = split_where(entry.data["where"])
    box = s.site_compartments.c
    if spot is not None:
        connection.execute(
            update(s.site_compartments)
            .where(box.site_id == entry.site, box.cabinet == spot[0], box.no == spot[1])
            .values(fault=reason)
        )


def _machine_changed(connection: Connection, entry: Entry) -> None:
    words = entry.data
    values = {"state": words["state"], "blanks": words["blanks"], "at": entry.at}
    machine = {"site_id": entry.site, "machine": words["machine"]}
    upsert(connection, s.site_machines, machine, values | {"faults": " ".join(words["faults"])})


def _alarm_raised(connection: Connection, entry: Entry) -> None:
    words = entry.data
    values = {key: words[key] for key in ("kind", "severity", "since")}
    alarm = {"site_id": entry.site, "alarm_id": words["alarm"]}
    upsert(connection, s.site_alarms, alarm, values | {"place": words["where"], "cleared_at": None})


def _alarm_cleared(connection: Connection, entry: Entry) -> None:
    alarm = s.site_alarms.c
    connection.execute(
        update(s.site_alarms)
        .where(alarm.site_id == entry.site, alarm.alarm_id == entry.data["alarm"])
        .values(cleared_at=entry.at)
    )


def raise_own_alarm(
    connection: Connection, alarm_id: str, site_id: str, kind: AlarmKind, now: str
) -> bool:
    """An alarm about a site that the district itself noticed; False where it stands already."""
    alarm = s.site_alarms.c
    standing = select(alarm.alarm_id).where(
        alarm.site_id == site_id, alarm.kind == kind, alarm.cleared_at.is_(None)
    )
    if connection.execute(standing).first() is not None:
        return False
    words = {"kind": kind, "place": DISTRICT, "severity": "critical", "since": now}
    upsert(connection, s.site_alarms, {"site_id": site_id, "alarm_id": alarm_id}, words)
    return True


def end_own_alarms(connection: Connection, but: Collection[str], now: str) -> int:
    """Those that the district itself raised are over, except about these sites; how many."""
    alarm = s.site_alarms.c
    ended = connection.execute(
        update(s.site_alarms)
        .where(alarm.place == DISTRICT, alarm.cleared_at.is_(None), alarm.site_id.not_in(but))
        .values(cleared_at=now)
    )
    return ended.rowcount
