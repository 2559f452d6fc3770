"""What a Bus has learnt of each device on its line: how fast it answers, and whether it does."""

from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

REMEMBERED: Final = 256  # turnarounds, for the percentiles
LEARNT_FROM: Final = 8  # answers before patience follows what was seen
PATIENCE_TIMES: Final = 3  # boards take two to three times their usual now and then
# Three silences in a row happen to one poll in forty where a third of the frames is lost.
SILENT_FREE: Final = 3
# After the fourth, and three times as long after each further one: six are needed to be sure, and
# within ten seconds.
SILENT_PAUSE_S, SILENT_GROWS = 0.5, 3


@dataclass(slots=True)
class Station:
    """One device; times in seconds."""

    requests: int = 0
    replies: int = 0
    timeouts: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    turnarounds: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    longest_s: float | None = 0.0  # of those turnarounds; None: to be looked for
    silent: int = 0  # silences in a row
    polled_from: float = 0.0  # before that it is not polled

    def patience_s(self, floor_s: float, ceiling_s: float) -> float:
        """How long an answer is waited for: some times the longest pause that was seen.

        The ceiling until enough was seen, and for every second question that follows a silence:
        a board may have become slower, but a dead one costs the line each time.
        """
        if self.silent % 2 or len(self.turnarounds) < LEARNT_FROM:
            return ceiling_s
        if self.longest_s is None:
            self.longest_s = max(self.turnarounds)
        return min(ceiling_s, max(floor_s, PATIENCE_TIMES * self.longest_s))

    def answered(self, turnaround_s: float) -> None:
        self.replies += 1
        if len(self.turnarounds) == REMEMBERED and self.turnarounds[0] == self.longest_s:
            self.longest_s = None  # which is forgotten now
        elif self.longest_s is not None:
            self.longest_s = max(self.longest_s, turnaround_s)
        self.turnarounds.append(turnaround_s)
        self.silent = 0
        self.polled_from = 0.0

    def was_silent(self, now: float, cost_s: float, share: float) -> None:
        """Note a silence that has cost the line so long."""
        self.timeouts += 1
        self.silent += 1
        if self.silent > SILENT_FREE:
            grown_s = SILENT_PAUSE_S * SILENT_GROWS ** min(self.silent - SILENT_FREE - 1, 10)
            self.polled_from = now + min(grown_s, cost_s * (1 / share - 1))

    def begin_anew(self) -> None:
        """Nothing that was learnt on an older connection counts."""
        self.turnarounds.clear()
        self.longest_s = 0.0
        self.silent = 0
        self.polled_from = 0.0

    def figures(self) -> dict[str, float]:
        return figures_of(self)


def figures_of(*stations: Station) -> dict[str, float]:
    """All of these together, by name; causes of refusal as `refused_CAUSE`."""
    slow = sorted(chain.from_iterable(each.turnarounds for each in stations))
    refused: Counter[str] = Counter()
    for each in stations:
        refused.update(each.refused)
    return {
        "requests": sum(each.requests for each in stations),
        "replies": sum(each.replies for each in stations),
        "timeouts": sum(each.timeouts for each in stations),
        "silent": max((each.silent for each in stations), default=0),
        "turnaround_p50_s": slow[len(slow) // 2] if slow else 0.0,
        "turnaround_p99_s": slow[len(slow) * 99 // 100] if slow else 0.0,
        **{f"refused_{cause}": number for cause, number in sorted(refused.items())},
    }
