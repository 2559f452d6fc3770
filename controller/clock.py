"""The only place that reads the machine's clock or sleeps."""

import asyncio
import heapq
import time
from datetime import UTC, datetime, timedelta
from itertools import count


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class LoopClock:
    """Follows a loop whose time jumps; wall time starts where it is told."""

    def __init__(self, start: datetime) -> None:
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """Moves only when a test says so."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._elapsed = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    def jump(self, wall_s: float) -> None:
        """Set the wall clock by hand, forward or back; elapsed time does not notice."""
        self._now += timedelta(seconds=wall_s)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking sleepers in order."""
        until = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= until:
            at, _, woken = heapq.heappop(self._sleepers)
            self._pass(max(0.0, at - self._elapsed))
            if not woken.done():
                woken.set_result(None)
            await asyncio.sleep(0)
        self._pass(until - self._elapsed)
        await asyncio.sleep(0)

    def _pass(self, seconds: float) -> None:
        self._elapsed += seconds
        self._now += timedelta(seconds=seconds)
