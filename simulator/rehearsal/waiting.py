"""Whoever waits for a kiosk, in the order of their coming; who is nobody lets the site doze."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from simulator.rehearsal.kiosks import Kiosk
from simulator.rehearsal.stage import Stage

SETTLES_S: Final = 20.0  # after somebody left
DOZES_S: Final = 600.0  # then somebody looks whether it still may

Visit = Callable[[Kiosk], Awaitable[None]]


class Waiting:
    """One queue before all kiosks of a site: whoever is its head goes to the next that is free."""

    def __init__(self, stage: Stage) -> None:
        self.waited_s = 0.0
        self._stage = stage
        self._queue: deque[tuple[float, Visit]] = deque()
        self._new_visit = asyncio.Event()
        self._busy = 0  # kiosks
        stage.drowsy.on_rouse = self._new_visit.set

    def arrive(self, visit: Visit) -> None:
        """Somebody stands there now."""
        self._queue.append((self._stage.clock.monotonic(), visit))
        self._new_visit.set()

    def nobody(self) -> bool:
        """Nobody waits and nobody is served."""
        return not self._queue and not self._busy

    async def serve(self, kiosk: Kiosk) -> None:
        """All who come to this kiosk, for ever; while nobody is anywhere the site dozes."""
        clock = self._stage.clock
        while True:
            while not self._queue:
                self._new_visit.clear()
                await self._doze()
            came_at, visit = self._queue.popleft()
            self._stage.rouse()
            self.waited_s += clock.monotonic() - came_at
            self._busy += 1
            await visit(kiosk)
            self._busy -= 1
            self._stage.bell.ring()

    async def _doze(self) -> None:
        """Some time after somebody left, or something struck; deeper and deeper."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLES_S):
                await self._new_visit.wait()
                return
        if not self._busy:
            self._stage.doze()
        with suppress(TimeoutError):
            async with asyncio.timeout(DOZES_S):
                await self._new_visit.wait()
