"""Lines as pure things: a request in, the pieces of the answer out, each with its moment.

The pty, the TCP port and a test on a loop whose time jumps all put bytes through these.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from simulator import modbus
from simulator.devices.scanner import BITS_PER_CHARACTER
from simulator.faults import SPLIT_GAP_S, Faults
from simulator.plan import LinePlan
from simulator.timeline import Timeline

SILENCE_CHARACTERS: Final = 3.5
# The standard counts 11 bits a character for its silences, and fixes them above 19,200 baud.
SILENCE_BITS: Final = 11
SILENCE_FIXED_S: Final = 0.00175
FASTEST_COUNTED: Final = 19_200
TCP_TURNAROUND_S: Final = (0.001, 0.005)
BROADCAST: Final = 0
LONGEST: Final = modbus.LONGEST_FRAME
NEVER: Final = float("-inf")

HEADER: Final = 6  # of a TCP frame: transaction, protocol, length
LENGTHS: Final = range(2, 255)

Pieces = list[tuple[float, bytes]]


def silence_s(baud: int) -> float:
    """t3.5: a frame ends after so much of nothing."""
    if baud > FASTEST_COUNTED:
        return SILENCE_FIXED_S
    return SILENCE_CHARACTERS * SILENCE_BITS / baud


def overlaid(frames: Sequence[bytes]) -> bytes:
    """Several talk at once: a line pulled low by one is low."""
    longest = max(map(len, frames))
    mixed = [frame.ljust(longest, b"\xff") for frame in frames]
    result = mixed[0]
    for other in mixed[1:]:
        result = bytes(a & b for a, b in zip(result, other, strict=True))
    return result


class Wire:
    """An RS-485 line: its boards, its pace, its trouble and its counters."""

    def __init__(
        self, plan: LinePlan, devices: Sequence[modbus.Device], timeline: Timeline, seed: int
    ) -> None:
        self.plan = plan
        self.devices = devices
        self.character_s = BITS_PER_CHARACTER / plan.baud
        self.silence_s = silence_s(plan.baud)
        self.faults = Faults(Random(f"{seed}/{plan.name}/faults"))
        self._dice = Random(f"{seed}/{plan.name}/boards")
        self._timeline = timeline

    def ask(self, frame: bytes, now: float) -> Pieces:
        """The answer to a request whose last character ended `now`.

        Each piece comes with the seconds from then until its last character is readable.
        """
        self._timeline.advance(now)
        self.faults.counted.requests += 1
        heard = self.faults.upon_request(frame)
        if heard is None or not modbus.whole(heard):
            return []
        said = self._said(heard[0], heard[1:-2])
        if not said:
            return []
        self.faults.counted.replies += 1
        answer = self.faults.upon_reply(overlaid(said))
        return self._sent(answer) if answer else []

    def _said(self, unit: int, pdu: bytes) -> list[bytes]:
        broadcast = unit == BROADCAST
        said = []
        for device in self.devices:
            meant = broadcast or device.unit == unit
            if not meant or not device.hears(self.plan.baud) or self.faults.is_silent(device.unit):
                continue
            own = device.unit  # a board that is given another unit answers under the old one
            answer = device.answer(pdu, broadcast=broadcast)
            if answer is not None:
                said.append(modbus.sealed(bytes([own]) + answer))
        return said

    def _sent(self, answer: bytes) -> Pieces:
        begins = self.silence_s + self._dice.uniform(*self.plan.turnaround_s)
        begins += self.faults.delay_s()
        sent = self._at_pace(answer, begins)
        gap = self.faults.again_after_s()
        if gap is not None:
            sent += self._at_pace(answer, sent[-1][0] + gap)
        return sent

    def _at_pace(self, answer: bytes, begins: float) -> Pieces:
        """Character by character as the line is fast, handed on as a UART's FIFO does."""
        sent = []
        for pause, piece in self.faults.pieces(answer, SPLIT_GAP_S["rtu"]):
            begins += pause
            for start in range(0, len(piece), self.plan.burst):
                part = piece[start : start + self.plan.burst]
                begins += len(part) * self.character_s
                sent.append((begins, part))
        return sent


