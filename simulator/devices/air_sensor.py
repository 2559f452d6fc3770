"""Temperature and humidity on Modbus (XY-MD02, SHT20 class): signed tenths.

It also knows a plain text protocol: left on its reports, it talks over the bus. A broken one reads
nothing but 0, or what it read last.
"""

from collections.abc import Callable
from typing import Any, Final

from simulator import modbus
from simulator.line import Condition
from simulator.surroundings import Surroundings
from simulator.timeline import Appointment, Timeline

TEMPERATURE, HUMIDITY = 0x0001, 0x0002
UNIT, SPEED, TEMPERATURE_CORRECTION, HUMIDITY_CORRECTION = 0x0101, 0x0102, 0x0103, 0x0104

SPEEDS: Final = (9600, 14_400, 19_200)
UNITS: Final = range(1, 248)
WORD: Final = 0x10000
TALKS_EVERY_S: Final = 1.0


def word_of(tenths: int) -> int:
    """Two's complement."""
    return tenths % WORD


def tenths_of(word: int) -> int:
    return word - WORD if word >= WORD // 2 else word


class AirSensor:
    def __init__(self, unit: int, timeline: Timeline, air: Callable[[], Surroundings]) -> None:
        self.condition = Condition(timeline)
        self.settings = {
            UNIT: unit,
            SPEED: 0,
            TEMPERATURE_CORRECTION: 0,
            HUMIDITY_CORRECTION: 0,
        }
        self._speed_set = False
        self._air = air
        self._timeline = timeline
        self._last: dict[int, int] = {}
        self._talking: Appointment | None = None
        self._functions: dict[int, Callable[[bytes], bytes]] = {
            modbus.READ_HOLDING: lambda pdu: self._read(pdu, self.settings),
            modbus.READ_INPUT_REGISTERS: lambda pdu: self._read(pdu, self._measured()),
            modbus.WRITE_REGISTER: self._write_one,
            modbus.WRITE_REGISTERS: self._write_many,
        }

    @property
    def unit(self) -> int:
        return self.settings[UNIT]

    def hears(self, baud: int, usual: int) -> bool:
        own = SPEEDS[self.settings[SPEED]] if self._speed_set else usual
        return self.condition.listens() and baud == own

    def fall(self) -> None:
        """The supply is gone."""

    def kept(self) -> list[Any]:
        return [self._speed_set, *self.settings.values()]

    def recall(self, kept: list[Any]) -> None:
        self._speed_set = kept[0]
        self.settings = dict(zip(self.settings, kept[1:], strict=True))

    def answer(self, pdu: bytes, *, broadcast: bool = False) -> bytes | None:
        try:
            said = self._functions.get(pdu[0], modbus.unknown_function)(pdu)
        except modbus.Refusal as refusal:
            said = modbus.refused(pdu[0], refusal.code)
        return None if broadcast else said

    def talk(self) -> None:
        """Its reports are on: it says what it measures until they are not."""
        if self._talking is None:
            self._talking = self._timeline.after(TALKS_EVERY_S, self._report)

    def _report(self) -> None:
        self._talking = None
        if self.condition.strikes("talks", self.unit):
            air = self._air()
            if self.condition.listens():
                text = f"{air.temperature:.1f}C,{air.humidity:.1f}%\r\n"
                self.condition.mutter(text.encode())
            self.talk()

    def _measured(self) -> dict[int, int]:
        if self.condition.strikes("reads_zero", self.unit):
            return {TEMPERATURE: 0, HUMIDITY: 0}
        if not (self._last and self.condition.strikes("holds", self.unit)):
            self._last = self._true()
        return self._last

    def _true(self) -> dict[int, int]:
        air = self._air()
        warm = round(air.temperature * 10) + tenths_of(self.settings[TEMPERATURE_CORRECTION])
        damp = round(air.humidity * 10) + tenths_of(self.settings[HUMIDITY_CORRECTION])
        return {TEMPERATURE: word_of(warm), HUMIDITY: word_of(damp)}

    def _read(self, pdu: bytes, held: dict[int, int]) -> bytes:
        start, count = modbus.asked(pdu, modbus.WORDS_MAX)
        if any(at not in held for at in range(start, start + count)):
            raise modbus.Refusal(modbus.NO_ADDRESS)
        said = modbus.packed_words(held[at] for at in range(start, start + count))
        return bytes([pdu[0], len(said)]) + said

    def _write_one(self, pdu: bytes) -> bytes:
        self._set(*modbus.written(pdu))
        return pdu

    def _write_many(self, pdu: bytes) -> bytes:
        start, _, content = modbus.written_many(pdu, modbus.WORDS_WRITTEN_MAX, 16)
        for at, value in enumerate(modbus.words(content), start):
            self._set(at, value)
        return pdu[:5]

    def _set(self, address: int, value: int) -> None:
        if address not in self.settings:
            raise modbus.Refusal(modbus.NO_ADDRESS)
        if address == UNIT and value not in UNITS:
            raise modbus.Refusal(modbus.BAD_VALUE)
        if address == SPEED:
            if value in SPEEDS:
                value = SPEEDS.index(value)  # some units take the plain number
            if value >= len(SPEEDS):
                raise modbus.Refusal(modbus.BAD_VALUE)
            self._speed_set = True
        self.settings[address] = value
