"""Reads about sites: their health, compartments, machines and alarms."""

from typing import Any

from sqlalchemy import Connection, Row, func, select

from controller.district import schema as s
from controller.district.queries import place, time
from controller.district.views import (
    AlarmView,
    CompartmentView,
    MachineView,
    SiteSummary,
    SiteView,
)
from controller.entries import CompartmentState
from controller.journal import parse_time

ALARMS_MAX = 500


def sites(connection: Connection) -> list[SiteSummary]:
    rows = connection.execute(
        select(s.sites, s.site_status)
        .outerjoin(s.site_status, s.site_status.c.site_id == s.sites.c.site_id)
        .order_by(s.sites.c.site_id)
    )
    alarms = _standing(connection)
    return [
        _summary(row, alarms.get(row.site_id, 0), compartments(connection, row.site_id))
        for row in rows
    ]


def site(connection: Connection, site_id: str) -> SiteView | None:
    row = connection.execute(
        select(s.sites, s.site_status)
        .outerjoin(s.site_status, s.site_status.c.site_id == s.sites.c.site_id)
        .where(s.sites.c.site_id == site_id)
    ).first()
    if row is None:
        return None
    boxes = compartments(connection, site_id)
    machines = connection.execute(
        select(s.site_machines)
        .where(s.site_machines.c.site_id == site_id)
        .order_by(s.site_machines.c.machine)
    )
    return SiteView(
        _summary(row, _standing(connection).get(site_id, 0), boxes),
        tuple(boxes),
        tuple(
            MachineView(m.machine, m.state, m.blanks, tuple(m.faults.split()), parse_time(m.at))
            for m in machines
        ),
    )


def _standing(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        select(s.site_alarms.c.site_id, func.count())
        .where(s.site_alarms.c.cleared_at.is_(None))
        .group_by(s.site_alarms.c.site_id)
    )
    return {row[0]: row[1] for row in rows}


def _summary(row: Row[Any], alarms: int, boxes: list[CompartmentView]) -> SiteSummary:
    heard = max((at for at in (row.entry_at, row.online_at) if at), default=None)
    return SiteSummary(
        place(row),
        row.kiosk_url,
        row.version or "",
        row.online,
        time(row.started_at),
        time(heard),
        alarms,
        len(boxes),
        sum(box.state == CompartmentState.FREE for box in boxes),
    )


def compartments(connection: Connection, site_id: str) -> list[CompartmentView]:
    """Every compartment of a site, with its door and the item that lies in it."""
    box, door, item = s.site_compartments, s.site_doors, s.items
    lying = (
        select(item.c.cabinet, item.c.no, item.c.label, item.c.order_no)
        .join(s.orders, s.orders.c.order_no == item.c.order_no)
        .where(s.orders.c.site_id == site_id, item.c.cabinet.is_not(None))
        .subquery()
    )
    rows = connection.execute(
        select(box, door.c.state, door.c.n, door.c.at, lying.c.label, lying.c.order_no)
        .outerjoin(
            door,
            (door.c.site_id == box.c.site_id)
            & (door.c.cabinet == box.c.cabinet)
            & (door.c.no == box.c.no),
        )
        .outerjoin(lying, (lying.c.cabinet == box.c.cabinet) & (lying.c.no == box.c.no))
        .where(box.c.site_id == site_id)
        .order_by(box.c.cabinet, box.c.no)
    )
    return [
        CompartmentView(
            row.cabinet,
            row.no,
            row.size,
            row.height_cm,
            row.reach,
            _state(row),
            row.fault,
            row.state or "unknown",
            row.n or 0,
            time(row.at),
            row.label,
            row.order_no,
        )
        for row in rows
    ]


def _state(row: Row[Any]) -> CompartmentState:
    if row.fault is not None:
        return CompartmentState.FAULT
    if row.state == "open":
        return CompartmentState.OPEN
    return CompartmentState.FREE if row.label is None else CompartmentState.OCCUPIED


def alarms(
    connection: Connection, site_id: str | None = None, *, standing: bool = True
) -> list[AlarmView]:
    """Newest first; `standing` leaves out the cleared ones."""
    statement = select(s.site_alarms).order_by(
        s.site_alarms.c.since.desc(), s.site_alarms.c.site_id, s.site_alarms.c.alarm_id
    )
    if site_id is not None:
        statement = statement.where(s.site_alarms.c.site_id == site_id)
    if standing:
        statement = statement.where(s.site_alarms.c.cleared_at.is_(None))
    return [
        AlarmView(
            row.alarm_id,
            row.site_id,
            row.kind,
            row.place,
            row.severity,
            parse_time(row.since),
            time(row.cleared_at),
            time(row.acknowledged_at),
            row.acknowledged_by,
        )
        for row in connection.execute(statement.limit(ALARMS_MAX))
    ]
