"""Compartments: which one is taken, and what becomes of it."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from controller.entries import CompartmentChanged, CompartmentState, Up
from controller.ports import Presence
from controller.prepared import Prepared
from controller.refusals import Reason, Refused
from controller.rows import change_rows, one_row, rows
from controller.site import locks
from controller.site.book import Act
from controller.site.doors import Doors, Place
from controller.site.schema import compartments as table

PENDING: Final = (CompartmentState.RESERVED, CompartmentState.OPEN)
SIZES: Final = ("S", "M", "L")  # smallest first
_FREE_PLACES: Final = Prepared(
    select(table.c.cabinet, table.c.no).where(table.c.state == CompartmentState.FREE.value)
)
MIDDLE_CM: Final = 110  # where a standing person's hands are
BAND_CM: Final = 30  # so far apart handles are reached alike


def choose(
    connection: Connection,
    doors: Doors,
    size: str,
    reach: str | None,
    this_round: Iterable[Place],
    closed: Collection[str] = (),
) -> Place:
    """The compartment to load: smallest that fits, low if asked, no neighbour, at a good height,
    idle longest.

    Never one that is not surely empty and shut, or in a closed cabinet. Refused where there is
    none.
    """
    near = {(place.cabinet, place.no + step) for place in this_round for step in (-1, 1)}

    def rank(row: Row[Any]) -> tuple[object, ...]:
        low = row.reach == "low"
        return (
            low is (reach != "low"),  # low ones first if asked for, last if not
            (row.cabinet, row.no) in near,
            abs(row.height_cm - MIDDLE_CM) // BAND_CM,
            row.idle_since or "",
            row.cabinet,
            row.no,
        )

    for fitting in SIZES[SIZES.index(size) :]:
        free = rows(connection, table, state=CompartmentState.FREE.value, size=fitting)
        for row in sorted(free, key=rank):
            place = Place(row.cabinet, row.no)
            if place.cabinet not in closed and place in doors and _is_empty(doors, place):
                return place
    raise Refused(Reason.NO_COMPARTMENT)


def _is_empty(doors: Doors, place: Place) -> bool:
    return doors.is_shut(place) and doors[place].item is not Presence.PRESENT


def bigger(connection: Connection, place: Place) -> str:
    """The next size. Refused where there is none."""
    size: str = _row(connection, place).size
    if size == SIZES[-1]:
        raise Refused(Reason.NO_COMPARTMENT)
    return SIZES[SIZES.index(size) + 1]


def strays(connection: Connection, doors: Doors) -> set[Place]:
    """Free compartments in which a sensor sees something."""
    places = {Place._make(row) for row in _FREE_PLACES.rows(connection)}
    return {each for each in places if each in doors and doors[each].item is Presence.PRESENT}


def state_of(connection: Connection, place: Place) -> CompartmentState:
    return CompartmentState(_row(connection, place).state)


def change(
    act: Act, place: Place, before: Iterable[CompartmentState], after: CompartmentState
) -> bool:
    """Move a compartment on; False, and nothing done, if it was not as expected."""
    act.touched.add(place)
    values = {"state": after.value, "reason": None}
    if after is CompartmentState.FREE:
        values["idle_since"] = act.now
    rule = _move_on(tuple(before), tuple(values))
    done = rule.run(act.db, of=place.cabinet, number=place.no, **values)
    if after not in PENDING:
        _block_at_rest(act, place)
    return done == 1


@cache
def _move_on(before: tuple[CompartmentState, ...], columns: tuple[str, ...]) -> Prepared:
    return Prepared(
        table.update().where(
            table.c.cabinet == bindparam("of"),
            table.c.no == bindparam("number"),
            table.c.state.in_([state.value for state in before]),
        ),
        *columns,
    )


def rest(act: Act, place: Place, after: CompartmentState) -> None:
    """What went on there is over. Out of use, if its lock or switch is not to be trusted."""
    change(act, place, PENDING, after)
    reason = locks.distrust(act.db, place)
    if reason is not None:
        out_of_use(act, place, reason)
        locks.settled(act, place)


def out_of_use(act: Act, place: Place, reason: str) -> None:
    """A fault stands at this compartment until a person has looked."""
    fault = CompartmentState.FAULT.value
    row = _row(act.db, place)
    state = {"behind": fault} if row.state == CompartmentState.BLOCKED.value else {"state": fault}
    _write(act, place, reason=reason, **state)
    act.say(Up.COMPARTMENT_FAULT, CompartmentChanged(where=str(place), reason=reason))
    _block_at_rest(act, place)


def block(act: Act, place: Place, reason: str) -> None:
    """Nothing is loaded there or collected from there: at once, or as soon as it is at rest."""
    _write(act, place, blocked_for=reason)
    _block_at_rest(act, place)


def unblock(act: Act, place: Place) -> None:
    """It is what it would be if it had never been blocked."""
    row = _row(act.db, place)
    if row.state == CompartmentState.BLOCKED.value:
        _write(act, place, state=row.behind)
    _write(act, place, blocked_for=None, behind=None)


def _block_at_rest(act: Act, place: Place) -> None:
    row = _row(act.db, place)
    if row.blocked_for is None or row.state in {*PENDING, CompartmentState.BLOCKED}:
        return
    _write(act, place, state=CompartmentState.BLOCKED.value, behind=row.state)


def _row(connection: Connection, place: Place) -> Row[Any]:
    return one_row(connection, table, cabinet=place.cabinet, no=place.no)


def _write(act: Act, place: Place, **values: str | None) -> None:
    act.touched.add(place)
    change_rows(act.db, table, {"cabinet": place.cabinet, "no": place.no}, **values)
