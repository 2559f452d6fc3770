"""Looks after the database: whether its disk has room, and at night whether it is what it was."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final, Literal

from controller.entries import AlarmKind, Severity
from controller.journal import BrokenChain, Head, Stream, head, head_at, verify_part
from controller.local_time import LOCAL
from controller.ports import Clock
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.book import Book
from controller.site.holds import Hold, Holds
from controller.site.premises import Slow

LOOK_EVERY_S: Final = 60.0
NIGHT: Final = range(3, 5)  # hours, local, in which the journal is read: all that is new,
NIGHTS: Final = 28  # and of the old a part each night, so that within so many all of it is read
NEWEST: Final = 1_000  # entries; after a start all that is older counts as old
FILE_ON: Final = 6  # Sunday: the file too
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
        self._read_to: dict[Stream, Head] = {}  # that night; what comes after is new

    async def run(self) -> None:
        """Look now and then. Flawed, with its alarm standing, where the nightly check says so."""
        while True:
            self.look()
            now = self._clock.now().astimezone(LOCAL)
            if now.hour in NIGHT and self._checked != now.date():
                self._checked = now.date()
                flaw = await self.flaw(now.date())
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

    async def flaw(self, night: date | None = None) -> str | None:
        """The first flaw of all there is, or of what is read that night; None if there is none."""
        try:
            for stream in Stream:
                await self._check_chain(stream, night)
        except BrokenChain as broken:
            return str(broken)
        if night is None or night.weekday() == FILE_ON:
            found = await self._slow(self._check_file)
            return None if found == "ok" else f"the file is damaged: {found}"
        return None

    async def _check_chain(self, stream: Stream, night: date | None) -> None:
        chain = self._book.store.journal, self._book.site, stream
        with self._book.look() as connection:
            newest = head(connection, *chain)
            known = self._read_to.get(stream)
            if night is None:
                known = head_at(connection, *chain, 0)
            elif known is None:
                known = head_at(connection, *chain, max(0, newest.seq - NEWEST))
        for start in old_parts(known.seq, night):
            with self._book.look() as connection:
                last = head_at(connection, *chain, start)
            await self._check_part(stream, last, min(start + SLICE, known.seq))
        self._read_to[stream] = await self._check_part(stream, known, newest.seq)

    async def _check_part(self, stream: Stream, last: Head, until: int) -> Head:
        """What follows `last`, up to an entry that is there."""
        chain = self._book.store.journal, self._book.site, stream
        while last.seq < until:
            with self._book.look() as connection:
                limit = min(SLICE, until - last.seq)
                following = verify_part(connection, *chain, last, limit)
            if following == last:
                raise BrokenChain(self._book.site, stream, last.seq + 1, "is missing")
            last = following
            await self._clock.sleep(REST_S)
        return last

    def _check_file(self) -> str:
        with self._book.store.read() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
        return " ".join(str(found).split())


def old_parts(length: int, night: date | None) -> Iterator[int]:
    """The entries after which so many are read again that night, of a chain of that length."""
    if night is not None:
        yield from range(night.toordinal() % NIGHTS * SLICE, length, NIGHTS * SLICE)
