"""Alarms of the sites, as their journals tell them, and a few of the district's own."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from controller.district import schema as s
from controller.entries import AlarmAcknowledged, AlarmKind, Down, Up
from controller.journal import Entry, Stream
from controller.prepared import Prepared
from controller.refusals import Reason, Refused
from controller.rows import change_rows, upsert
from controller.store import Transaction

DISTRICT: Final = "district"  # where an alarm stands that no site raised

_OWN: Final = Prepared(
    select(s.site_alarms).where(
        s.site_alarms.c.place == DISTRICT, s.site_alarms.c.cleared_at.is_(None)
    )
)


def _raised(connection: Connection, entry: Entry) -> None:
    words = entry.data
    values = {key: words[key] for key in ("kind", "severity", "since")}
    alarm = {"site_id": entry.site, "alarm_id": words["alarm"]}
    upsert(connection, s.site_alarms, alarm, values | {"place": words["where"], "cleared_at": None})


def _cleared(connection: Connection, entry: Entry) -> None:
    alarm = {"site_id": entry.site, "alarm_id": entry.data["alarm"]}
    change_rows(connection, s.site_alarms, alarm, cleared_at=entry.at)


def _acknowledged(connection: Connection, entry: Entry) -> None:
    """Whom the site named first, at its kiosk or by us."""
    words = entry.data
    alarm = {"site_id": entry.site, "alarm_id": words["alarm"]}
    who = {"acknowledged_at": entry.at, "acknowledged_by": words["by"]}
    change_rows(connection, s.site_alarms, alarm, **who)


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
    ended = 0
    for row in _OWN.rows(connection):
        if row.site_id not in but:
            alarm = {"site_id": row.site_id, "alarm_id": row.alarm_id}
            ended += change_rows(connection, s.site_alarms, alarm, cleared_at=now)
    return ended


def take_on(tx: Transaction, alarm_id: str, site_id: str | None, by: str, now: str) -> None:
    """Somebody here looks after it, and its site is told; of two people the first is kept.

    NOT_FOUND where none stands; CONFLICT where several sites have one of that name.
    """
    alarm = _one_that_stands(tx.connection, alarm_id, site_id)
    if alarm.acknowledged_at is not None:
        return
    which = s.site_alarms.c
    tx.connection.execute(
        update(s.site_alarms)
        .where(which.site_id == alarm.site_id, which.alarm_id == alarm_id)
        .values(acknowledged_at=now, acknowledged_by=by)
    )
    if alarm.place != DISTRICT:
        told = AlarmAcknowledged(alarm=alarm_id, by=by)
        tx.append(alarm.site_id, Stream.DOWN, Down.ALARM_ACKNOWLEDGED, dict(told))


def _one_that_stands(connection: Connection, alarm_id: str, site_id: str | None) -> Row[Any]:
    which = s.site_alarms.c
    standing = (which.alarm_id == alarm_id) & which.cleared_at.is_(None)
    if site_id is not None:
        standing &= which.site_id == site_id
    found = connection.execute(select(s.site_alarms).where(standing)).all()
    if not found:
        raise Refused(Reason.NOT_FOUND)
    if len(found) > 1:
        raise Refused(Reason.CONFLICT)
    return found[0]


ALARM_RULES: Final[Mapping[str, Callable[[Connection, Entry], None]]] = {
    Up.ALARM_RAISED: _raised,
    Up.ALARM_CLEARED: _cleared,
    Up.ALARM_ACKNOWLEDGED: _acknowledged,
}
