"""Modbus lines as pure things: a request in, the pieces of the answer out, each with its moment.

The pty, the TCP port and a test on a loop whose time jumps all put bytes through these.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from simulator import modbus
from simulator.faults import SPLIT_GAP_S, Faults
from simulator.line import Line, Pieces, overlaid
from simulator.plan import LinePlan
from simulator.timeline import Timeline

TCP_TURNAROUND_S: Final = (0.001, 0.005)
TCP_PATIENCE_S: Final = 1.0
BROADCAST: Final = 0
USUAL: Final = 9600  # behind a gateway nobody sets a speed
NEVER: Final = float("-inf")
CUT_AFTER_S: Final = 0.025  # of silence, boards that cut by length begin anew

BEHIND_S: Final = 1e-6  # one answer after another on a connection
HEADER: Final = 6  # of a TCP frame: transaction, protocol, length
LENGTHS: Final = range(2, 255)


class Wire(Line):
    """Modbus RTU."""

    longest = modbus.LONGEST_FRAME
    usual_turnaround_s = (0.008, 0.012)  # between t3.5 and a board's answer
    server_patience_s = 0.600

    def __init__(
        self, plan: LinePlan, devices: Sequence[modbus.Device], timeline: Timeline, seed: int
    ) -> None:
        super().__init__(plan, devices, timeline, seed)
        self.devices = devices
        self.by_silence = True

    def request_length(self, start: bytes) -> int | None:
        return modbus.request_length(start)

    def whole(self, frame: bytes) -> bool:
        return modbus.whole(frame)

    def sealed(self, octets: bytes) -> bytes:
        return modbus.sealed(octets)

    def opened(self, frame: bytes) -> bytes:
        return frame[:-2]

    def heard(self, frame: bytes) -> list[tuple[float, bytes]]:
        unit, pdu = frame[0], frame[1:-2]
        broadcast = unit == BROADCAST
        said = []
        for device in self.devices:
            own = device.unit  # a board that is given another unit answers under the old one
            if not (broadcast or own == unit) or not self.listens(device):
                continue
            answer = device.answer(pdu, broadcast=broadcast)
            if answer is not None:
                said.append(modbus.sealed(bytes([own]) + answer))
        return self.with_twin(unit, overlaid(said)) if said else []


class TcpWire:
    """One Modbus TCP device or gateway, the boards behind it, and trouble on its connection."""

    def __init__(
        self, name: str, devices: Sequence[modbus.Device], timeline: Timeline, seed: int
    ) -> None:
        self.name = name
        self.devices = devices
        self.faults = Faults(Random(f"{seed}/{name}/faults"), TCP_PATIENCE_S)
        self._dice = Random(f"{seed}/{name}/boards")
        self._timeline = timeline

    def ask(self, frame: bytes, now: float) -> Pieces:
        """The answer to one whole TCP frame that came `now`."""
        self._timeline.advance(now)
        self.faults.counted.requests += 1
        heard = self.faults.upon_request(frame)
        if heard is None:
            return []
        unit, pdu = heard[HEADER], heard[HEADER + 1 :]
        said = None if self.faults.is_silent(unit) else self._said(unit, pdu)
        if said is None:
            said = self._told_by_gateway(unit, pdu[0])
        if said is None:
            return []
        self.faults.counted.replies += 1
        length = (len(said) + 1).to_bytes(2, "big")
        answer = self.faults.upon_reply(heard[:4] + length + heard[HEADER : HEADER + 1] + said)
        return self._sent(answer) if answer else []

    def burst(self) -> None:
        """Noise of a board that starts does not come through a gateway."""

    def mutter(self, octets: bytes) -> None:
        """Nor does what is no answer."""

    def _said(self, unit: int, pdu: bytes) -> bytes | None:
        said = None
        for device in self.devices:
            if unit in {BROADCAST, device.unit} and device.hears(USUAL, USUAL):
                said = device.answer(pdu, broadcast=unit == BROADCAST) or said
        return said

    def _told_by_gateway(self, unit: int, function: int) -> bytes | None:
        """Some gateways say that a target is silent, or that there is no way to it."""
        if unit == BROADCAST or not self.faults.strikes("gateway"):
            return None
        there = any(device.unit == unit for device in self.devices)
        return modbus.refused(function, modbus.TARGET_SILENT if there else modbus.NO_PATH)

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


class Stream:
    """One TCP connection: an answer that comes in pieces is never cut by another one."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, float]] = []  # when answers begin and end

    def placed(self, pieces: Pieces, start: float) -> Pieces:
        """The pieces as they are sent: later, where another answer is under way."""
        if not pieces:
            return []
        begins, ends = start + pieces[0][0], start + pieces[-1][0]
        later = 0.0
        self._taken = sorted(each for each in self._taken if each[1] >= start)
        for other_begins, other_ends in self._taken:
            if begins + later <= other_ends and ends + later + BEHIND_S > other_begins:
                later = other_ends - begins + BEHIND_S
        self._taken.append((begins + later, ends + later))
        return [(after + later, piece) for after, piece in pieces]


class Ear:
    """Cuts what a master sends into frames, as a board's UART does: by silence.

    A pty hands over at once what a real line would need time for; the ear counts the characters.
    """

    def __init__(self, wire: Line) -> None:
        self._wire = wire
        self._by_silence = wire.by_silence and wire.plan.strict
        self._held = bytearray()
        self._ends = NEVER  # when the last character held will have arrived
        self._too_soon = False
        self._gapped = False
        self.quiet_from = NEVER  # when the last frame on the line, of either side, ended

    def hear(self, chunk: bytes, now: float) -> float:
        """When the frame will be complete if nothing more comes."""
        begins = max(now, self._ends)
        if not self._by_silence and begins - self._ends > CUT_AFTER_S:
            self._held.clear()
        if not self._held:
            quiet = begins - self.quiet_from
            self._too_soon = self._by_silence and quiet < self._wire.silence_s
            self._gapped = False
        elif self._by_silence and begins - self._ends > self._wire.gap_s:
            self._gapped = True
        self._held += chunk
        del self._held[self._wire.longest + 1 :]  # longer is broken anyway
        self._ends = begins + len(chunk) * self._wire.character_s
        return self._ends + self._wire.silence_s

    def cut(self, now: float) -> tuple[list[bytes], float]:
        """What boards take for frames and when the last character ended; [] while it goes on."""
        if not self._held or now < self._ends + self._wire.silence_s:
            return [], self._ends
        self.quiet_from = max(self.quiet_from, self._ends)
        if not self._by_silence:
            return self.by_length(), self._ends
        frame = bytes(self._held)
        self._held.clear()
        if self._too_soon or self._gapped:
            counted = self._wire.faults.counted
            counted.requests += 1
            counted.too_soon += self._too_soon
            counted.gapped += self._gapped
            return [], self._ends
        return [frame], self._ends

    def by_length(self) -> list[bytes]:
        """Whole requests, on a line that carries no silences; what fits no request is dropped."""
        frames = []
        while self._held:
            length = self._wire.request_length(bytes(self._held))
            if length is None or self._wire.longest >= length > len(self._held):
                break
            if length <= self._wire.longest and self._wire.whole(bytes(self._held[:length])):
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
