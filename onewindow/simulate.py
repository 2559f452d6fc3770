"""Reads in a site's settings which machines it has, and gives the simulator a plan of them."""

from pathlib import Path
from urllib.parse import urlsplit

from controller.settings import CabinetTable, SiteSettings
from controller.store import StoreRefused
from firmware_bridge.urls import BadUrl, DeviceUrl, SerialPlace, TcpPlace, parse
from onewindow.settings_file import BadSettings
from simulator.memory import Broken
from simulator.plan import (
    BoardPlan,
    CabinetPlan,
    CompartmentPlan,
    LinePlan,
    MachinePlan,
    Plan,
    ScannerPlan,
)
from simulator.run import serve
from simulator.wiring import LOCKS


async def run(
    settings: SiteSettings, *, host: str, port: int, folder: Path, seed: int, speed: float
) -> None:
    """The machines that the settings name are on their wires until SIGTERM or SIGINT."""
    plan = plan_of(settings)
    try:
        await serve(plan, host=host, port=port, folder=folder, seed=seed, speed=speed)
    except Broken as error:
        raise StoreRefused(str(error)) from error


def plan_of(settings: SiteSettings) -> Plan:
    """The machines that the settings name; BadSettings for one that nothing here can play."""
    names = {_line_key(each.url): each.name for each in settings.line}
    lines: dict[str, LinePlan] = {}
    return Plan(
        cabinets=tuple(_cabinet(each, settings, names, lines) for each in settings.cabinet),
        machines=tuple(_machine(each.name, each.url, names, lines) for each in settings.machine),
        scanners=tuple(_scanner(each.name, each.url) for each in settings.scanner),
        lines=tuple(lines.values()),
    )


def _line_key(url: str) -> str:
    parts = urlsplit(url)
    return parts.netloc or parts.path


def _parse(key: str, url: str) -> DeviceUrl:
    try:
        return parse(url)
    except BadUrl as error:
        raise BadSettings(f"{key}: {error}") from error


def _cabinet(
    cabinet: CabinetTable,
    settings: SiteSettings,
    names: dict[str, str],
    lines: dict[str, LinePlan],
) -> CabinetPlan:
    boards, first_door = [], 1
    for text in cabinet.boards:
        url = _parse("cabinet.boards", text)
        name = names.get(url.place.key)
        if name is None:
            raise BadSettings(f"cabinet.boards: {text} is on no [[line]] of this file")
        lines.setdefault(name, _line(name, url))
        doors = LOCKS.get(url.profile)
        if doors is None:
            raise BadSettings(f"cabinet.boards: boards {url.profile} cannot be simulated")
        closed = url.numbers.get("closed", 1)
        boards.append(BoardPlan(name, url.unit, url.profile, first_door, doors, closed))
        first_door += doors
    compartments = tuple(
        CompartmentPlan(each.no, each.size, each.height_cm, each.reach)
        for each in settings.compartment
        if each.cabinet == cabinet.letter
    )
    return CabinetPlan(cabinet.letter, tuple(boards), compartments)


def _line(name: str, url: DeviceUrl) -> LinePlan:
    match url.scheme, url.place:
        case "modbus+rtu", SerialPlace(path, baud, _):
            return LinePlan(name, baud, link=Path(path))
        case "modbus+rtutcp", TcpPlace(host, port):
            return LinePlan(name, tcp=(host, port))
        case "modbus+tcp", TcpPlace(host, port):
            return LinePlan(name, tcp=(host, port), speaks="modbus-tcp")
    raise BadSettings(f"cabinet.boards: {url.text} cannot be simulated")


def _machine(
    name: str, text: str, names: dict[str, str], lines: dict[str, LinePlan]
) -> MachinePlan:
    url = _parse("machine.url", text)
    match url.scheme, url.place:
        case "modbus+tcp", TcpPlace(host, port):
            return MachinePlan(name, host, port, url.unit)
        case "modbus+rtu" | "modbus+rtutcp", _:
            line = names.get(url.place.key, name)
            lines.setdefault(line, _line(line, url))
            return MachinePlan(name, unit=url.unit, line=line)
    raise BadSettings(f"machine.url: {text} cannot be simulated; use modbus+tcp or modbus+rtu")


def _scanner(name: str, text: str) -> ScannerPlan:
    url = _parse("scanner.url", text)
    if not isinstance(url.place, SerialPlace):
        raise BadSettings(f"scanner.url: {text} cannot be simulated; use scanner+serial")
    return ScannerPlan(name, Path(url.place.path), url.place.baud, url.suffix)
