"""The registers that every relay and input board of this make has: speed, unit, version."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulator import modbus

LINE: Final = 0x2000  # high byte parity, low byte speed
UNIT: Final = 0x4000
VERSION: Final = 0x8000

SPEEDS: Final = (4800, 9600, 19200, 38400, 57600, 115200, 128000, 256000)
VERSION_2_00: Final = 0x00C8
VERSION_1_00: Final = 0x0064  # the first one of boards with inputs and outputs
UNITS: Final = range(1, 256)
PARITIES: Final = range(3)
QUIET: Final = None

READS: Final = frozenset(
    {
        modbus.READ_COILS,
        modbus.READ_INPUTS,
        modbus.READ_HOLDING,
        modbus.READ_INPUT_REGISTERS,
    }
)


class BoardSettings:
    """Kept over power cuts. A board set to another speed than its line hears nothing more."""

    def __init__(self, unit: int, version: int = VERSION_2_00) -> None:
        self.unit = unit
        self._version = version
        self.line: int | None = None  # as set on the line; None: as the line is

    def answer(
        self, pdu: bytes, functions: Mapping[int, Callable[[bytes], bytes]], *, broadcast: bool
    ) -> bytes | None:
        """Reads to everybody are answered too, a quirk of this make; writes to all are not."""
        try:
            said = functions.get(pdu[0], modbus.unknown_function)(pdu)
        except modbus.Refusal as refusal:
            return QUIET if broadcast else modbus.refused(pdu[0], refusal.code)
        return QUIET if broadcast and pdu[0] not in READS else said

    def hears(self, baud: int, usual: int) -> bool:
        return baud == (usual if self.line is None else SPEEDS[self.line & 0xFF])

    def kept(self) -> list[Any]:
        return [self.unit, self.line]

    def recall(self, kept: list[Any]) -> None:
        self.unit, self.line = kept[:2]

    def read(self, pdu: bytes) -> bytes:
        start, count = modbus.asked(pdu, modbus.WORDS_MAX)
        held = {LINE: self.line or 0x0001, UNIT: self.unit, VERSION: self._version}
        if count != 1 or start not in held:
            raise modbus.Refusal(modbus.NO_ADDRESS)
        return bytes([pdu[0], 2]) + modbus.packed_words([held[start]])

    def write(self, pdu: bytes) -> bytes:
        address, value = modbus.written(pdu)
        parity, speed = divmod(value, 0x100)
        if address == UNIT:
            if value not in UNITS:
                raise modbus.Refusal(modbus.BAD_VALUE)
            self.unit = value
        elif address == LINE:
            if parity not in PARITIES or speed >= len(SPEEDS):
                raise modbus.Refusal(modbus.BAD_VALUE)
            self.line = value
        else:
            raise modbus.Refusal(modbus.NO_ADDRESS)
        return pdu
