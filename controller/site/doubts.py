"""Two people at the district say where a doubtful item is: from afar, so a sensor knows better.

The item is where they say. Its compartment is in use again only where it is surely known what lies
behind its door; else somebody with a badge has still to look.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from controller.entries import CompartmentState, ItemState, Verdict
from controller.ports import Presence
from controller.refusals import Reason, Refused
from controller.rows import first_row
from controller.site import compartments, items, locks
from controller.site.book import Act
from controller.site.compartments import PENDING
from controller.site.doors import Doors, Place
from controller.site.machines import Machines
from controller.site.schema import compartments as places
from controller.site.schema import items as table
from controller.site.settling import is_under_way, restore, say_where, verdicts


@dataclass(frozen=True, slots=True)
class Said:
    """Of which item, in which doubt: the one that this intent brought it into."""

    item: str
    intent: str
    outcome: str  # Verdict


def settle_from_afar(act: Act, doors: Doors, machines: Machines, said: Said) -> None:
    """The doubt is over. Refused where it is another one by now, or none any more."""
    item = first_row(act.db, table, item_id=said.item)
    if item is None or not _is_doubtful(act.db, item):
        raise Refused(Reason.STALE_DECISION)
    if items.last_intent(act.db, item.item_id).intent_id != said.intent:
        raise Refused(Reason.STALE_DECISION)
    place = None if item.cabinet is None else Place(item.cabinet, item.no)
    if said.outcome not in _may_be(act.db, item, place):
        raise Refused(Reason.STALE_DECISION)
    verdict = Verdict(said.outcome)
    is_inside = verdict is Verdict.INSIDE
    if place is not None:
        _check_door(doors, place, is_inside=is_inside)
    elif is_inside and item.slot in machines.free_slots(item.machine):
        raise Refused(Reason.SENSOR_DISAGREES)
    say_where(act, item, verdict, str(place or item.machine or item.missed_at), None)
    if place is not None and _is_known(act.db, doors, place, is_inside=is_inside):
        after = CompartmentState.OCCUPIED if is_inside else CompartmentState.FREE
        restore(act, place, after, None)


def _is_doubtful(connection: Connection, item: Row[Any]) -> bool:
    """Nothing goes on any more that may still tell where it is."""
    if item.state != ItemState.RELEASING.value:
        return False
    if item.cabinet is None:
        return not is_under_way(connection, item.item_id)
    return compartments.state_of(connection, Place(item.cabinet, item.no)) not in PENDING


def _may_be(connection: Connection, item: Row[Any], place: Place | None) -> list[Verdict]:
    found = verdicts(connection, item)
    return found if place is None else [Verdict.INSIDE, *found]


def _check_door(doors: Doors, place: Place, *, is_inside: bool) -> None:
    if place not in doors:
        return
    if doors.is_open(place):
        raise Refused(Reason.DOOR_OPEN)
    denied = Presence.ABSENT if is_inside else Presence.PRESENT
    if doors[place].item is denied:
        raise Refused(Reason.SENSOR_DISAGREES)


def _is_known(connection: Connection, doors: Doors, place: Place, *, is_inside: bool) -> bool:
    """Only the doubt kept it out of use, its door is shut, and nothing strange may be inside."""
    if place not in doors or not doors.is_shut(place):
        return False
    row = connection.execute(
        select(places.c.state, places.c.reason).where(
            places.c.cabinet == place.cabinet, places.c.no == place.no
        )
    ).one()
    return (
        (row.state, row.reason) == (CompartmentState.FAULT.value, "unexplained")
        and locks.distrust(connection, place) is None
        and (is_inside or doors[place].item is Presence.ABSENT)
    )
