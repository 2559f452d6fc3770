"""Plain input boards with 8, 16 or 32 inputs: FC 02 for inputs, FC 03, 06 for settings."""

from collections.abc import Callable, Sequence
from typing import Any

from simulator import modbus
from simulator.devices.settings import BoardSettings
from simulator.line import Condition
from simulator.timeline import Timeline

Contact = Callable[[], bool]


class InputBoard:
    """An input reads 1 while current flows; one with nothing wired to it reads 0."""

    def __init__(
        self,
        unit: int,
        channels: int,
        contacts: Sequence[Contact] = (),
        timeline: Timeline | None = None,
    ) -> None:
        self.settings = BoardSettings(unit)
        self.condition = Condition(timeline or Timeline(0.0))
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

    def hears(self, baud: int, usual: int) -> bool:
        return self.condition.listens() and self.settings.hears(baud, usual)

    def kept(self) -> list[Any]:
        """What survives a power cut."""
        return self.settings.kept()

    def recall(self, kept: list[Any]) -> None:
        self.settings.recall(kept)

    def fall(self) -> None:
        """The supply is gone: an input board has nothing to let go."""

    def answer(self, pdu: bytes, *, broadcast: bool = False) -> bytes | None:
        return self.settings.answer(pdu, self._functions, broadcast=broadcast)

    def _read(self, pdu: bytes) -> bytes:
        return read_contacts(pdu, self._contacts, self._channels)


def read_contacts(pdu: bytes, contacts: Sequence[Contact], channels: int) -> bytes:
    start, count = modbus.asked(pdu, modbus.BITS_MAX)
    if start + count > channels:
        raise modbus.Refusal(modbus.NO_ADDRESS)
    wired = [contact() for contact in contacts[start : start + count]]
    bits = modbus.packed_bits(wired + [False] * (count - len(wired)))
    return bytes([pdu[0], len(bits)]) + bits
