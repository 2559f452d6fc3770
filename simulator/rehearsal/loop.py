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


def play(story: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a story to its end on a loop whose time jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(story())


LONG_S: Final = 0.5  # nobody sleeps so long who waits for an answer
DOZE_MAX_S: Final = 3600.0


class StageClock(LoopClock):
    """A site's clock: elapsed time is the loop's, wall time may be set wrong.

    While `dozing` long sleeps are longer, as in a process that was stopped: whoever looks after
    something once a second looks once an hour. `rouse` wakes them all.
    """

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._wrong = timedelta()
        self._roused: asyncio.Event | None = None

    async def sleep(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        if self._roused is not None and seconds >= LONG_S:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(seconds, DOZE_MAX_S)):
                    await self._roused.wait()
            seconds = until - self.monotonic()
        if seconds > 0:
            await super().sleep(seconds)

    def doze(self) -> None:
        """Nothing can happen before somebody rouses us."""
        if self._roused is None:
            self._roused = asyncio.Event()

    def rouse(self) -> None:
        if self._roused is not None:
            self._roused.set()
            self._roused = None

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
