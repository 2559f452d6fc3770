"""An event loop whose time jumps to the next timer, and the clock that follows it."""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context, copy_context
from datetime import datetime, timedelta
from functools import partial
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


def _nothing() -> None:
    """What a timer that was called off does."""


class _Handle(asyncio.Handle):
    """asyncio's own, without asking at each callback whether somebody debugs it."""

    __slots__ = ()
    _callback: Callable[..., Any]
    _context: Context

    def __init__(
        self,
        callback: Callable[..., Any],
        args: Sequence[Any],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = self._source_traceback = None


class _Timer(asyncio.TimerHandle):
    """The same with a time at which it rings."""

    __slots__ = ()
    _callback: Callable[..., Any]
    _context: Context
    _loop: "JumpingLoop"

    def __init__(
        self,
        when: float,
        callback: Callable[..., Any],
        args: Sequence[Any],
        loop: "JumpingLoop",
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = self._source_traceback = None
        self._when = when

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback, self._args = _nothing, ()
            self._loop.called_off += 1


class JumpingLoop(asyncio.SelectorEventLoop):
    """Nothing to do until the next timer? Then it is already that time. In-memory lines only.

    Its turns are asyncio's own; only what waits for them is kept otherwise: a queue of plain
    numbers is sorted several times faster, and those of one moment ring in the order of their
    coming.
    """

    get_debug = bool  # no: asked with each future, and at no cost

    def __init__(self) -> None:
        super().__init__(_Nothing())
        self.at = 0.0
        self.called_off = 0  # timers in the queue that will not ring
        self.time = partial(getattr, self, "at")  # type: ignore[method-assign]
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]
        self._queue: list[tuple[float, int, _Timer]] = []
        self._numbers = count()
        self._ready: deque[_Handle | _Timer]
        self._stopping: bool

    def freeze(self, seconds: float) -> None:
        """Time passes and nobody is called meanwhile, as where a whole machine stands still."""
        self.at += seconds

    def call_soon(  # type: ignore[override] # asyncio's hints need a newer Python
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override] # as above
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = _Timer(when, callback, args, self, context)
        heappush(self._queue, (when, next(self._numbers), timer))
        return timer

    def call_later(  # type: ignore[override] # as above
        self,
        delay: float,
        callback: Callable[..., Any],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = _Timer(self.at + delay, callback, args, self, context)
        heappush(self._queue, (self.at + delay, next(self._numbers), timer))
        return timer

    def _run_once(self) -> None:  # noqa: C901 - one call fewer at each of many million turns
        """Turn after turn until it is stopped: asyncio's own loop about it has no more to do."""
        ready = self._ready
        while True:
            if self.called_off > len(self._queue) // 2 + CALLED_OFF_MIN:
                self._queue = [
                    each
                    for each in self._queue
                    if not each[2]._cancelled  # noqa: SLF001 - as asyncio does it
                ]
                heapify(self._queue)
                self.called_off = 0
            queue = self._queue
            if not ready and not self._stopping:
                while queue and queue[0][2]._cancelled:  # noqa: SLF001 - as asyncio does it
                    heappop(queue)
                    self.called_off -= 1
                if not queue:
                    raise RuntimeError("everybody is waiting for somebody else")
                self.at = max(self.at, queue[0][0])
            due = self.at + RESOLUTION_S
            while queue and queue[0][0] < due:
                timer = heappop(queue)[2]
                if timer._cancelled:  # noqa: SLF001 - as above
                    self.called_off -= 1
                else:
                    ready.append(timer)
            for _ in range(len(ready)):
                handle = ready.popleft()
                if handle._cancelled:  # noqa: SLF001 - as above
                    continue
                handle._run()  # noqa: SLF001 - as above
            if self._stopping:
                return

    def _write_to_self(self) -> None:
        """Nobody has to be woken: it never waits."""


def play(story: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a story to its end on a loop whose time jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(story())


LONG_S: Final = 0.5  # nobody sleeps so long who waits for an answer


class StageClock(LoopClock):
    """Elapsed time is that of the loop it was made on, wall time may be set wrong."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._wrong = timedelta()
        self.monotonic = asyncio.get_running_loop().time  # type: ignore[method-assign] # directly

    def now(self) -> datetime:
        return self.true_now() + self._wrong

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
        self.now: Callable[[], datetime] = clock.now
        self.monotonic: Callable[[], float] = clock.monotonic
        self.on_rouse: Callable[[], None] = lambda: None  # whoever let it doze hears that it ended
        self._clock = clock
        self._nap_s = 0.0
        self._napping: dict[asyncio.Future[None], None] = {}  # in the order of their falling asleep

    async def sleep(self, seconds: float) -> None:
        if seconds >= LONG_S and self._nap_s > seconds:
            until = self.monotonic() + seconds
            await self._nap(self._nap_s)
            seconds = until - self.monotonic()
        if seconds > 0:
            await self._clock.sleep(seconds)

    async def _nap(self, seconds: float) -> None:
        """For so long, or until it is roused."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(seconds, wake, woken)
        self._napping[woken] = None
        try:
            await woken
        finally:
            timer.cancel()
            del self._napping[woken]

    def doze(self, nap_s: float) -> None:
        """Nothing can happen meanwhile that could not wait so long."""
        if nap_s < self._nap_s:
            for woken in self._napping:
                wake(woken)
            self.on_rouse()
        self._nap_s = nap_s


def wake(sleeper: asyncio.Future[None]) -> None:
    """It wakes, unless something else woke it."""
    if not sleeper.done():
        sleeper.set_result(None)
