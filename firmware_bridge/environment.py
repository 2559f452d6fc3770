"""Air, power, tamper contacts and lamps of a cabinet over Modbus, as a profile says."""

from collections.abc import AsyncGenerator
from typing import Final

from controller.faults import BadReply, NoReply, NotConfigured
from controller.ports import Clock, EnvironmentSight
from firmware_bridge import modbus
from firmware_bridge.debounce import Debounce
from firmware_bridge.modbus_device import ModbusDevice
from firmware_bridge.news import News
from firmware_bridge.profiles import Measure, Surroundings
from firmware_bridge.turns import Urgency

TRIES: Final = 3
MISSED_MAX: Final = 3
SIGN_OF_LIFE_S: Final = 10.0  # air does not change faster
ON, OFF = 0xFF00, 0x0000
SIGN_BIT, WORD_SPAN = 0x8000, 0x10000


class ModbusSurroundings:
    """Fits Environment."""

    def __init__(
        self,
        device: ModbusDevice,
        unit: int,
        profile: Surroundings,
        clock: Clock,
        *,
        news: News | None = None,
    ) -> None:
        self.name = device.name
        self.outputs = tuple(sorted(profile.outputs.at)) if profile.outputs else ()
        self._device = device
        self._unit = unit
        self._profile = profile
        self._clock = clock
        self._news = news
        self._prepared_on = 0
        self._begin_reading()

    def _begin_reading(self) -> None:
        contacts = self._profile.contacts
        self._reads = {
            name: Debounce(1, contact.settle_ms / 1000)
            for name, contact in (contacts.at if contacts else {}).items()
        }

    def figures(self) -> dict[str, float]:
        return self._device.bus.stations[self._unit].figures()

    async def look(self) -> EnvironmentSight:
        return await self._sight(Urgency.LOOK)

    async def watch(self) -> AsyncGenerator[EnvironmentSight, None]:
        shown: EnvironmentSight | None = None
        missed = 0
        self._begin_reading()
        while True:
            if self._news is not None:
                self._news.heed(self.name)
            try:
                sight = await self._sight(Urgency.POLL)
            except (NoReply, BadReply) as fault:
                missed += 1
                if missed >= MISSED_MAX:
                    raise NoReply(self.name, f"{missed} polls missed, last: {fault.what}") from None
            else:
                missed = 0
                changed = shown is None or shown.contacts != sight.contacts
                if changed or shown is None or sight.at - shown.at >= SIGN_OF_LIFE_S:
                    yield (shown := sight)
            if self._news is None or missed or any(each.restless for each in self._reads.values()):
                await self._clock.sleep(self._profile.every_ms / 1000)
            else:
                await self._news.wait(self.name)

    async def switch(self, output: str, *, on: bool) -> None:
        outputs = self._profile.outputs
        if outputs is None or output not in outputs.at:
            raise NotConfigured(
                self.name, f"there is no output {output}, only {', '.join(self.outputs) or 'none'}"
            )
        await self._prepare(Urgency.LOOK)
        order = modbus.write(self._unit, modbus.WRITE_COIL, outputs.at[output], ON if on else OFF)
        await self._device.ask(order, Urgency.LOOK, TRIES)

    async def _prepare(self, urgency: Urgency) -> None:
        connection = await self._device.connect(urgency)
        if self._prepared_on == connection:
            return
        if (modes := self._profile.modes) is not None:
            unit = self._unit + modes.unit
            asked = modbus.read(unit, modes.fc, modes.address, modes.count)
            words = modbus.words_of(await self._device.ask(asked, urgency, TRIES))
            for flaw in modes.flaws(words):
                raise NotConfigured(self.name, flaw)
        self._prepared_on = connection

    async def _sight(self, urgency: Urgency) -> EnvironmentSight:
        await self._prepare(urgency)
        measures = await self._measures(urgency)
        contacts = await self._contacts(urgency)
        return EnvironmentSight(self._clock.monotonic(), measures, contacts)

    async def _measures(self, urgency: Urgency) -> dict[str, float]:
        if not (measures := self._profile.measures):
            return {}
        first = min(each.address for each in measures.at.values())
        count = max(each.address for each in measures.at.values()) - first + 1
        asked = modbus.read(self._unit, measures.fc, first, count)
        words = modbus.words_of(await self._device.ask(asked, urgency, TRIES))
        return {
            name: _scaled(words[each.address - first], each) for name, each in measures.at.items()
        }

    async def _contacts(self, urgency: Urgency) -> dict[str, bool]:
        if not (contacts := self._profile.contacts):
            return {}
        count = max(contact.input for contact in contacts.at.values())
        asked = modbus.read(self._unit, contacts.fc, contacts.address, count)
        bits = modbus.bits_of(await self._device.ask(asked, urgency, TRIES), count)
        now = self._clock.monotonic()
        well = {}
        for name, contact in contacts.at.items():
            self._reads[name].feed([bits[contact.input - 1] == bool(contact.well)], now)
            if (settled := self._reads[name].settled[0]) is not None:
                well[name] = settled
        return well


def _scaled(word: int, measure: Measure) -> float:
    if measure.signed and word & SIGN_BIT:
        word -= WORD_SPAN
    return round(word * measure.scale, measure.digits)
