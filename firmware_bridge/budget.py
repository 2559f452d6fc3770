"""How often a lock may be pulsed, whoever asks."""

from collections import defaultdict, deque
from collections.abc import Hashable
from typing import Final

from controller.ports import Clock

# Lock coils are rated for one tenth of the time: the default pulse of 500 ms needs 5 s, and so do
# shorter ones, because the lock's own switch must be given time to tell.
RESTS_PER_PULSE: Final = 10
BETWEEN_PULSES_S: Final = 5.0
# A person who does not get a door open after six tries needs staff, and a program that tries more
# often is broken: a coil held warm all day ages, and a door clicking on and on calls strangers.
PULSES_MAX: Final = 6
WINDOW_S: Final = 60.0


class PulseBudget:
    """Counts pulses per lock, those of unknown outcome too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: defaultdict[Hashable, deque[float]] = defaultdict(deque)
        self._rest_s: dict[Hashable, float] = {}  # after the last pulse

    def refusal(self, lock: Hashable) -> str:
        """Why this lock may not be pulsed now; empty when it may."""
        now = self._clock.monotonic()
        spent = self._spent[lock]
        while spent and spent[0] <= now - WINDOW_S:
            spent.popleft()
        if self.rests_s(lock) > 0:
            return f"its coil rests {self._rest_s[lock]:.0f} s between pulses"
        if len(spent) >= PULSES_MAX:
            return f"it was pulsed {len(spent)} times within {WINDOW_S:.0f} s"
        return ""

    def rests_s(self, lock: Hashable) -> float:
        """How long its coil must still rest after its last pulse; 0 or less: it has."""
        spent = self._spent[lock]
        return spent[-1] + self._rest_s[lock] - self._clock.monotonic() if spent else 0.0

    def spend(self, lock: Hashable, pulse_s: float) -> None:
        self._spent[lock].append(self._clock.monotonic())
        self._rest_s[lock] = max(BETWEEN_PULSES_S, RESTS_PER_PULSE * pulse_s)
