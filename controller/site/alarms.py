"""Alarms: raised once, cleared once, and who looks after one."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from controller.entries import AlarmAcknowledged, AlarmCleared, AlarmKind, AlarmRaised, Severity, Up
from controller.prepared import Prepared
from controller.rows import add_row, change_rows
from controller.site.book import Act
from controller.site.schema import alarms as table

_AT: Final = Prepared(
    select(table.c.kind, table.c.severity).where(
        table.c.place == bindparam("of"), table.c.cleared_at.is_(None)
    )
)
_OF_KIND: Final = Prepared(
    select(table.c.place).where(table.c.kind == bindparam("of"), table.c.cleared_at.is_(None))
)
_ALL: Final = Prepared(select(table).where(table.c.cleared_at.is_(None)))
SEVERITY: Final[dict[AlarmKind, Severity]] = {
    AlarmKind.DOOR_AJAR: "warning",
    AlarmKind.DOOR_FORCED: "critical",
    AlarmKind.LOCK_JAMMED: "warning",
    AlarmKind.CROSSWIRED: "critical",
    AlarmKind.SWITCH_FAULT: "warning",
    AlarmKind.BOARD_SILENT: "critical",
    AlarmKind.BUS_DOWN: "critical",
    AlarmKind.ITEM_LEFT: "warning",
    AlarmKind.ITEM_MISSING: "critical",
    AlarmKind.MACHINE_FAULT: "warning",
    AlarmKind.BLANKS_LOW: "warning",
    AlarmKind.GUESSING: "warning",
    AlarmKind.REMOTE_CAP: "critical",
    AlarmKind.UNEXPLAINED: "critical",
    AlarmKind.CLOCK_JUMP: "warning",
    AlarmKind.DISK_LOW: "warning",
    AlarmKind.CLONED: "critical",
    AlarmKind.JOURNAL_BROKEN: "critical",
    AlarmKind.TEMPERATURE: "warning",
    AlarmKind.POWER: "warning",
    AlarmKind.TAMPER: "critical",
    AlarmKind.MAINTENANCE: "warning",
    AlarmKind.FIRE: "critical",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm that was raised and not cleared."""

    alarm_id: str
    severity: Severity
    since: str


def raise_alarm(act: Act, kind: AlarmKind, where: str, severity: Severity | None = None) -> bool:
    """It stands. True if it did not before, or was less severe."""
    severity = severity or SEVERITY[kind]
    old = _standing(act, kind, where)
    if old is None:
        alarm, since = act.name("L"), act.now
        told = {"kind": kind.value, "place": where, "severity": severity, "since": since}
        add_row(act.db, table, alarm_id=alarm, **told)
    elif severity == "critical" and old.severity != severity:
        alarm, since = old.alarm_id, old.since
        change_rows(act.db, table, {"alarm_id": alarm}, severity=severity)
    else:
        return False
    _all_standing(act)[kind.value, where] = Standing(alarm, severity, since)
    act.say(
        Up.ALARM_RAISED,
        AlarmRaised(alarm=alarm, kind=kind.value, where=where, severity=severity, since=since),
    )
    return True


def standing_id(act: Act, kind: AlarmKind, where: str) -> str | None:
    """Its name, while it stands."""
    found = _standing(act, kind, where)
    return None if found is None else found.alarm_id


def clear_alarm(act: Act, kind: AlarmKind, where: str) -> bool:
    """It does not stand. True if it did before."""
    old = _standing(act, kind, where)
    if old is None:
        return False
    alarm = old.alarm_id
    change_rows(act.db, table, {"alarm_id": alarm}, cleared_at=act.now)
    del _all_standing(act)[kind.value, where]
    act.say(Up.ALARM_CLEARED, AlarmCleared(alarm=alarm))
    return True


def acknowledge(act: Act, alarm: str, by: str) -> bool:
    """Somebody looks after it: who and when is kept, once. False if it does not stand."""
    done = act.db.execute(
        table.update()
        .where(
            table.c.alarm_id == alarm,
            table.c.cleared_at.is_(None),
            table.c.acknowledged_at.is_(None),
        )
        .values(acknowledged_at=act.now, acknowledged_by=by)
    )
    if done.rowcount != 1:
        return False
    act.say(Up.ALARM_ACKNOWLEDGED, AlarmAcknowledged(alarm=alarm, by=by))
    return True


def unattended(connection: Connection) -> list[Row[Any]]:
    """What stands and nobody looks after, the worst and oldest first."""
    return sorted(
        (row for row in _ALL.rows(connection) if row.acknowledged_at is None),
        key=lambda row: (row.severity != "critical", row.since, row.alarm_id),
    )


def standing(connection: Connection, where: str) -> dict[AlarmKind, Severity]:
    """What is wrong there."""
    return {AlarmKind(row.kind): row.severity for row in _AT.rows(connection, of=where)}


def places_with(connection: Connection, kind: AlarmKind) -> set[str]:
    """Where such an alarm stands."""
    return set(_OF_KIND.scalars(connection, of=kind.value))


def _standing(act: Act, kind: AlarmKind, where: str) -> Standing | None:
    """Asked at each change of a door, so all that stand are kept in mind."""
    return _all_standing(act).get((kind.value, where))


def _all_standing(act: Act) -> dict[tuple[str, str], Standing]:
    if table not in act.memory:
        act.memory[table] = {
            (row.kind, row.place): Standing(row.alarm_id, row.severity, row.since)
            for row in _ALL.rows(act.db)
        }
    found: dict[tuple[str, str], Standing] = act.memory[table]
    return found
