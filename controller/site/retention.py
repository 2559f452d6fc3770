"""How long an order waits for its recipient: whole local days, and only those on which it could
have been handed over.

A day is lost where something stood in the way for long enough: a compartment out of use, a board
or machine that did not answer, a site that was down. Each lost day moves the last one by a day.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from controller.local_time import LOCAL

DAY: Final = timedelta(days=1)
DAYS_LOST: Final = "days_lost"  # a reason for more time


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on, and no longer at `until`."""

    since: datetime
    until: datetime


def last_moment(ready: datetime, retention_s: float) -> datetime:
    """The end of the local day that lies `retention_s` after the ready day."""
    return end_of(local_day(ready + timedelta(seconds=retention_s)))


def end_of(day: date) -> datetime:
    return start_of(day + DAY)


def start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, LOCAL)


def local_day(at: datetime) -> date:
    return at.astimezone(LOCAL).date()


def last_day(expires_at: datetime) -> date:
    """The local day at whose end the time to collect is over."""
    return local_day(expires_at - timedelta.resolution)


def lost_days(spans: Iterable[Span], lost_s: float) -> set[date]:
    """Local days of which the spans, together and each moment once, cover so much or more."""
    covered: dict[date, timedelta] = {}
    reached: datetime | None = None
    for span in sorted(spans, key=lambda each: each.since):
        since = span.since if reached is None else max(span.since, reached)
        reached = span.until if reached is None else max(span.until, reached)
        while since < span.until:
            day = local_day(since)
            until = min(span.until, end_of(day))
            covered[day] = covered.get(day, timedelta()) + (until - since)
            since = until
    return {day for day, lost in covered.items() if lost >= timedelta(seconds=lost_s)}


def prolonged(ready: date, last: date, lost: Collection[date]) -> date:
    """The last day, moved on by every lost one that lies within the time, moved on itself too."""
    for day in sorted(lost):
        if ready <= day <= last:
            last += DAY
    return last
