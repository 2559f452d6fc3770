"""What a site's database says of it, for pages and metrics."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from controller.settings import SiteTable
from controller.site import schema


@dataclass(frozen=True, slots=True)
class SiteState:
    """Nothing of it names a person."""

    site: str
    name: str
    address: str
    compartments: list[dict[str, Any]]
    doors: list[dict[str, Any]]
    machines: list[dict[str, Any]]
    alarms: list[dict[str, Any]]  # those that stand
    problems: list[str]


def describe(connection: Connection, site: SiteTable, problems: list[str]) -> SiteState:
    """As it is now; `problems` are what the database does not know."""
    return SiteState(
        site=site.id,
        name=site.name,
        address=site.address,
        compartments=_rows(connection, select(schema.compartments)),
        doors=_rows(connection, select(schema.doors)),
        machines=_rows(connection, select(schema.machines)),
        alarms=_rows(
            connection,
            select(schema.alarms)
            .where(schema.alarms.c.cleared_at.is_(None))
            .order_by(schema.alarms.c.since, schema.alarms.c.alarm_id),
        ),
        problems=problems,
    )


def _rows(connection: Connection, query: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]
