"""What happened on a line, as plain numbers."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Since the Bus was made; times in seconds."""

    connections: int = 0
    requests: int = 0
    replies: int = 0
    timeouts: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # frames that were no answer, by cause
    noise_bytes: int = 0  # belonged to no frame
    unasked_bytes: int = 0  # came while nobody had asked
    pauses: int = 0  # silences before a request that were waited for
    pause_shortest_s: float = 0.0
    busy_s: float = 0.0  # the line carried bytes
    owed_s: float = 0.0  # silences that no master could have gone without
    reports: int = 0  # by devices that nobody had asked
    since_s: float = 0.0  # elapsed time at the first connection
    turnaround_s: float = 0.0  # the last board's pause before it answered
    turnaround_longest_s: float = 0.0
    turnaround_sum_s: float = 0.0

    def paused(self, seconds: float) -> None:
        self.pause_shortest_s = min(self.pause_shortest_s, seconds) if self.pauses else seconds
        self.pauses += 1

    def answered(self, turnaround_s: float) -> None:
        self.replies += 1
        self.turnaround_s = turnaround_s
        self.turnaround_sum_s += turnaround_s
        self.turnaround_longest_s = max(self.turnaround_longest_s, turnaround_s)

    def utilisation(self, now: float) -> float:
        """How much of the time the line carried bytes, 0 to 1."""
        elapsed = now - self.since_s
        return self.busy_s / elapsed if self.connections and elapsed > 0 else 0.0

    def of_limit(self, now: float) -> float:
        """How much of the time went into bytes and the silences they must have, 0 to 1."""
        elapsed = now - self.since_s
        return (self.busy_s + self.owed_s) / elapsed if self.connections and elapsed > 0 else 0.0

    def figures(self, now: float) -> dict[str, float]:
        """Everything by name; causes of refusal as `refused_CAUSE`."""
        mean_s = self.turnaround_sum_s / self.replies if self.replies else 0.0
        return {
            "connections": self.connections,
            "requests": self.requests,
            "replies": self.replies,
            "timeouts": self.timeouts,
            "noise_bytes": self.noise_bytes,
            "unasked_bytes": self.unasked_bytes,
            "pauses": self.pauses,
            "pause_shortest_s": self.pause_shortest_s,
            "reports": self.reports,
            "utilisation": self.utilisation(now),
            "utilisation_of_limit": self.of_limit(now),
            "turnaround_s": self.turnaround_s,
            "turnaround_mean_s": mean_s,
            "turnaround_longest_s": self.turnaround_longest_s,
            **{f"refused_{cause}": number for cause, number in sorted(self.refused.items())},
        }
