"""Kerong KR-CU lock boards: 16 locks (CU12, CU16) or 48 (CU24, CU48), hook switch and item sensor.

The board times each pulse. An open during another's pulse waits on the board, one at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from simulator.devices.register_board import Lock
from simulator.line import Condition, Line
from simulator.plan import LinePlan
from simulator.timeline import Appointment, Timeline

Variant = Literal["cu16", "cu48"]

STX: Final = 0x02
ETX: Final = 0x03
LOCKS: Final = {"cu16": 16, "cu48": 48}
EVERY_BOARD: Final = 0xF0
EVERY_LOCK: Final = 0x30

STATE, OPEN, STATE_OF_ALL, OPEN_ALL, UNLOCK_TIME = 0x30, 0x31, 0x32, 0x33, 0x37
STATE_IS, STATE_OF_ALL_IS, UNLOCK_TIME_IS = 0x35, 0x36, 0x38
STATE_48, OPEN_48, STATE_48_IS = 0x60, 0x61, 0x75

IN_TURN_S: Final = 0.005  # between two boards that answer all
TIME_UNIT_S: Final = 0.010
FRAME: Final = {"cu16": 5, "cu48": 6}
FRAME_WITH_TIME: Final = 7


def summed(octets: bytes) -> bytes:
    """With its checksum behind it."""
    return octets + bytes([sum(octets) & 0xFF])


def packed(bits: Sequence[bool]) -> bytes:
    """Eight locks a byte, the first one lowest."""
    value = sum(1 << place for place, bit in enumerate(bits) if bit)
    return value.to_bytes(len(bits) // 8, "little")


@dataclass(slots=True)
class KerongBoard:
    address: int
    timeline: Timeline
    locks: Sequence[Lock | None]
    variant: Variant = "cu16"
    closed: int = 1  # the bit of a shut door
    present: int = 1  # the bit of a thing inside
    tells_after_open: bool = False
    unlock_time: int = 50  # in 10 ms, kept over power cuts
    condition: Condition = field(init=False)
    stuck_busy: bool = False
    _pulsing: int | None = None
    _queued: int | None = None
    _end: Appointment | None = None

    def __post_init__(self) -> None:
        self.condition = Condition(self.timeline)

    @property
    def unit(self) -> int:
        return self.address

    def hears(self, baud: int, usual: int) -> bool:
        return self.condition.listens() and baud == usual

    def fall(self) -> None:
        """The supply is gone: the pulse ends, and what waited is forgotten."""
        self._queued = None
        self.stuck_busy = False
        if self._end:
            self._end.cancel()
        self._pulse_ends()

    def kept(self) -> list[Any]:
        return [self.unlock_time]

    def recall(self, kept: list[Any]) -> None:
        [self.unlock_time] = kept

    def state(self) -> bytes:
        """Hooks, then items."""
        room = range(LOCKS[self.variant])
        wired = [self.locks[n] if n < len(self.locks) else None for n in room]
        closed = bool(self.closed)
        shut = [lock is not None and lock.reads_closed() == closed for lock in wired]
        there = bool(self.present)
        items = [lock is not None and lock.reads_present() == there for lock in wired]
        return packed(shut) + packed(items)

    def open(self, lock: int) -> None:
        """Counted from 0; a lock that is not there is nobody's."""
        if lock >= len(self.locks):
            return
        if self._pulsing is not None:
            self._queued = lock
            return
        self._pulsing = lock
        if door := self.locks[lock]:
            door.energise()
        self._end = self.timeline.after(self.unlock_time * TIME_UNIT_S, self._pulse_ends)
        self.condition.pulsed(self.unit)

    def open_all(self, lock: int = 0) -> None:
        """One after the other, so that the supply bears it."""
        if lock < len(self.locks):
            self.open(lock)
            self.timeline.after(self.unlock_time * TIME_UNIT_S, lambda: self.open_all(lock + 1))

    def _pulse_ends(self) -> None:
        if self._pulsing is not None and (door := self.locks[self._pulsing]):
            door.drop()
        self._pulsing = None
        if self._queued is not None:
            lock, self._queued = self._queued, None
            self.open(lock)


