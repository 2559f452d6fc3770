"""Trouble on one line, the same trouble every time for the same seed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from math import sqrt
from random import Random
from typing import Any, Final

USUAL_PATIENCE_S: Final = 0.300
LATE: Final = (1.05, 3.0)  # times the usual patience of a master
DOUBLED_GAP_S: Final = 0.020
SPLIT_GAP_S: Final = {"serial": 0.020, "tcp": 0.200}
NOISE_BYTES: Final = (1, 30)  # when a board gets power or is plugged
NOISE_AFTER_S: Final = (0.001, 0.050)
IDLE_NOISE: Final = (b"\xff", b"\x00", b"\xff\xff", b"\x00\xff")  # of a line without bias


@dataclass(frozen=True, slots=True)
class Trouble:
    """Shares of frames from 0 to 1, units that fare badly, and what is so or not."""

    lost: float = 0.0
    garbled: float = 0.0
    late: float = 0.0
    doubled: float = 0.0
    split: float = 0.0
    garbage: float = 0.0
    reboot: float = 0.0  # of pulses: the supply dips and the board starts again
    silent: tuple[int, ...] = ()
    silent_after: int = 0  # requests that a silent board still hears
    collision: tuple[int, ...] = ()
    wrong_speed: tuple[int, ...] = ()
    wrong_parity: tuple[int, ...] = ()
    slow_after_pulse: tuple[int, ...] = ()
    busy_after_open: tuple[int, ...] = ()
    linkage: tuple[int, ...] = ()
    talks: tuple[int, ...] = ()  # air sensors that report in plain text, unasked
    reads_zero: tuple[int, ...] = ()  # air sensors that are broken
    holds: tuple[int, ...] = ()  # the same, at what they read last
    echo: bool = False
    swapped: bool = False
    gateway: bool = False  # tells of a unit that is silent, or not there, in its stead
    tcp_half_open: bool = False
    tcp_stale: bool = False
    one_client: bool = False


@dataclass(slots=True)
class Counters:
    """What really went over the line."""

    requests: int = 0
    replies: int = 0
    lost: int = 0
    garbled: int = 0
    late: int = 0
    doubled: int = 0
    split: int = 0
    garbage: int = 0
    reboot: int = 0
    silent: int = 0
    collision: int = 0
    wrong_speed: int = 0
    wrong_parity: int = 0
    slow_after_pulse: int = 0
    busy_after_open: int = 0
    linkage: int = 0  # how often an input drove a relay
    talks: int = 0
    reads_zero: int = 0
    holds: int = 0
    echo: int = 0
    swapped: int = 0
    gateway: int = 0
    tcp_half_open: int = 0
    tcp_stale: int = 0
    one_client: int = 0
    usb_renumber: int = 0
    too_soon: int = 0  # requests that began before the line had been quiet for t3.5
    gapped: int = 0  # requests with a pause of more than t1.5 inside


@dataclass(slots=True)
class Faults:
    """A frame is lost or garbled or neither; half of each there, half on the way back."""

    dice: Random
    patience_s: float = USUAL_PATIENCE_S
    trouble: Trouble = field(default_factory=Trouble)
    counted: Counters = field(default_factory=Counters)
    told: list[Callable[[], None]] = field(default_factory=list)  # when the trouble is another
    _heard: Counter[int] = field(default_factory=Counter)  # by units before they fell silent

    def set(self, trouble: Trouble) -> None:
        self.trouble = trouble
        self._heard.clear()
        for tell in self.told:
            tell()

    def upon_request(self, frame: bytes) -> bytes | None:
        trouble = self.trouble
        return self._harm(frame) if trouble.lost or trouble.garbled else frame

    def upon_reply(self, frame: bytes) -> bytes | None:
        return self.upon_request(frame)

    def strikes(self, name: str, unit: int | None = None) -> bool:
        """Whether this trouble comes now, to this unit if it is one of units; it is counted."""
        if not (asked := getattr(self.trouble, name)):
            return False
        if isinstance(asked, tuple):
            struck = unit in asked
        else:
            struck = asked if isinstance(asked, bool) else self._chance(asked)
        if struck:
            self.count(name)
        return struck

    def count(self, name: str) -> None:
        """It happened once more."""
        setattr(self.counted, name, getattr(self.counted, name) + 1)

    def is_silent(self, unit: int) -> bool:
        """From the start, or after so many requests."""
        if unit in self.trouble.silent and self._heard[unit] < self.trouble.silent_after:
            self._heard[unit] += 1
            return False
        return self.strikes("silent", unit)

    def delay_s(self) -> float:
        return self.dice.uniform(*LATE) * self.patience_s if self.strikes("late") else 0.0

    def again_after_s(self) -> float | None:
        return self.dice.uniform(0.0, DOUBLED_GAP_S) if self.strikes("doubled") else None

    def noise(self) -> bytes:
        """What a line carries while a board gets its power."""
        return self.dice.randbytes(self.dice.randint(*NOISE_BYTES))

    def idle_noise(self) -> tuple[float, bytes] | None:
        """What an idle line picks up, and how long after the last frame."""
        if not self.strikes("garbage"):
            return None
        return self.dice.uniform(*NOISE_AFTER_S), self.dice.choice(IDLE_NOISE)

    def pieces(self, frame: bytes, gap_s: float) -> list[tuple[float, bytes]]:
        """The frame in one piece, or in two or three with pauses before them."""
        if not frame[1:] or not self.strikes("split"):
            return [(0.0, frame)]
        places = range(1, len(frame))
        cuts = sorted(self.dice.sample(places, min(len(places), self.dice.randint(1, 2))))
        edges = [0, *cuts, len(frame)]
        return [
            (self.dice.uniform(0.0, gap_s) if start else 0.0, frame[start:end])
            for start, end in pairwise(edges)
        ]

    def recall(self, asked: dict[str, Any], counted: dict[str, int]) -> None:
        """As it stood when the simulator ended; what is no longer known is forgotten."""
        known = {name: value for name, value in asked.items() if hasattr(self.trouble, name)}
        lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        self.set(Trouble(**known | lists))
        for name, times in counted.items():
            if hasattr(self.counted, name):
                setattr(self.counted, name, times)

    def state(self) -> dict[str, object]:
        asked = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self.trouble).items()
        }
        return asdict(self.counted) | {"faults": asked}

    def _harm(self, frame: bytes) -> bytes | None:
        if self._chance(_each_way(self.trouble.lost)):
            self.counted.lost += 1
            return None
        if self._chance(_each_way(self.trouble.garbled)):
            self.counted.garbled += 1
            return self._garble(frame)
        return frame

    def _chance(self, share: float) -> bool:
        return share > 0 and self.dice.random() < share

    def _garble(self, frame: bytes) -> bytes:
        """A bit flips, or a byte is missing, or one too many."""
        spot = self.dice.randrange(len(frame))
        match self.dice.randrange(4):
            case 0:
                return frame[:spot] + frame[spot + 1 :]
            case 1:
                return frame[:spot] + bytes([self.dice.randrange(256)]) + frame[spot:]
            case _:
                flipped = frame[spot] ^ (1 << self.dice.randrange(8))
                return frame[:spot] + bytes([flipped]) + frame[spot + 1 :]


def _each_way(share: float) -> float:
    """So that there and back together meet the share that was asked for."""
    return 1.0 - sqrt(1.0 - share)
