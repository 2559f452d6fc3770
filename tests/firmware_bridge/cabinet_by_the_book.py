"""A cabinet's boards as their manual tells them, for tests; shares no code with the drivers."""

from dataclasses import dataclass, field
from random import Random

TURNAROUND_S = 0.008


def crc(frame: bytes) -> bytes:
    check = 0xFFFF
    for byte in frame:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ 0xA001 if check & 1 else check >> 1
    return frame + bytes([check & 0xFF, check >> 8])


@dataclass
class Cabinet:
    """Relays on unit 1, door switches on unit 2, item sensors on unit 3; all doors are shut."""

    doors: int = 32
    modes: list[int] = field(default_factory=lambda: [0] * 8)
    pulses: list[int] = field(default_factory=list)  # doors, in the order of their pulses
    switched_off: int = 0
    open_doors: set[int] = field(default_factory=set)
    items: set[int] = field(default_factory=set)
    silent: set[int] = field(default_factory=set)
    heard: list[bytes] = field(default_factory=list)

    def __call__(self, frame: bytes) -> list[tuple[float, bytes]]:
        """What comes back over a good line."""
        answer = self.answer(frame)
        return [] if answer is None else [(TURNAROUND_S, answer)]

    def answer(self, frame: bytes) -> bytes | None:
        if len(frame) < 4 or crc(frame[:-2]) != frame or not 1 <= frame[0] <= 3:
            return None
        self.heard.append(frame)
        return None if frame[0] in self.silent else self._answer(frame)

    def _answer(self, frame: bytes) -> bytes:
        unit, function = frame[0], frame[1]
        address, value = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        asked = range(address + 1, address + value + 1)
        match unit, function:
            case 1, 5:
                answer = self._coil(frame, address, value)
            case (1, 2) | (2, 2):
                shut = [door not in self.open_doors for door in asked]
                answer = self._bits(unit, shut)
            case 3, 2:
                answer = self._bits(unit, [door in self.items for door in asked])
            case _, 3 if address == 0x8000:
                answer = crc(bytes([unit, 3, 2, 0x00, 0xC8]))
            case 1, 3 if address == 0x1000:
                words = b"".join(mode.to_bytes(2, "big") for mode in self.modes[:value])
                answer = crc(bytes([unit, 3, len(words)]) + words)
            case _:
                answer = crc(bytes([unit, function | 0x80, 1]))
        return answer

    def _coil(self, frame: bytes, address: int, value: int) -> bytes:
        if address == 0x00FF:
            self.switched_off += 1
            return frame
        if not 0x0200 <= address < 0x0200 + self.doors:
            return crc(bytes([1, 0x85, 2]))
        if value:
            self.pulses.append(address - 0x0200 + 1)
        return frame

    @staticmethod
    def _bits(unit: int, bits: list[bool]) -> bytes:
        packed = bytearray((len(bits) + 7) // 8)
        for index, bit in enumerate(bits):
            packed[index // 8] |= bit << index % 8
        return crc(bytes([unit, 2, len(packed)]) + packed)


class BadWire:
    """Trouble on a line, the same trouble every time for the same seed."""

    def __init__(
        self,
        far,
        seed: int,
        *,
        reply_s: float = 0.3,
        char_s: float = 0.0,
        lost: float = 0.0,
        late: float = 0.0,
        doubled: float = 0.0,
        cut: float = 0.0,
        garbled: float = 0.0,
    ) -> None:
        self._far = far
        self._dice = Random(seed)
        self._reply_s = reply_s
        self._char_s = char_s
        self._chances = {
            "lost": lost,
            "late": late,
            "doubled": doubled,
            "cut": cut,
            "garbled": garbled,
        }
        self.happened = dict.fromkeys(self._chances, 0)

    def __call__(self, frame: bytes) -> list[tuple[float, bytes]]:
        trouble = self._pick()
        if trouble == "lost" and self._dice.random() < 0.5:
            return []  # the request; else the answer, after the board has done what it says
        answers = self._far(frame)
        return self._spoil(trouble, *answers[0]) if answers and trouble else answers

    def _spoil(self, trouble: str, delay_s: float, answer: bytes) -> list[tuple[float, bytes]]:
        spot = self._dice.randrange(1, len(answer))
        if trouble == "lost":
            return []
        if trouble == "late":
            return [(self._dice.uniform(1, 3) * self._reply_s, answer)]
        if trouble == "doubled":
            again_s = len(answer) * self._char_s + self._dice.uniform(0, 0.02)
            return [(delay_s, answer), (delay_s + again_s, answer)]
        if trouble == "cut":
            return [(delay_s, answer[:spot])]
        flipped = bytes([answer[spot] ^ 1 << self._dice.randrange(8)])
        return [(delay_s, answer[:spot] + flipped + answer[spot + 1 :])]

    def _pick(self) -> str:
        throw = self._dice.random()
        for name, chance in self._chances.items():
            if throw < chance:
                self.happened[name] += 1
                return name
            throw -= chance
        return ""
