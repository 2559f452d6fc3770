"""The licence machine on Modbus: registers, and which commands it remembers.

One sequence number causes at most one movement, ever: a command is kept before it is answered,
and answered before it is carried out to its end.
"""

from collections.abc import Callable
from functools import reduce
from operator import xor
from random import Random
from typing import Any, Final

from simulator import modbus
from simulator.devices import licence_registers as registers
from simulator.devices.licence_registers import Command, Op, Outcome, Sensor
from simulator.devices.machine_faults import MachineFaults
from simulator.devices.mechanism import Mechanism
from simulator.plan import MachinePlan
from simulator.timeline import Timeline

SETTINGS: Final = range(registers.TAKE_TIME, registers.CONTROLLER + 1)
COMMANDS: Final = range(registers.COMMAND, registers.COMMAND + registers.COMMAND_WORDS)


def within(start: int, count: int, area: range) -> bool:
    return area.start <= start and start + count <= area.stop


class LicenceMachine:
    """`keep` returns when the memory would survive a power cut."""

    def __init__(
        self,
        plan: MachinePlan,
        timeline: Timeline,
        *,
        changed: Callable[[], None] = lambda: None,
        keep: Callable[[], None] = lambda: None,
        dice: Random | None = None,
    ) -> None:
        self.name = plan.name
        self.inside = Mechanism(plan, timeline, changed, blanks=plan.blanks)
        self.faults = MachineFaults(self.inside, timeline, dice or Random(0), changed)
        self._timeline = timeline
        self._unit = plan.unit
        self._keep = keep
        self._controller = 0
        self._controller_at: float | None = None
        self._functions: dict[int, Callable[[bytes], bytes]] = {
            modbus.READ_HOLDING: self._read_holding,
            modbus.READ_INPUT_REGISTERS: self._read_input,
            modbus.WRITE_REGISTER: self._write_one,
            modbus.WRITE_REGISTERS: self._write_command,
        }

    @property
    def unit(self) -> int:
        return self._unit

    def hears(self, baud: int, usual: int) -> bool:
        return baud == usual and not self.faults.off

    def answer(self, pdu: bytes, *, broadcast: bool = False) -> bytes | None:
        """Nothing is done for a broadcast."""
        if broadcast or self.faults.off:
            return None
        try:
            return self._functions.get(pdu[0], modbus.unknown_function)(pdu)
        except modbus.Refusal as refusal:
            return modbus.refused(pdu[0], refusal.code)

    def out_of_service(self) -> bool:
        """Its screen says so when the controller gave no sign of life for LOST_TIME."""
        if self._controller_at is None:
            return True
        return self._timeline.now - self._controller_at > self.inside.lost_time_s

    def block(self) -> list[int]:
        """Input registers 0x0000..0x0017."""
        inside = self.inside
        last, previous = inside.last, inside.previous
        heartbeat = int(self._timeline.now - inside.started_at) % modbus.ADDRESSES
        blanks = inside.blanks if inside.prints else registers.NO_PRINTER
        return [
            registers.IDENTITY,
            registers.MAP,
            registers.FIRMWARE,
            inside.boots % modbus.ADDRESSES,
            heartbeat,
            inside.state,
            int(inside.faults()),
            self._sensors(),
            inside.slots,
            len(inside.stored),
            blanks,
            len(inside.rejects),
            *(last.seq, last.op, last.arg1, last.arg2, last.outcome, last.detail),
            inside.take_left_s(),
            *(previous.seq, previous.op, previous.arg1, previous.outcome, previous.detail),
        ]

    def state(self) -> dict[str, Any]:
        """What a person who looks at it, or into it, would see."""
        inside = self.inside
        return {
            "kind": inside.plan.kind,
            "blanks": inside.blanks if inside.prints else None,
            "outlet": list(inside.outlet),
            "stored": {str(slot): label for slot, label in sorted(inside.stored.items())},
            "moved": inside.moved,
            "jammed": inside.jammed,
            "state": inside.state.name.lower(),
            "faults": [fault.name.lower() for fault in inside.faults() if fault.name],
            "seq": inside.last.seq,
            "outcome": Outcome(inside.last.outcome).name.lower(),
            "detail": int(inside.last.detail),
            "transport": list(inside.transport),
            "rejects": list(inside.rejects),
            "retracted": inside.retracted,
            "take_left_s": inside.take_left_s(),
            "boots": inside.boots,
            "out_of_service": self.out_of_service(),
        }

    def _sensors(self) -> int:
        inside = self.inside
        seen = Sensor.REJECT_BIN
        seen |= Sensor.AT_OUTLET if inside.outlet else Sensor(0)
        seen |= Sensor.IN_TRANSPORT if inside.transport else Sensor(0)
        seen |= Sensor.SHUTTER_OPEN if inside.shutter_open else Sensor(0)
        seen |= Sensor(0) if inside.service_open else Sensor.SERVICE_DOOR_CLOSED
        seen |= Sensor.AT_GATE if inside.gate else Sensor(0)
        return int(seen)

    def _slot_bits(self) -> list[int]:
        bits = sum(1 << (slot - 1) for slot in self.inside.stored)
        return [bits >> 16 * n & 0xFFFF for n in range(registers.SLOT_REGISTERS)]

    def _command_words(self) -> list[int]:
        last = self.inside.last
        held = [last.seq, last.op, last.arg1, last.arg2, 0]
        return [*held, reduce(xor, held, registers.CHECK_SEED)]

    def _settings(self) -> list[int]:
        return [self.inside.take_time_s, self.inside.lost_time_s, self._controller]

    def _read_input(self, pdu: bytes) -> bytes:
        slots = range(registers.SLOT_BITS, registers.SLOT_BITS + registers.SLOT_REGISTERS)
        areas = {range(registers.BLOCK): self.block, slots: self._slot_bits}
        return self._read(pdu, areas)

    def _read_holding(self, pdu: bytes) -> bytes:
        return self._read(pdu, {COMMANDS: self._command_words, SETTINGS: self._settings})

    def _read(self, pdu: bytes, areas: dict[range, Callable[[], list[int]]]) -> bytes:
        start, count = modbus.asked(pdu, modbus.WORDS_MAX)
        for area, held in areas.items():
            if within(start, count, area):
                first = start - area.start
                return bytes([pdu[0], 2 * count]) + modbus.packed_words(
                    held()[first : first + count]
                )
        raise modbus.Refusal(modbus.NO_ADDRESS)

    def _write_one(self, pdu: bytes) -> bytes:
        address, value = modbus.written(pdu)
        if address == registers.TAKE_TIME:
            if value not in registers.TAKE_TIMES:
                raise modbus.Refusal(modbus.BAD_VALUE)
            self.inside.take_time_s = value
            self._keep()
        elif address == registers.LOST_TIME:
            self.inside.lost_time_s = value
            self._keep()
        elif address == registers.CONTROLLER:
            if value != self._controller or self._controller_at is None:
                self._controller, self._controller_at = value, self._timeline.now
        else:
            raise modbus.Refusal(modbus.NO_ADDRESS)
        return pdu

    def _write_command(self, pdu: bytes) -> bytes:
        start, count, content = modbus.written_many(pdu, modbus.WORDS_WRITTEN_MAX, 16)
        if (start, count) != (registers.COMMAND, registers.COMMAND_WORDS):
            raise modbus.Refusal(modbus.NO_ADDRESS)
        seq, op, arg1, arg2, spare, check = modbus.words(content)
        if spare or not seq or reduce(xor, (seq, op, arg1, arg2), registers.CHECK_SEED) != check:
            raise modbus.Refusal(modbus.BAD_VALUE)
        last = self.inside.last
        if seq == last.seq:
            if (op, arg1, arg2) != (last.op, last.arg1, last.arg2):
                raise modbus.Refusal(modbus.BAD_VALUE)
            return pdu[:5]
        if last.seq and (seq - last.seq) % modbus.ADDRESSES > registers.LATE:
            raise modbus.Refusal(modbus.BAD_VALUE)
        waits = last.outcome == Outcome.PRESENTED and op != Op.RETRACT
        if last.outcome == Outcome.RUNNING or waits:
            raise modbus.Refusal(modbus.BUSY)
        self.inside.previous = last
        self.inside.last = Command(seq, op, arg1, arg2, Outcome.RUNNING)
        self.inside.begin()
        self._keep()
        self.faults.upon_command()
        return pdu[:5]
