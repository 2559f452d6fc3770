"""An event loop whose time jumps to the next timer, and the clock that follows it."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from controller.clock import LoopClock


class _Jump(selectors.SelectSelector):
    """Asks the system for nothing: where it would wait, time has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody is waiting for somebody else")
        if timeout > 0:
            self.at += timeout
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """Nothing to do until the next timer? Then it is already that time. In-memory lines only."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.at

    def freeze(self, seconds: float) -> None:
        """Time passes and nobody is called meanwhile, as where a whole machine stands still."""
        self._jump.at += seconds

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
        self._nap_s = nap_s
