"""Waiting for a fact: whoever changes something rings, whoever waits looks again."""

import asyncio
from collections.abc import Callable


class Bell:
    """Rings for everybody who waits."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}  # in the order of their coming

    def ring(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def rung(self) -> None:
        await self._rings(asyncio.get_running_loop().create_future())

    async def until(self, holds: Callable[[], bool], within_s: float | None = None) -> bool:
        """True as soon as `holds()`; False if it does not within the time."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        over = False

        def end() -> None:
            nonlocal over
            over = True
            if not waiter.done():
                waiter.set_result(None)

        timer = None if within_s is None else loop.call_later(within_s, end)
        try:
            while not holds():
                if over:
                    return False
                await self._rings(waiter)
                waiter = loop.create_future()
        finally:
            if timer is not None:
                timer.cancel()
        return True

    async def _rings(self, waiter: asyncio.Future[None]) -> None:
        self._waiting[waiter] = None
        try:
            await waiter
        finally:
            del self._waiting[waiter]
