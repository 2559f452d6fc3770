"""Tells live pages that something changed; what, they read for themselves."""

import asyncio
import threading
from collections.abc import AsyncIterator


class Changes:
    """A bell: any thread may ring it, any task may listen."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._ears: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def ring(self) -> None:
        with self._turn:
            for loop, heard in self._ears:
                loop.call_soon_threadsafe(heard.set)

    async def listen(self) -> AsyncIterator[None]:
        """At once, then after each change; several changes in a row may be one."""
        ear = (asyncio.get_running_loop(), asyncio.Event())
        with self._turn:
            self._ears.add(ear)
        try:
            while True:
                yield
                await ear[1].wait()
                ear[1].clear()
        finally:
            with self._turn:
                self._ears.discard(ear)
