"""Relay boards with 8, 16 or 32 contacts: FC 01, 05, 0F for relays, FC 03, 06 for settings.

A contact wired to a lock calls that lock; the board itself ends a flash pulse, so a master that
dies in mid-pulse leaves no coil burning.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from simulator import modbus
from simulator.devices.settings import VERSION_2_00, BoardSettings
from simulator.line import Condition
from simulator.timeline import Appointment, Timeline

ON: Final = 0xFF00
OFF: Final = 0x0000
TOGGLE: Final = 0x5500

ALL_RELAYS: Final = 0x00FF
TOGGLE_ALL: Final = 0x01FF
FLASH_ON: Final = 0x02  # high byte of the address; the low byte is the channel
FLASH_OFF: Final = 0x04
FLASH_MAX: Final = 0x7FFF
FLASH_UNIT_S: Final = 0.1
CONTACT_CLOSES_S: Final = 0.010  # after the frame's end


class Coil(Protocol):
    """What hangs on a contact."""

    def energise(self) -> None: ...

    def drop(self) -> None: ...


@dataclass(slots=True)
class Relay:
    """One contact: what the register says, and what the contact does a little later."""

    timeline: Timeline
    coil: Coil | None
    state: bool = False
    closed: bool = False
    closing: Appointment | None = None
    ending: Appointment | None = None

    def switch(self, *, on: bool) -> None:
        """For good: a timer that ran is dropped."""
        if self.ending:
            self.ending.cancel()
            self.ending = None
        self.state = on
        if self.closing:
            self.closing.cancel()
        self.closing = self.timeline.after(CONTACT_CLOSES_S, self._contact)

    def flash(self, seconds: float, *, on: bool) -> None:
        """Until the board itself ends it; a new one starts the time again."""
        self.switch(on=on)
        self.ending = self.timeline.after(seconds + CONTACT_CLOSES_S, lambda: self._end(on=not on))

    def fall(self) -> None:
        """The supply is gone."""
        self.switch(on=False)
        self._contact()

    def _end(self, *, on: bool) -> None:
        self.ending = None
        self.state = on
        self._contact()

    def _contact(self) -> None:
        if self.closing:
            self.closing.cancel()
            self.closing = None
        if self.state == self.closed:
            return
        self.closed = self.state
        if self.coil:
            (self.coil.energise if self.closed else self.coil.drop)()


class RelayBoard:
    def __init__(
        self,
        unit: int,
        channels: int,
        timeline: Timeline,
        coils: Sequence[Coil | None] = (),
        version: int = VERSION_2_00,
    ) -> None:
        self.settings = BoardSettings(unit, version)
        self.condition = Condition(timeline)
        hung = [*coils, *[None] * (channels - len(coils))]
        self.relays = [Relay(timeline, coil) for coil in hung[:channels]]
        self._functions: dict[int, Callable[[bytes], bytes]] = {
            modbus.READ_COILS: self._read,
            modbus.WRITE_COIL: self._write_one,
            modbus.WRITE_COILS: self._write_many,
            modbus.READ_HOLDING: self.settings.read,
            modbus.WRITE_REGISTER: self.settings.write,
        }

    @property
    def unit(self) -> int:
        return self.settings.unit

    def hears(self, baud: int, usual: int) -> bool:
        return self.condition.listens() and self.settings.hears(baud, usual)

    def kept(self) -> list[Any]:
        """What survives a power cut."""
        return self.settings.kept()

    def recall(self, kept: list[Any]) -> None:
        self.settings.recall(kept)

    def fall(self) -> None:
        """The supply is gone: contacts fall open, and nothing is resumed."""
        for relay in self.relays:
            relay.fall()

    def answer(self, pdu: bytes, *, broadcast: bool = False) -> bytes | None:
        return self.settings.answer(pdu, self._functions, broadcast=broadcast)

    def _read(self, pdu: bytes) -> bytes:
        start, count = modbus.asked(pdu, modbus.BITS_MAX)
        if start + count > len(self.relays):
            raise modbus.Refusal(modbus.NO_ADDRESS)
        bits = modbus.packed_bits([relay.state for relay in self.relays[start : start + count]])
        return bytes([pdu[0], len(bits)]) + bits

    def _write_one(self, pdu: bytes) -> bytes:
        address, value = modbus.written(pdu)
        page, channel = divmod(address, 0x100)
        if page in {FLASH_ON, FLASH_OFF}:
            self._flash(channel, value, on=page == FLASH_ON)
        elif address == TOGGLE_ALL:
            self._switch(self.relays, TOGGLE)
        elif page:
            raise modbus.Refusal(modbus.NO_ADDRESS)
        elif value not in {ON, OFF, TOGGLE}:
            raise modbus.Refusal(modbus.BAD_VALUE)
        elif address == ALL_RELAYS:
            self._switch(self.relays, value)
        else:
            self._switch([self._relay(channel)], value)
        return pdu

    def _flash(self, channel: int, value: int, *, on: bool) -> None:
        if value > FLASH_MAX:
            raise modbus.Refusal(modbus.BAD_VALUE)
        relay = self._relay(channel)
        if value:
            relay.flash(value * FLASH_UNIT_S, on=on)
            self.condition.pulsed(self.unit)

    def _relay(self, channel: int) -> Relay:
        if channel >= len(self.relays):
            raise modbus.Refusal(modbus.NO_ADDRESS)
        return self.relays[channel]

    def _switch(self, relays: Sequence[Relay], value: int) -> None:
        for relay in relays:
            relay.switch(on=not relay.state if value == TOGGLE else value == ON)

    def _write_many(self, pdu: bytes) -> bytes:
        start, count, content = modbus.written_many(pdu, modbus.COILS_WRITTEN_MAX, 1)
        if start + count > len(self.relays):
            raise modbus.Refusal(modbus.NO_ADDRESS)
        bits = int.from_bytes(content, "little")
        for place, relay in enumerate(self.relays[start : start + count]):
            relay.switch(on=bool(bits >> place & 1))
        return pdu[:5]
