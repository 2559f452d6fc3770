"""The hold: a site that cannot know what it did hands out nothing, and writes nothing either.

What it wrote would part its journal from the copy that its district has. It ends when that copy
was read to its end, or when a named person answers for what lies behind the doors.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from controller.entries import AlarmKind, HoldEnded, Up
from controller.journal import Head, Stream, head, known_at
from controller.rows import first_row
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.book import Act, Book
from controller.site.schema import alarms, holds, journal

WHERE: Final = "journal"
ALARM_ID: Final = "hold"  # it stands in the table alone: the journal takes nothing now


class Why(StrEnum):
    RESTORED = "restored"  # from a backup
    BEHIND = "behind"  # the district has entries of ours that we do not have
    PARTED = "parted"  # the district has other entries than ours under the same numbers
    RELEASED = "released"  # no hold: a person has answered for it


class Holding:
    """Whether a site holds, and why."""

    def __init__(self, book: Book, finish: Callable[[Act], None]) -> None:
        self._book = book
        self._finish = finish  # what was fetched holds, as far as it goes
        self.why: Why | None = None
        self.changed = asyncio.Event()

    @property
    def is_on(self) -> bool:
        return self.why not in (None, Why.RELEASED)

    def start(self) -> None:
        """Take over what is on record."""
        with self._book.look() as connection:
            found = first_row(connection, holds)
        self.why = Why(found.why) if found else None
        if self.is_on:
            self._write(self.why)

    def compare(self, theirs: Head, *, at_start: bool) -> None:
        """The district has sealed where its copy of our journal ends."""
        with self._book.look() as connection:
            ours = self._own(connection, theirs)
            last = head(connection, journal, self._book.site, Stream.UP)
        if ours == theirs:
            if self.why is Why.RELEASED:
                self._write(None)
                with self._book.act() as act:
                    clear_alarm(act, AlarmKind.CLONED, WHERE)
        elif self.why is None:
            is_old = theirs.seq > last.seq and at_start
            self._write(Why.BEHIND if is_old else Why.PARTED)

    def recalled(self, copied: Head) -> None:
        """Nothing follows what we have; there the district's copy of our journal ends."""
        with self._book.look() as connection:
            ours = self._own(connection, copied)
        if ours == copied:
            self.end(None)
        elif self.why is not Why.PARTED:
            self._write(Why.PARTED)

    def _own(self, connection: Connection, theirs: Head) -> Head | None:
        """Where our journal ended with the entry of that number, if we have it."""
        return known_at(connection, journal, self._book.site, Stream.UP, theirs.seq)

    def end(self, badge: str | None) -> None:
        """All was read, or the person with this badge answers for it."""
        if not self.is_on:
            return
        assert self.why is not None
        why, self.why = self.why, None if badge is None else Why.RELEASED
        with self._book.act() as act:
            self._finish(act)
            self._put(act, self.why)
            act.say(Up.HOLD_ENDED, HoldEnded(why=why.value, badge=badge))
            if why is Why.PARTED and badge is not None:  # people are served, and it is still wrong
                raise_alarm(act, AlarmKind.CLONED, WHERE)
        self.changed.set()

    def _write(self, why: Why | None) -> None:
        self.why = why
        with self._book.act() as act:
            self._put(act, why)
        self.changed.set()

    def _put(self, act: Act, why: Why | None) -> None:
        act.db.execute(holds.delete())
        act.db.execute(alarms.delete().where(alarms.c.alarm_id == ALARM_ID))
        if why is not None:
            act.db.execute(holds.insert().values(id=1, at=act.now, why=why.value))
        if self.is_on:
            kind = AlarmKind.CLONED if why is Why.PARTED else AlarmKind.JOURNAL_BROKEN
            act.db.execute(
                alarms.insert().values(
                    alarm_id=ALARM_ID,
                    kind=kind.value,
                    place=WHERE,
                    severity="critical",
                    since=act.now,
                )
            )
