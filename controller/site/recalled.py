"""What a journal says of doors, machines, alarms, cases and commands, written once more."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import select

from controller.entries import Down, ItemState, Up
from controller.journal import Entry, parse_time
from controller.site import compartments, maintenance
from controller.site.book import Act
from controller.site.doors import Door, Place, Sight, follow
from controller.site.items import item_at, put
from controller.site.machines import SEQ_MAX
from controller.site.orders import extend, order_of, overdue
from controller.site.retention import DAYS_LOST
from controller.site.schema import alarms, cases, commands, doors, machines, orders
from controller.site.schema import maintenance as maintained
from controller.store import Transaction

Rule = Callable[[Any, Any], None]


class Recalled(Act):
    """An act of before: its moment is the entry's, and what it said is said already."""

    def __init__(self, transaction: Transaction, entry: Entry) -> None:
        super().__init__(transaction, entry.site, parse_time(entry.at))
        self.seq = entry.seq

    def say(self, kind: Up, data: Mapping[str, Any]) -> None:
        """It stands in the journal."""


def follow_door(act: Recalled, where: str, sight: Sight, **told: Any) -> None:
    """A door goes on in the grid as it did then; what it was itself may be told."""
    place = Place.parse(where)
    which = (doors.c.cabinet == place.cabinet) & (doors.c.no == place.no)
    row = act.db.execute(select(doors.c.door, doors.c.state).where(which)).first()
    if row is None:
        return
    before = {"door": row.door, "state": row.state}
    after = before | {"door": follow(Door(row.door), sight).value} | told
    if after != before:
        act.db.execute(doors.update().where(which).values(**after, at=act.now))


def _door(sight: Sight, state: str, **told: str) -> "Rule":
    def changed(act: Recalled, data: Any) -> None:
        follow_door(act, data["where"], sight, state=state, n=data["n"], **told)

    return changed


def _rested(act: Recalled, data: Any) -> None:
    follow_door(act, data["where"], Sight.BOLT_RESTED)


def _doors(one: "Rule") -> "Rule":
    def changed(act: Recalled, data: Any) -> None:
        for each in data["doors"]:
            one(act, each)

    return changed


def _counted(act: Recalled, data: Any) -> None:
    place = Place.parse(data["where"])
    told = {key: data[key] for key in ("jams", "contradicted", "distrust")}
    act.db.execute(
        doors.update()
        .where(doors.c.cabinet == place.cabinet, doors.c.no == place.no)
        .values(**told)
    )


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
    act.db.execute(cases.update().where(cases.c.case_id == data["case"]).values(closed_at=act.now))


def _extended(act: Recalled, data: Any) -> None:
    order = order_of(act.db, data["order"])
    until = parse_time(data["expires_at"])
    if data["reason"] == DAYS_LOST:
        days = order.lost_days + (until - parse_time(order.expires_at)).days
        act.db.execute(
            orders.update().where(orders.c.order_no == data["order"]).values(lost_days=days)
        )
    extend(act, data["order"], until, data["reason"])


def _overdue(act: Recalled, data: Any) -> None:
    overdue(act, data["order"])


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
        put(act, item.item_id, ItemState.RELEASING)


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
        if row.cabinet is None:  # what became of a doubt is told by itself
            return
        place = Place(row.cabinet, row.no)
        if kind is Up.COMMAND_DONE and row.kind == Down.COMPARTMENT_BLOCK:
            compartments.block(act, place, row.reason)
        elif kind is Up.COMMAND_DONE and row.kind == Down.COMPARTMENT_UNBLOCK:
            compartments.unblock(act, place)

    return ended


def _maintenance_began(act: Recalled, data: Any) -> None:
    maintenance.put(act, data["where"], data["until"])


def _maintenance_ended(act: Recalled, data: Any) -> None:
    act.db.execute(maintained.delete().where(maintained.c.cabinet == data["where"]))


COMMAND_ENDS: Final = (
    Up.COMMAND_DONE,
    Up.COMMAND_FAILED,
    Up.COMMAND_REFUSED,
    Up.COMMAND_EXPIRED,
    Up.COMMAND_UNKNOWN,
)

SIGNS: Final[Mapping[str, Rule]] = {
    Up.LOCK_COUNTED: _counted,
    Up.LOCK_RESTED: _rested,
    Up.DOOR_OPENED: _door(Sight.SEEN_OPEN, "open", door=Door.OPEN.value),
    Up.DOOR_CLOSED: _door(Sight.SEEN_SHUT, "closed"),
    Up.DOOR_FORCED: _door(Sight.SEEN_OPEN, "open", door=Door.FORCED.value),
    Up.DOOR_UNKNOWN: _door(Sight.UNSEEN, "unknown"),
    Up.DOORS_UNKNOWN: _doors(_door(Sight.UNSEEN, "unknown")),
    Up.DOORS_CLOSED: _doors(_door(Sight.SEEN_SHUT, "closed")),
    Up.PROBLEM_REPORTED: _case_opened,
    Up.PROBLEM_SOLVED: _case_closed,
    Up.DEADLINE_EXTENDED: _extended,
    Up.PICKUP_OVERDUE: _overdue,
    Up.MACHINE_CHANGED: _machine,
    Up.MACHINE_ADOPTED: _adopted,
    Up.MAINTENANCE_BEGAN: _maintenance_began,
    Up.MAINTENANCE_ENDED: _maintenance_ended,
    Up.ALARM_RAISED: _raised,
    Up.ALARM_CLEARED: _cleared,
    Up.ALARM_ACKNOWLEDGED: _acknowledged,
    **{kind: _command(kind) for kind in COMMAND_ENDS},
}
