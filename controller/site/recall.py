"""What a journal says, written into the tables again: nothing moves and nothing is said.

So a site comes up to what its district has of it, and a whole journal played into an empty database
gives the orders, items and compartments that it told of.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import select

from controller.entries import CompartmentState, Down, ItemState, OrderState, Up
from controller.journal import Entry, Stream, parse_time
from controller.site import compartments
from controller.site.book import Act
from controller.site.compartments import PENDING
from controller.site.doors import Door, Place
from controller.site.inbox import RULES as DOWN
from controller.site.intents import settle
from controller.site.items import item_at, item_of, put, put_back
from controller.site.machines import SEQ_MAX
from controller.site.orders import (
    close_if_returned,
    complete_if_done,
    end_session,
    ready_if_loaded,
    wait_again,
    withdraw_prints,
)
from controller.site.schema import (
    alarms,
    cases,
    codes,
    commands,
    doors,
    intents,
    items,
    machines,
    orders,
    sessions,
)
from controller.site.schema import compartments as places
from controller.store import Transaction

FREE, OCCUPIED, OPEN = CompartmentState.FREE, CompartmentState.OCCUPIED, CompartmentState.OPEN
FAULT, RESERVED = CompartmentState.FAULT, CompartmentState.RESERVED
EVERY: Final = tuple(CompartmentState)


class Recalled(Act):
    """An act of before: its moment is the entry's, and what it said is said already."""

    def __init__(self, transaction: Transaction, entry: Entry) -> None:
        super().__init__(transaction, entry.site, parse_time(entry.at))
        self.seq = entry.seq

    def say(self, kind: Up, data: Mapping[str, Any]) -> None:
        """It stands in the journal."""


def recall(transaction: Transaction, entry: Entry) -> None:
    """What this entry tells of is so again. A kind of a later release changes nothing."""
    rules: Mapping[str, Rule] = UP if entry.stream is Stream.UP else DOWN
    if rule := rules.get(entry.kind):
        rule(Recalled(transaction, entry), entry.data)


def replay(transaction: Transaction, up: Iterable[Entry], down: Iterable[Entry]) -> None:
    """Both journals of a site, from their first entries, played into empty tables."""
    for entry in sorted((*down, *up), key=lambda each: (each.at, each.stream is Stream.UP)):
        recall(transaction, entry)


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
            command_id=data.get("command"),
            at=act.now,
        )
    )
    if seq is not None:
        act.db.execute(
            machines.update()
            .where(machines.c.machine == data["where"])
            .values(next_seq=seq % SEQ_MAX + 1)
        )
    item = data.get("item")
    if data["kind"] == "load" and place is not None:
        compartments.change(act, place, (FREE,), RESERVED)
        if item:
            _put_at(act, item, place)
    elif place is not None:
        compartments.change(act, place, (FREE, OCCUPIED), OPEN)
    if item and data["kind"] not in ("load", "retract"):
        put(act, item, ItemState.RELEASING)


def _settled(act: Recalled, data: Any) -> None:
    settle(act, data["intent"], data["outcome"], data["seen_by"])
    if data["outcome"] != "not_moved":
        return
    intent = act.db.execute(select(intents).where(intents.c.intent_id == data["intent"])).one()
    if intent.cabinet is not None:
        put_back(act, Place(intent.cabinet, intent.no))
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
    else:
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
        _put_at(act, data["item"], None)
        _rest(act, place, (OCCUPIED, *PENDING), FREE)


def _stayed(act: Recalled, data: Any) -> None:
    place = Place.parse(data["where"])
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


def _door(state: str, door: Door | None) -> "Rule":
    def changed(act: Recalled, data: Any) -> None:
        place = Place.parse(data["where"])
        act.db.execute(
            doors.update()
            .where(doors.c.cabinet == place.cabinet, doors.c.no == place.no)
            .values(state=state, n=data["n"], at=act.now, **({"door": door.value} if door else {}))
        )

    return changed


def _doors(one: "Rule") -> "Rule":
    def changed(act: Recalled, data: Any) -> None:
        for each in data["doors"]:
            one(act, each)

    return changed


def _case_opened(act: Recalled, data: Any) -> None:
    act.db.execute(
        cases.insert().values(
            case_id=data["case"],
            order_no=data["order"],
            place=data["where"],
            what=data["what"],
            opened_at=act.now,
        )
    )


