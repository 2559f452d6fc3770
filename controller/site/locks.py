"""Locks and switches that are not to be trusted: counted, and at last taken out of use.

What the count comes to is kept with the door, so that whoever brings the compartment to rest, in
its visit or after a restart, takes it out of use.
"""

from typing import Any, Final

from sqlalchemy import Connection

from controller.entries import AlarmKind, SeenBy, Up
from controller.entries_doors import DoorContradicted, LockCounted
from controller.ports import DoorSight
from controller.rows import change_rows, one_row
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.schema import doors as table

CONTRADICTIONS_MAX: Final = 2  # of one switch in a row
JAMMED: Final = "lock_jammed"
LIES: Final = "switch_fault"
CROSSWIRED: Final = "crosswired"


def jammed(act: Act, place: Place, allowed: int) -> None:
    """One more pulse after which the door was seen to stay shut; so many are allowed in a row."""
    jams = _row(act.db, place).jams + 1
    _write(act, place, jams=jams)
    raise_alarm(act, AlarmKind.LOCK_JAMMED, str(place))
    if jams >= allowed:
        _distrust(act, place, JAMMED)


def contradicted(act: Act, place: Place, says: DoorSight, by: SeenBy) -> None:
    """A release moved the door, as `by` shows, and its switch saw nothing: both are on record."""
    times = _row(act.db, place).contradicted + 1
    _write(act, place, contradicted=times, jams=0)
    act.say(Up.DOOR_CONTRADICTED, DoorContradicted(where=str(place), says=says.value, by=by))
    if times >= CONTRADICTIONS_MAX:
        raise_alarm(act, AlarmKind.SWITCH_FAULT, str(place))
        _distrust(act, place, LIES)


def crosswired(act: Act, place: Place) -> None:
    """Another door opened than the one that was released."""
    raise_alarm(act, AlarmKind.CROSSWIRED, str(place))
    _distrust(act, place, CROSSWIRED)


def works(act: Act, place: Place) -> None:
    """A release, and its door was seen to open: what was counted before is forgotten."""
    row = _row(act.db, place)
    if row.jams or row.contradicted:
        _write(act, place, jams=0, contradicted=0)
    if row.distrust in (JAMMED, LIES):
        _write(act, place, distrust=None)
    clear_alarm(act, AlarmKind.LOCK_JAMMED, str(place))


def trusted(act: Act, place: Place) -> None:
    """Somebody has looked at lock and switch, and answers for both."""
    settled(act, place)
    for kind in (AlarmKind.LOCK_JAMMED, AlarmKind.SWITCH_FAULT, AlarmKind.CROSSWIRED):
        clear_alarm(act, kind, str(place))


def distrust(connection: Connection, place: Place) -> str | None:
    """Why the compartment must go out of use as soon as it comes to rest."""
    found: str | None = _row(connection, place).distrust
    return found


def settled(act: Act, place: Place) -> None:
    """It is out of use: whoever puts it into use again answers for it, and counts anew."""
    _write(act, place, jams=0, contradicted=0, distrust=None)


def _distrust(act: Act, place: Place, reason: str) -> None:
    _write(act, place, distrust=reason)


def _row(connection: Connection, place: Place) -> Any:
    return one_row(connection, table, cabinet=place.cabinet, no=place.no)


def _write(act: Act, place: Place, **values: Any) -> None:
    """What is counted is told, where it is another than before."""
    row = _row(act.db, place)
    before = LockCounted(
        where=str(place), jams=row.jams, contradicted=row.contradicted, distrust=row.distrust
    )
    after = before | values
    if after != before:
        change_rows(act.db, table, {"cabinet": place.cabinet, "no": place.no}, **values)
        act.say(Up.LOCK_COUNTED, after)
