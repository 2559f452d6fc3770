"""What is told of doors and compartments, read from the committed tables; never whose items."""

import json
from typing import Any, Final

from sqlalchemy import Connection, select

from controller.site.schema import compartments, doors
from controller.telemetry import topics

_DOORS: Final = select(doors.c.cabinet, doors.c.no, doors.c.state, doors.c.at, doors.c.n)
_COMPARTMENTS: Final = select(compartments.c.cabinet, compartments.c.no, compartments.c.state)


class DoorReports:
    """Every door's state, since when, and its count of changes."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._written: dict[str, tuple[Any, bytes]] = {}  # topic: row, and what is told of it

    def read(self, connection: Connection) -> dict[str, bytes]:
        told = {}
        for row in connection.execute(_DOORS):
            topic = topics.door(self._site, row[0], row[1])
            written = self._written.get(topic)
            if written is None or written[0] != row:
                _, _, state, at, n = row
                written = (row, payload({"state": state, "at": at, "n": n}))
                self._written[topic] = written
            told[topic] = written[1]
        return told


class CompartmentReports:
    """Every compartment's state, and when it was first seen since this process began."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._seen: dict[str, tuple[str, bytes]] = {}  # topic: state, and what is told of it

    def read(self, connection: Connection, now: str) -> dict[str, bytes]:
        told = {}
        for cabinet, no, state in connection.execute(_COMPARTMENTS):
            topic = topics.compartment(self._site, cabinet, no)
            seen = self._seen.get(topic)
            if seen is None or seen[0] != state:
                seen = (state, payload({"state": state, "at": now}))
                self._seen[topic] = seen
            told[topic] = seen[1]
        return told


def payload(words: object) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
