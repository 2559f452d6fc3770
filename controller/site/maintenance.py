"""Maintenance: for a while a cabinet is in the hands of staff, who may use its mechanical key.

Nothing new is loaded there or collected from there; a door that opens by itself is on record and
no alarm. It ends by itself, or when staff say so; doors that stand open then alarm as always.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from controller.entries import AlarmKind, Up
from controller.entries_doors import MaintenanceBegan, MaintenanceEnded
from controller.journal import Entry, parse_time, rfc3339
from controller.local_time import LOCAL
from controller.ports import Clock, DoorSight
from controller.rows import add_row
from controller.site.alarms import acknowledge, clear_alarm, raise_alarm, standing_id
from controller.site.bell import Bell
from controller.site.book import Act, Book
from controller.site.doors import Door, Doors
from controller.site.schema import maintenance as table

KINDS: Final = (Up.MAINTENANCE_BEGAN, Up.MAINTENANCE_ENDED)
LOOK_EVERY_S: Final = 60.0  # a clock may be set meanwhile


class Maintenance:
    """Which cabinets, and until when; the same after a restart."""

    def __init__(self, book: Book, doors: Doors, clock: Clock, bell: Bell) -> None:
        self._book = book
        self._doors = doors
        self._clock = clock
        self._bell = bell
        self._until: dict[str, datetime] = {}
        self._changed = asyncio.Event()
        self._all = {place.cabinet for place in doors}
        book.store.on_commit(self._committed)

    def load(self) -> None:
        """Take over what is on record."""
        with self._book.look() as connection:
            rows = connection.execute(select(table)).all()
        self._until = {row.cabinet: parse_time(row.until) for row in rows}
        self._changed.set()
        self._bell.ring()

    def _committed(self, entries: list[Entry]) -> None:
        if any(entry.kind in KINDS for entry in entries):
            self.load()

    def is_on(self, cabinet: str) -> bool:
        until = self._until.get(cabinet)
        return until is not None and self._clock.now() < until

    def cabinets(self) -> set[str]:
        """Those where it is on."""
        return {each for each in self._until if self.is_on(each)}

    def ends(self, cabinets: Iterable[str]) -> str | None:
        """When it is over for all of these, as people say it; None where it is not on."""
        ends = [self._until[each] for each in set(cabinets) if self.is_on(each)]
        return max(ends).astimezone(LOCAL).strftime("%H:%M") if ends else None

    def everywhere_until(self) -> str | None:
        """When the first cabinet is in use again; None while any is."""
        if not self._until or self.cabinets() != self._all:
            return None
        return min(self.ends([each]) or "" for each in self._all)

    def begin(self, act: Act, cabinet: str, reason: str, last_s: float, badge: str) -> None:
        """From now on, for so long."""
        until = rfc3339(act.at + timedelta(seconds=last_s))
        put(act, cabinet, until)
        told = MaintenanceBegan(where=cabinet, until=until, reason=reason, badge=badge)
        act.say(Up.MAINTENANCE_BEGAN, told)
        raise_alarm(act, AlarmKind.MAINTENANCE, cabinet)
        alarm = standing_id(act, AlarmKind.MAINTENANCE, cabinet)
        assert alarm is not None
        acknowledge(act, alarm, badge)

    def end(self, act: Act, cabinet: str, badge: str | None) -> None:
        """It is over, and what stands open there is as forced as any other door."""
        act.db.execute(table.delete().where(table.c.cabinet == cabinet))
        act.say(Up.MAINTENANCE_ENDED, MaintenanceEnded(where=cabinet, badge=badge))
        clear_alarm(act, AlarmKind.MAINTENANCE, cabinet)
        for place in self._doors:
            now = self._doors[place]
            is_open = now.door is Door.FORCED and now.state is DoorSight.OPEN
            if place.cabinet == cabinet and is_open:
                raise_alarm(act, AlarmKind.DOOR_FORCED, str(place))

    async def run(self) -> None:
        """End each at its time."""
        while True:
            self._changed.clear()
            over = [each for each in self._until if not self.is_on(each)]
            if over:
                with self._book.act() as act:
                    for cabinet in over:
                        self.end(act, cabinet, None)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience_s()):
                    await self._changed.wait()

    def _patience_s(self) -> float | None:
        if not self._until:
            return None
        left_s = (min(self._until.values()) - self._clock.now()).total_seconds()
        return min(max(left_s, 0.0), LOOK_EVERY_S)


def put(act: Act, cabinet: str, until: str) -> None:
    """On record, in place of what was before."""
    act.db.execute(table.delete().where(table.c.cabinet == cabinet))
    add_row(act.db, table, cabinet=cabinet, until=until)
