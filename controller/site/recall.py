"""What a journal says, written into the tables again: nothing moves and nothing is said.

So a site comes up to what its district has of it, and a whole journal played into an empty database
gives the orders, items and compartments that it told of.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import select

from controller.entries import CompartmentState, ItemState, OrderState, Up
from controller.journal import Entry, Stream, entries
from controller.site import compartments
from controller.site.book import Act
from controller.site.compartments import PENDING
from controller.site.doors import Door, Place, Sight
from controller.site.inbox import RULES as DOWN
from controller.site.intents import settle
from controller.site.items import NOWHERE, item_at, item_of, put, put_back
from controller.site.machines import SEQ_MAX
from controller.site.orders import (
    close_if_returned,
    complete_if_done,
    end_session,
    ready_if_loaded,
    wait_again,
    withdraw_prints,
)
from controller.site.recalled import SIGNS, Recalled, Rule, follow_door
from controller.site.schema import (
    codes,
    doors,
    intents,
    items,
    journal,
    machines,
    orders,
    recalls,
    sessions,
)
from controller.site.schema import compartments as places
from controller.store import Transaction

FREE, OCCUPIED, OPEN = CompartmentState.FREE, CompartmentState.OCCUPIED, CompartmentState.OPEN
FAULT, RESERVED = CompartmentState.FAULT, CompartmentState.RESERVED
EVERY: Final = tuple(CompartmentState)


def recall(transaction: Transaction, entry: Entry) -> None:
    """What this entry tells of is so again. A kind of a later release changes nothing.

    What the district told waits for the first entry of the site's own that knew of it, or for the
    `finish`: so both journals are played in the order in which they were written.
    """
    if entry.stream is Stream.UP:
        _catch_up(transaction, entry.site, entry)
        _play(transaction, entry)
    elif _cursor(transaction) is None:
        transaction.connection.execute(recalls.insert().values(id=1, down=entry.seq - 1))


def finish(act: Act, site: str) -> None:
    """There is no more: what the district told last holds too, and nothing older is remembered."""
    _catch_up(act.transaction, site, None)
    act.db.execute(recalls.delete())
    act.memory.clear()


def replay(transaction: Transaction, up: Iterable[Entry], down: Iterable[Entry]) -> None:
    """Both journals of a site, from their first entries, played into empty tables."""
    waiting = deque(down)
    for entry in up:
        while waiting and _knew(entry, waiting[0]):
            _play(transaction, waiting.popleft())
        _play(transaction, entry)
    for entry in waiting:
        _play(transaction, entry)


def _knew(up: Entry, down: Entry) -> bool:
    """The site had taken over `down` when it wrote `up`; before it told so, the time decides."""
    return down.at <= up.at if up.after is None else down.seq <= up.after


def _cursor(transaction: Transaction) -> int | None:
    """How far what the district told was played; None where all of it was."""
    found: int | None = transaction.connection.scalar(select(recalls.c.down))
    return found


def _catch_up(transaction: Transaction, site: str, by: Entry | None) -> None:
    played = _cursor(transaction)
    while played is not None:
        rest = entries(transaction.connection, journal, site, Stream.DOWN, after=played, limit=1)
        told = next(rest, None)
        if told is None or (by is not None and not _knew(by, told)):
            return
        _play(transaction, told)
        played = told.seq
        transaction.connection.execute(recalls.update().values(down=played))


def _play(transaction: Transaction, entry: Entry) -> None:
    rules: Mapping[str, Rule] = UP if entry.stream is Stream.UP else DOWN
    if rule := rules.get(entry.kind):
        rule(Recalled(transaction, entry), entry.data)


def _place(where: str) -> Place | None:
    return Place.parse(where) if "/" in where else None


def _started(act: Recalled, data: Any) -> None:
    """Compartments and machines that are new to these tables."""
    known = set(act.db.execute(select(places.c.cabinet, places.c.no)))
    for each in data["compartments"]:
        at = {"cabinet": each["cabinet"], "no": each["no"]}
        if (each["cabinet"], each["no"]) not in known:
            act.db.execute(places.insert().values(**each, state=FREE.value))
            door = {"door": Door.SHUT.value, "state": "unknown", "n": 0, "at": act.now}
            act.db.execute(doors.insert().values(**at, **door))
    there = set(act.db.scalars(select(machines.c.machine)))
    for name in data["machines"]:
        if name not in there:
            row = {"next_seq": 1, "next_job": 1, "state": "away", "faults": "", "at": act.now}
            act.db.execute(machines.insert().values(machine=name, **row))


def _intended(act: Recalled, data: Any) -> None:
    place = _place(data["where"])
    seq = data.get("seq")
    act.db.execute(
        intents.insert().values(
            intent_id=data["intent"],
            number=act.seq,
            kind=data["kind"],
            cabinet=place and place.cabinet,
            no=place and place.no,
            machine=None if place else data["where"],
            seq=seq,
            order_no=data.get("order"),
            item_id=data.get("item"),
            badge_id=data.get("badge"),
            code_id=data.get("code"),
            session=data.get("session"),
            command_id=data.get("command"),
            at=act.now,
        )
    )
    if place is not None:
        follow_door(act, data["where"], Sight.BOLT_RELEASED)
    if seq is not None:
        act.db.execute(
            machines.update()
            .where(machines.c.machine == data["where"])
            .values(next_seq=seq % SEQ_MAX + 1)
        )
    item = data.get("item")
    if "slot" in data:
        at = {"machine": data["where"], "slot": data["slot"]}
        act.db.execute(items.update().where(items.c.item_id == item).values(**at))
    elif data["kind"] == "load" and place is not None:
        compartments.change(act, place, (FREE,), RESERVED)
        if item:
            _put_at(act, item, place)
    elif place is not None:
        compartments.change(act, place, (FREE, OCCUPIED), OPEN)
    if item and data["kind"] not in ("load", "retract"):
        put(act, item, ItemState.RELEASING)


def _settled(act: Recalled, data: Any) -> None:
    settle(act, data["intent"], data["outcome"], data["seen_by"])
    intent = act.db.execute(select(intents).where(intents.c.intent_id == data["intent"])).one()
    taken_in = intent.kind == "load" and intent.machine is not None
    if data["outcome"] != "not_moved":
        if taken_in:  # doubtful, unless the next entry says that it is loaded
            put(act, intent.item_id, ItemState.RELEASING)
    elif intent.cabinet is not None:
        put_back(act, Place(intent.cabinet, intent.no))
    elif taken_in:
        put(act, intent.item_id, ItemState.EXPECTED, keep_place=False)
    elif intent.item_id is not None:
        put(act, intent.item_id, ItemState.LOADED)


def _rest(
    act: Recalled, place: Place, before: Iterable[CompartmentState], after: CompartmentState
) -> None:
    """Nothing goes on there any more; it is blocked, if that was wanted meanwhile."""
    compartments.change(act, place, before, after)
    compartments.rest(act, place, after)


def _put_at(act: Recalled, item: str, place: Place | None) -> None:
    at = {"cabinet": place and place.cabinet, "no": place and place.no}
    act.db.execute(items.update().where(items.c.item_id == item).values(**at))


def _loaded(act: Recalled, data: Any) -> None:
    place = _place(data["where"])
    if place is not None:
        _put_at(act, data["item"], place)
        _rest(act, place, (FREE, *PENDING), OCCUPIED)
    elif "slot" in data:
        at = {"machine": data["where"], "slot": data["slot"]}
        act.db.execute(items.update().where(items.c.item_id == data["item"]).values(**at))
    elif item_of(act.db, data["item"]).job is None:
        machine = machines.c.machine == data["where"]
        job = act.db.execute(select(machines.c.next_job).where(machine)).scalar_one()
        act.db.execute(machines.update().where(machine).values(next_job=job + 1))
        act.db.execute(
            items.update()
            .where(items.c.item_id == data["item"])
            .values(machine=data["where"], job=job)
        )
    put(act, data["item"], ItemState.LOADED)
    ready_if_loaded(act, data["order"])


def _ready(act: Recalled, data: Any) -> None:
    act.db.execute(
        orders.update()
        .where(orders.c.order_no == data["order"], orders.c.state == OrderState.READY.value)
        .values(ready_at=act.now, expires_at=data["expires_at"])
    )


def _leaves(act: Recalled, data: Any, state: ItemState) -> None:
    place = _place(data["where"])
    put(act, data["item"], state, keep_place=False)
    if place is not None:
        _rest(act, place, (OCCUPIED, *PENDING), FREE)


def _collected(act: Recalled, data: Any) -> None:
    _leaves(act, data, ItemState.COLLECTED)
    complete_if_done(act, data["order"], "")


def _returned(act: Recalled, data: Any) -> None:
    _leaves(act, data, ItemState.RETURNED)
    withdraw_prints(act, data["order"])
    close_if_returned(act, data["order"])


def _expected(act: Recalled, data: Any) -> None:
    _leaves(act, data, ItemState.EXPECTED)
    wait_again(act, data["order"])


def _missing(act: Recalled, data: Any) -> None:
    """It stays doubtful; the place where it should be holds nothing."""
    place = _place(data["where"])
    if place is not None:
        _rest(act, place, (OCCUPIED, *PENDING), FREE)
    lost = items.c.item_id == data["item"]
    act.db.execute(items.update().where(lost).values(missed_at=data["where"], **NOWHERE))


def _stayed(act: Recalled, data: Any) -> None:
    if (place := _place(data["where"])) is not None:
        _rest(act, place, PENDING, OCCUPIED if data["inside"] else FREE)
    if data["item"] is None:
        return
    if data["inside"]:
        put(act, data["item"], ItemState.LOADED)
    else:
        put(act, data["item"], ItemState.EXPECTED, keep_place=False)


def _visit_began(act: Recalled, data: Any) -> None:
    act.db.execute(
        sessions.insert().values(
            session=data["session"],
            order_no=data["order"],
            code_id=data["code"],
            started_at=act.now,
        )
    )
    act.db.execute(
        codes.update()
        .where(codes.c.code_id == data["code"], codes.c.state == "open")
        .values(state="claimed")
    )


def _visit_ended(act: Recalled, data: Any) -> None:
    end_session(act, data["session"])


def _fault(act: Recalled, data: Any) -> None:
    place = Place.parse(data["where"])
    compartments.out_of_use(act, place, data["reason"])
    item = item_at(act.db, place)
    if item is not None and data["reason"] == "unexplained":
        put(act, item.item_id, ItemState.RELEASING)


def _restored(act: Recalled, data: Any) -> None:
    place = Place.parse(data["where"])
    there = item_at(act.db, place)
    if there is not None and there.state == ItemState.RELEASING.value:
        put(act, there.item_id, ItemState.LOADED)
    compartments.change(act, place, EVERY, OCCUPIED if there is not None else FREE)


UP: Final[Mapping[str, Rule]] = {
    **SIGNS,
    Up.SITE_STARTED: _started,
    Up.MOVEMENT_INTENDED: _intended,
    Up.MOVEMENT_SETTLED: _settled,
    Up.ITEM_LOADED: _loaded,
    Up.ITEM_COLLECTED: _collected,
    Up.ITEM_RETURNED: _returned,
    Up.ITEM_EXPECTED: _expected,
    Up.ITEM_MISSING: _missing,
    Up.ITEM_STAYED: _stayed,
    Up.PICKUP_READY: _ready,
    Up.PICKUP_STARTED: _visit_began,
    Up.PICKUP_ENDED: _visit_ended,
    Up.COMPARTMENT_FAULT: _fault,
    Up.COMPARTMENT_RESTORED: _restored,
}
TELLS_ONLY: Final = frozenset(  # what follows from others, or is of no table
    {
        Up.PICKUP_COMPLETED,
        Up.PICKUP_REFUSED,
        Up.FEEDBACK_RATED,
        Up.DOOR_AJAR,
        Up.DOOR_CONTRADICTED,
        Up.HOLD_ENDED,
        Up.SETTINGS_TAKEN,
        Up.CLOCK_CONFIRMED,
        Up.DAY_RECKONED,
    }
)
