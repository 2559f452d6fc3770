"""Wrong typed codes: counted durably, slowed, then locked out. A scanned code is never slowed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from controller.entries import AlarmKind
from controller.journal import parse_time, rfc3339
from controller.settings import PolicyTable
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.book import Act
from controller.site.schema import tries as table

MEMORY = timedelta(days=1)  # a second lock-out within a day is a longer one
WAIT_MAX_S = 40.0


@dataclass(frozen=True, slots=True)
class Standing:
    """When the next typed code is taken, and how often the kiosk was locked out."""

    free_at: datetime | None
    lockouts: int


def standing(wrong: Iterable[datetime], policy: PolicyTable) -> Standing:
    """What follows from the wrong tries of a day, oldest first."""
    window: list[datetime] = []
    free_at: datetime | None = None
    lockouts = 0
    for at in wrong:
        since = at - timedelta(seconds=policy.guess_window_s)
        window = [each for each in window if each > since] + [at]
        over = len(window) - policy.guess_free_tries
        if len(window) >= policy.guess_lockout_tries:
            lockouts += 1
            rest_s = policy.guess_lockout_s if lockouts == 1 else policy.guess_second_lockout_s
            window = []
        elif over > 0:
            rest_s = min(policy.guess_first_wait_s * 2 ** (over - 1), WAIT_MAX_S)
        else:
            continue
        free_at = at + timedelta(seconds=rest_s)
    return Standing(free_at, lockouts)


def wait_s(act: Act, policy: PolicyTable, kiosk: str) -> int:
    """Seconds until a typed code is taken again; 0 if it is taken now."""
    now = standing(_wrong(act, kiosk), policy)
    if now.lockouts <= 1:
        clear_alarm(act, AlarmKind.GUESSING, kiosk)
    free_at = now.free_at
    if free_at is None or free_at <= act.at:
        return 0
    return int((free_at - act.at).total_seconds()) + 1


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
    if standing(_wrong(act, kiosk), policy).lockouts > 1:
        raise_alarm(act, AlarmKind.GUESSING, kiosk)


def _wrong(act: Act, kiosk: str) -> list[datetime]:
    """When it was; a try from before the clock went back counts as one of now."""
    act.db.execute(table.update().where(table.c.at > act.now).values(at=act.now))
    since = rfc3339(act.at - MEMORY)
    rows = act.db.scalars(
        select(table.c.at).where(table.c.at > since, table.c.kiosk == kiosk).order_by(table.c.id)
    )
    return [parse_time(at) for at in rows]
