"""Who is on a line: every address at every speed is read, nothing is ever written.

An answer that refuses is as good as any: somebody is there.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from controller.faults import BadReply, NoReply, NotConfigured
from controller.ports import Clock
from firmware_bridge import modbus, urls
from firmware_bridge.attempt import Reply
from firmware_bridge.bus import Bus
from firmware_bridge.lines import LineOpener
from firmware_bridge.open import DIALECTS, timing_of
from firmware_bridge.profiles import Profile, Source
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import BadUrl, DeviceUrl, SerialPlace

DEVICE: Final = "scan"
# The factory's first, then what installers choose, then the rest.
BAUDS: Final = (9600, 19200, 38400, 57600, 115200, 4800, 128000, 256000)
LINE_EXAMPLE: Final = "modbus+rtu:///dev/ttyUSB0"
UNREADABLE: Final = "an answer that cannot be read"
# Boards turn around within 20 ms, now and then within 50; a device server adds its own waiting.
PATIENCE_S: Final = {
    "modbus+rtu": 0.1,
    "modbus+rtutcp": 0.3,
    "modbus+tcp": 0.5,
    "kerong+serial": 0.2,  # 20 to 100 ms
    "xorboard+serial": 0.1,
}
# A late answer carries the address that was asked before, and is known by it.
REST_S: Final = {
    "modbus+rtu": 0.05,
    "modbus+rtutcp": 0.1,
    "modbus+tcp": 0.0,
    "kerong+serial": 0.05,
    "xorboard+serial": 0.05,
}
SAYS: Final = {"kerong": "a Kerong board", "xorboard": "an 8A/80 board"}
VERSION_AT: Final = 0x8000
MODES_AT: Final = 0x1000
BITS_TRIED: Final = (64, 48, 32, 16, 8)


@dataclass(frozen=True, slots=True)
class Station:
    """Somebody who answered."""

    baud: int | None  # None on a network
    unit: int
    says: str
    outputs: int
    inputs: int
    profiles: tuple[str, ...]  # that would fit, relays and inputs on this very unit
    garbled: bool = False  # what came could not be read: two boards on this address?


@dataclass(frozen=True, slots=True)
class Step:
    """One address at one speed has been asked."""

    baud: int | None
    unit: int
    done: int
    total: int
    found: Station | None


def scan_url(text: str) -> tuple[DeviceUrl, tuple[int, ...]]:
    """The line of a URL that names no board, and the speeds to try: one where it names one."""
    name, sign, rest = text.partition("://")
    dialect = DIALECTS.get(name.partition("+")[0])
    if sign and name in urls.SCHEMES and (dialect is None or dialect.panel is None):
        raise BadUrl(f"{text}: only lines of lock boards are scanned; like {LINE_EXAMPLE}")
    given = dict(parse_qsl(urlsplit(text).query, keep_blank_values=True))
    needed = urls.SCHEMES[name].needed if name in urls.SCHEMES else ()
    missing = [each for each in needed if each not in given]
    filled = {each: "any" if each == "profile" else urls.RANGES[each][0] for each in missing}
    more = "&".join(f"{each}={value}" for each, value in filled.items())
    joint = "&" if "?" in rest else "?"
    url = urls.parse(f"{text}{joint}{more}" if more else text)
    if not isinstance(url.place, SerialPlace):
        return url, ()
    usual = url.place.baud  # of the URL, else as such devices leave the factory
    others = () if "baud" in given else (each for each in BAUDS if each != usual)
    return url, (usual, *others)


def addresses(url: DeviceUrl) -> range:
    """Every address that a board on this kind of line can have."""
    low, high = urls.RANGES[_address_of(url)]
    return range(low, high + 1)


def _address_of(url: DeviceUrl) -> str:
    """What the protocol calls an address."""
    return next(each for each in urls.STATIONS if each in url.numbers)


async def scan(
    url: DeviceUrl,
    profiles: Mapping[str, Source],
    clock: Clock,
    opener: LineOpener,
    *,
    units: Sequence[int],
    bauds: Sequence[int] = (),
) -> AsyncGenerator[Step, None]:
    """Ask every address at every speed once; LineDown when the line cannot be opened."""
    speeds: Sequence[int | None] = bauds or (None,)
    total, done = len(speeds) * len(units), 0
    for baud in speeds:
        bus = _bus(url, baud, clock, opener)
        try:
            for unit in units:
                if url.protocol == "modbus":
                    found = await _station(bus, baud, unit, profiles)
                else:
                    found = await _lock_board(bus, baud, url, unit)
                done += 1
                yield Step(baud, unit, done, total, found)
        finally:
            bus.close()


def _bus(url: DeviceUrl, baud: int | None, clock: Clock, opener: LineOpener) -> Bus:
    place = url.place
    if baud is not None:
        assert isinstance(place, SerialPlace), "only ttys have a speed"
        place = replace(place, baud=baud)
    usual = timing_of(replace(url, place=place))
    timeout_ms = url.numbers.get("timeout_ms")
    usual_s = PATIENCE_S.get(url.scheme, usual.reply_s)
    timing = replace(
        usual,
        reply_s=usual_s if timeout_ms is None else timeout_ms / 1000,
        rest_s=REST_S.get(url.scheme, usual.rest_s),
        floor_s=None,
    )
    wire = DIALECTS[url.protocol].wire(url)
    return Bus(place, timing, new_wire=wire, clock=clock, opener=opener)


async def _lock_board(bus: Bus, baud: int | None, url: DeviceUrl, unit: int) -> Station | None:
    """Whether a board of a protocol of its own answers when its locks are read."""
    numbers = {**url.numbers, _address_of(url): unit, "doors": 1}
    make = DIALECTS[url.protocol].panel
    assert make is not None, "other lines are not scanned"
    panel = make(replace(url, numbers=numbers), DEVICE, bus, {})
    says = SAYS.get(url.protocol, f"a board that speaks {url.protocol}")
    try:
        await panel.read_doors(Urgency.LOOK, 1)
    except NoReply:
        return None
    except BadReply:
        return Station(baud, unit, UNREADABLE, 0, 0, (), garbled=True)
    except NotConfigured as fault:
        says = fault.what
    return Station(baud, unit, says, 0, 0, ())


async def _station(
    bus: Bus, baud: int | None, unit: int, profiles: Mapping[str, Source]
) -> Station | None:
    unit_reads = _UnitReads(bus, unit)
    try:
        reply = await unit_reads.ask(modbus.READ_HOLDING, VERSION_AT, 1)
    except NoReply:
        return None
    except BadReply:
        return Station(baud, unit, UNREADABLE, 0, 0, (), garbled=True)
    if reply.refused and modbus.exception_code(reply.body) in modbus.GATEWAY:
        return None
    outputs = await unit_reads.most(modbus.READ_COILS)
    inputs = await unit_reads.most(modbus.READ_INPUTS)
    fitting = [
        name
        for name, source in profiles.items()
        if await _fits(unit_reads, source.profile, outputs, inputs)
    ]
    return Station(baud, unit, _says(reply), outputs, inputs, tuple(fitting))


def _says(reply: Reply) -> str:
    if reply.refused:
        return f"answers, tells no version (exception {modbus.exception_code(reply.body):02x})"
    [version] = modbus.words_of(reply.body)
    return f"version {version // 100}.{version % 100:02}"


class _UnitReads:
    """What one unit answers to which reads; each is asked once."""

    def __init__(self, bus: Bus, unit: int) -> None:
        self._bus = bus
        self._unit = unit
        self._known: dict[tuple[int, int, int], bool] = {}

    async def ask(self, function: int, address: int, count: int) -> Reply:
        request = modbus.read(self._unit, function, address, count)
        return await self._bus.ask(DEVICE, request, urgency=Urgency.LOOK)

    async def has(self, function: int, address: int, count: int) -> bool:
        """Whether it answers this read with a value."""
        key = function, address, count
        if key not in self._known:
            try:
                self._known[key] = not (await self.ask(*key)).refused
            except (NoReply, BadReply):
                self._known[key] = False
        return self._known[key]

    async def most(self, function: int) -> int:
        """How many bits it has from address 0, of the usual sizes."""
        for count in BITS_TRIED:
            if await self.has(function, 0, count):
                return count
        return 0


async def _fits(reads: _UnitReads, profile: Profile, outputs: int, inputs: int) -> bool:
    """Whether what a profile wants of the URL's own unit is there, and nothing it does not know."""
    if profile.pulse.unit == 0 and profile.pulse.fc == modbus.WRITE_COIL:
        if outputs != profile.doors and not await _has_coils(reads, profile, outputs):
            return False
    elif not await reads.has(modbus.READ_HOLDING, profile.pulse.address, 1):
        return False
    own = [each for each in (profile.door, profile.item) if each and 0 in each.units]
    if not own and inputs:
        return False  # its doors would be read elsewhere, but this board reads inputs itself
    if not all([await reads.has(*wanted) for wanted in _wanted(profile)]):
        return False
    modes = (modbus.READ_HOLDING, MODES_AT, profile.doors)
    return profile.modes is not None or not await reads.has(*modes)


async def _has_coils(reads: _UnitReads, profile: Profile, outputs: int) -> bool:
    """Whether outputs are where the profile pulses them, and not from 0 on.

    An address that takes a pulse's length is no output, where there are others.
    """
    pulse = profile.pulse
    if outputs and pulse.timed_by_us:
        return False
    span = (profile.doors - 1) * pulse.per_door + 1
    return await reads.has(modbus.READ_COILS, pulse.address, span)


def _wanted(profile: Profile) -> Iterable[tuple[int, int, int]]:
    if profile.ident is not None:
        yield profile.ident.fc, profile.ident.address, 1
    if profile.modes is not None and profile.modes.unit == 0:
        yield profile.modes.fc, profile.modes.address, profile.modes.count
    for inputs in (profile.door, profile.item):
        if inputs is not None and 0 in inputs.units:
            share = profile.doors // len(inputs.units)
            count = share if inputs.bits is None else (share + inputs.bits - 1) // inputs.bits
            for address, part in inputs.parts(count):
                yield inputs.fc, address, part
