"""Lock boards as their makers' texts tell them, for tests; they share no code with the drivers."""

from dataclasses import dataclass, field
from functools import reduce
from operator import xor

from tests.firmware_bridge.cabinet_by_the_book import Cabinet, crc


def xored(*body: int) -> bytes:
    return bytes([*body, reduce(xor, body)])


def summed(*body: int) -> bytes:
    return bytes([*body, sum(body) & 0xFF])


def packed(bits: list[bool]) -> list[int]:
    return [
        sum(bit << n for n, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8)
    ]


@dataclass
class Board:
    """Doors 1 to `doors`, all shut; a door on a spring opens by its pulse."""

    doors: int = 24
    springs: bool = False
    open_doors: set[int] = field(default_factory=set)
    items: set[int] = field(default_factory=set)
    pulses: list[int] = field(default_factory=list)
    dead: bool = False
    reversed: bool = False  # closed switches read 0

    def __call__(self, frame: bytes) -> list[tuple[float, bytes]]:
        return [] if self.dead else self.answers(frame)

    def answers(self, frame: bytes) -> list[tuple[float, bytes]]:
        raise NotImplementedError

    def pulse(self, door: int) -> None:
        self.pulses.append(door)
        if self.springs:
            self.open_doors.add(door)

    def switches(self) -> list[bool]:
        return [(n not in self.open_doors) != self.reversed for n in range(1, self.doors + 1)]

    def sensors(self) -> list[bool]:
        return [n in self.items for n in range(1, self.doors + 1)]

    def restart(self) -> None:
        """Power was away for a moment: nothing that was told to the board is left."""


@dataclass
class RelayCabinet(Board):
    """Relays on unit 1, doors on unit 2, items on unit 3."""

    doors: int = 32

    def __post_init__(self) -> None:
        self.inner = Cabinet(
            doors=self.doors, open_doors=self.open_doors, items=self.items, pulses=self.pulses
        )

    def answers(self, frame):
        before = len(self.pulses)
        answers = self.inner(frame)
        if self.springs:
            self.open_doors.update(self.pulses[before:])
        return answers


@dataclass
class RegisterBoard(Board):
    """Everything on unit 1, in registers."""

    def answers(self, frame):
        if len(frame) != 8 or crc(frame[:-2]) != frame or frame[0] != 1:
            return []
        function, at, value = frame[1], frame[2] << 8 | frame[3], frame[4] << 8 | frame[5]
        if function == 6 and at == 0x0010:
            if not 1 <= value <= self.doors:
                return [(0.008, crc(b"\x01\x86\x03"))]
            self.pulse(value)
            return [(0.008, frame)]
        if function != 3:
            return [(0.008, crc(bytes([1, function | 0x80, 1])))]
        registers = {0x0100: 0x2418}
        for first, bits in ((0, self.switches()), (2, self.sensors())):
            low, high = packed(bits)[:2], packed(bits)[2:]
            registers[first] = low[0] | low[1] << 8
            registers[first + 1] = high[0]
        words = [registers[n] for n in range(at, at + value)]
        told = b"".join(word.to_bytes(2, "big") for word in words)
        return [(0.008, crc(bytes([1, 3, len(told)]) + told))]


@dataclass
class Kerong16(Board):
    """Board 0. Most of them say nothing to an order."""

    doors: int = 16
    answers_orders: bool = False
    pulse_10ms: int = 50

    def answers(self, frame):
        if summed(*frame[:-1]) != frame or frame[0] != 2 or frame[-2] != 3 or frame[1] >> 4:
            return []
        match frame[2]:
            case 0x30:
                return [(0.02, self.state())]
            case 0x31:
                told = self.state()
                self.pulse((frame[1] & 15) + 1)
                return [(0.02, told)] if self.answers_orders else []
            case 0x37:
                if len(frame) == 7:
                    self.pulse_10ms = frame[3] << 8 | frame[4]
                time = divmod(self.pulse_10ms, 256)
                return [(0.02, summed(2, 0, 0x38, *time, 3))]
        return []

    def state(self) -> bytes:
        return summed(2, 0, 0x35, *packed(self.switches()), *packed(self.sensors()), 3)


@dataclass
class Kerong48(Board):
    """Board 0."""

    doors: int = 48

    def answers(self, frame):
        if len(frame) != 6 or summed(*frame[:-1]) != frame or frame[:2] != b"\x02\x00":
            return []
        if frame[3] == 0x61:
            self.pulse(frame[2] + 1)
            return []
        bits = packed(self.switches()) + packed(self.sensors())
        return [(0.02, summed(2, 0, frame[2], 0x75, *bits, 3))] if frame[3] == 0x60 else []


@dataclass
class XorBoard(Board):
    """Board 1; answers an order after its pulse, by what the feedback wire says then."""

    def answers(self, frame):
        if len(frame) != 5 or xored(*frame[:-1]) != frame or frame[1] != 1:
            return []
        header, _, lock, what = frame[:4]
        if header == 0x8A and what == 0x11 and 1 <= lock <= self.doors:
            self.pulse(lock)
            return [(0.5, xored(0x8A, 1, lock, 0x11 if self.switches()[lock - 1] else 0))]
        if (header, lock, what) == (0x80, 0, 0x33):
            return [(0.012, xored(0x80, 1, *reversed(packed(self.switches())), 0x33))]
        return []


@dataclass
class OverTcp:
    """A board of RTU frames as a Modbus TCP device."""

    board: Board

    def __call__(self, frame: bytes) -> list[tuple[float, bytes]]:
        head, inner = frame[:4], frame[6:]
        return [
            (delay, head + (len(told) - 2).to_bytes(2, "big") + told[:-2])
            for delay, told in self.board(crc(inner))
        ]
