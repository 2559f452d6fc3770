"""The licence machine's register map 1.0, and how it is asked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from controller.faults import BadReply, DeviceFault, NotConfigured, NotMoved
from controller.ports import Clock, Command, Job, MachineSight, MachineState, Outcome, Slot
from firmware_bridge import modbus
from firmware_bridge.modbus_device import ModbusDevice
from firmware_bridge.turns import Urgency

# The block of input registers, in the map's order.
BLOCK_AT: Final = 0x0000
BLOCK_WORDS: Final = 0x18
MACHINE_ID: Final = 0x4C4D
MAP_MAJOR: Final = 0x01
NO_PRINTER: Final = 0xFFFF
AT_OUTLET: Final = 0x0001  # of the sensors
SLOT_BITS_AT: Final = 0x0040  # slot 1 is bit 0 of the first word
SLOTS_A_WORD: Final = 16

STATES: Final = (
    MachineState.STARTING,
    MachineState.IDLE,
    MachineState.MOVING,
    MachineState.PRESENTING,
    MachineState.RETRACTING,
    MachineState.FAULT,
    MachineState.SERVICE,
    MachineState.PRINTING,
)
FAULTS: Final = (
    "jam",
    "no_blanks",
    "service_door",
    "outlet_blocked",
    "sensor",
    "reject_full",
    "printer",
    "memory",
    "position",
    "supply_low",
)
OUTCOMES: Final = (
    Outcome.NONE,
    Outcome.RUNNING,
    Outcome.PRESENTED,
    Outcome.TAKEN,
    Outcome.RETRACTED,
    Outcome.FAILED_INSIDE,
    Outcome.FAILED_ON_THE_WAY,
    Outcome.INTERRUPTED,
    Outcome.REFUSED,
    Outcome.DONE,
)

# Commands: six holding registers, written at once.
COMMAND_AT: Final = 0x0100
PRESENT_SLOT, PRINT_JOB, RETRACT, LOAD = 1, 2, 3, 7
CHECK_SEED: Final = 0x5AA5
SEQ_MAX: Final = 0xFFFF
# Exception 06 of this machine means "not remembered", so that nothing moved is certain here.
CERTAIN: Final = modbus.ILLEGAL | modbus.BUSY

TAKE_TIME_AT: Final = 0x0120
TAKE_TIME_S: Final = 180  # people look for their glasses; the machine's own 60 s are too short
SIGN_OF_LIFE_AT: Final = 0x0122
PROBE: Final = (modbus.READ_HOLDING, TAKE_TIME_AT)  # read only where an answer is missing

LOOK_TRIES: Final = 3


class ModbusLicenceMachine:
    """Fits LicenceMachine. Sends each command once; the machine itself moves once per number."""

    def __init__(self, device: ModbusDevice, unit: int, clock: Clock) -> None:
        self.name = device.name
        self._device = device
        self._unit = unit
        self._clock = clock
        self._prepared_on = 0
        self._sign: int | None = None  # begins with the time, so that a restart shows too
        device.probe_at = PROBE

    async def look(self) -> MachineSight:
        await self._prepare()
        asked = modbus.read(self._unit, modbus.READ_WORDS, BLOCK_AT, BLOCK_WORDS)
        words = modbus.words_of(await self._device.ask(asked, Urgency.LOOK, LOOK_TRIES))
        sight = self._sight(words)
        return replace(sight, occupied=await self._occupied(sight.slots)) if sight.slots else sight

    async def _occupied(self, slots: int) -> frozenset[int]:
        """Of a machine that stores: what its slots say, read after the block, never before."""
        count = -(-slots // SLOTS_A_WORD)
        asked = modbus.read(self._unit, modbus.READ_WORDS, SLOT_BITS_AT, count)
        words = modbus.words_of(await self._device.ask(asked, Urgency.LOOK, LOOK_TRIES))
        return frozenset(
            slot
            for slot in range(1, slots + 1)
            if words[(slot - 1) // SLOTS_A_WORD] >> (slot - 1) % SLOTS_A_WORD & 1
        )

    async def present(self, seq: int, document: Job | Slot) -> None:
        match document:
            case Slot(number):
                await self._command(seq, PRESENT_SLOT, number, 0)
            case Job(number):
                await self._command(seq, PRINT_JOB, number >> 16, number & 0xFFFF)

    async def take_in(self, seq: int, slot: Slot) -> None:
        await self._command(seq, LOAD, slot.number, 0)

    async def retract(self, seq: int) -> None:
        await self._command(seq, RETRACT, 0, 0)

    async def alive(self) -> None:
        await self._prepare()
        last = int(self._clock.now().timestamp()) if self._sign is None else self._sign
        self._sign = (last + 1) & 0xFFFF
        sign = modbus.write(self._unit, modbus.WRITE_REGISTER, SIGN_OF_LIFE_AT, self._sign)
        await self._device.ask(sign, Urgency.POLL)

    async def _command(self, seq: int, operation: int, high: int, low: int) -> None:
        assert 1 <= seq <= SEQ_MAX, seq
        try:
            await self._prepare()
        except DeviceFault as fault:
            raise NotMoved(self.name, fault.what) from fault
        words = command_words(seq, operation, high, low)
        await self._device.move(modbus.write_registers(self._unit, COMMAND_AT, words), CERTAIN)

    async def _prepare(self) -> None:
        """On a new connection the machine learns how long people may take."""
        connection = await self._device.connect(Urgency.LOOK)
        if self._prepared_on != connection:
            take = modbus.write(self._unit, modbus.WRITE_REGISTER, TAKE_TIME_AT, TAKE_TIME_S)
            await self._device.ask(take, Urgency.LOOK, LOOK_TRIES)
            self._prepared_on = connection

    def _sight(self, words: Sequence[int]) -> MachineSight:
        if words[0x00] != MACHINE_ID or words[0x01] >> 8 != MAP_MAJOR:
            raise NotConfigured(
                self.name, f"id {words[0]:04x}, map {words[1]:04x}: no licence machine of map 1.x"
            )
        if words[0x05] >= len(STATES):
            raise BadReply(self.name, f"state {words[0x05]} is not in the map")
        seq, operation, high, low, outcome, detail = words[0x0C:0x12]
        before, earlier, slot, end, reason = words[0x13:0x18]
        return MachineSight(
            at=self._clock.monotonic(),
            state=STATES[words[0x05]],
            faults=frozenset(name for bit, name in enumerate(FAULTS) if words[0x06] >> bit & 1),
            last=Command(seq, _document(operation, high, low), self._outcome(outcome), detail),
            # The map keeps one argument of the command before: enough for a slot, not for a job.
            previous=Command(before, _slot(earlier, slot), self._outcome(end), reason),
            blanks=None if words[0x0A] == NO_PRINTER else words[0x0A],
            slots=words[0x08],
            filled=words[0x09],
            at_outlet=bool(words[0x07] & AT_OUTLET),
            take_left_s=words[0x12],
            boots=words[0x03],
            heartbeat=words[0x04],
        )

    def _outcome(self, number: int) -> Outcome:
        if number >= len(OUTCOMES):
            raise BadReply(self.name, f"outcome {number} is not in the map")
        return OUTCOMES[number]


def command_words(seq: int, operation: int, high: int, low: int) -> tuple[int, ...]:
    """Return the six words of a command, the check word last."""
    return seq, operation, high, low, 0, seq ^ operation ^ high ^ low ^ CHECK_SEED


def _slot(operation: int, argument: int) -> Slot | None:
    return Slot(argument) if operation == PRESENT_SLOT else None


def _document(operation: int, high: int, low: int) -> Job | Slot | None:
    return Job(high << 16 | low) if operation == PRINT_JOB else _slot(operation, high)
