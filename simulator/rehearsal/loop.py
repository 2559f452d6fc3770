"""An event loop whose time jumps to the next timer, and the clock that follows it."""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Final

from controller.clock import LoopClock

CALLED_OFF_MIN: Final = 100  # timers: fewer of them wait for their time
RESOLUTION_S: Final = 1e-9  # what is nearer than that is of one moment, as for asyncio


class _Nothing(selectors.SelectSelector):
    """Asks the system for nothing."""

    def select(self, _timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """Nothing to do until the next timer? Then it is already that time. In-memory lines only.

    Its timers are asyncio's own; only what waits for them is kept otherwise: a queue of plain
    numbers is sorted several times faster, and those of one moment ring in the order of their
    coming.
    """

    def __init__(self) -> None:
        super().__init__(_Nothing())
        self.at = 0.0
        self._queue: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()
        self._called_off = 0  # timers in the queue that will not ring
        self._ready: deque[asyncio.Handle]
        self._stopping: bool

    def time(self) -> float:
        return self.at

    def freeze(self, seconds: float) -> None:
        """Time passes and nobody is called meanwhile, as where a whole machine stands still."""
        self.at += seconds

    def call_at(  # type: ignore[override] # asyncio's hints need a newer Python
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        timer._scheduled = True  # type: ignore[attr-defined] # noqa: SLF001 - as asyncio does it
        heappush(self._queue, (when, next(self._numbers), timer))
        return timer

    def _timer_handle_cancelled(self, _timer: asyncio.TimerHandle) -> None:
        self._called_off += 1

    def _run_once(self) -> None:
        """One turn: all that is ready now, after jumping to the next timer where nothing is."""
        ready = self._ready
        if self._called_off > len(self._queue) // 2 + CALLED_OFF_MIN:
            self._queue = [each for each in self._queue if not each[2].cancelled()]
            heapify(self._queue)
            self._called_off = 0
        if not ready and not self._stopping:
            self.at = max(self.at, self._next_at())
        due = self.at + RESOLUTION_S
        while self._queue and self._queue[0][0] < due:
            timer = heappop(self._queue)[2]
            if timer.cancelled():
                self._called_off -= 1
            else:
                timer._scheduled = False  # type: ignore[attr-defined] # noqa: SLF001 - as above
                ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - as above

    def _next_at(self) -> float:
        while self._queue and self._queue[0][2].cancelled():
            heappop(self._queue)
            self._called_off -= 1
        if not self._queue:
            raise RuntimeError("everybody is waiting for somebody else")
        return self._queue[0][0]

    def _write_to_self(self) -> None:
        """Nobody has to be woken: it never waits."""


def play(story: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a story to its end on a loop whose time jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(story())


LONG_S: Final = 0.5  # nobody sleeps so long who waits for an answer


class StageClock(LoopClock):
    """Elapsed time is the loop's, wall time may be set wrong."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._wrong = timedelta()

    def now(self) -> datetime:
        return super().now() + self._wrong

    def true_now(self) -> datetime:
        """As the sun has it."""
        return super().now()

    def step(self, seconds: float) -> None:
        """Somebody sets the clock, forward or back; elapsed time does not notice."""
        self._wrong += timedelta(seconds=seconds)

    def put_right(self) -> None:
        self._wrong = timedelta()

    @property
    def wrong_s(self) -> float:
        return self._wrong.total_seconds()


class DrowsyClock:
    """A site's clock. While it dozes long sleeps are longer, as on a machine that is very busy.

    Whoever looks after something once a second then looks once in `nap_s`; a shorter nap wakes
    all that sleep longer. What waits for an answer sleeps no longer than ever.
    """

    def __init__(self, clock: StageClock) -> None:
        self._clock = clock
        self.on_rouse: Callable[[], None] = lambda: None  # whoever let it doze hears that it ended
        self._nap_s = 0.0
        self._roused = asyncio.Event()

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        if seconds >= LONG_S and self._nap_s > seconds:
            until = self.monotonic() + seconds
            with suppress(TimeoutError):
                async with asyncio.timeout(self._nap_s):
                    await self._roused.wait()
            seconds = until - self.monotonic()
        if seconds > 0:
            await self._clock.sleep(seconds)

    def doze(self, nap_s: float) -> None:
        """Nothing can happen meanwhile that could not wait so long."""
        if nap_s < self._nap_s:
            self._roused.set()
            self._roused = asyncio.Event()
            self.on_rouse()
        self._nap_s = nap_s
