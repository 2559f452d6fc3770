"""Follows a site's journal: each entry changes the district's picture in its own transaction.

An entry of an unknown kind changes nothing, so that a site may be newer than its district.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import structlog
from sqlalchemy import Connection, bindparam, delete, select, update

from controller.district import schema as s
from controller.district.alarms import ALARM_RULES
from controller.district.doubts import last_movement
from controller.district.notices import Notices
from controller.entries import AlarmKind, ItemState, OrderState, Up
from controller.journal import Entry, parse_time, rfc3339
from controller.prepared import Prepared, carry_out
from controller.rows import change_rows, first_row, rows, upsert
from controller.store import Transaction

log = structlog.get_logger()

OVER = (OrderState.COLLECTED, OrderState.RETURNED, OrderState.CANCELLED)
GONE: dict[str, None] = {"cabinet": None, "no": None, "machine": None}  # lies nowhere here
DOOR_STATES = {
    Up.DOOR_OPENED: "open",
    Up.DOOR_FORCED: "open",
    Up.DOOR_AJAR: "open",
    Up.DOOR_CLOSED: "closed",
    Up.DOOR_UNKNOWN: "unknown",
}

_orders, _items = s.orders.c, s.items.c
_IS_OWN: Final = _orders.site_id == bindparam("site")
_IS_THAT_ORDER: Final = (_orders.order_no == bindparam("order")) & _IS_OWN  # as an entry names it
_OF_THAT_ORDER: Final = _items.order_no.in_(select(_orders.order_no).where(_IS_THAT_ORDER))
_GOES_ON: Final = _orders.state.not_in(OVER)

_MAKE_READY: Final = Prepared(
    update(s.orders).where(_IS_THAT_ORDER, _GOES_ON), "state", "ready_at", "expires_at"
)
_SET_STATE: Final = Prepared(update(s.orders).where(_IS_THAT_ORDER, _GOES_ON), "state")
_SPEND_CODES: Final = Prepared(
    update(s.codes)
    .where(s.codes.c.order_no.in_(select(_orders.order_no).where(_IS_THAT_ORDER)))
    .values(state="spent")
)
_BEGIN_LOADING: Final = Prepared(
    update(s.orders)
    .where(_IS_THAT_ORDER, _orders.state == OrderState.PLACED)
    .values(state=OrderState.PARTLY_LOADED)
)
_LOAD_AGAIN: Final = Prepared(  # an order of which nothing was collected waits for it
    update(s.orders)
    .where(_IS_THAT_ORDER, _orders.state.in_((OrderState.READY, OrderState.OVERDUE)))
    .values(state=OrderState.PARTLY_LOADED, ready_at=None, expires_at=None)
)
_HANDED_OUT: Final = _OF_THAT_ORDER & _items.state.in_((ItemState.LOADED, ItemState.RELEASING))
_MARK_BEHIND: Final = Prepared(
    update(s.items).where(
        _HANDED_OUT,
        _items.cabinet == bindparam("of_cabinet"),
        _items.no == bindparam("of_no"),
    ),
    "state",
)
_MARK_INSIDE: Final = Prepared(
    update(s.items).where(_HANDED_OUT, _items.machine == bindparam("of_machine")), "state"
)
_NOT_COLLECTED: Final = Prepared(
    select(_items.item_id).where(
        _items.order_no == bindparam("order"), _items.state != ItemState.COLLECTED
    )
)
_WAITS: Final = (
    ItemState.EXPECTED,
    ItemState.LOADED,
    ItemState.RELEASING,
    ItemState.RETURN_REQUESTED,
)
_IN_HAND: Final = Prepared(
    select(_items.item_id).where(
        _items.order_no == bindparam("order"),
        _items.state.in_(_WAITS),
        _items.holder == "cabinet",
    )
)
_OF_SITE: Final = _items.order_no.in_(select(_orders.order_no).where(_IS_OWN))
_THAT_ITEM: Final = (_items.item_id == bindparam("of_item")) & _OF_SITE
_DOUBT_BEHIND: Final = Prepared(
    update(s.items).where(_THAT_ITEM, _items.state.in_(_WAITS)), "state", "cabinet", "no"
)
_DOUBT_INSIDE: Final = Prepared(
    update(s.items).where(_THAT_ITEM, _items.state.in_(_WAITS)), "state", "machine"
)
_IS_STILL_THERE: Final = Prepared(
    update(s.items).where(_THAT_ITEM, _items.state == ItemState.RELEASING), "state"
)
_NEVER_CAME: Final = Prepared(
    update(s.items).where(_THAT_ITEM, _items.state == ItemState.RELEASING),
    "state",
    *GONE,
)
_END_COMMAND: Final = Prepared(
    update(s.commands).where(
        s.commands.c.site_id == bindparam("site"),
        s.commands.c.command_id == bindparam("command"),
        s.commands.c.ended.is_(None),
    ),
    "ended",
    "why",
    "ended_at",
)
COMMAND_ENDS: Final = (
    Up.COMMAND_DONE,
    Up.COMMAND_FAILED,
    Up.COMMAND_REFUSED,
    Up.COMMAND_EXPIRED,
    Up.COMMAND_UNKNOWN,
)


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
            Up.ITEM_STAYED: _item_stayed,
            Up.PICKUP_READY: self._pickup_ready,
            Up.PICKUP_COMPLETED: _pickup_completed,
            Up.COMPARTMENT_FAULT: _compartment_fault,
            Up.COMPARTMENT_RESTORED: _compartment_restored,
            Up.MACHINE_CHANGED: _machine_changed,
            **ALARM_RULES,
            **dict.fromkeys(COMMAND_ENDS, _command_ended),
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
        carry_out(connection, "SAVEPOINT effect")
        try:
            follow(connection, entry)
        except (KeyError, TypeError, ValueError) as error:
            carry_out(connection, "ROLLBACK TO effect")
            log.error(  # noqa: TRY400 - a traceback would hold the entry's values
                "inbox.unreadable",
                site=entry.site,
                seq=entry.seq,
                kind=entry.kind,
                why=type(error).__name__,
            )
        carry_out(connection, "RELEASE effect")

    def _pickup_ready(self, connection: Connection, entry: Entry) -> None:
        order_no, expires_at = entry.data["order"], entry.data["expires_at"]
        changed = _MAKE_READY.run(
            connection,
            **_order_of(entry),
            state=OrderState.READY,
            ready_at=entry.at,
            expires_at=rfc3339(parse_time(expires_at)),
        )
        if changed:
            self._notices.queue_ready(connection, order_no)


def split_where(where: str) -> tuple[str, int] | None:
    """`A/7` as cabinet and number; None for a machine's name."""
    cabinet, slash, number = where.partition("/")
    return (cabinet, int(number)) if slash else None


