"""Items: where each one is. At every moment in exactly one place, or doubtful by name."""

from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from controller.entries import (
    AlarmKind,
    CompartmentState,
    Holder,
    ItemCollected,
    ItemLoaded,
    ItemMoved,
    ItemReturned,
    ItemState,
    ItemStayed,
    OrderState,
    SeenBy,
    Up,
)
from controller.ports import DoorSight, Presence
from controller.prepared import Prepared
from controller.rows import change_rows, first_row, one_row
from controller.site import compartments, locks
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.book import Act
from controller.site.compartments import PENDING
from controller.site.doors import Place
from controller.site.intents import settle
from controller.site.orders import (
    close_if_returned,
    complete_if_done,
    order_of,
    ready_if_loaded,
    wait_again,
    withdraw_prints,
)
from controller.site.schema import intents, machines
from controller.site.schema import items as table

HANDED_OUT = ("collect", "present")  # kinds of movements that bring an item to its recipient
TAKEN_BACK = ("return", "emergency", "remote")  # and those that bring it back
SHEETS_A_SET = 2  # a licence is printed as original and duplicate
PRINTING_STATES = ("idle", "moving", "printing", "presenting", "retracting")

NOWHERE = dict.fromkeys(("cabinet", "no", "machine", "slot"))
COLLECTABLE = (ItemState.LOADED.value, ItemState.RETURN_REQUESTED.value)  # if a code is open
IF_CANCELLED = {  # what becomes of an order's items with it
    ItemState.EXPECTED: ItemState.CANCELLED,
    ItemState.LOADED: ItemState.RETURN_REQUESTED,
}

_LOADED = Prepared(
    select(table)
    .where(table.c.order_no == bindparam("of"), table.c.state.in_(COLLECTABLE))
    .order_by(table.c.holder, table.c.cabinet, table.c.no, table.c.item_id)
)
_UNPRINTED = Prepared(
    select(table)
    .where(
        table.c.holder == Holder.MACHINE.value,
        table.c.state == ItemState.EXPECTED.value,
        table.c.slot.is_(None),  # else it is just being taken in
    )
    .order_by(table.c.order_no, table.c.item_id)
)
_PRINTERS = Prepared(
    select(machines)
    .where(
        machines.c.state.in_(PRINTING_STATES),
        machines.c.faults == "",
        machines.c.blanks >= SHEETS_A_SET,
    )
    .order_by(machines.c.next_job, machines.c.machine)
)
_INTENTS = select(intents).where(intents.c.item_id == bindparam("of"))
_LAST = _INTENTS.order_by(intents.c.number.desc()).limit(1)

ItemRow = Row[Any]


class Custody(StrEnum):
    """What a shut door means for the item behind it."""

    LOADED = "loaded"
    NOTHING = "nothing"
    COLLECTED = "collected"
    RETURNED = "returned"
    UNDONE = "undone"
    LEFT = "left"
    DOUBTFUL = "doubtful"


def item_at(connection: Connection, place: Place) -> ItemRow | None:
    return first_row(connection, table, cabinet=place.cabinet, no=place.no)


def item_of(connection: Connection, item_id: str) -> ItemRow:
    return one_row(connection, table, item_id=item_id)


def loaded_items(connection: Connection, order_no: str) -> list[ItemRow]:
    """What of an order can be handed out: doors first, the machine last.

    What is to be taken back is the recipient's until somebody takes it out.
    """
    return _LOADED.rows(connection, of=order_no)


def put(act: Act, item_id: str, state: ItemState, *, keep_place: bool = True) -> None:
    """Write an item's state; what is not wanted here any more comes to rest as such."""
    place = {} if keep_place else {"cabinet": None, "no": None, "slot": None}
    if state is ItemState.EXPECTED and not keep_place:
        place["machine"] = None
    item = item_of(act.db, item_id)
    if state in IF_CANCELLED and _is_cancelled(act.db, item):
        never_printed = state is ItemState.LOADED and item.job is not None
        state = ItemState.CANCELLED if never_printed else IF_CANCELLED[state]
    elif state is ItemState.LOADED and item.return_reason is not None:
        state = ItemState.RETURN_REQUESTED
    if item.cabinet is not None:
        act.touched.add(Place(item.cabinet, item.no))
    change_rows(act.db, table, {"item_id": item_id}, state=state.value, **place)


