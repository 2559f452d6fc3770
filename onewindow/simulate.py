"""Reads in a site's settings which machines it has, and gives the simulator a plan of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args
from urllib.parse import urlsplit

from rich.console import Console

from controller.equipment import CabinetTable, EnvironmentTable, MachineTable
from controller.settings import SiteSettings
from firmware_bridge.profiles import Profile, load_profiles
from firmware_bridge.urls import (
    BadUrl,
    DeviceUrl,
    SerialPlace,
    TcpPlace,
    factory_baud,
    parse,
)
from onewindow.devices import check_lines, profiles_of
from onewindow.listening import PortTaken, page_url
from onewindow.settings_file import BadSettings
from simulator import run as simulated
from simulator.plan import (
    BoardPlan,
    CabinetPlan,
    CardReaderPlan,
    CompartmentPlan,
    LinePlan,
    MachinePlan,
    Plan,
    ScannerPlan,
    SensorKind,
    SensorPlan,
)
from simulator.trouble import BadTrouble
from simulator.wiring import PROTOCOLS, RELAYS

FLASH = (0, 5, 0x0200, 1, "ms/100")  # unit, function, address, per door, value
INPUTS_AT = (2, 0)  # function and address


async def run(
    settings: SiteSettings,
    *,
    host: str,
    port: int,
    folder: Path,
    seed: int,
    speed: float,
    troubles: Sequence[str] = (),
) -> None:
    """The machines that the settings name are on their wires until SIGTERM or SIGINT."""
    plan = plan_of(settings)
    words = f"the machines of {settings.site.id}: {page_url(host, port)}  (Ctrl-C ends them)"
    console = Console(highlight=False, soft_wrap=True)
    try:
        await simulated.serve(
            plan,
            host=host,
            port=port,
            folder=folder,
            seed=seed,
            speed=speed,
            troubles=troubles,
            ready=lambda: console.print(words),
        )
    except simulated.PortTaken as error:
        raise PortTaken(f"{error}; the page's is set by --port, a line's by its url") from error
    except BadTrouble as error:
        raise BadSettings(f"--trouble: {error}") from error


def plan_of(settings: SiteSettings) -> Plan:
    """The machines that the settings name; BadSettings for one that nothing here can play."""
    check_lines(settings)
    names = {_line_key(each.url): each.name for each in settings.line}
    lines: dict[str, LinePlan] = {}
    return Plan(
        cabinets=tuple(_cabinet(each, settings, names, lines) for each in settings.cabinet),
        machines=tuple(_machine(each, names, lines) for each in settings.machine),
        scanners=tuple(_scanner(each.name, each.url) for each in settings.scanner),
        card_readers=tuple(_card_reader(each.name, each.url) for each in settings.card_reader),
        sensors=tuple(_sensor(each, names, lines) for each in settings.environment),
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
        board = _board(name, url, settings)
        boards.append(replace(board, first_door=first_door))
        first_door += board.doors
    compartments = tuple(
        CompartmentPlan(each.no, each.size, each.height_cm, each.reach)
        for each in settings.compartment
        if each.cabinet == cabinet.letter
    )
    return CabinetPlan(cabinet.letter, tuple(boards), compartments)


def _board(line: str, url: DeviceUrl, settings: SiteSettings) -> BoardPlan:
    locks = PROTOCOLS[url.protocol].locks
    own = url.protocol == "modbus" and url.profile not in locks
    board = _of_own_profile(url, settings) if own else BoardPlan("", 0, _profile(url))
    usual = board.doors if own else locks[board.profile]
    return replace(
        board,
        line=line,
        unit=url.unit,
        doors=url.numbers.get("doors", usual),
        closed=url.numbers.get("closed", board.closed),
        present=url.numbers.get("item", board.present),
    )


def _of_own_profile(url: DeviceUrl, settings: SiteSettings) -> BoardPlan:
    """A user's profile of relay and input boards that are wired in another way."""
    source = load_profiles(profiles_of(settings)).get(url.profile)
    profile = source.profile if source else None
    sizes = [name for name, relays in RELAYS.items() if profile and relays >= profile.doors]
    if profile is None or not sizes or not _plays(profile):
        raise BadSettings(f"cabinet.boards: boards {url.profile} cannot be simulated: {url.text}")
    return BoardPlan(
        "",
        0,
        sizes[0],
        doors=profile.doors,
        closed=profile.door.closed,
        present=profile.item.present if profile.item else 1,
        door_units=profile.door.units,
        item_units=profile.item.units if profile.item else (),
    )


