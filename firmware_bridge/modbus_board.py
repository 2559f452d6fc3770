"""A cabinet's lock board over Modbus, driven as its profile says."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from itertools import count
from typing import Final

from controller.faults import BadReply, DeviceFault, NoReply, NotConfigured, NotMoved
from controller.ports import BoardSight, Clock, DoorSight, Presence
from firmware_bridge import modbus
from firmware_bridge.bus import Bus
from firmware_bridge.debounce import SETTLE_S, Debounce
from firmware_bridge.modbus_device import ModbusDevice
from firmware_bridge.profiles import DoorInputs, ItemInputs, Profile
from firmware_bridge.turns import Urgency

POLL_S: Final = 0.1  # an idle board: a forced door is on MQTT within a quarter of a second
# A released or open board: again as soon as the line is free, at least every 60 ms. Where the line
# is a network and never full, this pause keeps one board from taking a processor.
ATTENTIVE_PAUSE_S: Final = 0.015
ATTENTIVE_S: Final = 12.0  # a released bolt falls back after 10 s
SETTLE_SPARE_S: Final = 0.001  # what a timer of the loop may be early: a read too early is lost
SIGN_OF_LIFE_S: Final = 1.0
MISSED_MAX: Final = 3
POLL_TRIES: Final = 2  # a line that loses every tenth frame is still watched without a break
LOOK_TRIES: Final = 3
SETTLE_READS_MAX: Final = (
    20  # a switch that has not settled after that many reads is not waited for
)
SUPPLY_REST_S: Final = 0.2  # a supply recovers after one lock before the next


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a URL says about one cabinet beyond its profile."""

    unit: int
    doors: int
    closed: int
    present: int
    pulse_ms: int


