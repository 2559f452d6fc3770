"""Home Assistant's device discovery: one device a site, everything on it to be read.

No component has a command topic, so nothing there can open a door.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from controller.prepared import Prepared
from controller.site.schema import alarms, compartments, doors, machines
from controller.telemetry import topics
from controller.telemetry.doors import payload
from controller.telemetry.health import CabinetHealth

GONE_MAX = 20  # alarms cleared last whose components are taken away
SOME_BOARD_IS_SILENT = (
    "{{ 'ON' if value_json.boards.values() | reject('eq', 'ok') | list else 'OFF' }}"
)

Component = dict[str, Any]
Measured = Mapping[str, tuple[frozenset[str], tuple[str, ...]]]  # words, lines; by cabinet

_DOORS: Final = Prepared(select(doors.c.cabinet, doors.c.no).order_by(doors.c.cabinet, doors.c.no))
_CABINETS: Final = Prepared(
    select(compartments.c.cabinet).distinct().order_by(compartments.c.cabinet)
)
_MACHINES: Final = Prepared(select(machines.c.machine).order_by(machines.c.machine))
_STANDING: Final = Prepared(
    select(alarms.c.alarm_id, alarms.c.kind, alarms.c.place)
    .where(alarms.c.cleared_at.is_(None))
    .order_by(alarms.c.since)
)
_GONE: Final = Prepared(
    select(alarms.c.alarm_id)
    .where(alarms.c.cleared_at.is_not(None))
    .order_by(alarms.c.cleared_at.desc())
    .limit(GONE_MAX)
)


def _measure(key: str, kind: str, unit: str) -> Component:
    return {
        "platform": "sensor",
        "device_class": kind,
        "state_class": "measurement",
        "unit_of_measurement": unit,
        "value_template": f"{{{{ value_json.{key} | default(none) }}}}",
    }


def _contact(key: str, kind: str, on: str) -> Component:
    words = f"'ON' if {on} else 'OFF'"
    return {
        "platform": "binary_sensor",
        "device_class": kind,
        "value_template": f"{{{{ ({words}) if '{key}' in value_json else none }}}}",
    }


# Component, the word of the health report that it reads, name, and how Home Assistant takes it.
AROUND: Final = (
    (
        "temperature",
        "temperature_c",
        "Temperature in",
        _measure("temperature_c", "temperature", "°C"),
    ),
    ("humidity", "humidity_percent", "Humidity in", _measure("humidity_percent", "humidity", "%")),
    (
        "mains",
        "power",
        "Mains of",
        _contact("power", "power", "value_json.power in ('mains', 'battery_bad')"),
    ),
    (
        "battery",
        "power",
        "Battery of",
        _contact("power", "battery", "value_json.power in ('battery_bad', 'battery_low')"),
    ),
    ("tamper", "tamper", "Tampering at", _contact("tamper", "tamper", "value_json.tamper")),
    ("smoke", "smoke", "Smoke in", _contact("smoke", "smoke", "value_json.smoke")),
)


class There(NamedTuple):
    """All that is told of."""

    doors: list[tuple[Any, ...]]
    cabinets: list[tuple[Any, ...]]
    machines: list[tuple[Any, ...]]
    alarms: list[tuple[Any, ...]]  # that stand
    gone: list[tuple[Any, ...]]  # alarms
    measured: Measured


class Discovery:
    """The one retained message that tells Home Assistant what a site has."""

    def __init__(self, site: str, status_topic: str) -> None:
        self._site = site
        self._status_topic = status_topic
        self._there: There | None = None  # when `_told` was written
        self._told: dict[str, bytes] = {}

    def read(self, connection: Connection, known: Mapping[str, CabinetHealth]) -> dict[str, bytes]:
        """`known` says what is measured at each cabinet."""
        there = There(
            _DOORS.plain(connection),
            _CABINETS.plain(connection),
            _MACHINES.plain(connection),
            _STANDING.plain(connection),
            _GONE.plain(connection),
            {
                cabinet: (frozenset(words), tuple(sorted(words["lines"])))
                for cabinet, words in sorted(known.items())
            },
        )
        if there != self._there:
            self._told = {topics.discovery(self._site): payload(self._words(there))}
            self._there = there
        return self._told

    def _words(self, there: There) -> dict[str, Any]:
        site = self._site
        unique = f"onewindow_{site}"
        parts = {
            **_doors(there, site),
            **_cabinets(there, site),
            **_surroundings(site, there.measured),
            **_lines(site, there.measured),
            **_machines(there, site),
            **_alarms(there, site),
        }
        for name, part in parts.items():
            if "state_topic" in part:
                part["unique_id"] = f"{unique}_{name}"
        return {
            "device": {
                "identifiers": [unique],
                "name": f"OneWindow {site}",
                "model": "OneWindow site",
            },
            "origin": {"name": "OneWindow"},
            "availability_topic": self._status_topic,
            "payload_available": "online",
            "payload_not_available": "offline",
            "qos": 1,
            "components": parts,
        }


def _doors(there: There, site: str) -> dict[str, Component]:
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
        for cabinet, no in there.doors
    }


def _cabinets(there: There, site: str) -> dict[str, Component]:
    return {
        f"boards_{cabinet}": {
            "platform": "binary_sensor",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "name": f"Boards of cabinet {cabinet}",
            "state_topic": topics.health(site, cabinet),
            "value_template": SOME_BOARD_IS_SILENT,
        }
        for (cabinet,) in there.cabinets
    }


def _surroundings(site: str, measured: Measured) -> dict[str, Component]:
    """What is no longer told, its sensor being silent, is unknown and not gone."""
    parts: dict[str, Component] = {}
    for cabinet, (words, _) in measured.items():
        for what, key, name, words_of_kind in AROUND:
            if key in words:
                parts[f"{what}_{cabinet}"] = words_of_kind | {
                    "name": f"{name} {cabinet}",
                    "state_topic": topics.health(site, cabinet),
                }
    return parts


def _lines(site: str, measured: Measured) -> dict[str, Component]:
    parts: dict[str, Component] = {}
    for cabinet, (_, lines) in measured.items():
        for line in lines:
            of = f"value_json.lines[{json.dumps(line)}]"
            name = re.sub(r"[^A-Za-z0-9_-]", "_", line)
            told = {
                "entity_category": "diagnostic",
                "state_topic": topics.health(site, cabinet),
            }
            parts[f"line_{name}_down"] = told | {
                "platform": "binary_sensor",
                "device_class": "problem",
                "name": f"Line {line}",
                "value_template": f"{{{{ 'OFF' if {of}.connected else 'ON' }}}}",
            }
            parts[f"line_{name}_utilisation"] = told | {
                "platform": "sensor",
                "state_class": "measurement",
                "unit_of_measurement": "%",
                "name": f"Utilisation of line {line}",
                "value_template": f"{{{{ ({of}.utilisation * 100) | round(1) }}}}",
            }
            parts[f"line_{name}_errors"] = told | {
                "platform": "sensor",
                "state_class": "total_increasing",
                "name": f"Errors on line {line}",
                "value_template": f"{{{{ {of}.errors }}}}",
            }
    return parts


def _machines(there: There, site: str) -> dict[str, Component]:
    parts: dict[str, Component] = {}
    for (name,) in there.machines:
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


def _alarms(there: There, site: str) -> dict[str, Component]:
    """A problem for each alarm that stands; one that was cleared is taken off the device."""
    parts: dict[str, Component] = {
        f"alarm_{alarm_id}": {
            "platform": "binary_sensor",
            "device_class": "problem",
            "name": f"{kind} {place}",
            "state_topic": topics.alarm(site, alarm_id),
            "value_template": "{{ 'ON' if value else 'OFF' }}",
        }
        for alarm_id, kind, place in there.alarms
    }
    # A component with nothing but its platform is how Home Assistant is told to remove it.
    gone = {f"alarm_{alarm_id}": {"platform": "binary_sensor"} for (alarm_id,) in there.gone}
    return parts | gone
