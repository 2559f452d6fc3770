"""The time that a site decides by: it never goes back, and believes no jump that nobody confirms.

It starts from the last moment that is on record and goes on with elapsed time. The wall clock is
followed while it stays near; a larger step needs the district's word, which carries its seal, or
that of somebody with a staff badge.
"""

from datetime import datetime, timedelta
from typing import Final

from controller.ports import Clock

STEP_S: Final = 2.0  # a wall clock that moves by more than this at once has jumped
FOLLOW_S: Final = 300.0  # and by more than this it is not believed


class SteadyClock:
    """A Clock whose `now` only goes forward. `doubted` while the wall clock is far from it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at = self._wall = clock.now()
        self._elapsed = clock.monotonic()
        self._doubted = False
        self._stepped_at: float | None = None

    def start_from(self, mark: datetime) -> None:
        """Nothing before `mark` is believed; what lies between it and the wall may be doubted."""
        self._at = mark
        self._wall = self._clock.now()
        self._elapsed = self._clock.monotonic()
        self._stepped_at = None

    def now(self) -> datetime:
        wall, elapsed = self._clock.now(), self._clock.monotonic()
        passed = elapsed - self._elapsed
        if abs((wall - self._wall).total_seconds() - passed) > STEP_S:
            self._stepped_at = elapsed
        ours = self._at + timedelta(seconds=passed)
        self._doubted = abs((wall - ours).total_seconds()) > FOLLOW_S
        if not self._doubted:  # a wall that went back is waited for at half the pace
            ours = max(wall, self._at + timedelta(seconds=passed / 2))
        self._at, self._wall, self._elapsed = ours, wall, elapsed
        return ours

    def hear(self, told: datetime) -> None:
        """The district has signed this time just now, or long ago; or staff have confirmed it.

        Where the wall clock agrees with it, the wall clock is believed however far ahead it is.
        """
        ours, wall = self.now(), self._clock.now()
        if abs((told - wall).total_seconds()) <= FOLLOW_S and wall > ours:
            self._at = wall
            self._doubted = False

    def shown(self) -> datetime:
        """What the wall clock shows, believed or not."""
        return self._clock.now()

    @property
    def doubted(self) -> bool:
        """Whether the wall clock shows a time that is not believed."""
        self.now()
        return self._doubted

    def since_step_s(self) -> float | None:
        """How long ago the wall clock last jumped; None if it never did."""
        self.now()
        return None if self._stepped_at is None else self._elapsed - self._stepped_at

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
