"""A loop on which nothing happens by itself: time stands still until somebody lets it pass."""

import asyncio
import heapq
import selectors
from datetime import datetime
from typing import Any

from controller.clock import LoopClock


class StillLoop(asyncio.SelectorEventLoop):
    """No system call waits here, so that a process may fork between any two callbacks."""

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())
        self._at = 0.0
        self._selector: Any
        self._selector.select = lambda _timeout: []
        self._ready: Any
        self._scheduled: Any
        self._timer_cancelled_count: int

    def time(self) -> float:
        return self._at

    def settle(self) -> None:
        """Whatever can happen at this moment has happened."""
        while True:
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready and self.next_at() > self._at:
                return

    def next_at(self) -> float:
        """When the next timer rings; for ever away where there is none."""
        while self._scheduled and self._scheduled[0]._cancelled:  # noqa: SLF001 - of a handle
            handle = heapq.heappop(self._scheduled)
            handle._scheduled = False  # noqa: SLF001 - as the loop does it
            self._timer_cancelled_count -= 1
        return float(self._scheduled[0].when()) if self._scheduled else float("inf")

    def pass_to(self, moment: float) -> None:
        """Let time pass, and whatever is due on the way."""
        while (due := self.next_at()) <= moment:
            self._at = max(self._at, due)
            self.settle()
        self._at = max(self._at, moment)
        self.settle()


class StillClock(LoopClock):
    """Follows a loop that stands still, asked from outside of its callbacks too."""

    def __init__(self, loop: StillLoop, start: datetime) -> None:
        super().__init__(start)
        self._loop = loop

    def monotonic(self) -> float:
        return self._loop.time()
