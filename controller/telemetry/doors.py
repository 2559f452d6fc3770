"""What is told of doors and compartments, read from the committed tables; never whose items."""

import json
from typing import Any, Final

from sqlalchemy import Connection, select

from controller.prepared import Prepared
from controller.site.schema import compartments, doors
from controller.telemetry import topics

_DOORS: Final = Prepared(select(doors.c.cabinet, doors.c.no, doors.c.state, doors.c.at, doors.c.n))
_COMPARTMENTS: Final = Prepared(
    select(compartments.c.cabinet, compartments.c.no, compartments.c.state)
)


class DoorReports:
    """Every door's state, since when, and its count of changes."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._rows: set[tuple[Any, ...]] = set()  # of which `_told` says what they are
        self._told: dict[str, bytes] = {}

    def read(self, connection: Connection) -> dict[str, bytes]:
        rows = _DOORS.plain(connection)
        for row in rows:
            if row not in self._rows:
                cabinet, no, state, at, n = row
                words = {"state": state, "at": at, "n": n}
                self._told[topics.door(self._site, cabinet, no)] = payload(words)
        self._rows = set(rows)
        return self._told


class CompartmentReports:
    """Every compartment's state, and when it was first seen since this process began."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._rows: set[tuple[Any, ...]] = set()  # of which `_told` says what they are
        self._told: dict[str, bytes] = {}

    def read(self, connection: Connection, now: str) -> dict[str, bytes]:
        rows = _COMPARTMENTS.plain(connection)
        for row in rows:
            if row not in self._rows:
                cabinet, no, state = row
                topic = topics.compartment(self._site, cabinet, no)
                self._told[topic] = payload({"state": state, "at": now})
        self._rows = set(rows)
        return self._told


def payload(words: object) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
