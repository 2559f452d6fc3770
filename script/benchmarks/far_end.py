"""The far end of a site's lines, for measuring: two cabinets' boards on one line, and a scanner.

Everything is timed where it is put on the wire or taken from it, on the one clock that all
processes of a machine share. Each byte of an answer takes its ten bits' time.
"""

import contextlib
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final, Self

from firmware_bridge.open import silence_s

BAUD: Final = 19_200
BITS_PER_CHAR: Final = 10  # 8N1
CHAR_S: Final = BITS_PER_CHAR / BAUD
REQUEST_BYTES: Final = 8
ANSWER_BYTES: Final = 9  # to a read of 32 inputs
SILENCE_S: Final = silence_s(BAUD)
EXCHANGE_S: Final = (REQUEST_BYTES + ANSWER_BYTES) * CHAR_S + SILENCE_S
POLL_S: Final = EXCHANGE_S + SILENCE_S  # until the next request may begin
SPUN_S: Final = 0.0003  # the last part of an exact wait is spun: sleeping is not that exact

DOORS: Final = 32  # of one cabinet
READ_INPUTS, READ_HOLDING, WRITE_COIL = 2, 3, 5
FLASH_ON: Final = 0x02  # high byte of the address; the low byte is the channel


def sealed(frame: bytes) -> bytes:
    """The frame with its CRC behind it."""
    check = 0xFFFF
    for byte in frame:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ 0xA001 if check & 1 else check >> 1
    return frame + bytes([check & 0xFF, check >> 8])


def wait_until(moment: float, spun_s: float = 0.0) -> None:
    if (rest_s := moment - time.monotonic() - spun_s) > 0:
        time.sleep(rest_s)
    while time.monotonic() < moment:
        pass


def go_first() -> None:
    """Run ahead of everything measured, where we may: a board has a processor of its own."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # this thread alone


@dataclass
class Cabinet:
    """Relays at `unit`, door switches behind them, item sensors behind those."""

    unit: int
    shut: list[bool] = field(default_factory=lambda: [True] * DOORS)
    full: list[bool] = field(default_factory=lambda: [True] * DOORS)


@dataclass(frozen=True, slots=True)
class Pulse:
    """A lock's pulse: when the first byte of its frame was on the wire."""

    at: float
    unit: int
    door: int


class FarEnd:
    """Answers on a pty of its own, from a thread of its own, until it is closed."""

    def __init__(self, cabinets: Sequence[Cabinet]) -> None:
        self.pulses: SimpleQueue[Pulse] = SimpleQueue()
        self.exchanges: list[tuple[float, float]] = []  # when each began and ended
        self._cabinets = {each.unit: each for each in cabinets}
        self._master, self._slave = pty.openpty()
        self._scanner, self._scanner_slave = pty.openpty()
        self._over, self._end = os.pipe()
        for slave in (self._slave, self._scanner_slave):
            tty.setraw(slave)
        self.line = os.ttyname(self._slave)
        self.scanner = os.ttyname(self._scanner_slave)
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._end, b".")
        self._thread.join()
        ours = (self._master, self._slave, self._scanner, self._scanner_slave)
        for fd in (*ours, self._over, self._end):
            with contextlib.suppress(OSError):
                os.close(fd)

    def scan(self, text: str) -> float:
        """Send what a scanner sends; the moment before its last byte was handed over."""
        os.write(self._scanner, text.encode())
        at = time.monotonic()
        os.write(self._scanner, b"\r")
        return at

    def free_at(self, moment: float) -> float:
        """From when on a master may have begun a request, had it wanted to at `moment`."""
        for began, ended in reversed(self.exchanges):
            if began <= moment:
                return max(moment, ended + SILENCE_S)
        return moment

    def _answer(self) -> None:
        go_first()
        while True:
            ready, _, _ = select.select([self._master, self._over], [], [])
            if self._over in ready:
                return
            began_at = time.monotonic()  # a pty hands over at once what a wire takes its time for
            request = os.read(self._master, REQUEST_BYTES)
            while len(request) < REQUEST_BYTES:
                request += os.read(self._master, REQUEST_BYTES - len(request))
            assert sealed(request[:-2]) == request, request.hex(" ")
            self._note(request, began_at)
            heard_at = began_at + REQUEST_BYTES * CHAR_S
            wait_until(heard_at)
            answer = self._said(request)
            ended_at = heard_at + SILENCE_S + len(answer) * CHAR_S
            self.exchanges.append((began_at, ended_at))
            for number in range(1, len(answer) + 1):
                wait_until(heard_at + SILENCE_S + number * CHAR_S)
                os.write(self._master, answer[number - 1 : number])

    def _note(self, request: bytes, at: float) -> None:
        unit, function, page, channel = request[:4]
        if function == WRITE_COIL and page == FLASH_ON:
            self.pulses.put(Pulse(at, unit, channel + 1))

    def _said(self, request: bytes) -> bytes:
        unit, function = request[:2]
        if function == WRITE_COIL:
            return request
        if function == READ_HOLDING:
            return sealed(bytes([unit, function, 2, 0, unit]))
        assert function == READ_INPUTS, request.hex(" ")
        row = (unit - 1) % 3  # relays, doors, items
        cabinet = self._cabinets[unit - row]
        inputs = cabinet.shut if row == 1 else cabinet.full
        first, count = request[3], request[5]
        asked = inputs[first : first + count]
        bits = sum(bit << number for number, bit in enumerate(asked))
        size = (count + 7) // 8
        return sealed(bytes([unit, function, size]) + bits.to_bytes(size, "little"))