def _order_of(entry: Entry) -> dict[str, Any]:
    return {"order": entry.data["order"], "site": entry.site}


def _set_state(connection: Connection, entry: Entry, state: OrderState) -> None:
    order = _order_of(entry)
    _SET_STATE.run(connection, **order, state=state)
    if state in (OrderState.COLLECTED, OrderState.RETURNED):
        _SPEND_CODES.run(connection, **order)


def _site_started(connection: Connection, entry: Entry) -> None:
    plans, machines, version = (entry.data[key] for key in ("compartments", "machines", "version"))
    here = {"site_id": entry.site}
    upsert(connection, s.site_status, here, {"version": version, "started_at": entry.at})
    kept = {(row.cabinet, row.no) for row in rows(connection, s.site_compartments, **here)}
    named = {(plan["cabinet"], plan["no"]) for plan in plans}
    for cabinet, no in kept - named:
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
    values |= {"item_id": words.get("item"), "at": entry.at}
    upsert(connection, s.site_movements, intent, values)
    if words["kind"] in ("collect", "present"):
        _mark(connection, entry, words["where"], words.get("order"), ItemState.RELEASING)


def _movement_settled(connection: Connection, entry: Entry) -> None:
    intent = {"site_id": entry.site, "intent": entry.data["intent"]}
    outcome = entry.data["outcome"]
    change_rows(connection, s.site_movements, intent, outcome=outcome, settled_at=entry.at)
    row = first_row(connection, s.site_movements, **intent)
    if row is not None and outcome == "not_moved" and row.kind in ("collect", "present"):
        _mark(connection, entry, row.place, row.order_no, ItemState.LOADED)
    elif row is not None and row.item_id and split_where(row.place) is None:
        _doubt(connection, entry, row.item_id, row.place)  # unless the next entry says more


def _doubt(connection: Connection, entry: Entry, item: str, where: str) -> None:
    """Nobody knows where the item is that was here."""
    of = {"site": entry.site, "of_item": item, "state": ItemState.RELEASING}
    if (spot := split_where(where)) is not None:
        _DOUBT_BEHIND.run(connection, **of, cabinet=spot[0], no=spot[1])
    else:
        _DOUBT_INSIDE.run(connection, **of, machine=where)


