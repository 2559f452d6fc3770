"""Scanners and card readers: what they read goes to the desk, and one that is gone is said to be.

A scanner says nothing by itself, so it counts as there once its line has stayed open for a while.
"""

from collections.abc import Callable
from typing import Final

from controller.faults import DeviceFault, NoReply
from controller.ports import Clock, CodeReader, IdCardReader
from controller.site.book import Book
from controller.site.kiosk import Desk
from controller.site.silences import Silences

STAYS_S: Final = 2.0  # a line that cannot be opened fails at once
TICK_S: Final = 1.0


class Readers:
    """Every scanner and card reader of a site."""

    def __init__(
        self,
        desk: Desk,
        silences: Silences,
        book: Book,
        clock: Clock,
        *,
        hashed: Callable[[str], str],
    ) -> None:
        self._desk = desk
        self._hashed = hashed  # what becomes of a card's number
        self._cards: set[str] = set()
        self._silences = silences
        self._book = book
        self._clock = clock
        self._open_since: dict[str, float] = {}

    async def read(self, reader: CodeReader) -> None:
        """One session with a scanner."""
        self._open_since[reader.name] = self._clock.monotonic()
        try:
            async for text in reader.codes():
                self._is_there(reader.name)
                self._desk.scanned(text)
        except DeviceFault as fault:
            self._lose(reader.name, fault)
            raise

    async def read_cards(self, reader: IdCardReader) -> None:
        """One session with a reader of identity cards; a number is hashed and gone at once."""
        self._cards.add(reader.name)
        self._open_since[reader.name] = self._clock.monotonic()
        try:
            async for card in reader.cards():
                self._is_there(reader.name)
                digest = self._hashed(card.number.upper())
                card.wipe()
                self._desk.carded(digest)
        except DeviceFault as fault:
            self._lose(reader.name, fault)
            raise

    def reads_cards(self) -> bool:
        """A reader of identity cards is there."""
        return any(name in self._open_since for name in self._cards)

    def lose_sight(self, name: str, why: str) -> None:
        """Whatever ended a session, a mistake of ours too."""
        if name not in self._silences.lost():
            self._lose(name, NoReply(name, why))

    async def tick(self) -> None:
        """Once a second: who has come back."""
        while True:
            now = self._clock.monotonic()
            for name, since in self._open_since.items():
                if now - since >= STAYS_S:
                    self._is_there(name)
            await self._clock.sleep(TICK_S)

    def _is_there(self, name: str) -> None:
        if self._silences.answers(name):
            with self._book.act() as act:
                self._silences.clear(act, name)

    def _lose(self, name: str, fault: DeviceFault) -> None:
        self._open_since.pop(name, None)
        self._silences.lose(name, fault)
