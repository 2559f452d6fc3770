"""Looks after the database: whether its disk has room, and at night whether it is what it was."""

from collections.abc import Callable
from datetime import date
from typing import Final, Literal

from controller.entries import AlarmKind, Severity
from controller.journal import EMPTY, BrokenChain, Stream, verify_part
from controller.local_time import LOCAL
from controller.ports import Clock
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.book import Book
from controller.site.holds import Hold, Holds
from controller.site.premises import Slow

LOOK_EVERY_S: Final = 60.0
NIGHT: Final = range(3, 5)  # hours, local, in which the journal is read whole
WHOLE_ON: Final = 6  # Sunday: the file too
SLICE: Final = 100  # entries checked at once: some 2 ms of the loop
REST_S: Final = 0.02
LOW, FULL = 0.10, 0.03  # of the disk free: an alarm; and nothing new is loaded
WHERE: Final = "site"


class Flawed(Exception):
    """The database is not what it was; the text says where."""


class Storekeeper:
    """One for a site. `room` tells which share of its disk is free."""

    def __init__(
        self, book: Book, clock: Clock, holds: Holds, room: Callable[[], float], slow: Slow
    ) -> None:
        self._book = book
        self._clock = clock
        self._holds = holds
        self._room = room
        self._slow = slow
        self._stands: Severity | Literal[""] | None = ""  # nobody has looked yet
        self._checked: date | None = None  # the night that was

    async def run(self) -> None:
        """Look now and then. Flawed, with its alarm standing, where the nightly check says so."""
        while True:
            self.look()
            now = self._clock.now().astimezone(LOCAL)
            if now.hour in NIGHT and self._checked != now.date():
                self._checked = now.date()
                flaw = await self.flaw(whole=now.weekday() == WHOLE_ON)
                if flaw is not None:
                    with self._book.act() as act:
                        raise_alarm(act, AlarmKind.JOURNAL_BROKEN, WHERE)
                    raise Flawed(flaw)
            await self._clock.sleep(LOOK_EVERY_S)

    def look(self) -> None:
        """New things are loaded only while there is room for what may have to be said of them."""
        room = self._room()
        self._holds.set(Hold.DISK_LOW, on=room < FULL)
        stands: Severity | None = "critical" if room < FULL else "warning" if room < LOW else None
        if stands == self._stands:
            return
        with self._book.act() as act:
            if stands is None:
                clear_alarm(act, AlarmKind.DISK_LOW, WHERE)
            else:
                raise_alarm(act, AlarmKind.DISK_LOW, WHERE, stands)
        self._stands = stands

    async def flaw(self, *, whole: bool) -> str | None:
        """The first flaw of the chains, or with `whole` of the file; None if there is none."""
        try:
            for stream in Stream:
                await self._check_chain(stream)
        except BrokenChain as broken:
            return str(broken)
        if whole:
            found = await self._slow(self._check_file)
            return None if found == "ok" else f"the file is damaged: {found}"
        return None

    async def _check_chain(self, stream: Stream) -> None:
        last, before = EMPTY, None
        while last != before:
            before = last
            with self._book.look() as connection:
                last = verify_part(
                    connection, self._book.store.journal, self._book.site, stream, last, SLICE
                )
            await self._clock.sleep(REST_S)

    def _check_file(self) -> str:
        with self._book.store.read() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
        return " ".join(str(found).split())
