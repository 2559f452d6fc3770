"""What is told of doors and compartments, read from the committed tables; never whose items."""

import json

from sqlalchemy import Connection, select

from controller.site.schema import compartments, doors
from controller.telemetry import topics


def door_reports(connection: Connection, site: str) -> dict[str, bytes]:
    """Every door's state, since when, and its count of changes."""
    rows = connection.execute(
        select(doors.c.cabinet, doors.c.no, doors.c.state, doors.c.at, doors.c.n)
    )
    return {
        topics.door(site, cabinet, no): payload({"state": state, "at": at, "n": n})
        for cabinet, no, state, at, n in rows
    }


class CompartmentReports:
    """Every compartment's state, and when it was first seen since this process began."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._seen: dict[str, tuple[str, str]] = {}  # topic: state, at

    def read(self, connection: Connection, now: str) -> dict[str, bytes]:
        rows = connection.execute(
            select(compartments.c.cabinet, compartments.c.no, compartments.c.state)
        )
        told = {}
        for cabinet, no, state in rows:
            topic = topics.compartment(self._site, cabinet, no)
            if self._seen.get(topic, ("", ""))[0] != state:
                self._seen[topic] = (state, now)
            told[topic] = payload({"state": state, "at": self._seen[topic][1]})
        return told


def payload(words: object) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
