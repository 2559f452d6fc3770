"""Once a local day: whether what was decided, what moved and what was seen of it agree.

A lock or machine does not agree where nobody knows whether it moved, where its door opened though
nobody had released it, or where its switch did not show what happened.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from controller.entries import Up
from controller.entries_doors import DayReckoned
from controller.journal import Stream, read_entry, rfc3339
from controller.ports import Clock
from controller.site.book import Act, Book
from controller.site.retention import end_of, local_day, start_of
from controller.site.schema import intents, journal

LOOK_EVERY_S: Final = 3_600.0
UNDER_WAY: Final = timedelta(minutes=10)  # so long an end may still come
SEEN: Final = {Up.DOOR_FORCED: "forced", Up.DOOR_CONTRADICTED: "contradicted"}


class Reckoner:
    """One for a site."""

    def __init__(self, book: Book, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._day: date | None = None  # the one that goes on

    def start(self, latest: datetime | None) -> None:
        """Go on with the day of the latest moment on record."""
        if self._day is None:
            self._day = local_day(latest or self._clock.now())

    async def run(self) -> None:
        """Reckon each day as soon as it is over."""
        while True:
            now = self._clock.now()
            today = local_day(now)
            if self._day is not None and today > self._day:
                with self._book.act() as act:
                    reckon(act, self._day)
            self._day = today
            left_s = (end_of(today) - now).total_seconds()
            await self._clock.sleep(min(LOOK_EVERY_S, max(left_s, 1.0)))


def reckon(act: Act, day: date) -> None:
    """All that came since the last reckoning, or since that day began, in one entry."""
    since = _last(act.db, act.site, day)
    decided = act.db.execute(select(intents).where(intents.c.number > since)).all()
    late = rfc3339(act.at - UNDER_WAY)
    ends = Counter(row.outcome or ("unknown" if row.at < late else "open") for row in decided)
    doubted = {_where(row) for row in decided if row.outcome == "unknown" or _is_open(row, late)}
    seen = list(_seen(act.db, act.site, since))
    kinds = Counter(kind for kind, _ in seen)
    act.say(
        Up.DAY_RECKONED,
        DayReckoned(
            day=day.isoformat(),
            decided=len(decided),
            moved=ends["moved"],
            stayed=ends["not_moved"],
            unknown=ends["unknown"],
            forced=kinds["forced"],
            contradicted=kinds["contradicted"],
            disagree=sorted(doubted | {where for _, where in seen}),
        ),
    )


def _last(connection: Connection, site: str, day: date) -> int:
    """The number of the newest entry that this reckoning has nothing to do with."""
    found: int | None = connection.scalar(
        select(journal.c.seq)
        .where(
            journal.c.site == site,
            journal.c.stream == Stream.UP.value,
            (journal.c.kind == Up.DAY_RECKONED.value) | (journal.c.at < rfc3339(start_of(day))),
        )
        .order_by(journal.c.seq.desc())
        .limit(1)
    )
    return found or 0


def _seen(connection: Connection, site: str, since: int) -> Iterable[tuple[str, str]]:
    """What doors did against all that was known: which kind, and where."""
    bodies = connection.scalars(
        select(journal.c.body).where(
            journal.c.site == site,
            journal.c.stream == Stream.UP.value,
            journal.c.seq > since,
            journal.c.kind.in_([kind.value for kind in SEEN]),
        )
    )
    for body in bodies.all():
        entry = read_entry(site, body)
        if entry.data.get("maintenance"):  # with the key, and so on record
            continue
        yield SEEN[Up(entry.kind)], str(entry.data["where"])


def _is_open(intent: Row[Any], late: str) -> bool:
    return intent.outcome is None and bool(intent.at < late)


def _where(intent: Row[Any]) -> str:
    return str(intent.machine or f"{intent.cabinet}/{intent.no}")
