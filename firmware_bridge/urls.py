"""Device URLs: which line, which device on it, and how it likes to be asked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

LICENCE_MACHINE: Final = "licence-machine"

BAUDS: Final = (4800, 9600, 19200, 38400, 57600, 115200, 128000, 256000)
MACHINE_BAUD: Final = 115200  # a licence machine's serial port
UNIT_LOW, UNIT_HIGH = 1, 247  # 0 is broadcast, above 247 is reserved by the standard

LINE: Final = frozenset({"baud", "parity"})
ASKED: Final = frozenset({"timeout_ms", "gap_ms"})
BOARD: Final = frozenset({"doors", "closed", "item", "pulse_ms"})
MODBUS: Final = frozenset({"unit", "profile", "timeout_ms"})
NUMBERED: Final = MODBUS | BOARD  # a stream with transaction numbers needs no silence
RANGES: Final = {
    "unit": (UNIT_LOW, UNIT_HIGH),
    "address": (0, 14),  # 15 means all boards
    "board": (1, 31),  # of a five-way DIP switch
    "timeout_ms": (20, 10_000),
    "gap_ms": (0, 1_000),
    "doors": (1, 64),
    "closed": (0, 1),
    "item": (0, 1),
    "pulse_ms": (50, 1_000),  # longer burns a lock's coil
    "repeat_ms": (0, 60_000),
}
CHOICES: Final = {
    "suffix": ("cr", "lf", "crlf", "none"),
    "variant": ("cu16", "cu48"),
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """What URLs of one kind look like."""

    example: str
    known: frozenset[str]  # parameters beside those of a serial line
    needed: tuple[str, ...] = ()
    baud: int | None = None  # as devices leave the factory; None where the line is a TCP stream
    port: int | None = None


SCHEMES: Final = {
    "modbus+tcp": Scheme(
        "modbus+tcp://10.0.0.7:502?unit=1&profile=waveshare-relay-32",
        NUMBERED,
        ("profile", "unit"),
        port=502,
    ),
    "modbus+rtu": Scheme(
        "modbus+rtu:///dev/ttyUSB0?baud=9600&parity=N&unit=1&profile=waveshare-relay-32",
        MODBUS | ASKED | BOARD,
        ("profile", "unit"),
        baud=9600,
    ),
    "modbus+rtutcp": Scheme(
        "modbus+rtutcp://10.0.0.7:4196?unit=1&profile=waveshare-relay-32",
        MODBUS | ASKED | BOARD,
        ("profile", "unit"),
    ),
    "kerong+serial": Scheme(
        "kerong+serial:///dev/ttyUSB0?baud=19200&address=0",
        ASKED | BOARD | {"address", "variant"},
        ("address",),
        baud=19200,
    ),
    "kerong+tcp": Scheme(
        "kerong+tcp://10.0.0.7:5000?address=0",
        ASKED | BOARD | {"address", "variant"},
        ("address",),
        port=5000,
    ),
    "xorboard+serial": Scheme(
        "xorboard+serial:///dev/ttyUSB0?baud=9600&board=1",
        ASKED | {"doors", "closed", "board"},
        ("board",),
        baud=9600,
    ),
    "xorboard+tcp": Scheme(
        "xorboard+tcp://10.0.0.7:4196?board=1",
        ASKED | {"doors", "closed", "board"},
        ("board",),
    ),
    "scanner+serial": Scheme(
        "scanner+serial:///dev/ttyACM0?baud=9600", frozenset({"suffix", "repeat_ms"}), baud=9600
    ),
    "idcard+serial": Scheme(
        "idcard+serial:///dev/ttyUSB1?baud=115200", frozenset({"timeout_ms"}), baud=115200
    ),
}
EXAMPLES: Final = {name: scheme.example for name, scheme in SCHEMES.items()}
STATIONS: Final = ("unit", "address", "board")


def factory_baud(protocol: str) -> int:
    """How fast such devices talk on a serial line where nobody says."""
    return next(
        scheme.baud
        for name, scheme in SCHEMES.items()
        if scheme.baud and name.partition("+")[0] == protocol
    )


class BadUrl(ValueError):
    """A device URL that cannot be meant; the message names the part and a good example."""

    def __init__(self, message: str) -> None:
        """One line, whatever was typed: `%0a` in a value stands for a line's end."""
        super().__init__("".join(sign if sign.isprintable() else "\ufffd" for sign in message))


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
    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def unit(self) -> int:
        """Which device on the line, by its protocol's own name for that."""
        return next(self.numbers[name] for name in STATIONS if name in self.numbers)

    @property
    def protocol(self) -> str:
        return self.scheme.partition("+")[0]

    @property
    def suffix(self) -> str:
        return self.choices.get("suffix", CHOICES["suffix"][0])

    @property
    def variant(self) -> str:
        return self.choices.get("variant", CHOICES["variant"][0])


