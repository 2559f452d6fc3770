"""A 24-lock board with doors, items and coils as bits in registers, and one register to pulse.

The board times the pulse. A broadcast must not open doors.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from simulator import modbus
from simulator.line import Condition
from simulator.timeline import Appointment, Timeline

LOCKS: Final = 24
STATE: Final = range(6)  # doors, items, coils: two registers each
PULSE: Final = 0x0010
PULSE_LENGTH: Final = 0x0011
OWN: Final = range(0x0020, 0x0020 + LOCKS)  # one register per lock
MODEL: Final = 0x0100
FIRMWARE: Final = 0x0101

MODEL_24: Final = 0x2418
FIRMWARE_1_2: Final = 0x0102
LENGTHS: Final = range(5, 201)
LENGTH_UNIT_S: Final = 0.010
STARTING_S: Final = 0.300


class Lock(Protocol):
    """A door with its lock, its switch and what lies behind it."""

    def energise(self) -> None: ...

    def drop(self) -> None: ...

    def reads_closed(self) -> bool: ...

    def reads_present(self) -> bool: ...


class RegisterBoard:
    def __init__(
        self,
        unit: int,
        timeline: Timeline,
        locks: Sequence[Lock | None] = (),
        *,
        closed: int = 1,
        present: int = 1,
    ) -> None:
        self.unit = unit
        self.condition = Condition(timeline, STARTING_S)
        self.length = 50  # of a pulse, in 10 ms; kept over power cuts
        self._timeline = timeline
        self._locks = [*locks, *[None] * (LOCKS - len(locks))][:LOCKS]
        self._present = bool(present)
        self._closed = bool(closed)  # the bit of a shut door
        self._last = 0
        self._pulsing: int | None = None
        self._end: Appointment | None = None
        self._functions: dict[int, Callable[[bytes], bytes]] = {
            modbus.READ_HOLDING: self._read,
            modbus.WRITE_REGISTER: self._write_one,
            modbus.WRITE_REGISTERS: self._write_many,
        }

    def hears(self, baud: int, usual: int) -> bool:
        return self.condition.listens() and baud == usual

    def fall(self) -> None:
        """The supply is gone."""
        self._pulse_ends()
        self._last = 0

    def kept(self) -> list[Any]:
        return [self.length]

    def recall(self, kept: list[Any]) -> None:
        [self.length] = kept

    def answer(self, pdu: bytes, *, broadcast: bool = False) -> bytes | None:
        if broadcast:
            return None
        try:
            return self._functions.get(pdu[0], modbus.unknown_function)(pdu)
        except modbus.Refusal as refusal:
            return modbus.refused(pdu[0], refusal.code)

    def _bits(self, reads: Callable[[Lock], bool]) -> list[int]:
        value = sum(1 << n for n, lock in enumerate(self._locks) if lock and reads(lock))
        return [value & 0xFFFF, value >> 16]

    def _registers(self) -> dict[int, int]:
        doors = self._bits(lambda lock: lock.reads_closed() == self._closed)
        items = self._bits(lambda lock: lock.reads_present() == self._present)
        under_power = 0 if self._pulsing is None else 1 << (self._pulsing - 1)
        coils = [under_power & 0xFFFF, under_power >> 16]
        own = {at: int(self._pulsing == no) for no, at in enumerate(OWN, 1)}
        rest = {PULSE: self._last, PULSE_LENGTH: self.length}
        named = {MODEL: MODEL_24, FIRMWARE: FIRMWARE_1_2}
        return dict(zip(STATE, [*doors, *items, *coils], strict=True)) | rest | own | named

    def _read(self, pdu: bytes) -> bytes:
        start, count = modbus.asked(pdu, modbus.WORDS_MAX)
        held = self._registers()
        if any(at not in held for at in range(start, start + count)):
            raise modbus.Refusal(modbus.NO_ADDRESS)
        said = modbus.packed_words(held[at] for at in range(start, start + count))
        return bytes([pdu[0], len(said)]) + said

    def _write_one(self, pdu: bytes) -> bytes:
        self._write(*modbus.written(pdu))
        return pdu

    def _write_many(self, pdu: bytes) -> bytes:
        start, count, content = modbus.written_many(pdu, modbus.WORDS_WRITTEN_MAX, 16)
        if count != 1:
            raise modbus.Refusal(modbus.NO_ADDRESS)
        self._write(start, modbus.word(content, 0))
        return pdu[:5]

    def _write(self, address: int, value: int) -> None:
        if address == PULSE:
            self._pulse(value)
        elif address in OWN:
            if value != 1:
                raise modbus.Refusal(modbus.BAD_VALUE)
            self._pulse(address - OWN.start + 1)
        elif address == PULSE_LENGTH:
            if value not in LENGTHS:
                raise modbus.Refusal(modbus.BAD_VALUE)
            self.length = value
        else:
            raise modbus.Refusal(modbus.NO_ADDRESS)

    def _pulse(self, no: int) -> None:
        """The same lock again is echoed, and its pulse is not prolonged."""
        if no not in range(1, LOCKS + 1):
            raise modbus.Refusal(modbus.BAD_VALUE)
        if self._pulsing not in {None, no}:
            raise modbus.Refusal(modbus.BUSY)
        if self._pulsing == no:
            return
        self._last, self._pulsing = no, no
        if lock := self._locks[no - 1]:
            lock.energise()
        self._end = self._timeline.after(self.length * LENGTH_UNIT_S, self._pulse_ends)
        self.condition.pulsed(self.unit)

    def _pulse_ends(self) -> None:
        if self._end:
            self._end.cancel()
        if self._pulsing is not None and (lock := self._locks[self._pulsing - 1]):
            lock.drop()
        self._pulsing = None
