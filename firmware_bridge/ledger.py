"""What exchanges have shown and what they have cost, of a line and of each station on it."""

from collections import defaultdict

from controller.ports import Clock
from firmware_bridge.attempt import Attempt, Reply
from firmware_bridge.counters import Counters
from firmware_bridge.exchange import Request, Verdict
from firmware_bridge.stations import Station
from firmware_bridge.timing import Timing
from firmware_bridge.turns import Shares


class Ledger:
    """Counts, and learns from it how long each station is waited for and how often it is asked."""

    def __init__(self, timing: Timing, shares: Shares, clock: Clock) -> None:
        self.counters = Counters()
        self.stations: defaultdict[int, Station] = defaultdict(Station)
        self._timing = timing
        self._shares = shares
        self._clock = clock

    def patience_s(self, request: Request, attempt: Attempt) -> float:
        """A movement's answer is waited for in full, and where a URL says how long."""
        if attempt.reply_s is not None:
            return attempt.reply_s
        if self._timing.floor_s is None:
            return self._timing.reply_s
        station = self.stations[request.station]
        return station.patience_s(self._timing.floor_s, self._timing.reply_s)

    def asked(self, request: Request, wire_s: float) -> None:
        self.counters.busy_s += wire_s
        self.counters.owed_s += self._timing.gap_s
        self.counters.requests += 1
        self.stations[request.station].requests += 1

    def refused(self, station: int, cause: str) -> None:
        self.counters.refused[cause] += 1
        self.stations[station].refused[cause] += 1

    def answered(self, request: Request, reply: Reply, wire_s: float, turnaround_s: float) -> None:
        """A gateway's word that nobody answers behind it is an answer on the line alone."""
        self.counters.busy_s += wire_s
        self.counters.owed_s += self._timing.gap_s
        self.counters.answered(turnaround_s)
        if reply.verdict is Verdict.SILENT_BEHIND:
            self._silent(request, turnaround_s + wire_s)
        else:
            self.stations[request.station].answered(turnaround_s)

    def timed_out(self, request: Request, took_s: float) -> None:
        self.counters.timeouts += 1
        self._silent(request, took_s + self._timing.rest_s)

    def _silent(self, request: Request, cost_s: float) -> None:
        station = self.stations[request.station]
        cost_s += self._timing.gap_s
        station.was_silent(self._clock.monotonic(), cost_s, self._shares.silent)