def parse(text: str) -> DeviceUrl:
    """Take a URL apart; `BadUrl` names the part that is wrong."""
    name, sign, _ = text.partition("://")
    if not sign or name not in SCHEMES:
        raise BadUrl(
            f"{text}: scheme {name!r} is not one of {', '.join(SCHEMES)};"
            f" like {EXAMPLES['modbus+tcp']}"
        )
    scheme = SCHEMES[name]
    example = scheme.example
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadUrl(f"{text}: {error}; like {example}") from None
    on_serial = scheme.baud is not None
    if parts.fragment or parts.username is not None or (parts.path and not on_serial):
        raise BadUrl(f"{text}: only line and parameters belong here; like {example}")
    given = _parameters(text, parts.query, example)
    for needed in scheme.needed:
        if not given.get(needed):
            raise BadUrl(f"{text}: {needed} is missing; like {example}")
    place: Place
    if on_serial:
        place = _serial_place(text, parts.netloc, parts.path, scheme, given)
    else:
        place = _tcp_place(text, parts.hostname, port, scheme)
    profile = given.pop("profile", "")
    _refuse_strangers(text, scheme, profile, given)
    choices = _choices(text, given, example)
    numbers = {each: _number(text, each, value, example) for each, value in given.items()}
    return DeviceUrl(text, name, place, profile, numbers, choices)


def parse_line(text: str) -> DeviceUrl:
    """Take apart a URL that may leave out which device on its line it means."""
    scheme = SCHEMES.get(text.partition("://")[0])
    if scheme is None:
        return parse(text)
    parts = urlsplit(text)
    usual = dict(parse_qsl(urlsplit(scheme.example).query))
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    added = "&".join(f"{each}={usual[each]}" for each in scheme.needed if each not in given)
    if not added:
        return parse(text)
    return parse(f"{text}{'&' if parts.query else '?'}{added}")


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
    text: str, host: str, path: str, scheme: Scheme, given: dict[str, str]
) -> SerialPlace:
    if host:
        raise BadUrl(f"{text}: a device file begins with a third slash; like {scheme.example}")
    if not path.strip("/"):
        raise BadUrl(f"{text}: the device file is missing; like {scheme.example}")
    usual = MACHINE_BAUD if given.get("profile") == LICENCE_MACHINE else scheme.baud
    baud = given.pop("baud", str(usual))
    if baud not in map(str, BAUDS):
        known = ", ".join(map(str, BAUDS))
        raise BadUrl(f"{text}: baud={baud} is not one of {known}; like {scheme.example}")
    parity = given.pop("parity", "N")
    if parity not in ("N", "E", "O"):
        raise BadUrl(f"{text}: parity={parity} is not N, E or O; like {scheme.example}")
    return SerialPlace(os.path.normpath(path), int(baud), parity)


def _tcp_place(text: str, host: str | None, port: int | None, scheme: Scheme) -> TcpPlace:
    if not host:
        raise BadUrl(f"{text}: the host is missing; like {scheme.example}")
    if port == 0:
        raise BadUrl(f"{text}: port 0 is no address; like {scheme.example}")
    if (found := port or scheme.port) is None:
        raise BadUrl(f"{text}: the port is missing; like {scheme.example}")
    return TcpPlace(host, found)


def _refuse_strangers(text: str, scheme: Scheme, profile: str, given: dict[str, str]) -> None:
    known = scheme.known - BOARD if profile == LICENCE_MACHINE else scheme.known
    if strangers := sorted(given.keys() - known):
        allowed = ", ".join(sorted(known | (LINE if scheme.baud else frozenset())))
        raise BadUrl(
            f"{text}: {strangers[0]} is not a parameter here ({allowed} are); like {scheme.example}"
        )


def _choices(text: str, given: dict[str, str], example: str) -> dict[str, str]:
    choices = {each: given.pop(each) for each in CHOICES if each in given}
    for choice, value in choices.items():
        if value not in CHOICES[choice]:
            allowed = ", ".join(CHOICES[choice])
            raise BadUrl(f"{text}: {choice}={value} is not one of {allowed}; like {example}")
    return choices


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
    if first.variant != second.variant:
        raise BadUrl(f"{second.text}: variant differs from {first.text} on the same line")
