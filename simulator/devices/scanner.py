"""A code scanner in continuous mode: while a code is held before it, it sends it every 500 ms."""

from typing import Final

REPEAT_S: Final = 0.5
HELD_S: Final = 0.6
HELD_MAX_S: Final = 10.0
SUFFIX: Final = b"\r"
BITS_PER_CHARACTER: Final = 10


class Scanner:
    def __init__(self, name: str, baud: int, burst: int = 16) -> None:
        self.name = name
        self._character_s = BITS_PER_CHARACTER / baud
        self._burst = burst

    def hold(self, text: str, held_s: float = HELD_S) -> list[tuple[float, bytes]]:
        """What comes out, and after how long each piece is readable; an empty text is nothing."""
        sent: list[tuple[float, bytes]] = []
        if not text:
            return sent
        line = text.encode() + SUFFIX
        begins = 0.0
        while begins < held_s:
            for start in range(0, len(line), self._burst):
                piece = line[start : start + self._burst]
                readable = begins + (start + len(piece)) * self._character_s
                sent.append((readable, piece))
            begins = max(begins + REPEAT_S, begins + len(line) * self._character_s)
        return sent