def _is_cancelled(connection: Connection, item: ItemRow) -> bool:
    return bool(order_of(connection, item.order_no).state == OrderState.CANCELLED.value)


def loaded(act: Act, item: ItemRow, where: str, by: SeenBy, badge: str | None = None) -> None:
    """The item waits at `where`; the order is ready if it was the last one."""
    put(act, item.item_id, ItemState.LOADED)
    data = ItemLoaded(item=item.item_id, order=item.order_no, where=where, by=by)
    if badge is not None:
        data["badge"] = badge
    if item.slot is not None:
        data["slot"] = item.slot
    act.say(Up.ITEM_LOADED, data)
    ready_if_loaded(act, item.order_no)


def collected(act: Act, item: ItemRow, where: str, by: SeenBy, badge: str | None = None) -> None:
    """The item is in the recipient's hands; with the last one the order's codes are spent."""
    put(act, item.item_id, ItemState.COLLECTED, keep_place=False)
    last = last_intent(act.db, item.item_id, *HANDED_OUT)
    data = ItemCollected(
        item=item.item_id, order=item.order_no, where=where, by=by, code=last.code_id
    )
    if badge is not None:
        data["badge"] = badge
    act.say(Up.ITEM_COLLECTED, data)
    complete_if_done(act, item.order_no, last.session)


def returned(
    act: Act, item: ItemRow, where: str, by: SeenBy, badge: str | None, reason: str
) -> None:
    """The item left in a named person's hands; with the last one the order's codes are dead."""
    put(act, item.item_id, ItemState.RETURNED, keep_place=False)
    act.say(
        Up.ITEM_RETURNED,
        ItemReturned(
            item=item.item_id, order=item.order_no, where=where, by=by, badge=badge, reason=reason
        ),
    )
    withdraw_prints(act, item.order_no)
    close_if_returned(act, item.order_no)


def expected(act: Act, item: ItemRow, where: str, badge: str | None) -> None:
    """The item is in a named person's hands and will be loaded anew."""
    put(act, item.item_id, ItemState.EXPECTED, keep_place=False)
    data = ItemMoved(item=item.item_id, order=item.order_no, where=where, badge=badge)
    act.say(Up.ITEM_EXPECTED, data)
    wait_again(act, item.order_no)


def missing(act: Act, item: ItemRow, where: str, badge: str | None) -> None:
    """Nobody found the item: it is in no place until somebody does, and that is known by name."""
    act.db.execute(
        table.update()
        .where(table.c.item_id == item.item_id)
        .values(state=ItemState.RELEASING.value, missed_at=where, **NOWHERE)
    )
    data = ItemMoved(item=item.item_id, order=item.order_no, where=where, badge=badge)
    act.say(Up.ITEM_MISSING, data)
    raise_alarm(act, AlarmKind.ITEM_MISSING, where)


def doubtful(act: Act, item_id: str | None, where: str, place: Place | None) -> None:
    """Nobody knows where the item is: it is handed to nobody until a person has looked."""
    if item_id is not None:
        put(act, item_id, ItemState.RELEASING)
    if place is not None:
        compartments.out_of_use(act, place, "unexplained")
    raise_alarm(act, AlarmKind.UNEXPLAINED, where)


def put_back(act: Act, place: Place) -> None:
    """The bolt certainly did not move: all is as before."""
    item = item_at(act.db, place)
    state = compartments.state_of(act.db, place)
    if state not in PENDING:  # it was opened as it stood, out of use
        return
    if state is CompartmentState.RESERVED or item is None:
        if item is not None:
            put(act, item.item_id, ItemState.EXPECTED, keep_place=False)
        compartments.rest(act, place, CompartmentState.FREE)
    else:
        put(act, item.item_id, ItemState.LOADED)
        compartments.rest(act, place, CompartmentState.OCCUPIED)


