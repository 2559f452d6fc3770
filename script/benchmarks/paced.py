"""Eight-byte questions answered at a line's own pace, by a process of its own behind a pty.

The boards answer at once, at 3.5 characters of silence, each byte taking its ten bits' time. They
measure the silences themselves, pulse locks, and let a door open and shut after a pulse.
"""

import contextlib
import os
import pty
import select
import time
import tty
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from random import Random
from typing import Final, Self

from firmware_bridge.open import silence_s
from script.benchmarks.far_end import (
    ANSWER_BYTES,
    BITS_PER_CHAR,
    FLASH_ON,
    READ_HOLDING,
    READ_INPUTS,
    REQUEST_BYTES,
    SPUN_S,
    WRITE_COIL,
    go_first,
    sealed,
    wait_until,
)

UNITS: Final = range(1, 9)
INPUTS: Final = 32
OPENS_AFTER_S: Final = (0.02, 0.4)  # a person pulls
OPEN_S: Final = 0.12


def exchange_s(baud: int, answer_bytes: int = ANSWER_BYTES) -> float:
    """Question, silence, answer."""
    return (REQUEST_BYTES + answer_bytes) * BITS_PER_CHAR / baud + silence_s(baud)


def poll_s(baud: int, answer_bytes: int = ANSWER_BYTES) -> float:
    """The shortest time between two questions for 32 inputs."""
    return exchange_s(baud, answer_bytes) + silence_s(baud)


@dataclass(frozen=True, slots=True)
class Pulse:
    """First byte of its frame on the wire; when the door behind it opens and shuts."""

    at: float
    unit: int
    channel: int
    opens_at: float
    shuts_at: float


@dataclass(slots=True)
class Heard:
    """What the boards have to report."""

    answered: int = 0
    ignored: int = 0  # came before a board listens again
    garbled: int = 0
    silences: list[float] = field(default_factory=list)
    pulses: list[Pulse] = field(default_factory=list)
    sampled: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


class PacedBoards:
    """A context runs them; `heard` is there after it. Strict ones ignore what comes too soon."""

    def __init__(self, baud: int, *, strict: bool = False, seed: int = 1) -> None:
        self.heard = Heard()
        self.silence_s = silence_s(baud)
        self._char_s = BITS_PER_CHAR / baud
        self._strict = strict
        self._random = Random(seed)  # noqa: S311 - chance for a trial, no secret

    def __enter__(self) -> Self:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        context = get_context("fork")
        self._ours, self._theirs = context.Pipe()
        self._process = context.Process(target=self._run, daemon=True)
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send("over")
        self.heard = self._ours.recv()
        self._process.join()
        for fd in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(fd)

    @property
    def broken(self) -> int:
        """Silences that were shorter than boards must have them."""
        return sum(silence < self.silence_s for silence in self.heard.silences)

    def _run(self) -> None:
        go_first()
        ended_at = 0.0
        over = self._theirs.fileno()
        while True:
            ready, _, _ = select.select([self._master, over], [], [])
            if over in ready:
                break
            began_at = time.monotonic()  # a pty hands over at once what a wire takes its time for
            request = os.read(self._master, REQUEST_BYTES)
            while len(request) < REQUEST_BYTES:  # a busy system may hand it over in two pieces
                request += os.read(self._master, REQUEST_BYTES - len(request))
            heard_at = began_at + REQUEST_BYTES * self._char_s
            answer = self._answer(request, began_at, ended_at, heard_at)
            ended_at = self._say(answer, heard_at) if answer else heard_at
        self._theirs.send(self.heard)

    def _answer(self, request: bytes, began_at: float, ended_at: float, heard_at: float) -> bytes:
        silence_s = began_at - ended_at
        if ended_at:
            self.heard.silences.append(silence_s)
        if self._strict and silence_s < self.silence_s:
            self.heard.ignored += 1
            return b""
        if sealed(request[:-2]) != request:
            self.heard.garbled += 1
            return b""
        self.heard.answered += 1
        unit, function, page, channel = request[:4]
        if function == WRITE_COIL:
            if page == FLASH_ON:
                self._pulse(unit, channel, began_at, heard_at)
            return request
        if function == READ_HOLDING:
            return sealed(bytes([unit, function, 2, 0, unit]))
        assert function == READ_INPUTS, request.hex(" ")
        count = request[5]
        if count == INPUTS:
            self.heard.sampled[unit].append(heard_at)
        bits = self._inputs(unit, heard_at) >> channel & (1 << count) - 1
        return sealed(bytes([unit, function, count // 8]) + bits.to_bytes(count // 8, "little"))

    def _pulse(self, unit: int, channel: int, began_at: float, heard_at: float) -> None:
        opens_at = heard_at + self._random.uniform(*OPENS_AFTER_S)
        self.heard.pulses.append(Pulse(began_at, unit, channel, opens_at, opens_at + OPEN_S))

    def _inputs(self, unit: int, at: float) -> int:
        """A bit for each door that is shut."""
        bits = (1 << INPUTS) - 1
        for pulse in self.heard.pulses[-INPUTS:]:
            if pulse.unit == unit and pulse.opens_at <= at < pulse.shuts_at:
                bits &= ~(1 << pulse.channel)
        return bits

    def _say(self, answer: Sequence[int], heard_at: float) -> float:
        ended_at = heard_at
        answered_at = heard_at + self.silence_s
        for number, byte in enumerate(answer, start=1):
            wait_until(answered_at + number * self._char_s, SPUN_S)
            ended_at = time.monotonic()
            os.write(self._master, bytes([byte]))
        return ended_at
