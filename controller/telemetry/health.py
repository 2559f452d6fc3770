"""What is told of cabinets, machines and alarms."""

import json
from collections.abc import Callable, Mapping
from typing import Final, NotRequired, TypedDict

from sqlalchemy import Connection, Table, func, select

from controller.entries import Up
from controller.journal import Stream
from controller.prepared import Prepared
from controller.site.schema import alarms, machines
from controller.telemetry import topics
from controller.telemetry.doors import payload

CLEARED_AGAIN = 200  # alarms emptied once more at each connection: some may have been missed
LOOKED_THROUGH: Final = 20_000  # newest entries, at a start, for each machine's last fault

_STANDING: Final = Prepared(
    select(alarms.c.alarm_id, alarms.c.kind, alarms.c.place, alarms.c.since, alarms.c.severity)
    .where(alarms.c.cleared_at.is_(None))
    .order_by(alarms.c.since)
)
_CLEARED: Final = Prepared(
    select(alarms.c.alarm_id)
    .where(alarms.c.cleared_at.is_not(None))
    .order_by(alarms.c.cleared_at.desc())
    .limit(CLEARED_AGAIN)
)
_MACHINES: Final = Prepared(
    select(
        machines.c.machine, machines.c.state, machines.c.blanks, machines.c.faults, machines.c.at
    )
)


class LineHealth(TypedDict):
    """Counters of one line since this process began."""

    connected: bool
    requests: int
    replies: int
    errors: int
    utilisation: float  # of the line's time, 0 to 1


class CabinetHealth(TypedDict):
    """Air, power and contacts are told where something measures them and answers."""

    boards: dict[str, str]  # sensors too, by name: "ok" or "silent"
    lines: dict[str, LineHealth]  # by name
    temperature_c: NotRequired[float]
    humidity_percent: NotRequired[float]
    power: NotRequired[str]  # mains, battery_bad (but mains there), battery, battery_low
    tamper: NotRequired[bool]  # somebody is at it
    smoke: NotRequired[bool]


Health = Callable[[], Mapping[str, CabinetHealth]]  # by cabinet


def health_reports(health: Mapping[str, CabinetHealth], site: str, now: str) -> dict[str, bytes]:
    return {
        topics.health(site, cabinet): payload({"at": now, **words})
        for cabinet, words in health.items()
    }


def alarm_reports(connection: Connection, site: str) -> dict[str, bytes]:
    """Every alarm that stands, and an empty payload for those cleared last."""
    told = {
        topics.alarm(site, alarm_id): payload(
            {"kind": kind, "where": place, "since": since, "severity": severity}
        )
        for alarm_id, kind, place, since, severity in _STANDING.plain(connection)
    }
    return told | {topics.alarm(site, alarm_id): b"" for (alarm_id,) in _CLEARED.plain(connection)}


class MachineReports:
    """Every licence machine: state, blanks, faults now and the last one there was."""

    def __init__(self, site: str, journal: Table) -> None:
        self._site = site
        self._journal = journal
        self._last_fault: dict[str, str] | None = None

    def read(self, connection: Connection) -> dict[str, bytes]:
        if self._last_fault is None:
            self._last_fault = self._remembered(connection)
        told = {}
        for name, state, blanks, faults, at in _MACHINES.plain(connection):
            present = [fault for fault in faults.split(",") if fault]
            if present:
                self._last_fault[name] = present[0]
            words = {
                "state": state,
                "blanks": blanks,
                "faults": present,
                "last_fault": self._last_fault.get(name),
                "at": at,
            }
            told[topics.machine(self._site, name)] = payload(words)
        return told

    def _remembered(self, connection: Connection) -> dict[str, str]:
        """By machine, of late: a long journal is not read on the way to a connection."""
        entry = self._journal.c
        ours = (entry.site == self._site, entry.stream == Stream.UP.value)
        newest = connection.scalar(select(func.max(entry.seq)).where(*ours)) or 0
        bodies = connection.scalars(
            select(entry.body)
            .where(
                *ours,
                entry.seq > newest - LOOKED_THROUGH,
                entry.kind == Up.MACHINE_CHANGED.value,
            )
            .order_by(entry.seq.desc())
        )
        found: dict[str, str] = {}
        for body in bodies:
            told = json.loads(body)["data"]
            if told["faults"]:
                found.setdefault(told["machine"], told["faults"][0])
        return found
