"""A lock board over Modbus, driven as its profile says."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controller.faults import NotConfigured
from firmware_bridge import modbus
from firmware_bridge.bus import Bus
from firmware_bridge.debounce import SETTLE_S
from firmware_bridge.exchange import Wire
from firmware_bridge.modbus_device import ModbusDevice, reply_s
from firmware_bridge.panel import Dialect, Items, Panel, Reads
from firmware_bridge.profiles import DoorInputs, ItemInputs, Profile, Source
from firmware_bridge.timing import SERIAL_REST_S, SERVER_REST_S, SERVER_SETTLE_S, Timing, silence_s
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import BadUrl, DeviceUrl, SerialPlace

PREPARE_TRIES: Final = 3
LONGER_MS: Final = 1000  # locks burn when they are held longer
ASKED_AT: Final = 0x8000  # where many boards keep their version; a refusal is as good an answer
# Our timer is never early; boards count the silence by clocks of their own, up to 1 % slow.
SILENCE_SPARE: Final = 1.01
# Boards answer within 20 ms, now and then within 50; a device server adds what its network does.
RTU_REPLY_S, RTU_FLOOR_S = 0.3, 0.1
SERVER_REPLY_S, SERVER_FLOOR_S, SERVER_GAP_S = 0.6, 0.3, 0.02
TCP_REPLY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a URL says about one cabinet beyond its profile."""

    unit: int
    doors: int
    closed: int
    present: int
    pulse_ms: int


