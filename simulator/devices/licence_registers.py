"""The licence machine's register map, in the manual's order (input registers, map 1.0)."""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

IDENTITY: Final = 0x4C4D
MAP: Final = 0x0100
FIRMWARE: Final = 0x0103

BLOCK: Final = 0x18  # input registers 0x0000..0x0017
SLOT_BITS: Final = 0x0040  # 16 registers, slot 1 in bit 0 of the first
SLOT_REGISTERS: Final = 16
SLOTS_MAX: Final = 256
NO_PRINTER: Final = 0xFFFF

COMMAND: Final = 0x0100  # SEQ, OP, ARG1, ARG2, 0, CHECK
COMMAND_WORDS: Final = 6
CHECK_SEED: Final = 0x5AA5
TAKE_TIME: Final = 0x0120
LOST_TIME: Final = 0x0121
CONTROLLER: Final = 0x0122
TAKE_TIMES: Final = range(10, 601)
LATE: Final = 32767  # a sequence number further behind than this came late


class State(IntEnum):
    STARTING = 0
    IDLE = 1
    MOVING = 2
    PRESENTING = 3
    RETRACTING = 4
    FAULT = 5
    SERVICE = 6
    PRINTING = 7


class Fault(IntFlag):
    JAM = 1 << 0
    NO_BLANKS = 1 << 1
    SERVICE_DOOR = 1 << 2
    OUTLET_BLOCKED = 1 << 3
    REJECT_FULL = 1 << 5
    POSITION_LOST = 1 << 8


class Sensor(IntFlag):
    AT_OUTLET = 1 << 0
    IN_TRANSPORT = 1 << 1
    SHUTTER_OPEN = 1 << 2
    SERVICE_DOOR_CLOSED = 1 << 3
    REJECT_BIN = 1 << 4
    AT_GATE = 1 << 5


class Op(IntEnum):
    PRESENT = 1
    PRINT = 2
    RETRACT = 3
    HOME = 4
    CLEAR = 5
    UNLOCK = 6
    LOAD = 7


class Outcome(IntEnum):
    NONE = 0
    RUNNING = 1
    PRESENTED = 2
    TAKEN = 3
    RETRACTED = 4
    FAILED_INSIDE = 5
    FAILED_ON_THE_WAY = 6
    INTERRUPTED = 7
    REFUSED = 8
    DONE = 9


class Detail(IntEnum):
    NONE = 0x00
    NO_SUCH_SLOT = 0x01
    SLOT_EMPTY = 0x02
    NO_BLANKS = 0x03
    SERVICE_DOOR_OPEN = 0x04
    FAULT_STANDS = 0x05
    OUTLET_OCCUPIED = 0x06
    NOT_HOMED = 0x07
    REJECT_FULL = 0x08
    UNKNOWN_OP = 0x09
    NO_SUCH_JOB = 0x0A
    JAM_AT_SLOT = 0x10
    JAM_IN_TRANSPORT = 0x11
    JAM_AT_OUTLET = 0x12
    UNKNOWN = 0x20
    IN_ITS_SLOT = 0x21
    IN_TRANSPORT = 0x22
    AT_OUTLET = 0x23
    IN_REJECT_BIN = 0x24
    OUTLET_EMPTY = 0x25


@dataclass(slots=True)
class Command:
    """Kept over power cuts, before the motor turns."""

    seq: int = 0
    op: int = 0
    arg1: int = 0
    arg2: int = 0
    outcome: int = Outcome.NONE
    detail: int = Detail.NONE

    @property
    def job(self) -> int:
        """The print job that its two arguments name."""
        return self.arg1 << 16 | self.arg2
