"""What a site tells its watchers of itself: figures for Prometheus, health for MQTT."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from api.site.figures import Figures
from controller.journal import Stream, head
from controller.settings import SiteSettings
from controller.site import schema
from controller.site.site import Site
from controller.site.surroundings import Air
from controller.store import Store
from controller.telemetry.health import CabinetHealth, LineHealth
from firmware_bridge.figures import LineFigures
from firmware_bridge.open import Bridge
from onewindow.devices import Devices


def figures_of(
    settings: SiteSettings, store: Store, site: Site, bridge: Bridge, devices: Devices
) -> Figures:
    """Everything countable as it is now."""
    state = site.describe()
    with store.read() as connection:
        last = head(connection, store.journal, settings.site.id, Stream.UP)
        sent = connection.scalar(select(func.max(schema.acked.c.seq))) or 0
        movements = _movements(connection)
    lines = _by_name(bridge, devices)
    air = {each.letter: site.air(each.letter) for each in settings.cabinet}
    return Figures(
        ready=not state.problems,
        doors=Counter(str(each["state"]) for each in state.doors),
        compartments=Counter(str(each["state"]) for each in state.compartments),
        alarms=Counter(str(each["kind"]) for each in state.alarms),
        movements=movements,
        lines={name: {"connected": each.connected, **each.numbers} for name, each in lines.items()},
        boards={name: each.boards for name, each in lines.items()},
        temperature_c={at: each.temperature_c for at, each in air.items()},
        humidity_percent={at: each.humidity_percent for at, each in air.items()},
        contacts={at: each.contacts() for at, each in air.items()},
        journal=last.seq,
        journal_unsent=last.seq - sent,
    )


def health_of(
    settings: SiteSettings, site: Site, bridge: Bridge, devices: Devices
) -> Mapping[str, CabinetHealth]:
    """Of each cabinet: its boards and sensors, their lines, its air and its power."""
    lines, silent = _by_name(bridge, devices), site.silent()
    health: dict[str, CabinetHealth] = {}
    for cabinet, boards in devices.boards.items():
        names = [board.name for board in boards]
        names += [each.name for each in settings.environment if each.cabinet == cabinet]
        on = sorted({devices.lines[name] for name in names} & lines.keys())
        health[cabinet] = CabinetHealth(
            boards={name: "silent" if name in silent else "ok" for name in names},
            lines={name: _line_health(lines[name]) for name in on},
        )
        _tell_air(health[cabinet], site.air(cabinet))
    return health


def _by_name(bridge: Bridge, devices: Devices) -> dict[str, LineFigures]:
    """The lines as people call them."""
    return {devices.named[each.line]: each for each in bridge.figures()}


def _line_health(line: LineFigures) -> LineHealth:
    numbers = line.numbers
    refused = sum(count for name, count in numbers.items() if name.startswith("refused_"))
    return LineHealth(
        connected=line.connected,
        requests=int(numbers["requests"]),
        replies=int(numbers["replies"]),
        errors=int(numbers["timeouts"] + refused),
        utilisation=round(numbers["utilisation"], 3),
    )


def _tell_air(health: CabinetHealth, air: Air) -> None:
    if air.temperature_c is not None:
        health["temperature_c"] = air.temperature_c
    if air.humidity_percent is not None:
        health["humidity_percent"] = air.humidity_percent
    if (power := air.power) is not None:
        health["power"] = power
    if air.untouched is not None or air.still is not None:
        health["tamper"] = air.untouched is False or air.still is False
    if air.smokeless is not None:
        health["smoke"] = not air.smokeless


def _movements(connection: Connection) -> dict[str, int]:
    outcome = func.coalesce(schema.intents.c.outcome, "open")
    rows = connection.execute(select(outcome, func.count()).group_by(outcome))
    return {str(name): count for name, count in rows}
