"""What came by the link and was not sealed by the district, or does not fit: one alarm for all."""

import asyncio
from typing import Final

from controller.entries import AlarmKind
from controller.ports import Clock
from controller.site.alarms import clear_alarm, places_with, raise_alarm
from controller.site.book import Book
from controller.site.holding import Holding

QUIET_S: Final = 300.0  # the alarm ends after so long without another one
LOOK_EVERY_S: Final = 60.0


class Forgeries:
    """One for a site."""

    def __init__(self, book: Book, clock: Clock, holding: Holding) -> None:
        self._book, self._holding = book, holding
        self._clock = clock
        self._at = clock.monotonic()  # the newest, or our start
        self._came = asyncio.Event()

    def refused(self, kind: str, _where: str, _what: str) -> None:
        """It changed nothing; that it came is told."""
        if self._holding.is_on:
            return  # its own alarm stands, and nothing is written
        self._at = self._clock.monotonic()
        with self._book.act() as act:
            raise_alarm(act, AlarmKind(kind), self._book.site)
        self._came.set()

    async def run(self) -> None:
        """Look while the alarm stands."""
        while True:
            self._came.clear()
            if self._stands():
                await self._clock.sleep(LOOK_EVERY_S)
                self._look()
            else:
                await self._came.wait()

    def _stands(self) -> bool:
        with self._book.look() as connection:
            return self._book.site in places_with(connection, AlarmKind.JOURNAL_BROKEN)

    def _look(self) -> None:
        if self._clock.monotonic() - self._at >= QUIET_S:
            with self._book.act() as act:
                clear_alarm(act, AlarmKind.JOURNAL_BROKEN, self._book.site)