def settle_shut(
    act: Act,
    place: Place,
    sensor: Presence,
    *,
    said: bool | None,
    switch: DoorSight | None = None,
) -> Custody:
    """The door is shut again: decide by the sensor, else by the person, else it is doubtful.

    `said`: the person says that the item is inside (True) or not (False). `switch`: what the door's
    switch said all the time, as if nothing had moved.
    """
    item = item_at(act.db, place)
    inside = {Presence.PRESENT: True, Presence.ABSENT: False, Presence.UNKNOWN: said}[sensor]
    by: SeenBy = "person" if sensor is Presence.UNKNOWN else "sensor"
    if item is None:
        return _settle_empty(act, place, by, inside=inside)
    loading = compartments.state_of(act.db, place) is CompartmentState.RESERVED
    last = last_intent(act.db, item.item_id)
    if inside is None:
        doubtful(act, item.item_id, str(place), place)
        return Custody.DOUBTFUL
    if inside is loading:
        _moved(act, last.intent_id, place, by, switch)
    if inside:
        compartments.rest(act, place, CompartmentState.OCCUPIED)
        if not loading:
            put(act, item.item_id, ItemState.LOADED)
            _stayed(act, place, item, by, inside=True)
            return Custody.LEFT
        loaded(act, item, str(place), by, last.badge_id)
        return Custody.LOADED
    compartments.rest(act, place, CompartmentState.FREE)
    if loading:
        put(act, item.item_id, ItemState.EXPECTED, keep_place=False)
        _stayed(act, place, item, by, inside=False)
        return Custody.NOTHING
    return gone(act, item, last, str(place), by)


def gone(act: Act, item: ItemRow, last: Row[Any], where: str, by: SeenBy) -> Custody:
    """Who had the door opened, or the machine hand it out, has the item."""
    if last.kind == "undo":
        expected(act, item, where, last.badge_id)
        return Custody.UNDONE
    if last.kind in TAKEN_BACK:
        asked = item.return_reason or "overdue"
        reason = asked if last.kind == "return" else last.kind
        returned(act, item, where, by, last.badge_id, reason)
        return Custody.RETURNED
    collected(act, item, where, by)
    return Custody.COLLECTED


def _moved(act: Act, intent: str, place: Place, by: SeenBy, switch: DoorSight | None) -> None:
    """What went in or out proves that the door opened, though nobody may have seen it."""
    settle(act, intent, "moved", by)
    if switch is not None:
        locks.contradicted(act, place, switch, by)
    clear_alarm(act, AlarmKind.LOCK_JAMMED, str(place))


def _stayed(act: Act, place: Place, item: ItemRow | None, by: SeenBy, *, inside: bool) -> None:
    """Nothing went in or out."""
    item_id = None if item is None else item.item_id
    act.say(Up.ITEM_STAYED, ItemStayed(where=str(place), item=item_id, inside=inside, by=by))


def _settle_empty(act: Act, place: Place, by: SeenBy, *, inside: bool | None) -> Custody:
    """A door was opened once more after its item was collected."""
    if not inside:
        compartments.rest(act, place, CompartmentState.FREE)
        _stayed(act, place, None, by, inside=False)
        return Custody.NOTHING
    compartments.out_of_use(act, place, "item_left")
    raise_alarm(act, AlarmKind.ITEM_LEFT, str(place))
    return Custody.LEFT


def printer(connection: Connection) -> str | None:
    """A machine that can print now."""
    row = _PRINTERS.first(connection)
    return row.machine if row else None


def load_printed(act: Act) -> None:
    """Licences that a machine can print need no loading: they count as loaded."""
    for item in _UNPRINTED.rows(act.db):
        if (machine := printer(act.db)) is None:
            return
        job = one_row(act.db, machines, machine=machine).next_job
        change_rows(act.db, machines, {"machine": machine}, next_job=job + 1)
        change_rows(act.db, table, {"item_id": item.item_id}, machine=machine, job=job)
        loaded(act, item, machine, "machine")


def last_intent(connection: Connection, item_id: str, *kinds: str) -> Row[Any]:
    """The movement, or the last of these kinds, that brought an item where it is."""
    return _last_of(kinds).one(connection, of=item_id)


@cache
def _last_of(kinds: tuple[str, ...]) -> Prepared:
    return Prepared(_LAST.where(intents.c.kind.in_(kinds)) if kinds else _LAST)
