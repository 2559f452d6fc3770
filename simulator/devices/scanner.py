"""A code scanner. In continuous mode it sends what is held before it again and again.

It is set up by its maker's frames: how it reads, how often, how fast it sends.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import cycle
from random import Random
from typing import Any, Final

from simulator.devices.scanner_setup import COMMAND, MANUAL, Make, SetUp
from simulator.timeline import Timeline

HELD_S: Final = 0.6
HELD_MAX_S: Final = 10.0
SUFFIXES: Final = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "none": b""}
BITS_PER_CHARACTER: Final = 10

REPEATS_FAST_S: Final = 0.08  # with the same-code delay off
NOISE: Final = (b"\x00", b"\xff", b"?", b"NG", bytes.fromhex("02 00 00 01 00 33 31"))
NEVER: Final = float("-inf")

Pieces = list[tuple[float, bytes]]


@dataclass(frozen=True, slots=True)
class ScannerTrouble:
    repeat: bool = False  # goes on fast for as long as a scanner may, whatever is held
    half: bool = False  # half a code, as after power-up
    noise: bool = False  # at plug-in, between codes, and a word when a read fails


class Scanner:
    def __init__(
        self,
        name: str,
        baud: int,
        burst: int = 16,
        *,
        suffix: str = "cr",
        seed: int = 0,
        make: Make = "gm65",
        timeline: Timeline | None = None,
    ) -> None:
        self.name = name
        self.timeline = timeline or Timeline(0.0)
        self.trouble = ScannerTrouble()
        self.outlet: Callable[[Pieces], None] = lambda _: None
        self.pull_plug: Callable[[float], None] = lambda _: None  # for so many seconds
        self.counted = dict.fromkeys(
            ("scanner_repeat", "scanner_half", "scanner_noise", "usb_renumber"), 0
        )
        self.set_up = SetUp(make, self._trigger)
        self._suffix = SUFFIXES[suffix]
        self._usual = (baud, self.set_up.baud)  # as ordered; the speed in its zones when it came
        self._burst = burst
        self._dice = Random(f"{seed}/{name}/scanner")
        self._in_view: tuple[str, float] = ("", NEVER)  # until when
        self._looks_until = NEVER  # after a trigger

    def hold(self, text: str, held_s: float = HELD_S, second: str = "") -> Pieces:
        """What comes out, and after how long each piece is readable; an empty text is nothing.

        Two codes in view come in turn.
        """
        now = self.timeline.now
        self._in_view = (text, now + held_s)
        if not text or not self.set_up.is_serial:
            return []
        if self.set_up.mode in {MANUAL, COMMAND}:
            return self._once(text) if now <= self._looks_until else []
        return self._over_and_over([text, second] if second else [text], held_s)

    def set_trouble(self, trouble: ScannerTrouble) -> None:
        """A noisy one says something as soon as it is plugged."""
        self.trouble = trouble
        if trouble.noise:
            self.outlet(self._at_pace(self._noise(), 0.0))

    def unplug(self, seconds: float) -> None:
        self.counted["usb_renumber"] += 1
        self.pull_plug(seconds)

    def restart(self) -> None:
        """Its power was off and is on again: it is set as was saved."""
        self.set_up.restart()
        self._in_view, self._looks_until = ("", NEVER), NEVER

    def state(self) -> dict[str, Any]:
        asked = {f"scanner_{name}": value for name, value in asdict(self.trouble).items()}
        return {"faults": asked, "counted": dict(self.counted)}

    def kept(self) -> dict[str, Any]:
        """What outlives the simulator."""
        return self.state() | {"saved": self.set_up.kept()}

    def recall(self, memory: dict[str, Any]) -> None:
        known = {name.removeprefix("scanner_"): on for name, on in memory["faults"].items()}
        self.trouble = ScannerTrouble(**known)
        self.counted |= memory["counted"]
        self.set_up.recall(memory["saved"])

    def hear(self, chunk: bytes) -> bytes:
        """The answers to set-up frames; what is none is not answered."""
        return self.set_up.hear(chunk)

    def _trigger(self) -> None:
        """Once: what is in view now, or will be while it looks."""
        text, until = self._in_view
        now = self.timeline.now
        if text and now <= until and self.set_up.is_serial:
            self.outlet(self._once(text))
        else:
            self._looks_until = now + self.set_up.read_s

    def _once(self, text: str) -> Pieces:
        self._looks_until = NEVER
        return self._at_pace(self._line(text, first=True), 0.0)

    def _over_and_over(self, texts: list[str], held_s: float) -> Pieces:
        sent: Pieces = []
        begins = 0.0
        until = HELD_MAX_S if self.trouble.repeat else held_s
        pause_s = REPEATS_FAST_S if self.trouble.repeat else self.set_up.gap_s
        again_s = 0.0 if self.trouble.repeat else self.set_up.same_code_s
        free_from = dict.fromkeys(texts, 0.0)
        for text in cycle(texts):
            if begins >= until:
                break
            ends = begins
            if begins >= free_from[text]:
                line = self._line(text, first=not sent)
                sent += self._at_pace(line, begins)
                ends += len(line) * self._character_s()
                self.counted["scanner_repeat"] += self.trouble.repeat
                free_from[text] = begins + again_s
            begins = max(begins + pause_s, ends)
        return sent

    def _line(self, text: str, *, first: bool) -> bytes:
        line = text.encode() + self._suffix
        if first and self.trouble.half:
            self.counted["scanner_half"] += 1
            line = line[len(line) // 2 :]
        return self._noise() + line if self.trouble.noise else line

    def _noise(self) -> bytes:
        self.counted["scanner_noise"] += 1
        return self._dice.choice(NOISE) + self._suffix

    def _character_s(self) -> float:
        """As the port was opened, until a frame sets another speed."""
        baud, as_it_came = self._usual
        now = self.set_up.baud
        return BITS_PER_CHARACTER / (baud if now == as_it_came else now)

    def _at_pace(self, line: bytes, begins: float) -> Pieces:
        character_s = self._character_s()
        return [
            (
                begins + (start + len(line[start : start + self._burst])) * character_s,
                line[start : start + self._burst],
            )
            for start in range(0, len(line), self._burst)
        ]
