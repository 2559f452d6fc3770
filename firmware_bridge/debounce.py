"""What a row of switches says once the bouncing is over."""

from collections import deque
from collections.abc import Sequence
from math import inf
from typing import Final

# Switches chatter for up to 80 ms on a slam, with pauses of less than 50 ms.
SETTLE_S: Final = 0.050
# An unwired or broken input flips on and on: nobody moves a door so often.
FLIPS_MAX: Final = 10
FLIPS_WINDOW_S: Final = 10.0


class Debounce:
    """A change counts after two equal reads at least 50 ms apart; the first read counts at once."""

    def __init__(self, inputs: int, settle_s: float = SETTLE_S) -> None:
        self._settle_s = settle_s
        self._settled: list[bool | None] = [None] * inputs
        self._last: list[bool | None] = [None] * inputs
        self._changing: dict[int, tuple[bool, float]] = {}
        self._flips: dict[int, deque[float]] = {}  # of those that flipped of late
        self._told: tuple[bool | None, ...] | None = None  # until the next read

    @property
    def settled(self) -> tuple[bool | None, ...]:
        """One value per input; None for one that flips on and on."""
        if self._told is None:
            self._told = self._tell()
        return self._told

    def _tell(self) -> tuple[bool | None, ...]:
        told = self._settled.copy()
        for index in self._flips:
            if self._flips_on(index):
                told[index] = None
        return tuple(told)

    def _flips_on(self, index: int) -> bool:
        return len(self._flips.get(index, ())) > FLIPS_MAX

    @property
    def begun(self) -> bool:
        """Whether there was a first read."""
        return None not in self._settled

    @property
    def changing(self) -> bool:
        """Whether some input was read otherwise than it stands."""
        return bool(self._changing)

    @property
    def restless(self) -> bool:
        """Whether a further read would tell more: of a change, or of an input that flips."""
        return self.changing or any(self._flips_on(index) for index in self._flips)

    @property
    def due_at(self) -> float:
        """From when on a second read would count; `inf` where nothing changes."""
        seen = [at for _, at in self._changing.values()]
        return min(seen) + self._settle_s if seen else inf

    def is_changing(self, index: int) -> bool:
        """Whether this input was read otherwise than it stands, and is not known for flipping."""
        return index in self._changing and not self._flips_on(index)

    def feed(self, reads: Sequence[bool | None], at: float) -> None:
        """Take one value per input; None for one that was not read this time."""
        if not self._changing and not self._flips and reads == self._last:
            return
        self._told = None
        for index, value in enumerate(reads):
            if value is None:
                continue
            last = self._last[index]
            if value is last and index not in self._changing and index not in self._flips:
                continue
            self._count_flip(index, value, at)
            change = self._changing.get(index)
            if self._settled[index] in (None, value):
                self._settled[index] = value
                self._changing.pop(index, None)
            elif change is None:
                self._changing[index] = (value, at)
            elif at - change[1] >= self._settle_s:
                self._settled[index] = value
                del self._changing[index]

    def _count_flip(self, index: int, value: bool, at: float) -> None:  # noqa: FBT001 - a read bit
        flips = self._flips.setdefault(index, deque())
        if self._last[index] not in (None, value):
            flips.append(at)
        self._last[index] = value
        while flips and (flips[0] <= at - FLIPS_WINDOW_S or len(flips) > FLIPS_MAX + 1):
            flips.popleft()
        if not flips:
            del self._flips[index]
