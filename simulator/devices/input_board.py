"""Plain input boards with 8, 16 or 32 inputs: FC 02 for inputs, FC 03, 06 for settings."""

from collections.abc import Callable, Sequence

from simulator import modbus
from simulator.devices.settings import BoardSettings

Contact = Callable[[], bool]


class InputBoard:
    """An input reads 1 while current flows; one with nothing wired to it reads 0."""

    def __init__(self, unit: int, channels: int, contacts: Sequence[Contact] = ()) -> None:
        self.settings = BoardSettings(unit)
        self._channels = channels
        self._contacts = contacts
        self._functions: dict[int, Callable[[bytes], bytes]] = {
            modbus.READ_INPUTS: self._read,
            modbus.READ_HOLDING: self.settings.read,
            modbus.WRITE_REGISTER: self.settings.write,
        }

    @property
    def unit(self) -> int:
        return self.settings.unit

    def hears(self, baud: int) -> bool:
        return self.settings.hears(baud)

    def answer(self, pdu: bytes, *, broadcast: bool = False) -> bytes | None:
        return self.settings.answer(pdu, self._functions, broadcast=broadcast)

    def _read(self, pdu: bytes) -> bytes:
        start, count = modbus.asked(pdu, modbus.BITS_MAX)
        if start + count > self._channels:
            raise modbus.Refusal(modbus.NO_ADDRESS)
        wired = [contact() for contact in self._contacts[start : start + count]]
        bits = modbus.packed_bits(wired + [False] * (count - len(wired)))
        return bytes([pdu[0], len(bits)]) + bits