class ModbusBoard:
    """Fits LockBoard. Outputs are off before the first read of each connection."""

    def __init__(
        self,
        device: ModbusDevice,
        profile: Profile,
        wiring: Wiring,
        clock: Clock,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self.name = device.name
        self.doors = wiring.doors
        self._device = device
        self._bus: Bus = device.bus
        self._profile = profile
        self._wiring = wiring
        self._clock = clock
        self._poll_s = poll_s
        self._prepared_on = 0  # the connection on which the outputs were last switched off
        self._preparing = asyncio.Lock()
        self._supply = asyncio.Lock()
        self._supply_free_at = 0.0
        self._attentive_until = 0.0
        self._read_s = SETTLE_S  # the shortest time that reading all doors has taken
        self._begin_reading()

    def _begin_reading(self) -> None:
        """Nothing that was read before counts."""
        self._door_reads = Debounce(self.doors)
        self._item_reads = Debounce(self.doors if self._profile.item else 0)
        self._fell_shut: set[int] = set()  # doors (from 0) whose items were not read since

    async def release(self, door: int) -> None:
        if not 1 <= door <= self.doors:
            raise NotMoved(self.name, f"there is no door {door}, only 1 to {self.doors}")
        pulse = self._profile.pulse
        lock = (self._wiring.unit + pulse.unit, door)
        async with self._supply:
            if refusal := self._bus.budget.refusal(lock):
                raise NotMoved(self.name, f"door {door} is not released: {refusal}")
            # No sleep of nothing: a poll would have the line in that turn of the loop.
            if (rest_s := self._supply_free_at - self._clock.monotonic()) > 0:
                await self._clock.sleep(rest_s)
            try:
                await self._prepare(Urgency.RELEASE)
            except DeviceFault as fault:
                raise NotMoved(self.name, fault.what) from fault
            await self._pulse(door, lock)

    async def _pulse(self, door: int, lock: tuple[int, int]) -> None:
        pulse = self._profile.pulse
        ms = self._wiring.pulse_ms
        order = modbus.write(
            self._wiring.unit + pulse.unit,
            pulse.fc,
            pulse.address + (door - 1) * pulse.per_door,
            pulse.word(door, ms),
        )
        moved = True
        try:
            await self._device.move(order)
        except NotMoved:
            moved = False
            raise
        finally:  # cancelled or unknown: it may have been pulsed
            if moved:
                now = self._clock.monotonic()
                self._bus.budget.spend(lock)
                self._supply_free_at = now + ms / 1000 + SUPPLY_REST_S
                self._attentive_until = now + ATTENTIVE_S

    async def look(self) -> BoardSight:
        await self._prepare(Urgency.LOOK)
        for _ in range(SETTLE_READS_MAX):
            await self._read_doors(Urgency.LOOK, LOOK_TRIES)
            at = await self._read_items(Urgency.LOOK, LOOK_TRIES)
            if not self._changing:
                break
            await self._clock.sleep(SETTLE_S)
        return self._sight(at)

    async def watch(self) -> AsyncIterator[BoardSight]:
        shown: BoardSight | None = None
        missed: Counter[str] = Counter()
        self._begin_reading()
        for polls in count():
            at = await self._polled("doors", self._poll_doors(), missed)
            # Two reads are longer than 60 ms at 9600 baud: items every other time, and whenever
            # something changes or a door fell shut.
            often = self._changing or self._fell_shut
            if at is not None and shown and _differ(shown, sight := self._sight(at)):
                yield (shown := sight)  # a door's news does not wait for the items
            if not self._attentive or polls % 2 == 0 or often:
                await self._polled("items", self._read_items(Urgency.POLL, POLL_TRIES), missed)
            if at is not None and self._complete:
                sight = self._sight(at)
                if shown is None or _differ(shown, sight) or at - shown.at >= SIGN_OF_LIFE_S:
                    yield (shown := sight)
            await self._clock.sleep(self._pause_s())

    async def _poll_doors(self) -> float:
        await self._prepare(Urgency.POLL)
        return await self._read_doors(Urgency.POLL, POLL_TRIES)

    async def _polled(
        self, what: str, read: Awaitable[float], missed: Counter[str]
    ) -> float | None:
        """Return when it was read, None for a missed poll; NoReply for the third in a row."""
        try:
            at = await read
        except (NoReply, BadReply) as fault:
            missed[what] += 1
            if missed[what] >= MISSED_MAX:
                why = f"{missed[what]} polls of {what} missed, last: {fault.what}"
                raise NoReply(self.name, why) from fault
            return None
        missed[what] = 0
        return at

    @property
    def _complete(self) -> bool:
        """Whether everything has been read at least once."""
        return self._door_reads.begun and (self._profile.item is None or self._item_reads.begun)

    @property
    def _changing(self) -> bool:
        return self._door_reads.changing or self._item_reads.changing

    @property
    def _attentive(self) -> bool:
        open_now = self._fell_shut or any(value is False for value in self._door_reads.settled)
        return bool(open_now) or self._clock.monotonic() < self._attentive_until

    def _pause_s(self) -> float:
        """Until the read that may confirm a change, else until the board's next turn."""
        if self._changing:
            due_at = min(self._door_reads.due_at, self._item_reads.due_at) + SETTLE_SPARE_S
            return max(0.0, due_at - self._read_s - self._clock.monotonic())
        return ATTENTIVE_PAUSE_S if self._attentive else self._poll_s

    async def _prepare(self, urgency: Urgency) -> None:
        """Outputs off and control modes right on this connection, before anything is read."""
        async with self._preparing:
            connection = await self._device.connect(urgency)
            if self._prepared_on == connection:
                return
            if (idle := self._profile.idle) is not None:
                unit = self._wiring.unit + idle.unit
                off = modbus.write(unit, idle.fc, idle.address, idle.value)
                await self._device.ask(off, urgency, LOOK_TRIES)
            if (modes := self._profile.modes) is not None:
                unit = self._wiring.unit + modes.unit
                asked = modbus.read(unit, modes.fc, modes.address, modes.count)
                words = modbus.words_of(await self._device.ask(asked, urgency, LOOK_TRIES))
                for number, word in enumerate(words, start=1):
                    if word != modes.normal:
                        raise NotConfigured(
                            self.name,
                            f"output {number} is in control mode {word}: an input may fire a lock;"
                            f" write {modes.normal} to register {modes.address + number - 1:#06x}",
                        )
            self._prepared_on = connection

    async def _read_doors(self, urgency: Urgency, tries: int) -> float:
        began = self._clock.monotonic()
        doors = await self._inputs(self._profile.door, urgency, tries)
        at = self._clock.monotonic()
        self._read_s = min(self._read_s, at - began)
        before = self._door_reads.settled
        self._door_reads.feed([bit == bool(self._wiring.closed) for bit in doors], at)
        if self._profile.item is not None:
            changes = enumerate(zip(before, self._door_reads.settled, strict=True))
            self._fell_shut |= {n for n, change in changes if change == (False, True)}
        return at

    async def _read_items(self, urgency: Urgency, tries: int) -> float:
        if self._profile.item is None:
            return self._clock.monotonic()
        there = await self._inputs(self._profile.item, urgency, tries)
        at = self._clock.monotonic()
        self._item_reads.feed([bit == bool(self._wiring.present) for bit in there], at)
        self._fell_shut = {n for n in self._fell_shut if self._item_reads.is_changing(n)}
        return at

    async def _inputs(
        self, inputs: DoorInputs | ItemInputs, urgency: Urgency, tries: int
    ) -> tuple[bool, ...]:
        """Read one bit for each door that is wired."""
        bits: tuple[bool, ...] = ()
        share = self._profile.doors // len(inputs.units)
        for unit in inputs.units:
            if len(bits) >= self.doors:
                break
            count = share if inputs.bits is None else (share + inputs.bits - 1) // inputs.bits
            asked = modbus.read(self._wiring.unit + unit, inputs.fc, inputs.address, count)
            body = await self._device.ask(asked, urgency, tries)
            if inputs.bits is None:
                bits += modbus.bits_of(body, share)
            else:
                words = modbus.words_of(body)
                bits += tuple(bool(words[n // 16] >> n % 16 & 1) for n in range(share))
        return bits[: self.doors]

    def _sight(self, at: float) -> BoardSight:
        """A door is told to be shut together with what lies behind it, never before."""
        doors = tuple(
            DoorSight.OPEN if number in self._fell_shut else _door(value)
            for number, value in enumerate(self._door_reads.settled)
        )
        items = tuple(_presence(value) for value in self._item_reads.settled)
        return BoardSight(at, doors, items or (Presence.UNKNOWN,) * self.doors)


def _door(closed: bool | None) -> DoorSight:  # noqa: FBT001 - one settled switch
    if closed is None:
        return DoorSight.UNKNOWN
    return DoorSight.CLOSED if closed else DoorSight.OPEN


def _presence(there: bool | None) -> Presence:  # noqa: FBT001 - one settled sensor
    if there is None:
        return Presence.UNKNOWN
    return Presence.PRESENT if there else Presence.ABSENT


def _differ(one: BoardSight, other: BoardSight) -> bool:
    return (one.doors, one.items) != (other.doors, other.items)