class ModbusPanel:
    """Fits Panel."""

    settle_s = SETTLE_S

    def __init__(self, device: ModbusDevice, profile: Profile, wiring: Wiring) -> None:
        self.name = device.name
        self.doors = wiring.doors
        self.bus: Bus = device.bus
        self.station = wiring.unit + profile.door.units[0]
        self.stations = _stations(profile, wiring)
        self._together = _side_by_side(profile)
        self.items = _how_items_are_read(profile)
        self.pulse_s = wiring.pulse_ms / 1000
        self.longer_s = LONGER_MS / 1000 if profile.pulse.timed_by_us else None
        self._device = device
        self._profile = profile
        self._wiring = wiring
        self._of_doors = _questions(profile, profile.door, wiring.unit)
        self._of_items = _questions(profile, profile.item, wiring.unit)
        self._prepared_on = 0  # the connection on which the outputs were last switched off

    def lock(self, door: int) -> Hashable:
        return (self._wiring.unit + self._profile.pulse.unit, door)

    async def pulse(self, door: int, *, by: float, longer: bool) -> bool:
        pulse = self._profile.pulse
        ms = LONGER_MS if longer else self._wiring.pulse_ms
        order = modbus.write(
            self._wiring.unit + pulse.unit,
            pulse.fc,
            pulse.address + (door - 1) * pulse.per_door,
            pulse.word(door, ms),
        )
        await self._device.move(order, by=by)
        return True

    async def prepare(self, urgency: Urgency) -> None:
        connection = await self._device.connect(urgency)
        if self._prepared_on == connection:
            return
        if (idle := self._profile.idle) is not None:
            off = modbus.write(self._wiring.unit + idle.unit, idle.fc, idle.address, idle.value)
            await self._device.ask(off, urgency, PREPARE_TRIES)
        if (modes := self._profile.modes) is not None:
            unit = self._wiring.unit + modes.unit
            asked = modbus.read(unit, modes.fc, modes.address, modes.count)
            words = modbus.words_of(await self._device.ask(asked, urgency, PREPARE_TRIES))
            for flaw in modes.flaws(words):
                raise NotConfigured(self.name, flaw)
        self._prepared_on = connection

    async def read_doors(self, urgency: Urgency, tries: int, near: int | None = None) -> Reads:
        inputs = self._profile.door
        closed = bool(self._wiring.closed)
        if near is not None and self.doors > inputs.per_group and not inputs.most:
            some = await self._about(near, urgency, tries)
            return Reads(closed=[None if bit is None else bit == closed for bit in some])
        if self._together:
            return await self._both(urgency, tries)
        bits = await self._inputs(inputs, self._of_doors, urgency, tries)
        return Reads(closed=[bit == closed for bit in bits])

    async def _both(self, urgency: Urgency, tries: int) -> Reads:
        """Read registers of doors and, right behind them, of items in one answer."""
        inputs = self._profile.door
        station = self._wiring.unit + inputs.units[0]
        each = (self._profile.doors + inputs.per_group - 1) // inputs.per_group
        asked = modbus.read(station, inputs.fc, inputs.address, 2 * each)
        words = modbus.words_of(await self._device.ask(asked, urgency, tries))
        closed, present = bool(self._wiring.closed), bool(self._wiring.present)
        return Reads(
            closed=[bit == closed for bit in _bits(words[:each], self.doors)],
            there=[bit == present for bit in _bits(words[each:], self.doors)],
        )

    async def read_items(self, urgency: Urgency, tries: int) -> Reads:
        assert self._profile.item is not None, "items are read where there are sensors"
        bits = await self._inputs(self._profile.item, self._of_items, urgency, tries)
        return Reads(there=[bit == bool(self._wiring.present) for bit in bits])

    async def _about(self, near: int, urgency: Urgency, tries: int) -> list[bool | None]:
        """Read the byte or register with one door: as short an answer as no other read has.

        So neither a doubled nor a late answer to the read of all doors can pass for it, and it may
        follow that one at once.
        """
        inputs = self._profile.door
        size = inputs.per_group
        share = self._profile.doors // len(inputs.units)
        unit, channel = divmod(near - 1, share)
        first = channel // size * size
        number = min(size, share - first)
        station = self._wiring.unit + inputs.units[unit]
        if inputs.bits is None:
            asked = modbus.read(station, inputs.fc, inputs.address + first, number)
            found = modbus.bits_of(await self._device.ask(asked, urgency, tries), number)
        else:
            asked = modbus.read(station, inputs.fc, inputs.address + first // size, 1)
            words = modbus.words_of(await self._device.ask(asked, urgency, tries))
            found = _bits(words, number)
        bits: list[bool | None] = [None] * self._profile.doors
        begin = unit * share + first
        bits[begin : begin + number] = found
        return bits[: self.doors]

    async def _inputs(
        self,
        inputs: DoorInputs | ItemInputs,
        questions: "_Questions",
        urgency: Urgency,
        tries: int,
    ) -> tuple[bool, ...]:
        """Read one bit for each door that is wired."""
        bits: tuple[bool, ...] = ()
        share = self._profile.doors // len(inputs.units)
        for asked_unit in questions:
            if len(bits) >= self.doors:
                break
            found: tuple[int, ...] = ()
            for asked in asked_unit:
                body = await self._device.ask(asked, urgency, tries)
                if inputs.bits is None:
                    bits += modbus.bits_of(body, asked.count)
                else:
                    found += modbus.words_of(body)
            bits += _bits(found, share) if found else ()
        return bits[: self.doors]


_Questions = tuple[tuple[modbus.Request, ...], ...]  # of each unit, its reads in turn


def _questions(
    profile: Profile, inputs: DoorInputs | ItemInputs | None, first_unit: int
) -> _Questions:
    """What is asked to read all inputs."""
    if inputs is None:
        return ()
    share = profile.doors // len(inputs.units)
    number = share if inputs.bits is None else (share + inputs.bits - 1) // inputs.bits
    return tuple(
        tuple(
            modbus.read(first_unit + unit, inputs.fc, address, part)
            for address, part in inputs.parts(number)
        )
        for unit in inputs.units
    )


def _stations(profile: Profile, wiring: Wiring) -> frozenset[int]:
    items = profile.item.units if profile.item else ()
    return frozenset(wiring.unit + n for n in (profile.pulse.unit, *profile.door.units, *items))


def _side_by_side(profile: Profile) -> bool:
    """Whether one read of registers has doors and items."""
    door, item = profile.door, profile.item
    if item is None or door.bits is None or len(door.units) > 1:
        return False
    words = (profile.doors + door.per_group - 1) // door.per_group
    beside = (item.units, item.fc, item.address) == (door.units, door.fc, door.address + words)
    return beside and 2 * words <= min(door.most or modbus.WORDS_MAX, modbus.WORDS_MAX)


def _how_items_are_read(profile: Profile) -> Items:
    if profile.item is None:
        return Items.NONE
    return Items.TOGETHER if _side_by_side(profile) else Items.APART


def _bits(words: Sequence[int], count: int) -> tuple[bool, ...]:
    return tuple(bool(words[n // 16] >> n % 16 & 1) for n in range(count))


def _timing(url: DeviceUrl) -> Timing:
    gap_ms = url.numbers.get("gap_ms")
    if isinstance(url.place, SerialPlace):
        gap_s = silence_s(url.place.baud) * SILENCE_SPARE
        if gap_ms is not None:
            gap_s = max(gap_s, gap_ms / 1000)
        return Timing(gap_s, RTU_REPLY_S, SERIAL_REST_S, floor_s=RTU_FLOOR_S)
    if url.scheme == "modbus+tcp":
        return Timing(0.0, TCP_REPLY_S, 0.0)
    gap_s = SERVER_GAP_S if gap_ms is None else gap_ms / 1000
    return Timing(gap_s, SERVER_REPLY_S, SERVER_REST_S, SERVER_SETTLE_S, SERVER_FLOOR_S)


def _wire(url: DeviceUrl) -> Callable[[], Wire]:
    return modbus.TcpWire if url.scheme == "modbus+tcp" else modbus.RtuWire


def _panel(url: DeviceUrl, name: str, bus: Bus, profiles: Mapping[str, Source]) -> Panel:
    if url.profile not in profiles:
        known = ", ".join(sorted(profiles))
        raise BadUrl(
            f"{url.text}: profile {url.profile} is not known ({known} are); one of your own is"
            " found in the folder that --profiles or, at a site, profiles in [site] names"
        )
    profile = profiles[url.profile].profile
    numbers = url.numbers
    doors = numbers.get("doors", profile.doors)
    if doors > profile.doors:
        raise BadUrl(f"{url.text}: doors={doors}, but {url.profile} has {profile.doors}")
    if "pulse_ms" in numbers and not profile.pulse.timed_by_us:
        raise BadUrl(f"{url.text}: pulse_ms: {url.profile} has the length set in the board")
    wiring = Wiring(
        unit=url.unit,
        doors=doors,
        closed=numbers.get("closed", profile.door.closed),
        present=numbers.get("item", profile.item.present if profile.item else 1),
        pulse_ms=numbers.get("pulse_ms", profile.pulse.ms),
    )
    device = ModbusDevice(name, bus, reply_s(url))
    if profile.ident is not None:
        device.probe_at = (profile.ident.fc, profile.ident.address)
    return ModbusPanel(device, profile, wiring)


def _question(url: DeviceUrl) -> modbus.Request:
    return modbus.read(url.unit, modbus.READ_HOLDING, ASKED_AT, 1)


DIALECT: Final = Dialect(_timing, _wire, _panel, _question)
