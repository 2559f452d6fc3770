"""An event loop whose time jumps to the next timer, and the clock that follows it."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

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


class StageClock(LoopClock):
    """A site's clock: elapsed time is the loop's, wall time may be set wrong."""

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
