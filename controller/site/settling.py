"""The way out of doubt: a named person looked, and says where an item is.

Everything that nobody knows stands in one list; each of it ends as an entry with a badge in it.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from controller.entries import (
    AlarmKind,
    CompartmentChanged,
    CompartmentState,
    Holder,
    ItemState,
    Up,
    Verdict,
)
from controller.prepared import Prepared
from controller.refusals import Reason, Refused
from controller.site import compartments, items, locks
from controller.site.alarms import clear_alarm, places_with
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.intents import settle
from controller.site.schema import compartments as places
from controller.site.schema import intents
from controller.site.schema import items as table

ENDED_WITH = (AlarmKind.UNEXPLAINED, AlarmKind.ITEM_LEFT)
AT_REST = (CompartmentState.FREE.value, CompartmentState.OCCUPIED.value)

_LOOKED_INTO: Final = Prepared(
    select(places)
    .where(places.c.state.in_((CompartmentState.FAULT.value, *AT_REST)))
    .order_by(places.c.cabinet, places.c.no)
)
_LOST: Final = Prepared(
    select(table)
    .where(table.c.state == ItemState.RELEASING.value, table.c.cabinet.is_(None))
    .order_by(table.c.item_id)
)
_UNDER_WAY: Final = Prepared(
    select(intents.c.intent_id).where(
        intents.c.item_id == bindparam("of_item"), intents.c.outcome.is_(None)
    )
)


@dataclass(frozen=True, slots=True)
class Faulty:
    """A compartment that somebody should look into: out of use, or with a lock that jammed."""

    place: Place
    reason: str


def faulty_places(connection: Connection) -> list[Faulty]:
    """Those out of use first; then those in use whose lock jammed and did not open since."""
    found = _LOOKED_INTO.rows(connection)
    jammed = places_with(connection, AlarmKind.LOCK_JAMMED)
    at = {Place(row.cabinet, row.no): row for row in found}
    out_of_use = [
        Faulty(place, row.reason or "")
        for place, row in at.items()
        if row.state == CompartmentState.FAULT.value
    ]
    in_use = [
        Faulty(place, AlarmKind.LOCK_JAMMED.value)
        for place, row in at.items()
        if row.state in AT_REST and str(place) in jammed
    ]
    return [*out_of_use, *in_use]


def take_up(act: Act, place: Place) -> None:
    """It is out of use while somebody looks. Refused where nothing is wrong, or it is used."""
    match compartments.state_of(act.db, place):
        case CompartmentState.FAULT:
            pass
        case CompartmentState.FREE | CompartmentState.OCCUPIED if str(place) in places_with(
            act.db, AlarmKind.LOCK_JAMMED
        ):
            compartments.out_of_use(act, place, locks.JAMMED)
        case _:
            raise Refused(Reason.STALE_DECISION)


def lost_items(connection: Connection) -> list[Row[Any]]:
    """Doubtful items that lie behind no door: a machine had them, or nobody found them."""
    return [row for row in _LOST.rows(connection) if not is_under_way(connection, row.item_id)]


def is_lost_at(connection: Connection, machine: str) -> bool:
    """Whether somebody has yet to say where something is that this machine had."""
    return any(item.machine == machine for item in lost_items(connection))


def verdicts(connection: Connection, item: Row[Any]) -> list[Verdict]:
    """What may be said of an item that is not where it should be."""
    found = [Verdict.TO_WINDOW]
    if item.missed_at is None:
        if item.state == ItemState.RELEASING.value and _last_handed_out(connection, item):
            found = [Verdict.WITH_RECIPIENT, *found]
        if item.holder == Holder.MACHINE.value:
            found = [Verdict.INSIDE, *found]
        found = [*found, Verdict.MISSING]
    if item.job is None:  # a page that was printed is not loaded, and not anew
        found = [Verdict.IN_HAND, *found]
    return found


def say_where(act: Act, item: Row[Any], verdict: Verdict, where: str, badge: str | None) -> None:
    """The item is where the person says. Refused if it is no longer in doubt.

    No badge: the district says so.
    """
    item = items.item_of(act.db, item.item_id)
    if item.state not in (ItemState.RELEASING.value, *items.COLLECTABLE, ItemState.EXPECTED.value):
        raise Refused(Reason.STALE_DECISION)
    _end_missing(act, item)
    match verdict:
        case Verdict.INSIDE:
            _inside(act, item, where, badge)
        case Verdict.WITH_RECIPIENT:
            _settle_intent(act, item, *items.HANDED_OUT)
            items.collected(act, item, where, "person", badge)
        case Verdict.IN_HAND:
            items.expected(act, item, where, badge)
        case Verdict.TO_WINDOW:
            items.returned(act, item, where, "person", badge, item.return_reason or "settled")
        case Verdict.MISSING:
            items.missing(act, item, where, badge)
    if item.machine is not None:
        clear_if_settled(act, item.machine)


def _inside(act: Act, item: Row[Any], where: str, badge: str | None) -> None:
    """It lies where it was, and may be had from there."""
    last = items.last_intent(act.db, item.item_id)
    if badge is None and last.kind != "load":  # nobody looked at the bolt
        settle(act, last.intent_id, "unknown", None)
    else:
        settle(act, last.intent_id, "moved", "person")
    items.loaded(act, item, where, "person", badge)


def restore(act: Act, place: Place, after: CompartmentState, badge: str | None) -> None:
    """The compartment is in use again, and what was said about it is over.

    No badge: nobody looked at its lock.
    """
    reason = act.db.execute(
        select(places.c.reason).where(places.c.cabinet == place.cabinet, places.c.no == place.no)
    ).scalar_one()
    if not compartments.change(act, place, (CompartmentState.FAULT,), after):
        raise Refused(Reason.STALE_DECISION)
    told = CompartmentChanged(where=str(place), reason=reason or "")
    if badge is not None:
        told["badge"] = badge
    act.say(Up.COMPARTMENT_RESTORED, told)
    if badge is not None:
        locks.trusted(act, place)
    for kind in ENDED_WITH:
        clear_alarm(act, kind, str(place))


def clear_if_settled(act: Act, machine: str) -> None:
    """With its last doubtful item settled, nothing about a machine is unexplained."""
    if not is_lost_at(act.db, machine):
        for kind in (AlarmKind.UNEXPLAINED, AlarmKind.ITEM_LEFT):
            clear_alarm(act, kind, machine)


def _end_missing(act: Act, item: Row[Any]) -> None:
    if item.missed_at is None:
        return
    act.db.execute(table.update().where(table.c.item_id == item.item_id).values(missed_at=None))
    if not act.db.scalar(select(table.c.item_id).where(table.c.missed_at == item.missed_at)):
        clear_alarm(act, AlarmKind.ITEM_MISSING, item.missed_at)


def _settle_intent(act: Act, item: Row[Any], *kinds: str) -> None:
    """A person's word ends the movement that nobody saw the end of."""
    settle(act, items.last_intent(act.db, item.item_id, *kinds).intent_id, "moved", "person")


def _last_handed_out(connection: Connection, item: Row[Any]) -> bool:
    return items.last_intent(connection, item.item_id).kind in items.HANDED_OUT


def is_under_way(connection: Connection, item_id: str) -> bool:
    """Its machine has not said the end yet."""
    return _UNDER_WAY.first(connection, of_item=item_id) is not None
