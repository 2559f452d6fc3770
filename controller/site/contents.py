"""Whether what lies behind shut doors fits what is on record, as far as sensors tell."""

from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from controller.entries import AlarmKind, CompartmentState, ItemState
from controller.prepared import Prepared
from controller.site.alarms import clear_alarm, raise_alarm, standing
from controller.site.book import Book
from controller.site.doors import Doors, Place
from controller.site.findings import GRID, Finding, Kept
from controller.site.schema import compartments, items

ALARM: Final = {Finding.MISSING: AlarmKind.ITEM_MISSING, Finding.LEFT: AlarmKind.ITEM_LEFT}
CONTRADICTED: Final = {Kept.FILLED: Finding.MISSING, Kept.EMPTY: Finding.LEFT}
LIES: Final = (ItemState.LOADED.value, ItemState.RETURN_REQUESTED.value)
_FILLED: Final = (
    select(items.c.item_id)
    .where(
        items.c.cabinet == compartments.c.cabinet,
        items.c.no == compartments.c.no,
        items.c.state.in_(LIES),
    )
    .exists()
)
_ALL: Final = select(
    compartments.c.cabinet,
    compartments.c.no,
    compartments.c.state,
    _FILLED.label("filled"),
)
KEPT: Final = Prepared(_ALL)
KEPT_THERE: Final = Prepared(
    _ALL.where(compartments.c.cabinet == bindparam("cabinet"), compartments.c.no == bindparam("no"))
)


class Contents:
    """A sensor that contradicts the record for long enough is an alarm, and moves no item."""

    def __init__(self, book: Book, doors: Doors, *, after_s: float) -> None:
        self._book = book
        self._doors = doors
        self._after_s = after_s
        self._touched = book.touched()
        self._kept: dict[Place, Kept] | None = None  # of each compartment, as looked up last
        self._stirred = doors.touched()
        self._doubts: dict[Place, tuple[Finding, float]] = {}  # since when
        self._told: dict[Place, AlarmKind] = {}

    def look(self, now: float) -> None:
        """Compare, raise what has lasted, clear what is over."""
        anew = self._look_up(now) | self._stirred | self._doubts.keys()
        self._stirred.clear()
        for place in sorted(anew):
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

    def _look_up(self, now: float) -> set[Place]:
        """Places of which the record may say something else than before."""
        if self._kept is not None and not self._touched:
            return set()
        with self._book.look() as connection:
            if self._kept is None:
                self._kept = {
                    place: _kept(row)
                    for row in KEPT.rows(connection)
                    if (place := Place(row.cabinet, row.no)) in self._doors
                }
                self._adopt(connection, now)
                anew = set(self._kept)
            else:
                anew = self._touched.intersection(self._doors)
                for place in anew:
                    row = KEPT_THERE.one(connection, cabinet=place.cabinet, no=place.no)
                    self._kept[place] = _kept(row)
        self._touched.clear()
        return anew

    def _adopt(self, connection: Connection, now: float) -> None:
        """What stood before a start, and is ours to clear."""
        for place, kept in (self._kept or {}).items():
            finding = CONTRADICTED.get(kept)
            if finding is not None and ALARM[finding] in standing(connection, str(place)):
                self._doubts[place] = (finding, now)
                self._told[place] = ALARM[finding]

    def _find(self, place: Place) -> Finding:
        door = self._doors[place]
        if not door.seen:
            return Finding.UNSEEN
        kept = (self._kept or {}).get(place, Kept.BUSY)
        return GRID[door.state, door.door, door.item, kept]

    def _raise(self, place: Place, kind: AlarmKind) -> None:
        with self._book.act() as act:
            raise_alarm(act, kind, str(place))
        self._told[place] = kind

    def _clear(self, place: Place) -> None:
        if (kind := self._told.pop(place, None)) is not None:
            with self._book.act() as act:
                clear_alarm(act, kind, str(place))


def _kept(row: Row[Any]) -> Kept:
    if row.filled:
        return Kept.FILLED
    return Kept.EMPTY if row.state == CompartmentState.FREE.value else Kept.BUSY
