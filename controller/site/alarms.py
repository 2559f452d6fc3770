"""Alarms: raised once, cleared once."""

from typing import Final

from sqlalchemy import select

from controller.entries import AlarmCleared, AlarmKind, AlarmRaised, Severity, Up
from controller.site.book import Act
from controller.site.schema import alarms as table

SEVERITY: Final[dict[AlarmKind, Severity]] = {
    AlarmKind.DOOR_AJAR: "warning",
    AlarmKind.DOOR_FORCED: "critical",
    AlarmKind.LOCK_JAMMED: "warning",
    AlarmKind.BOARD_SILENT: "critical",
    AlarmKind.BUS_DOWN: "critical",
    AlarmKind.ITEM_LEFT: "warning",
    AlarmKind.ITEM_MISSING: "critical",
    AlarmKind.MACHINE_FAULT: "warning",
    AlarmKind.BLANKS_LOW: "warning",
    AlarmKind.GUESSING: "warning",
    AlarmKind.UNEXPLAINED: "critical",
    AlarmKind.CLOCK_JUMP: "warning",
    AlarmKind.DISK_LOW: "warning",
    AlarmKind.CLONED: "critical",
    AlarmKind.JOURNAL_BROKEN: "critical",
}


def raise_alarm(act: Act, kind: AlarmKind, where: str) -> bool:
    """It stands. True if it did not before."""
    if _standing(act, kind, where) is not None:
        return False
    alarm = act.name("L")
    severity = SEVERITY[kind]
    act.db.execute(
        table.insert().values(
            alarm_id=alarm, kind=kind.value, place=where, severity=severity, since=act.now
        )
    )
    act.say(
        Up.ALARM_RAISED,
        AlarmRaised(alarm=alarm, kind=kind.value, where=where, severity=severity, since=act.now),
    )
    return True


def clear_alarm(act: Act, kind: AlarmKind, where: str) -> bool:
    """It does not stand. True if it did before."""
    alarm = _standing(act, kind, where)
    if alarm is None:
        return False
    act.db.execute(table.update().where(table.c.alarm_id == alarm).values(cleared_at=act.now))
    act.say(Up.ALARM_CLEARED, AlarmCleared(alarm=alarm))
    return True


def _standing(act: Act, kind: AlarmKind, where: str) -> str | None:
    found: str | None = act.db.scalar(
        select(table.c.alarm_id).where(
            table.c.kind == kind.value, table.c.place == where, table.c.cleared_at.is_(None)
        )
    )
    return found
