"""Wrong typed codes: counted durably, slowed, then locked out. A scanned code is never slowed."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, select

from controller.entries import AlarmKind, Up
from controller.journal import Entry, parse_time, rfc3339
from controller.ports import Clock
from controller.prepared import Prepared
from controller.settings import PolicyTable
from controller.site.alarms import clear_alarm, places_with, raise_alarm
from controller.site.book import Act, Book
from controller.site.schema import tries as table

MEMORY: Final = timedelta(days=1)  # a second lock-out within a day is a longer one
WAIT_MAX_S: Final = 40.0
LOCKOUTS: Final = 2  # in a day, of a person in good faith
TRIES_AFTER: Final = 2  # from then on so few make the next one: some hundred tries a day in all
LOOK_EVERY_S: Final = 60.0

_WRONG: Final = Prepared(
    select(table.c.at)
    .where(table.c.at > bindparam("since"), table.c.kiosk == bindparam("of_kiosk"))
    .order_by(table.c.id)
)


@dataclass(frozen=True, slots=True)
class Standing:
    """When the next typed code is taken, and how often the kiosk was locked out."""

    free_at: datetime | None
    lockouts: int
    locked: bool  # by the last of the tries


def standing(wrong: Iterable[datetime], policy: PolicyTable) -> Standing:
    """What follows from the wrong tries of a day, oldest first."""
    window: list[datetime] = []
    free_at: datetime | None = None
    lockouts = 0
    locked = False
    for at in wrong:
        since = at - timedelta(seconds=policy.guess_window_s)
        window = [each for each in window if each > since] + [at]
        over = len(window) - policy.guess_free_tries
        allowed = policy.guess_lockout_tries
        locked = len(window) >= (allowed if lockouts < LOCKOUTS else min(allowed, TRIES_AFTER))
        if locked:
            lockouts += 1
            rest_s = policy.guess_lockout_s if lockouts == 1 else policy.guess_second_lockout_s
            window = []
        elif over > 0:
            rest_s = min(policy.guess_first_wait_s * 2 ** (over - 1), WAIT_MAX_S)
        else:
            continue
        free_at = at + timedelta(seconds=rest_s)
    return Standing(free_at, lockouts, locked)


def wait_s(connection: Connection, at: datetime, policy: PolicyTable, kiosk: str) -> int:
    """Seconds until a typed code is taken again; 0 if it is taken now."""
    free_at = standing(_wrong(connection, at, kiosk), policy).free_at
    if free_at is None or free_at <= at:
        return 0
    return int((free_at - at).total_seconds()) + 1


def is_resting(act: Act, digits: str, policy: PolicyTable) -> bool:
    """These eight digits were tried too often with a wrong phone: only their QR is good now."""
    since = rfc3339(act.at - timedelta(seconds=policy.code_rest_s))
    rows = act.db.execute(
        select(table.c.id).where(table.c.digits == digits, table.c.at > since)
    ).all()
    return len(rows) >= policy.code_tries


def count_wrong(act: Act, digits: str, policy: PolicyTable, kiosk: str) -> None:
    """One more wrong try, there after a restart too."""
    act.db.execute(table.delete().where(table.c.at < rfc3339(act.at - MEMORY)))
    act.db.execute(table.insert().values(at=act.now, digits=digits, kiosk=kiosk))
    act.db.execute(table.update().where(table.c.at > act.now).values(at=act.now))
    now = standing(_wrong(act.db, act.at, kiosk), policy)
    if now.locked and now.lockouts > 1:
        raise_alarm(act, AlarmKind.GUESSING, kiosk)


def _wrong(connection: Connection, at: datetime, kiosk: str) -> list[datetime]:
    """When it was, within a day."""
    since = rfc3339(at - MEMORY)
    return [parse_time(at) for at in _WRONG.scalars(connection, since=since, of_kiosk=kiosk)]


class Calm:
    """Ends the alarm of a kiosk at which nobody guesses any more."""

    def __init__(self, book: Book, clock: Clock, policy: PolicyTable) -> None:
        self._book = book
        self._clock = clock
        self._policy = policy
        self._raised = asyncio.Event()
        book.store.on_commit(self._committed)

    def _committed(self, entries: list[Entry]) -> None:
        if any(
            entry.kind == Up.ALARM_RAISED and entry.data["kind"] == AlarmKind.GUESSING
            for entry in entries
        ):
            self._raised.set()

    async def run(self) -> None:
        """Look while such an alarm stands: the lock-out is over, and for a while nobody tried."""
        while True:
            self._raised.clear()
            if self._look():
                await self._clock.sleep(LOOK_EVERY_S)
            else:
                await self._raised.wait()

    def _look(self) -> bool:
        """True if one still stands."""
        at = self._clock.now()
        with self._book.look() as connection:
            kiosks = sorted(places_with(connection, AlarmKind.GUESSING))
            calm = [each for each in kiosks if self._is_calm(connection, at, each)]
        if calm:
            with self._book.act() as act:
                for kiosk in calm:
                    clear_alarm(act, AlarmKind.GUESSING, kiosk)
        return len(calm) < len(kiosks)

    def _is_calm(self, connection: Connection, at: datetime, kiosk: str) -> bool:
        wrong = _wrong(connection, at, kiosk)
        quiet_since = at - timedelta(seconds=self._policy.guess_window_s)
        return not wait_s(connection, at, self._policy, kiosk) and (
            not wrong or wrong[-1] <= quiet_since
        )
