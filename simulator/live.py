"""Changes of the world as server-sent events, for pages that watch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from simulator.world import World

AT_MOST_EVERY_S: Final = 0.1
AT_LEAST_EVERY_S: Final = 2.0  # counters go on without a change, and a dead page is noticed


class LivePages:
    """Everybody who listens gets the whole state: at once, after a change, and now and then."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._listening: set[asyncio.Event] = set()
        self._closing = asyncio.Event()
        world.listeners.append(self._changed)

    def close(self) -> None:
        self._closing.set()
        self._changed()

    async def events(self) -> AsyncIterator[str]:
        changed = asyncio.Event()
        self._listening.add(changed)
        try:
            while not self._closing.is_set():
                changed.clear()
                self._world.catch_up()
                yield f"data: {self._world.text.state()}\n\n"
                with suppress(TimeoutError):
                    async with asyncio.timeout(AT_MOST_EVERY_S):
                        await self._closing.wait()
                with suppress(TimeoutError):
                    async with asyncio.timeout(AT_LEAST_EVERY_S):
                        await changed.wait()
        finally:
            self._listening.discard(changed)

    def _changed(self) -> None:
        for listener in self._listening:
            listener.set()