def _plays(profile: Profile) -> bool:
    """Whether the simulator's relay and input boards are what this drives."""
    pulse, inputs = profile.pulse, (profile.door, *([profile.item] if profile.item else []))
    flash = (pulse.unit, pulse.fc, pulse.address, pulse.per_door, pulse.value) == FLASH
    units = [unit for each in inputs for unit in each.units]
    return (
        flash
        and all((each.fc, each.address) == INPUTS_AT for each in inputs)
        and len({0, *units}) == 1 + len(units)
        and profile.modes is None
    )


def _profile(url: DeviceUrl) -> str:
    """Which board of the simulator's this is; one with more locks than are wired will do."""
    doors = url.numbers.get("doors")
    spoken = PROTOCOLS[url.protocol]
    profile = spoken.means(url.profile or url.variant, doors)
    if (doors or 0) > spoken.locks.get(profile, -1):
        raise BadSettings(f"cabinet.boards: boards {profile} cannot be simulated: {url.text}")
    return profile


def _line(name: str, url: DeviceUrl) -> LinePlan:
    speaks = "modbus-tcp" if url.scheme == "modbus+tcp" else url.protocol
    if url.protocol not in PROTOCOLS:
        raise BadSettings(f"{url.text} is no line of boards")
    if isinstance(url.place, SerialPlace):
        return LinePlan(name, url.place.baud, link=Path(url.place.path), speaks=speaks)
    baud = factory_baud(url.protocol)  # behind a device server, where a URL names no speed
    return LinePlan(name, baud, tcp=(url.place.host, url.place.port), speaks=speaks)


def _machine(table: MachineTable, names: dict[str, str], lines: dict[str, LinePlan]) -> MachinePlan:
    url = _parse("machine.url", table.url)
    plan = MachinePlan(table.name, unit=url.unit, kind=table.kind, slots=table.slots)
    if url.scheme == "modbus+tcp" and isinstance(url.place, TcpPlace):
        return replace(plan, host=url.place.host, port=url.place.port)
    if url.protocol != "modbus":
        raise BadSettings(f"machine.url: {table.url} cannot be simulated; use modbus+tcp or +rtu")
    line = names.get(url.place.key, table.name)
    lines.setdefault(line, _line(line, url))
    return replace(plan, line=line)


def _scanner(name: str, text: str) -> ScannerPlan:
    url = _parse("scanner.url", text)
    if not isinstance(url.place, SerialPlace):
        raise BadSettings(f"scanner.url: {text} cannot be simulated; use scanner+serial")
    return ScannerPlan(name, Path(url.place.path), url.place.baud, url.suffix)


def _card_reader(name: str, text: str) -> CardReaderPlan:
    url = _parse("card_reader.url", text)
    if url.protocol != "idcard" or not isinstance(url.place, SerialPlace):
        raise BadSettings(f"card_reader.url: {text} cannot be simulated; use idcard+serial")
    return CardReaderPlan(name, Path(url.place.path), url.place.baud)


def _sensor(
    table: EnvironmentTable, names: dict[str, str], lines: dict[str, LinePlan]
) -> SensorPlan:
    url = _parse("environment.url", table.url)
    if url.profile not in get_args(SensorKind):
        known = ", ".join(get_args(SensorKind))
        raise BadSettings(f"environment.url: {table.url} cannot be simulated; profiles are {known}")
    line = names.get(url.place.key, table.name)
    lines.setdefault(line, _line(line, url))
    return SensorPlan(line, url.unit, cast("SensorKind", url.profile))
