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
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = None
        try:
            await waiter
        finally:
            del self._waiting[waiter]

    async def until(self, holds: Callable[[], bool], within_s: float | None = None) -> bool:
        """True as soon as `holds()`; False if it does not within the time."""
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    await self.rung()
        except TimeoutError:
            return holds()
        return True