class TcpWire:
    """One Modbus TCP device and the trouble on its connection."""

    def __init__(self, name: str, device: modbus.Device, timeline: Timeline, seed: int) -> None:
        self.name = name
        self.device = device
        self.faults = Faults(Random(f"{seed}/{name}/faults"))
        self._dice = Random(f"{seed}/{name}/boards")
        self._timeline = timeline

    def ask(self, frame: bytes, now: float) -> Pieces:
        """The answer to one whole TCP frame that came `now`."""
        self._timeline.advance(now)
        self.faults.counted.requests += 1
        heard = self.faults.upon_request(frame)
        if heard is None or self.faults.is_silent(heard[HEADER]):
            return []
        unit, pdu = heard[HEADER], heard[HEADER + 1 :]
        if unit not in {self.device.unit, BROADCAST}:
            return []
        said = self.device.answer(pdu, broadcast=unit == BROADCAST)
        if said is None:
            return []
        self.faults.counted.replies += 1
        length = (len(said) + 1).to_bytes(2, "big")
        answer = self.faults.upon_reply(heard[:4] + length + bytes([unit]) + said)
        return self._sent(answer) if answer else []

    def _sent(self, answer: bytes) -> Pieces:
        at = self._dice.uniform(*TCP_TURNAROUND_S) + self.faults.delay_s()
        sent = []
        copies = [answer]
        again = self.faults.again_after_s()
        if again is not None:
            copies.append(answer)
        for copy in copies:
            for pause, piece in self.faults.pieces(copy, SPLIT_GAP_S["tcp"]):
                at += pause
                sent.append((at, piece))
            at += again or 0.0
        return sent


class Ear:
    """Cuts what a master sends into frames, as a board's UART does: by silence.

    A pty hands over at once what a real line would need time for; the ear counts the characters.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._held = bytearray()
        self._ends = NEVER  # when the last character held will have arrived
        self._too_soon = False
        self.quiet_from = NEVER  # when the last frame on the line, of either side, ended

    def hear(self, chunk: bytes, now: float) -> float:
        """When the frame will be complete if nothing more comes."""
        begins = max(now, self._ends)
        if not self._held:
            quiet = begins - self.quiet_from
            self._too_soon = self._wire.plan.strict and quiet < self._wire.silence_s
        self._held += chunk
        del self._held[LONGEST + 1 :]  # longer is broken anyway
        self._ends = begins + len(chunk) * self._wire.character_s
        return self._ends + self._wire.silence_s

    def cut(self, now: float) -> tuple[list[bytes], float]:
        """What boards take for frames and when the last character ended; [] while it goes on."""
        if not self._held or now < self._ends + self._wire.silence_s:
            return [], self._ends
        self.quiet_from = max(self.quiet_from, self._ends)
        if not self._wire.plan.strict:
            return self.by_length(), self._ends
        frame = bytes(self._held)
        self._held.clear()
        if self._too_soon:
            self._wire.faults.counted.requests += 1
            self._wire.faults.counted.too_soon += 1
            return [], self._ends
        return [frame], self._ends

    def by_length(self) -> list[bytes]:
        """Whole requests, on a line that carries no silences; what fits no request is dropped."""
        frames = []
        while self._held:
            length = modbus.request_length(bytes(self._held))
            if length is None or LONGEST >= length > len(self._held):
                break
            if length <= LONGEST and modbus.whole(bytes(self._held[:length])):
                frames.append(bytes(self._held[:length]))
                del self._held[:length]
            else:
                del self._held[0]
        return frames


class Frames:
    """Cuts a TCP stream into Modbus frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> list[bytes] | None:
        """Whole frames so far; None when the stream is no Modbus and must be closed."""
        self._held += chunk
        frames = []
        while len(self._held) >= HEADER:
            length = modbus.word(self._held, 4)
            if modbus.word(self._held, 2) or length not in LENGTHS:
                return None
            if len(self._held) < HEADER + length:
                break
            frames.append(bytes(self._held[: HEADER + length]))
            del self._held[: HEADER + length]
        return frames
