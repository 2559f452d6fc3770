"""The "8A / 80" lock board: 8 to 50 locks with one feedback wire each, frames closed by an xor.

It answers an open after the pulse, and hears nothing while it pulses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from typing import Any, Final

from simulator.devices.register_board import Lock
from simulator.line import Condition, Line, overlaid
from simulator.plan import LinePlan
from simulator.timeline import Appointment, Timeline

OPENS: Final = 0x8A
READS: Final = 0x80
REPORTS: Final = 0x82
OPEN_IT: Final = 0x11
READ_IT: Final = 0x33
ASK_ADDRESS: Final = 0x99
EVERY_LOCK: Final = 0x00
CONTACT_CLOSED: Final = 0x11
CONTACT_OPEN: Final = 0x00

FRAME: Final = 5
PULSE_S: Final = 0.5
ALL_WITHIN_S: Final = 10.0
STARTING_S: Final = 1.0
GROUPS_LEAST: Final = 3  # bytes of eight locks, also from a board with eight


def closed_by_xor(octets: bytes) -> bytes:
    """With its checksum behind it."""
    return octets + bytes([reduce(xor, octets)])


@dataclass(slots=True)
class XorBoard:
    board: int  # by DIP switch
    timeline: Timeline
    locks: Sequence[Lock | None]
    closed: int = 1  # whether the feedback contact is closed while a door is shut, or while open
    reports: bool = False
    says: Callable[[bytes], None] = lambda _: None
    condition: Condition = field(init=False)
    _told: list[int] = field(default_factory=list)
    _pulsing: Lock | None = None
    _end: Appointment | None = None

    def __post_init__(self) -> None:
        self.condition = Condition(self.timeline, STARTING_S)
        self._told = self._feedback()

    @property
    def unit(self) -> int:
        return self.board

    def hears(self, baud: int, usual: int) -> bool:
        return self.condition.listens() and baud == usual and self._end is None

    def fall(self) -> None:
        """The supply is gone: the pulse ends and is not answered."""
        if self._end:
            self._end.cancel()
        self._drop()
        self._end = None
        self._told = [CONTACT_OPEN] * len(self.locks)

    def kept(self) -> list[Any]:
        """Nothing: what it is set to, switches on it say."""
        return []

    def recall(self, kept: list[Any]) -> None:
        assert not kept

    def feedback(self, lock: int) -> int:
        """Of a lock, counted from 1; one that is not wired has no contact."""
        wired = self.locks[lock - 1]
        if wired and wired.reads_closed() == bool(self.closed):
            return CONTACT_CLOSED
        return CONTACT_OPEN

    def look(self) -> None:
        """Something changed; a board that reports says so, but not during a pulse."""
        if not self.reports or self._end or not self.condition.listens():
            return
        seen = self._feedback()
        before, self._told = self._told, seen
        for lock, (was, now) in enumerate(zip(before, seen, strict=True), 1):
            if was != now:
                self.says(closed_by_xor(bytes([REPORTS, self.board, lock, now])))

    def open(self, lock: int) -> None:
        self._energise(lock)
        self.condition.pulsed(self.unit)
        self._end = self.timeline.after(PULSE_S, lambda: self._opened(lock))

    def open_all(self, lock: int = 1) -> None:
        """One after the other; the answer comes after all."""
        self._drop()
        if lock > len(self.locks):
            self._ends_with(EVERY_LOCK, OPEN_IT)
            return
        self._energise(lock)
        each_s = min(PULSE_S, ALL_WITHIN_S / len(self.locks))
        self._end = self.timeline.after(each_s, lambda: self.open_all(lock + 1))

    def groups(self) -> bytes:
        """The highest eight locks first."""
        count = max(GROUPS_LEAST, -(-len(self.locks) // 8))
        value = sum(1 << n for n, seen in enumerate(self._feedback()) if seen == CONTACT_CLOSED)
        return value.to_bytes(count, "big")

    def _feedback(self) -> list[int]:
        return [self.feedback(lock) for lock in range(1, len(self.locks) + 1)]

    def _energise(self, lock: int) -> None:
        self._pulsing = self.locks[lock - 1]
        if self._pulsing:
            self._pulsing.energise()

    def _drop(self) -> None:
        if self._pulsing:
            self._pulsing.drop()
            self._pulsing = None

    def _opened(self, lock: int) -> None:
        self._drop()
        self._ends_with(lock, self.feedback(lock))

    def _ends_with(self, lock: int, status: int) -> None:
        """The answer to an open; then whatever changed meanwhile."""
        self.says(closed_by_xor(bytes([OPENS, self.board, lock, status])))
        self._end = None
        self.look()


class XorLine(Line):
    longest = FRAME
    usual_turnaround_s = (0.005, 0.020)

    def __init__(
        self, plan: LinePlan, boards: Sequence[XorBoard], timeline: Timeline, seed: int
    ) -> None:
        super().__init__(plan, boards, timeline, seed)
        self._boards = boards
        for board in boards:
            board.says = self.speak

    def request_length(self, start: bytes) -> int | None:
        return FRAME if start[0] in {OPENS, READS} else 1

    def whole(self, frame: bytes) -> bool:
        return len(frame) == FRAME and closed_by_xor(frame[:-1]) == frame

    def sealed(self, octets: bytes) -> bytes:
        return closed_by_xor(octets)

    def opened(self, frame: bytes) -> bytes:
        return frame[:-1]

    def heard(self, frame: bytes) -> list[tuple[float, bytes]]:
        header, number, lock, order, _ = frame
        asks = frame == bytes([READS, 0x01, EVERY_LOCK, ASK_ADDRESS, frame[-1]])
        said: list[tuple[float, bytes]] = []
        for board in self._boards:
            if not (asks or board.board == number) or not self.listens(board):
                continue
            if asks:
                answer = bytes([READS, 0x01, board.board, ASK_ADDRESS])
            else:
                answer = self._said(board, header, lock, order)
            if answer:
                said += self.with_twin(board.board, closed_by_xor(answer))
        together = overlaid([answer for _, answer in said]) if asks and said else b""
        return [(0.0, together)] if together else said

    def _said(self, board: XorBoard, header: int, lock: int, order: int) -> bytes:
        """What is answered at once: an open is answered by the board, after its pulse."""
        known = lock <= len(board.locks)
        match header, order, lock:
            case 0x8A, 0x11, 0:
                board.open_all()
            case 0x8A, 0x11, _ if known:
                board.open(lock)
            case 0x80, 0x33, 0:
                return bytes([READS, board.board]) + board.groups() + bytes([READ_IT])
            case 0x80, 0x33, _ if known:
                return bytes([READS, board.board, lock, board.feedback(lock)])
        return b""