def _case_closed(act: Recalled, data: Any) -> None:
    act.db.execute(
        cases.update()
        .where(cases.c.case_id == data["case"], cases.c.closed_at.is_(None))
        .values(closed_at=act.now)
    )


def _extended(act: Recalled, data: Any) -> None:
    act.db.execute(
        orders.update()
        .where(orders.c.order_no == data["order"])
        .values(expires_at=data["expires_at"])
    )


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


def _machine(act: Recalled, data: Any) -> None:
    act.db.execute(
        machines.update()
        .where(machines.c.machine == data["machine"])
        .values(
            state=data["state"],
            blanks=data["blanks"],
            faults=",".join(data["faults"]),
            at=act.now,
        )
    )


def _adopted(act: Recalled, data: Any) -> None:
    act.db.execute(
        machines.update()
        .where(machines.c.machine == data["machine"])
        .values(next_seq=data["seq"] % SEQ_MAX + 1)
    )


def _raised(act: Recalled, data: Any) -> None:
    """A second time, where it became more severe."""
    act.db.execute(alarms.delete().where(alarms.c.alarm_id == data["alarm"]))
    act.db.execute(
        alarms.insert().values(
            alarm_id=data["alarm"],
            kind=data["kind"],
            place=data["where"],
            severity=data["severity"],
            since=data["since"],
        )
    )
    if "/" not in data["where"]:
        return
    place = Place.parse(data["where"])
    if data["kind"] == "unexplained" and (item := item_at(act.db, place)) is not None:
        put(act, item_of(act.db, item.item_id).item_id, ItemState.RELEASING)


def _cleared(act: Recalled, data: Any) -> None:
    act.db.execute(
        alarms.update().where(alarms.c.alarm_id == data["alarm"]).values(cleared_at=act.now)
    )


def _acknowledged(act: Recalled, data: Any) -> None:
    act.db.execute(
        alarms.update()
        .where(alarms.c.alarm_id == data["alarm"])
        .values(acknowledged_at=act.now, acknowledged_by=data["by"])
    )


def _command(kind: Up) -> "Rule":
    def ended(act: Recalled, data: Any) -> None:
        which = commands.c.command_id == data["command"]
        row = act.db.execute(select(commands).where(which)).first()
        if row is None:
            return
        act.db.execute(
            commands.update().where(which).values(ended=kind.value.removeprefix("command."))
        )
        place = Place(row.cabinet, row.no)
        if kind is Up.COMMAND_DONE and row.kind == Down.COMPARTMENT_BLOCK:
            compartments.block(act, place, row.reason)
        elif kind is Up.COMMAND_DONE and row.kind == Down.COMPARTMENT_UNBLOCK:
            compartments.unblock(act, place)

    return ended


COMMAND_ENDS: Final = (
    Up.COMMAND_DONE,
    Up.COMMAND_FAILED,
    Up.COMMAND_REFUSED,
    Up.COMMAND_EXPIRED,
    Up.COMMAND_UNKNOWN,
)

Rule = Callable[[Any, Any], None]

UP: Final[Mapping[str, Rule]] = {
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
    Up.DOOR_OPENED: _door("open", Door.OPEN),
    Up.DOOR_CLOSED: _door("closed", Door.SHUT),
    Up.DOOR_FORCED: _door("open", Door.FORCED),
    Up.DOOR_UNKNOWN: _door("unknown", None),
    Up.DOORS_UNKNOWN: _doors(_door("unknown", None)),
    Up.DOORS_CLOSED: _doors(_door("closed", Door.SHUT)),
    Up.PROBLEM_REPORTED: _case_opened,
    Up.PROBLEM_SOLVED: _case_closed,
    Up.DEADLINE_EXTENDED: _extended,
    Up.COMPARTMENT_FAULT: _fault,
    Up.COMPARTMENT_RESTORED: _restored,
    Up.MACHINE_CHANGED: _machine,
    Up.MACHINE_ADOPTED: _adopted,
    Up.ALARM_RAISED: _raised,
    Up.ALARM_CLEARED: _cleared,
    Up.ALARM_ACKNOWLEDGED: _acknowledged,
    **{kind: _command(kind) for kind in COMMAND_ENDS},
}
TELLS_ONLY: Final = frozenset(  # what follows from others, or is of no table
    {
        Up.PICKUP_COMPLETED,
        Up.PICKUP_REFUSED,
        Up.FEEDBACK_RATED,
        Up.DOOR_AJAR,
        Up.DOOR_CONTRADICTED,
        Up.HOLD_ENDED,
    }
)
