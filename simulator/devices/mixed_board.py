"""Relay (D) and IO boards: eight outputs and eight inputs on one unit.

In the factory's control mode an output does what the line says. In the others an input drives
it: 1 follows the input, 2 turns over when current begins to flow, 3 turns over at either edge.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from simulator import modbus
from simulator.devices.input_board import Contact, read_contacts
from simulator.devices.relay_board import Coil, RelayBoard
from simulator.devices.settings import VERSION_2_00
from simulator.timeline import Timeline

CHANNELS: Final = 8
MODES: Final = 0x1000
NORMAL, LINKAGE, TOGGLE, EDGE = range(4)


class MixedBoard(RelayBoard):
    """Modes are kept over power cuts."""

    def __init__(
        self,
        unit: int,
        timeline: Timeline,
        coils: Sequence[Coil | None] = (),
        contacts: Sequence[Contact] = (),
        version: int = VERSION_2_00,
    ) -> None:
        super().__init__(unit, CHANNELS, timeline, coils, version)
        self.modes = [NORMAL] * CHANNELS
        self._contacts = contacts
        self._seen = [False] * CHANNELS
        self._functions |= {
            modbus.READ_INPUTS: lambda pdu: read_contacts(pdu, self._contacts, CHANNELS),
            modbus.READ_HOLDING: self._read_holding,
            modbus.WRITE_REGISTER: self._write_register,
            modbus.WRITE_REGISTERS: self._write_registers,
        }

    def kept(self) -> list[Any]:
        return [*super().kept(), self.modes]

    def recall(self, kept: list[Any]) -> None:
        super().recall(kept)
        self.modes = list(kept[2])

    def set_modes(self, mode: int) -> None:
        """Of every output."""
        self.modes = [mode] * CHANNELS
        self.follow()

    def follow(self, driven: Callable[[], None] = lambda: None) -> None:
        """Something changed: inputs drive the outputs whose mode says so; `driven` is told."""
        if not any(self.modes):
            return
        for channel, contact in enumerate(self._contacts):
            now, before = contact(), self._seen[channel]
            self._seen[channel] = now
            relay, mode = self.relays[channel], self.modes[channel]
            on = relay.state
            if mode == LINKAGE:
                on = now
            elif (mode == TOGGLE and now > before) or (mode == EDGE and now != before):
                on = not on
            if on != relay.state:
                relay.switch(on=on)
                driven()

    def _in_modes(self, start: int, count: int) -> range | None:
        first = start - MODES
        if first in range(CHANNELS) and first + count <= CHANNELS:
            return range(first, first + count)
        return None

    def _read_holding(self, pdu: bytes) -> bytes:
        start, count = modbus.asked(pdu, modbus.WORDS_MAX)
        places = self._in_modes(start, count)
        if places is None:
            return self.settings.read(pdu)
        said = modbus.packed_words(self.modes[place] for place in places)
        return bytes([pdu[0], len(said)]) + said

    def _write_register(self, pdu: bytes) -> bytes:
        address, value = modbus.written(pdu)
        if self._in_modes(address, 1) is None:
            return self.settings.write(pdu)
        self._set(address, [value])
        return pdu

    def _write_registers(self, pdu: bytes) -> bytes:
        start, _, content = modbus.written_many(pdu, modbus.WORDS_WRITTEN_MAX, 16)
        self._set(start, modbus.words(content))
        return pdu[:5]

    def _set(self, start: int, values: Sequence[int]) -> None:
        places = self._in_modes(start, len(values))
        if places is None:
            raise modbus.Refusal(modbus.NO_ADDRESS)
        if max(values) > EDGE:
            raise modbus.Refusal(modbus.BAD_VALUE)
        for place, value in zip(places, values, strict=True):
            self.modes[place] = value
            self._seen[place] = self._contacts[place]() if place < len(self._contacts) else False
        self.follow()
