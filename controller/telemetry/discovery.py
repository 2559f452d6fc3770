"""Home Assistant's device discovery: one device a site, everything on it to be read.

No component has a command topic, so nothing there can open a door.
"""

from typing import Any

from sqlalchemy import Connection, select

from controller.site.schema import alarms, compartments, doors, machines
from controller.telemetry import topics
from controller.telemetry.doors import payload

GONE_MAX = 20  # alarms cleared last whose components are taken away
SOME_BOARD_IS_SILENT = (
    "{{ 'ON' if value_json.boards.values() | reject('eq', 'ok') | list else 'OFF' }}"
)

Component = dict[str, Any]


def discovery_report(connection: Connection, site: str, status_topic: str) -> dict[str, bytes]:
    """The one retained message that tells Home Assistant what this site has."""
    unique = f"onewindow_{site}"
    parts = {
        **_doors(connection, site),
        **_cabinets(connection, site),
        **_machines(connection, site),
        **_alarms(connection, site),
    }
    for name, part in parts.items():
        if "state_topic" in part:
            part["unique_id"] = f"{unique}_{name}"
    words = {
        "device": {"identifiers": [unique], "name": f"OneWindow {site}", "model": "OneWindow site"},
        "origin": {"name": "OneWindow"},
        "availability_topic": status_topic,
        "payload_available": "online",
        "payload_not_available": "offline",
        "qos": 1,
        "components": parts,
    }
    return {topics.discovery(site): payload(words)}


def _doors(connection: Connection, site: str) -> dict[str, Component]:
    rows = connection.execute(
        select(doors.c.cabinet, doors.c.no).order_by(doors.c.cabinet, doors.c.no)
    )
    return {
        f"door_{cabinet}_{no}": {
            "platform": "binary_sensor",
            "device_class": "door",
            "name": f"Door {cabinet}/{no}",
            "state_topic": topics.door(site, cabinet, no),
            "value_template": "{{ value_json.state }}",
            "payload_on": "open",
            "payload_off": "closed",
        }
        for cabinet, no in rows
    }


def _cabinets(connection: Connection, site: str) -> dict[str, Component]:
    letters = connection.scalars(
        select(compartments.c.cabinet).distinct().order_by(compartments.c.cabinet)
    )
    return {
        f"boards_{cabinet}": {
            "platform": "binary_sensor",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "name": f"Boards of cabinet {cabinet}",
            "state_topic": topics.health(site, cabinet),
            "value_template": SOME_BOARD_IS_SILENT,
        }
        for cabinet in letters
    }


def _machines(connection: Connection, site: str) -> dict[str, Component]:
    parts: dict[str, Component] = {}
    for name in connection.scalars(select(machines.c.machine).order_by(machines.c.machine)):
        told = {"state_topic": topics.machine(site, name)}
        parts[f"machine_{name}_state"] = told | {
            "platform": "sensor",
            "name": f"Machine {name}",
            "value_template": "{{ value_json.state }}",
        }
        parts[f"machine_{name}_blanks"] = told | {
            "platform": "sensor",
            "state_class": "measurement",
            "name": f"Blanks in {name}",
            "value_template": "{{ value_json.blanks }}",
        }
        parts[f"machine_{name}_fault"] = told | {
            "platform": "binary_sensor",
            "device_class": "problem",
            "name": f"Fault of {name}",
            "value_template": "{{ 'ON' if value_json.faults else 'OFF' }}",
        }
    return parts


def _alarms(connection: Connection, site: str) -> dict[str, Component]:
    """A problem for each alarm that stands; one that was cleared is taken off the device."""
    standing = connection.execute(
        select(alarms.c.alarm_id, alarms.c.kind, alarms.c.place)
        .where(alarms.c.cleared_at.is_(None))
        .order_by(alarms.c.since)
    )
    gone = connection.scalars(
        select(alarms.c.alarm_id)
        .where(alarms.c.cleared_at.is_not(None))
        .order_by(alarms.c.cleared_at.desc())
        .limit(GONE_MAX)
    )
    parts: dict[str, Component] = {
        f"alarm_{alarm_id}": {
            "platform": "binary_sensor",
            "device_class": "problem",
            "name": f"{kind} {place}",
            "state_topic": topics.alarm(site, alarm_id),
            "value_template": "{{ 'ON' if value else 'OFF' }}",
        }
        for alarm_id, kind, place in standing
    }
    # A component with nothing but its platform is how Home Assistant is told to remove it.
    return parts | {f"alarm_{alarm_id}": {"platform": "binary_sensor"} for alarm_id in gone}
