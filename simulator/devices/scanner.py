"""A code scanner in continuous mode: while a code is held before it, it sends it every 500 ms.

It is of the GM65 class: what it is told in set-up frames, it keeps.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

REPEAT_S: Final = 0.5
HELD_S: Final = 0.6
HELD_MAX_S: Final = 10.0
SUFFIXES: Final = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "none": b""}
BITS_PER_CHARACTER: Final = 10

ASKED: Final = b"\x7e\x00"
READ_ZONE, WRITE_ZONE, SAVE, HEARTBEAT = 0x07, 0x08, 0x09, 0x0A
UNCHECKED: Final = b"\xab\xcd"  # in place of a checksum
HEAD: Final = 6  # 7E 00, type, count, address
ZONES: Final = 0x100
FACTORY: Final = {0x00: 0xD6, 0x0A: 0x3E, 0x2A: 0x39, 0x2B: 0x01, 0xE2: 0x69}

REPEATS_FAST_S: Final = 0.08  # with the same-code delay off
NOISE: Final = (b"\x00", b"\xff", b"?", b"NG", bytes.fromhex("02 00 00 01 00 33 31"))

Pieces = list[tuple[float, bytes]]


def crc_ccitt(octets: bytes) -> bytes:
    """Polynomial 0x1021, start 0, high bit first; high byte first."""
    value = 0
    for octet in octets:
        value ^= octet << 8
        for _ in range(8):
            value = (value << 1) ^ 0x1021 if value & 0x8000 else value << 1
        value &= 0xFFFF
    return value.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class ScannerTrouble:
    repeat: bool = False  # goes on fast for as long as a scanner may, whatever is held
    half: bool = False  # half a code, as after power-up
    noise: bool = False  # at plug-in, between codes, and a word when a read fails


class Scanner:
    def __init__(
        self, name: str, baud: int, burst: int = 16, *, suffix: str = "cr", seed: int = 0
    ) -> None:
        self.name = name
        self.trouble = ScannerTrouble()
        self.outlet: Callable[[Pieces], None] = lambda _: None
        self.unplug: Callable[[float], None] = lambda _: None  # for so many seconds
        self.counted = {"scanner_repeat": 0, "scanner_half": 0, "scanner_noise": 0}
        self._suffix = SUFFIXES[suffix]
        self._character_s = BITS_PER_CHARACTER / baud
        self._burst = burst
        self._zones = dict(FACTORY)
        self._held = bytearray()
        self._dice = Random(f"{seed}/{name}/scanner")

    def hold(self, text: str, held_s: float = HELD_S, second: str = "") -> Pieces:
        """What comes out, and after how long each piece is readable; an empty text is nothing.

        Two codes in view come in turn.
        """
        sent: Pieces = []
        if not text:
            return sent
        begins = 0.0
        until = HELD_MAX_S if self.trouble.repeat else held_s
        lines = self._lines([text, second] if second else [text])
        while begins < until:
            line = next(lines)
            sent += self._at_pace(line, begins)
            pause_s = REPEATS_FAST_S if self.trouble.repeat else REPEAT_S
            self.counted["scanner_repeat"] += self.trouble.repeat
            begins = max(begins + pause_s, begins + len(line) * self._character_s)
        return sent

    def set_trouble(self, trouble: ScannerTrouble) -> None:
        """A noisy one says something as soon as it is plugged."""
        self.trouble = trouble
        if trouble.noise:
            self.outlet(self._at_pace(self._noise(), 0.0))

    def state(self) -> dict[str, Any]:
        asked = {f"scanner_{name}": value for name, value in asdict(self.trouble).items()}
        return {"faults": asked, "counted": dict(self.counted)}

    def hear(self, chunk: bytes) -> bytes:
        """The answers to set-up frames; what is none is not answered."""
        self._held += chunk
        answers = b""
        while (at := self._held.find(ASKED)) >= 0:
            del self._held[:at]
            if len(self._held) < HEAD:
                return answers
            kind, count = self._held[2], self._held[3]
            content = count if kind != READ_ZONE else 1
            whole = HEAD + content + 2
            if len(self._held) < whole:
                return answers
            frame = bytes(self._held[2:whole])
            if frame[-2:] in {UNCHECKED, crc_ccitt(frame[:-2])}:
                answers += self._set_up(kind, frame[2] << 8 | frame[3], frame[4:-2])
                del self._held[:whole]
            else:
                del self._held[: len(ASKED)]
        del self._held[: max(0, len(self._held) - 1)]
        return answers

    def _set_up(self, kind: int, address: int, content: bytes) -> bytes:
        head, said = b"\x02\x00", b"\x00"
        if kind == READ_ZONE:
            said = bytes(self._zones.get(address + n, 0) for n in range(content[0]))
        elif kind == WRITE_ZONE:
            self._zones |= {(address + n) % ZONES: value for n, value in enumerate(content)}
        elif kind == HEARTBEAT:
            head = b"\x03\x00"
        elif kind != SAVE:
            return b""
        body = b"\x00" + bytes([len(said) & 0xFF]) + said
        return head + body + crc_ccitt(body)

    def _lines(self, texts: list[str]) -> Iterator[bytes]:
        first = True
        while True:
            for text in texts:
                line = text.encode() + self._suffix
                if first and self.trouble.half:
                    self.counted["scanner_half"] += 1
                    line = line[len(line) // 2 :]
                first = False
                yield self._noise() + line if self.trouble.noise else line

    def _noise(self) -> bytes:
        self.counted["scanner_noise"] += 1
        return self._dice.choice(NOISE) + self._suffix

    def _at_pace(self, line: bytes, begins: float) -> Pieces:
        return [
            (
                begins + (start + len(line[start : start + self._burst])) * self._character_s,
                line[start : start + self._burst],
            )
            for start in range(0, len(line), self._burst)
        ]
