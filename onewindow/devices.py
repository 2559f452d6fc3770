"""The devices that a site's settings name, made before anything else of the site is opened.

What cannot be is refused here in one line that names the key: an address that two devices share,
addresses that disagree on their line, a profile that nobody knows, a compartment with no door.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from controller.equipment import LineTable
from controller.ports import Clock
from controller.settings import SiteSettings
from firmware_bridge.environment import ModbusSurroundings
from firmware_bridge.idcard import SamReader
from firmware_bridge.licence_machine import ModbusLicenceMachine
from firmware_bridge.lock_board import DoorRow
from firmware_bridge.open import Bridge
from firmware_bridge.profiles import BadProfile
from firmware_bridge.scanner import SerialScanner
from firmware_bridge.turns import Shares
from firmware_bridge.urls import BadUrl, DeviceUrl, agree, parse, parse_line
from firmware_bridge.walk import clashes
from onewindow.settings_file import BadSettings

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Devices:
    """Every device by its name; boards by their cabinet, in the order of its doors."""

    boards: dict[str, list[DoorRow]] = field(default_factory=dict)
    machines: dict[str, ModbusLicenceMachine] = field(default_factory=dict)
    scanners: dict[str, SerialScanner] = field(default_factory=dict)
    card_readers: dict[str, SamReader] = field(default_factory=dict)
    environments: dict[str, ModbusSurroundings] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)  # each device's line, as people call it
    named: dict[str, str] = field(default_factory=dict)  # the same by what a Bus calls the line


def bridge_of(settings: SiteSettings, clock: Clock) -> Bridge:
    """A bridge with the site's own profiles and shares. BadSettings names the key at fault."""
    table = settings.attention
    shares = Shares(
        attentive_slots=table.attentive_slots,
        idle_slots=table.idle_slots,
        silent=table.silent_share,
    )
    try:
        return Bridge(clock, user_profiles=profiles_of(settings), shares=shares)
    except BadProfile as error:
        raise BadSettings(f"site.profiles: {error}") from error


def profiles_of(settings: SiteSettings) -> Path | None:
    """Where users put Modbus profiles of their own."""
    usual = settings.site.data / "profiles"
    return settings.site.profiles or (usual if usual.is_dir() else None)


def devices_of(settings: SiteSettings, bridge: Bridge) -> Devices:
    """All of them; nothing is opened yet. BadSettings names the key at fault."""
    names = line_names(settings)
    found = Devices()
    on: dict[str, str] = {}

    def made(key: str, name: str, text: str, make: Callable[[str, str], Made]) -> Made:
        with _named(key, name):
            device, url = make(text, name), parse(text)
            _agrees(names.get(url.place.key), url)
        on[name] = url.place.key
        return device

    for key, name, text in addresses(settings):
        match key:
            case "cabinet.boards":
                row = found.boards.setdefault(name[0], [])
                row.append(made(key, name, text, bridge.lock_board))
            case "machine.url":
                found.machines[name] = made(key, name, text, bridge.licence_machine)
            case "scanner.url":
                found.scanners[name] = made(key, name, text, bridge.code_reader)
            case "card_reader.url":
                found.card_readers[name] = made(key, name, text, bridge.id_card_reader)
            case _:
                found.environments[name] = made(key, name, text, bridge.environment)
    for name, line in on.items():
        alone = list(on.values()).count(line) == 1
        found.named[line] = names[line].name if line in names else name if alone else line
        found.lines[name] = found.named[line]
    _check(settings, bridge, found)
    return found


def addresses(settings: SiteSettings) -> Iterator[tuple[str, str, str]]:
    """Key, name and URL of every device."""
    for cabinet in settings.cabinet:
        for number, url in enumerate(cabinet.boards, 1):
            yield "cabinet.boards", f"{cabinet.letter}{number}", url
    for key, table in (
        ("machine", settings.machine),
        ("scanner", settings.scanner),
        ("card_reader", settings.card_reader),
        ("environment", settings.environment),
    ):
        for each in table:
            yield f"{key}.url", each.name, each.url


def line_names(settings: SiteSettings) -> dict[str, LineTable]:
    """The lines that people gave a name to, by what a Bus calls them."""
    named: dict[str, LineTable] = {}
    for each in settings.line:
        with _named("line.url", each.name):
            key = parse_line(each.url).place.key
            if key in named:
                raise BadUrl(f"{each.url}: {key} is already {named[key].name}")
        named[key] = each
    return named


def check_lines(settings: SiteSettings) -> None:
    """BadSettings where two addresses contradict each other on the line that they share."""
    names = line_names(settings)
    first: dict[str, DeviceUrl] = {}
    for key, name, text in addresses(settings):
        with _named(key, name):
            url = parse(text)
            _agrees(names.get(url.place.key), url)
            agree(first.setdefault(url.place.key, url), url)


@contextmanager
def _named(key: str, name: str) -> Iterator[None]:
    try:
        yield
    except BadUrl as error:
        raise BadSettings(f"{key} of {name}: {error}") from error


def _agrees(line: LineTable | None, url: DeviceUrl) -> None:
    if line is None:
        return
    told = parse_line(line.url)
    if (told.scheme, told.place) != (url.scheme, url.place):
        raise BadUrl(
            f"{url.text}: scheme, baud or parity differ from line {line.name} ({line.url});"
            " both must say the same"
        )


def _check(settings: SiteSettings, bridge: Bridge, found: Devices) -> None:
    """No two devices share an address, and every compartment has a door."""
    on_lines = {
        f"{key} of {name}": url
        for key, name, url in addresses(settings)
        if key not in ("scanner.url", "card_reader.url")  # each has its line for itself
    }
    if problems := clashes(on_lines, bridge.profiles):
        raise BadSettings(problems[0])
    for each in settings.compartment:
        doors = sum(board.doors for board in found.boards[each.cabinet])
        if each.no > doors:
            raise BadSettings(
                f"compartment.no: the boards of cabinet {each.cabinet} have {doors} doors,"
                f" so there is no {each.cabinet}/{each.no}"
            )
