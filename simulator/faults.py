"""Trouble on one line, the same trouble every time for the same seed."""

from dataclasses import asdict, dataclass, field
from itertools import pairwise
from math import sqrt
from random import Random
from typing import Final

LATE_S: Final = (0.32, 0.90)  # one to three times the usual patience of a master
DOUBLED_GAP_S: Final = 0.020
SPLIT_GAP_S: Final = {"rtu": 0.020, "tcp": 0.200}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Shares of frames from 0 to 1, and the units that say nothing."""

    lost: float = 0.0
    garbled: float = 0.0
    late: float = 0.0
    doubled: float = 0.0
    split: float = 0.0
    silent: tuple[int, ...] = ()


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
    silent: int = 0
    too_soon: int = 0  # requests that began before the line had been quiet for t3.5


@dataclass(slots=True)
class Faults:
    """A frame is lost or garbled or neither; half of each there, half on the way back."""

    dice: Random
    trouble: Trouble = field(default_factory=Trouble)
    counted: Counters = field(default_factory=Counters)

    def upon_request(self, frame: bytes) -> bytes | None:
        return self._harm(frame)

    def upon_reply(self, frame: bytes) -> bytes | None:
        return self._harm(frame)

    def is_silent(self, unit: int) -> bool:
        if unit not in self.trouble.silent:
            return False
        self.counted.silent += 1
        return True

    def delay_s(self) -> float:
        if not self._strikes(self.trouble.late):
            return 0.0
        self.counted.late += 1
        return self.dice.uniform(*LATE_S)

    def again_after_s(self) -> float | None:
        if not self._strikes(self.trouble.doubled):
            return None
        self.counted.doubled += 1
        return self.dice.uniform(0.0, DOUBLED_GAP_S)

    def pieces(self, frame: bytes, gap_s: float) -> list[tuple[float, bytes]]:
        """The frame in one piece, or in two or three with pauses before them."""
        if not frame[1:] or not self._strikes(self.trouble.split):
            return [(0.0, frame)]
        self.counted.split += 1
        places = range(1, len(frame))
        cuts = sorted(self.dice.sample(places, min(len(places), self.dice.randint(1, 2))))
        edges = [0, *cuts, len(frame)]
        return [
            (self.dice.uniform(0.0, gap_s) if start else 0.0, frame[start:end])
            for start, end in pairwise(edges)
        ]

    def state(self) -> dict[str, object]:
        return asdict(self.counted) | {
            "faults": asdict(self.trouble) | {"silent": list(self.trouble.silent)}
        }

    def _harm(self, frame: bytes) -> bytes | None:
        if self._strikes(_each_way(self.trouble.lost)):
            self.counted.lost += 1
            return None
        if self._strikes(_each_way(self.trouble.garbled)):
            self.counted.garbled += 1
            return self._garble(frame)
        return frame

    def _strikes(self, share: float) -> bool:
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
