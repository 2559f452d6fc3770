"""Device URLs: which line, which device on it, and how it likes to be asked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

LICENCE_MACHINE: Final = "licence-machine"

EXAMPLES: Final = {
    "modbus+tcp": "modbus+tcp://10.0.0.7:502?unit=1&profile=waveshare-relay-32",
    "modbus+rtu": "modbus+rtu:///dev/ttyUSB0?baud=9600&parity=N&unit=1&profile=waveshare-relay-32",
    "modbus+rtutcp": "modbus+rtutcp://10.0.0.7:4196?unit=1&profile=waveshare-relay-32",
    "scanner+serial": "scanner+serial:///dev/ttyACM0?baud=9600",
}
ON_SERIAL: Final = frozenset({"modbus+rtu", "scanner+serial"})

BAUDS: Final = (4800, 9600, 19200, 38400, 57600, 115200, 128000, 256000)
DEFAULT_BAUD: Final = 9600  # what relay boards and scanners leave the factory with
MACHINE_BAUD: Final = 115200  # a licence machine's serial port
MODBUS_PORT: Final = 502
UNIT_LOW, UNIT_HIGH = 1, 247  # 0 is broadcast, above 247 is reserved by the standard

LINE_PARAMETERS: Final = frozenset({"baud", "parity"})
MODBUS_PARAMETERS: Final = frozenset({"unit", "profile", "timeout_ms"})
GAP_PARAMETERS: Final = frozenset({"gap_ms"})  # TCP with transaction numbers needs no silence
BOARD_PARAMETERS: Final = frozenset({"doors", "closed", "item", "pulse_ms"})
SCANNER_PARAMETERS: Final = frozenset({"suffix", "repeat_ms"})
SUFFIXES: Final = ("cr", "lf", "crlf", "none")
RANGES: Final = {
    "unit": (UNIT_LOW, UNIT_HIGH),
    "timeout_ms": (20, 10_000),
    "gap_ms": (0, 1_000),
    "doors": (1, 64),
    "closed": (0, 1),
    "item": (0, 1),
    "pulse_ms": (50, 1_000),  # longer burns a lock's coil
    "repeat_ms": (0, 60_000),
}


class BadUrl(ValueError):
    """A device URL that cannot be meant; the message names the part and a good example."""


@dataclass(frozen=True, slots=True)
class SerialPlace:
    """A device file and how fast it talks; 8 data bits, 1 stop bit."""

    path: str
    baud: int
    parity: str  # N, E or O

    @property
    def key(self) -> str:
        return self.path

    @property
    def char_s(self) -> float:
        return (10 if self.parity == "N" else 11) / self.baud


@dataclass(frozen=True, slots=True)
class TcpPlace:
    """A host and a port."""

    host: str
    port: int

    @property
    def key(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def char_s(self) -> float:
        return 0.0


Place = SerialPlace | TcpPlace


@dataclass(frozen=True, slots=True)
class DeviceUrl:
    """One URL, taken apart and checked."""

    text: str
    scheme: str
    place: Place
    profile: str
    numbers: Mapping[str, int]
    suffix: str = "cr"

    @property
    def unit(self) -> int:
        return self.numbers["unit"]


def parse(text: str) -> DeviceUrl:
    """Take a URL apart; `BadUrl` names the part that is wrong."""
    scheme, sign, _ = text.partition("://")
    if not sign or scheme not in EXAMPLES:
        known = ", ".join(EXAMPLES)
        raise BadUrl(
            f"{text}: scheme {scheme!r} is not one of {known}; like {EXAMPLES['modbus+tcp']}"
        )
    example = EXAMPLES[scheme]
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadUrl(f"{text}: {error}; like {example}") from None
    if parts.fragment or parts.username is not None or (parts.path and scheme not in ON_SERIAL):
        raise BadUrl(f"{text}: only line and parameters belong here; like {example}")
    given = _parameters(text, parts.query, example)
    profile = given.pop("profile", "")
    if scheme.startswith("modbus") and not profile:
        raise BadUrl(f"{text}: profile is missing; like {example}")
    place: Place
    if scheme in ON_SERIAL:
        place = _serial_place(text, parts.netloc, parts.path, profile, given, example)
    else:
        place = _tcp_place(text, parts.hostname, port, scheme, example)
    _refuse_strangers(text, scheme, profile, given, example)
    suffix = given.pop("suffix", "cr")
    if suffix not in SUFFIXES:
        raise BadUrl(f"{text}: suffix={suffix} is not one of {', '.join(SUFFIXES)}; like {example}")
    numbers = {name: _number(text, name, value, example) for name, value in given.items()}
    if scheme.startswith("modbus") and "unit" not in numbers:
        raise BadUrl(f"{text}: unit is missing; like {example}")
    return DeviceUrl(text, scheme, place, profile, numbers, suffix)


def _parameters(text: str, query: str, example: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise BadUrl(f"{text}: {query!r} is not name=value&name=value; like {example}") from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise BadUrl(f"{text}: {name} is given twice; like {example}")
        given[name] = value
    return given


def _serial_place(
    text: str, host: str, path: str, profile: str, given: dict[str, str], example: str
) -> SerialPlace:
    if host:
        raise BadUrl(f"{text}: a device file begins with a third slash; like {example}")
    if not path.strip("/"):
        raise BadUrl(f"{text}: the device file is missing; like {example}")
    usual = MACHINE_BAUD if profile == LICENCE_MACHINE else DEFAULT_BAUD
    baud = given.pop("baud", str(usual))
    if baud not in map(str, BAUDS):
        raise BadUrl(
            f"{text}: baud={baud} is not one of {', '.join(map(str, BAUDS))}; like {example}"
        )
    parity = given.pop("parity", "N")
    if parity not in ("N", "E", "O"):
        raise BadUrl(f"{text}: parity={parity} is not N, E or O; like {example}")
    return SerialPlace(os.path.normpath(path), int(baud), parity)


def _tcp_place(
    text: str, host: str | None, port: int | None, scheme: str, example: str
) -> TcpPlace:
    if not host:
        raise BadUrl(f"{text}: the host is missing; like {example}")
    if port is None and scheme != "modbus+tcp":
        raise BadUrl(f"{text}: the port is missing; like {example}")
    if port == 0:
        raise BadUrl(f"{text}: port 0 is no address; like {example}")
    return TcpPlace(host, port or MODBUS_PORT)


def _refuse_strangers(
    text: str, scheme: str, profile: str, given: dict[str, str], example: str
) -> None:
    if scheme == "scanner+serial":
        known = SCANNER_PARAMETERS
    else:
        known = MODBUS_PARAMETERS
        known |= GAP_PARAMETERS if scheme != "modbus+tcp" else frozenset()
        known |= BOARD_PARAMETERS if profile != LICENCE_MACHINE else frozenset()
    strangers = sorted(given.keys() - known)
    if strangers:
        allowed = known | (LINE_PARAMETERS if scheme in ON_SERIAL else frozenset())
        raise BadUrl(
            f"{text}: {strangers[0]} is not a parameter here"
            f" ({', '.join(sorted(allowed))} are); like {example}"
        )


def _number(text: str, name: str, value: str, example: str) -> int:
    low, high = RANGES[name]
    if not (value.isascii() and value.isdecimal()) or not low <= int(value) <= high:
        raise BadUrl(f"{text}: {name}={value} is not a number from {low} to {high}; like {example}")
    return int(value)


def agree(first: DeviceUrl, second: DeviceUrl) -> None:
    """Two devices on one line must mean the same speed, parity and way of framing."""
    if first.scheme != second.scheme:
        raise BadUrl(
            f"{second.text}: {second.place.key} is already {first.scheme} ({first.text});"
            " one line speaks one protocol"
        )
    if first.place != second.place:
        raise BadUrl(
            f"{second.text}: baud or parity differ from {first.text} on the same line;"
            " both must say the same"
        )
    if first.numbers.get("gap_ms") != second.numbers.get("gap_ms"):
        raise BadUrl(f"{second.text}: gap_ms differs from {first.text} on the same line")
