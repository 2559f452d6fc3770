"""Code scanners: text lines cut from what comes, one text per presentation."""

import asyncio
from collections.abc import AsyncIterator
from math import inf
from typing import Final

from controller.faults import LineDown
from controller.ports import Clock
from firmware_bridge.lines import LineLost, LineOpener
from firmware_bridge.urls import Place

ENDS: Final = b"\r\n"
PRINTABLE: Final = range(0x20, 0x7F)
CODE_BYTES_MAX: Final = 512  # a pickup code has 38; the densest code a phone shows well has fewer
ENDLESS_S: Final = 1.0  # the longest code takes 0.53 s at 9600 baud
BREAK_S: Final = 0.060  # ends a code where the scanner sends no suffix
REPEAT_MS: Final = 2_000  # scanners send a code again and again while it is held before them

OWN_WORDS: Final = frozenset({"NG", "?"})  # what scanners say of a read that failed


class CodeCutter:
    """Bytes with their times in, whole codes out; holds 512 bytes at most."""

    def __init__(self, *, suffix: str = "cr") -> None:
        self._by_silence = suffix == "none"
        self._held = bytearray()
        self._spoilt = False  # this line holds a byte that no code has, or is too long
        self._began_at = 0.0
        self._heard_at = 0.0
        self.dropped = 0

    @property
    def due_at(self) -> float | None:
        """When `pause` has something to do unless more comes first."""
        if not self._held and not self._spoilt:
            return None
        return self._heard_at + BREAK_S if self._by_silence else self._began_at + ENDLESS_S

    def feed(self, chunk: bytes, at: float) -> list[str]:
        codes = self.pause(at)
        for byte in chunk:
            if byte in ENDS:
                codes += self._end()
                continue
            if not self._held and not self._spoilt:
                self._began_at = at
            if byte not in PRINTABLE or len(self._held) >= CODE_BYTES_MAX:
                self._spoilt = True
                self._held.clear()
            if not self._spoilt:
                self._held.append(byte)
        self._heard_at = at
        return codes

    def pause(self, at: float) -> list[str]:
        """Nothing came until now: end a code by silence, or drop one that was never ended."""
        if self.due_at is None or at < self.due_at:
            return []
        if self._by_silence:
            return self._end()
        self.dropped += 1
        self._held.clear()
        self._spoilt = False
        return []

    def _end(self) -> list[str]:
        code = [] if self._spoilt or not self._held else [self._held.decode("ascii")]
        self.dropped += self._spoilt
        self._held.clear()
        self._spoilt = False
        return code


class Presentations:
    """One presentation of a code is one code, however often the scanner repeats it."""

    def __init__(self, repeat_s: float) -> None:
        self._repeat_s = repeat_s
        self._last = ""
        self._seen_at = 0.0

    def is_new(self, code: str, at: float) -> bool:
        """Another code ends a presentation at once; a word of the scanner's own is no code."""
        if code in OWN_WORDS:
            return False
        new = code != self._last or at - self._seen_at >= self._repeat_s
        self._last, self._seen_at = code, at
        return new


class SerialScanner:
    """Fits CodeReader. Only listens; asking for codes again opens again what went away."""

    def __init__(
        self,
        name: str,
        place: Place,
        clock: Clock,
        opener: LineOpener,
        *,
        suffix: str = "cr",
        repeat_ms: int = REPEAT_MS,
    ) -> None:
        self.name = name
        self._place = place
        self._clock = clock
        self._opener = opener
        self._suffix = suffix
        self._presentations = Presentations(repeat_ms / 1000)

    async def codes(self) -> AsyncIterator[str]:
        try:
            line = await self._opener(self._place, self._clock)
        except LineLost as lost:
            raise LineDown(self.name, str(lost)) from lost
        cutter = CodeCutter(suffix=self._suffix)
        try:
            while True:
                until = inf
                if (due_at := cutter.due_at) is not None:
                    wait_s = max(0.0, due_at - self._clock.monotonic())
                    until = asyncio.get_running_loop().time() + wait_s
                try:
                    chunk = await line.receive(1, until)
                except TimeoutError:
                    chunk = b""
                now = self._clock.monotonic()
                for code in cutter.feed(chunk, now):
                    if self._presentations.is_new(code, now):
                        yield code
        except LineLost as lost:
            raise LineDown(self.name, str(lost)) from lost
        finally:
            line.close()