def _mark(
    connection: Connection, entry: Entry, where: str, order_no: str | None, state: ItemState
) -> None:
    """The item of that order that lies there is being given out, or still lies there."""
    order = {"order": order_no, "site": entry.site}
    if (spot := split_where(where)) is not None:
        _MARK_BEHIND.run(connection, **order, of_cabinet=spot[0], of_no=spot[1], state=state)
    else:
        _MARK_INSIDE.run(connection, **order, of_machine=where, state=state)


def _item_loaded(connection: Connection, entry: Entry) -> None:
    spot = split_where(entry.data["where"])
    place = {"cabinet": spot[0], "no": spot[1]} if spot else {"machine": str(entry.data["where"])}
    if _change_item(connection, entry, state=ItemState.LOADED, **place):
        _BEGIN_LOADING.run(connection, **_order_of(entry))


def _item_collected(connection: Connection, entry: Entry) -> None:
    if _change_item(connection, entry, state=ItemState.COLLECTED, **GONE):
        left = _NOT_COLLECTED.first(connection, order=entry.data["order"])
        _set_state(connection, entry, OrderState.PARTLY_COLLECTED if left else OrderState.COLLECTED)


def _item_returned(connection: Connection, entry: Entry) -> None:
    """It goes to the window; with the last one nothing is left for the order's codes."""
    if not _change_item(connection, entry, state=ItemState.RETURNED, **GONE):
        return
    if _IN_HAND.first(connection, order=entry.data["order"]) is None:
        _set_state(connection, entry, OrderState.RETURNED)


def _item_expected(connection: Connection, entry: Entry) -> None:
    """It will be loaded anew: an order of which nothing was collected waits for it."""
    if _change_item(connection, entry, state=ItemState.EXPECTED, **GONE):
        _LOAD_AGAIN.run(connection, **_order_of(entry))


def _item_missing(connection: Connection, entry: Entry) -> None:
    _change_item(connection, entry, state=ItemState.RELEASING, **GONE)


def _item_stayed(connection: Connection, entry: Entry) -> None:
    """The door is shut again, and behind it is what was there before."""
    words = entry.data
    if words["item"] is None:
        return
    of = {"site": entry.site, "of_item": words["item"]}
    if words["inside"]:
        _IS_STILL_THERE.run(connection, **of, state=ItemState.LOADED)
    else:
        _NEVER_CAME.run(connection, **of, state=ItemState.EXPECTED, **GONE)


def _change_item(connection: Connection, entry: Entry, **values: Any) -> bool:
    change = _item_change(tuple(values))
    return bool(change.run(connection, **_order_of(entry), of_item=entry.data["item"], **values))


@cache
def _item_change(columns: tuple[str, ...]) -> Prepared:
    named = _items.item_id == bindparam("of_item")
    return Prepared(update(s.items).where(named, _OF_THAT_ORDER), *columns)


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
    reason, where = str(entry.data["reason"]), str(entry.data["where"])
    _set_fault(connection, entry, reason)
    if reason == AlarmKind.UNEXPLAINED:
        last = last_movement(connection, entry.site, place=where)
        if last is not None:
            _doubt(connection, entry, last.item_id, where)


def _compartment_restored(connection: Connection, entry: Entry) -> None:
    _set_fault(connection, entry, None)


def _set_fault(connection: Connection, entry: Entry, reason: str | None) -> None:
    spot = split_where(entry.data["where"])
    if spot is not None:
        box: dict[str, str | int] = {"site_id": entry.site, "cabinet": spot[0], "no": spot[1]}
        change_rows(connection, s.site_compartments, box, fault=reason)


def _machine_changed(connection: Connection, entry: Entry) -> None:
    words = entry.data
    values = {"state": words["state"], "blanks": words["blanks"], "at": entry.at}
    machine = {"site_id": entry.site, "machine": words["machine"]}
    upsert(connection, s.site_machines, machine, values | {"faults": " ".join(words["faults"])})


def _command_ended(connection: Connection, entry: Entry) -> None:
    """What became of it; a site answers once."""
    words = entry.data
    _END_COMMAND.run(
        connection,
        site=entry.site,
        command=words["command"],
        ended=entry.kind.removeprefix("command."),
        why=words.get("reason"),
        ended_at=entry.at,
    )
