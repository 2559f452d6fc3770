"""Badges of vendors and staff: granted, out of date at noon, revoked in the middle of a visit."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Final

from simulator.rehearsal.events import Event, Held
from simulator.rehearsal.keepers import SECOND
from simulator.rehearsal.shapes import DAY_S, HOUR_S, VENDORS
from simulator.rehearsal.stage import Stage

Plan = Callable[[float, Callable[[], None]], None]

STAFF: Final = "staff"
LONG: Final = timedelta(days=60)  # after the last day
OUT_OF_DATE: Final = 0.3  # of vendors, for some hours of one day
ENDS_H: Final = (9.5, 15.0)
RENEWED_H: Final = (2.0, 6.0)  # later
REVOKED: Final = 0.12  # of visits, while they go on
REVOKED_AFTER_S: Final = (0.5, 10.0)
GRANTED_AGAIN_H: Final = (0.2, 2.0)


class BadgeOffice:
    """Grants every badge when it is made; `renew_all` makes every one good again."""

    def __init__(self, stage: Stage, dice: Random, plan: Plan, days: int) -> None:
        self._stage = stage
        self._dice = dice
        self._plan = plan
        self._until = stage.clock.true_now() + timedelta(days=days) + LONG
        self._dead: set[str] = set()
        for vendor in VENDORS:
            if dice.random() < OUT_OF_DATE:
                self._grant_until_noon(vendor, dice.randrange(days))
            else:
                self._grant(vendor)
        self._grant(STAFF)
        if stage.settings.policy.emergency_two_badges:
            self._grant(SECOND)
        stage.log.listeners.append(self._hear)

    def renew_all(self) -> None:
        for badge in sorted(self._dead):
            self._grant(badge)

    def _grant(self, badge: str) -> None:
        self._dead.discard(badge)
        role, vendor = (STAFF, None) if badge in (STAFF, SECOND) else ("vendor", badge)
        self._stage.district.grant(badge, role, vendor, self._until)

    def _grant_until_noon(self, vendor: str, day: int) -> None:
        ends_s = day * DAY_S + self._dice.uniform(*ENDS_H) * HOUR_S
        until = self._stage.clock.true_now() + timedelta(seconds=ends_s)
        self._dead.add(vendor)
        self._stage.district.grant(vendor, "vendor", vendor, until)
        later_s = ends_s + self._dice.uniform(*RENEWED_H) * HOUR_S
        self._later(later_s, vendor)

    def _hear(self, event: Event) -> None:
        if (
            isinstance(event, Held)
            and event.what == "badge"
            and event.of not in self._dead
            and self._dice.random() < REVOKED
        ):
            badge = event.of
            after_s = self._dice.uniform(*REVOKED_AFTER_S)
            self._plan(self._stage.clock.monotonic() + after_s, lambda: self._revoke(badge))

    def _revoke(self, badge: str) -> None:
        if badge not in self._dead:
            self._dead.add(badge)
            self._stage.district.revoke(badge)
            self._later(self._dice.uniform(*GRANTED_AGAIN_H) * HOUR_S, badge)

    def _later(self, seconds: float, badge: str) -> None:
        def renew() -> None:
            if badge in self._dead:
                self._grant(badge)

        self._plan(self._stage.clock.monotonic() + seconds, renew)
