"""Whether what lies behind shut doors fits what is on record, as far as sensors tell."""

from typing import Final

from sqlalchemy import Connection, select

from controller.entries import AlarmKind, CompartmentState, ItemState
from controller.prepared import Prepared
from controller.site.alarms import clear_alarm, raise_alarm, standing
from controller.site.book import Book
from controller.site.doors import Doors, Place
from controller.site.findings import GRID, Finding, Kept
from controller.site.schema import compartments, items

ALARM: Final = {Finding.MISSING: AlarmKind.ITEM_MISSING, Finding.LEFT: AlarmKind.ITEM_LEFT}
LIES: Final = (ItemState.LOADED.value, ItemState.RETURN_REQUESTED.value)
LYING: Final = Prepared(
    select(items.c.cabinet, items.c.no).where(items.c.cabinet.is_not(None), items.c.state.in_(LIES))
)
VACANT: Final = Prepared(
    select(compartments.c.cabinet, compartments.c.no).where(
        compartments.c.state == CompartmentState.FREE.value
    )
)


class Contents:
    """A sensor that contradicts the record for long enough is an alarm, and moves no item."""

    def __init__(self, book: Book, doors: Doors, *, after_s: float) -> None:
        self._book = book
        self._doors = doors
        self._after_s = after_s
        self._kept: dict[Place, Kept] = {}
        self._kept_at = -1  # the book's changes of custody when this was looked up
        self._looked_at = -1  # the doors' changes then
        self._doubts: dict[Place, tuple[Finding, float]] = {}  # since when
        self._told: dict[Place, AlarmKind] = {}

    def look(self, now: float) -> None:
        """Compare, raise what has lasted, clear what is over."""
        if self._kept_at != self._book.custody:
            with self._book.look() as connection:
                self._kept = _kept(connection)
                if self._kept_at < 0:
                    self._adopt(connection, now)
            self._kept_at = self._book.custody
        elif self._looked_at == self._doors.changed and not self._doubts:
            return
        self._looked_at = self._doors.changed
        for place in self._doors:
            finding = self._find(place)
            if finding in ALARM:
                known, since = self._doubts.setdefault(place, (finding, now))
                if known is not finding:
                    self._doubts[place] = (finding, now)
                elif place not in self._told and now - since >= self._after_s:
                    self._raise(place, ALARM[finding])
            elif place in self._doubts and finding is not Finding.UNSEEN:
                del self._doubts[place]
                self._clear(place)

    def _adopt(self, connection: Connection, now: float) -> None:
        """What stood before a start, and is ours to clear."""
        for place, kept in self._kept.items():
            finding = {Kept.FILLED: Finding.MISSING, Kept.EMPTY: Finding.LEFT}[kept]
            if ALARM[finding] in standing(connection, str(place)):
                self._doubts[place] = (finding, now)
                self._told[place] = ALARM[finding]

    def _find(self, place: Place) -> Finding:
        door = self._doors[place]
        if not door.seen:
            return Finding.UNSEEN
        return GRID[door.state, door.door, door.item, self._kept.get(place, Kept.BUSY)]

    def _raise(self, place: Place, kind: AlarmKind) -> None:
        with self._book.act() as act:
            raise_alarm(act, kind, str(place))
        self._told[place] = kind

    def _clear(self, place: Place) -> None:
        if (kind := self._told.pop(place, None)) is not None:
            with self._book.act() as act:
                clear_alarm(act, kind, str(place))


def _kept(connection: Connection) -> dict[Place, Kept]:
    lies = {Place(row.cabinet, row.no) for row in LYING.rows(connection)}
    free = {Place(row.cabinet, row.no) for row in VACANT.rows(connection)}
    return dict.fromkeys(free - lies, Kept.EMPTY) | dict.fromkeys(lies, Kept.FILLED)
