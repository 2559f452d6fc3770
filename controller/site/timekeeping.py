"""Keeps the site's time: marks it durably, and says when the wall clock cannot be believed."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select

from controller.entries import AlarmKind
from controller.journal import Entry, Stream, parse_time, rfc3339
from controller.prepared import Prepared
from controller.rows import add_row, change_rows, first_row
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.book import Book
from controller.site.schema import journal, marks
from controller.steady import SteadyClock

LOOK_EVERY_S: Final = 10.0
MARK_EVERY_S: Final = 60.0  # so much is lost at most of the time before a power cut
CALM_S: Final = 60.0  # a clock that jumped and is near again is forgiven after this
WHERE: Final = "site"

_TOLD: Final = Prepared(
    select(journal.c.at)
    .where(journal.c.site == bindparam("of"), journal.c.stream == Stream.UP.value)
    .order_by(journal.c.seq.desc())
    .limit(1)
)


class Timekeeper:
    """One for a site."""

    def __init__(self, book: Book, clock: SteadyClock) -> None:
        self._book = book
        self._time = clock
        self._doubted_at: float | None = None
        self._alarmed: bool | None = None  # None: nobody has looked yet
        self._marked_at = clock.monotonic()
        self.latest: datetime | None = None  # on record when the site started
        book.store.on_commit(self._committed)

    def start(self) -> None:
        """Time goes on from the latest moment on record; with none the wall clock is believed."""
        with self._book.look() as connection:
            told = _TOLD.scalar(connection, of=self._book.site)
            mark = first_row(connection, marks)
        marked = None if mark is None else mark.at
        self.latest = max((parse_time(at) for at in (told, marked) if at), default=None)
        if self.latest is not None:
            self._time.start_from(self.latest)

    def go_on(self) -> None:
        """Entries that were lost are there again, and no time before theirs is believed."""
        now = self._time.now()
        self.start()
        if self.latest is None or self.latest < now:
            self._time.start_from(now)

    async def run(self) -> None:
        """Look at the clock now and then, and mark the time where nothing else did."""
        while True:
            self.look()
            if self._time.monotonic() - self._marked_at >= MARK_EVERY_S:
                self.mark()
            await self._time.sleep(LOOK_EVERY_S)

    def mark(self) -> None:
        """Whatever happens, no time before this one is believed again."""
        with self._book.act() as act:
            at = rfc3339(act.at)
            if change_rows(act.db, marks, {"id": 1}, at=at) == 0:
                add_row(act.db, marks, id=1, at=at)
        self._marked_at = self._time.monotonic()

    def _committed(self, entries: list[Entry]) -> None:
        """An entry of ours has its time in it."""
        if entries[-1].stream is Stream.UP:
            self._marked_at = self._time.monotonic()

    def look(self) -> None:
        """The alarm stands while the clock is doubted, and for a while after it has jumped."""
        now = self._time.monotonic()
        if not self._time.doubted:
            self._doubted_at = None
        elif self._doubted_at is None:
            self._doubted_at = now
        since = self._time.since_step_s()
        stands = (since is not None and since < CALM_S) or (
            self._doubted_at is not None and now - self._doubted_at >= LOOK_EVERY_S
        )
        if stands is self._alarmed:
            return
        with self._book.act() as act:
            (raise_alarm if stands else clear_alarm)(act, AlarmKind.CLOCK_JUMP, WHERE)
        self._alarmed = stands