class KerongLine(Line):
    """Boards of one variant."""

    longest = 16
    usual_turnaround_s = (0.020, 0.100)
    patience_s = 0.500

    def __init__(
        self, plan: LinePlan, boards: Sequence[KerongBoard], timeline: Timeline, seed: int
    ) -> None:
        super().__init__(plan, boards, timeline, seed)
        self._boards = sorted(boards, key=lambda board: board.address)
        self._variant: Variant = boards[0].variant if boards else "cu16"

    def request_length(self, start: bytes) -> int | None:
        if start[0] != STX:
            return 1  # never whole: dropped
        usual = FRAME[self._variant]
        if self._variant == "cu48" or len(start) < usual or start[2] != UNLOCK_TIME:
            return usual
        reads = start[3] == ETX and self.whole(start[:usual])
        return usual if reads else FRAME_WITH_TIME

    def whole(self, frame: bytes) -> bool:
        shortest = FRAME[self._variant]
        return (
            len(frame) >= shortest
            and (frame[0], frame[-2]) == (STX, ETX)
            and summed(frame[:-1]) == frame
        )

    def sealed(self, octets: bytes) -> bytes:
        return summed(octets)

    def opened(self, frame: bytes) -> bytes:
        return frame[:-1]

    def heard(self, frame: bytes) -> list[tuple[float, bytes]]:
        if self._variant == "cu48":
            return self._heard_48(frame)
        address, lock = frame[1] >> 4, frame[1] & 0x0F
        command, content = frame[2], frame[3:-2]
        to_all = command == STATE_OF_ALL and frame[1] == EVERY_BOARD
        said: list[tuple[float, bytes]] = []
        for board in self._boards:
            if not (to_all or board.address == address) or not self.listens(board):
                continue
            answer = self._said(board, command, lock, content)
            if answer:
                head = bytes([STX, board.address << 4])
                whole = summed(head + answer + bytes([ETX]))
                said += [(IN_TURN_S, whole)] if said else self.with_twin(board.address, whole)
        return said

    def _said(self, board: KerongBoard, command: int, lock: int, content: bytes) -> bytes:
        if command != OPEN:
            board.stuck_busy = False
        match command, len(content):
            case 0x30, 0:
                return bytes([STATE_IS]) + board.state()
            case 0x31, 0:
                self._opens(board, lock)
                return bytes([STATE_IS]) + board.state() if board.tells_after_open else b""
            case 0x32, 0:
                return bytes([STATE_OF_ALL_IS]) + board.state()
            case 0x33, 0:
                board.open_all()
            case 0x37, 0:
                return bytes([UNLOCK_TIME_IS]) + board.unlock_time.to_bytes(2, "big")
            case 0x37, 2:
                board.unlock_time = int.from_bytes(content, "big")
                return bytes([UNLOCK_TIME_IS]) + content
        return b""

    def _opens(self, board: KerongBoard, lock: int) -> None:
        """A board that is stuck busy ignores opens until it hears anything else."""
        if board.stuck_busy:
            self.faults.strikes("busy_after_open", board.address)
            return
        board.open(lock)
        board.stuck_busy = board.address in self.faults.trouble.busy_after_open

    def _heard_48(self, frame: bytes) -> list[tuple[float, bytes]]:
        _, address, lock, command = frame[:4]
        for board in self._boards:
            if board.address != address or not self.listens(board):
                continue
            if command == OPEN_48 and lock != EVERY_LOCK:
                self._opens(board, lock)
            elif command == OPEN_48:
                board.open_all()
            else:
                board.stuck_busy = False
            if command == STATE_48 or (command == OPEN_48 and board.tells_after_open):
                head = bytes([STX, address, 0x00 if lock == EVERY_LOCK else lock, STATE_48_IS])
                return self.with_twin(address, summed(head + board.state() + bytes([ETX])))
        return []
