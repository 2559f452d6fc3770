"""Brings the database in line with the settings at start, and keeps the sites' badges fresh."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, delete, select, update

from controller.district import schema as s
from controller.district.plan import BadgePlan, Plan
from controller.entries import (
    Down,
)
from controller.entries_down import (
    BadgeGranted,
    BadgeRevoked,
)
from controller.journal import Stream, parse_time, rfc3339
from controller.ports import Clock
from controller.rows import rows, upsert
from controller.store import Store, Transaction

BADGE_DAYS = timedelta(days=30)  # how long a site believes in a badge by itself
BADGE_RENEW = timedelta(days=15)  # left at a renewal: two weeks offline are no trouble


def write_plan(store: Store, plan: Plan) -> None:
    """Sites, vendors and API keys are as the settings say; a key that is gone opens nothing."""
    with store.write() as tx:
        for site in plan.sites:
            upsert(
                tx.connection,
                s.sites,
                {"site_id": site.site_id},
                {
                    "name": site.name,
                    "address": site.address,
                    "how_to_find": site.how_to_find,
                    "kiosk_url": site.kiosk_url,
                },
            )
            _once(tx, s.site_status, "site_id", site.site_id)
        for vendor_id, name in plan.vendors.items():
            upsert(tx.connection, s.vendors, {"vendor_id": vendor_id}, {"name": name})
        tx.connection.execute(delete(s.api_keys))
        for key in plan.api_keys:
            tx.connection.execute(
                s.api_keys.insert().values(
                    client=key.client, sha256=key.sha256, scopes=" ".join(sorted(key.scopes))
                )
            )


def _once(tx: Transaction, table: Table, column: str, value: str) -> None:
    if tx.connection.execute(select(table.c[column]).where(table.c[column] == value)).first():
        return
    tx.connection.execute(table.insert().values({column: value}))


def grant_badges(store: Store, clock: Clock, badges: Sequence[BadgePlan]) -> int:
    """Each site knows the badges of the settings for some weeks more; how many were told of.

    A badge that left the settings is revoked wherever it was granted.
    """
    now = clock.now()
    wanted = {
        (badge.badge_id, site): (digest, badge)
        for badge in badges
        for site, digest in badge.hashes.items()
    }
    told = 0
    with store.write() as tx:
        standing = {
            (row.badge_id, row.site_id): row for row in rows(tx.connection, s.badges, revoked=False)
        }
        for (badge_id, site), (digest, badge) in wanted.items():
            old = standing.get((badge_id, site))
            fresh = old is not None and parse_time(old.valid_until) - now > BADGE_RENEW
            if not (fresh and _same(old, site, digest, badge)):
                _grant(tx, site, digest, badge, rfc3339(now + BADGE_DAYS))
                told += 1
        for badge_id, site in standing.keys() - wanted.keys():
            tx.connection.execute(
                update(s.badges)
                .where(s.badges.c.badge_id == badge_id, s.badges.c.site_id == site)
                .values(revoked=True)
            )
            tx.append(site, Stream.DOWN, Down.BADGE_REVOKED, dict(BadgeRevoked(badge=badge_id)))
            told += 1
    return told


def _same(old: Any, site: str, digest: str, badge: BadgePlan) -> bool:
    was = (old.hash, old.role, old.vendor_id, old.pin)
    return bool(was == (digest, badge.role, badge.vendor_id, badge.pins.get(site)))


def _grant(tx: Transaction, site: str, digest: str, badge: BadgePlan, valid_until: str) -> None:
    pin = badge.pins.get(site)
    words = {"hash": digest, "role": badge.role, "vendor_id": badge.vendor_id, "pin": pin}
    upsert(
        tx.connection,
        s.badges,
        {"badge_id": badge.badge_id, "site_id": site},
        words | {"valid_until": valid_until, "revoked": False},
    )
    granted = BadgeGranted(
        badge=badge.badge_id,
        hash=digest,
        role="vendor" if badge.role == "vendor" else "staff",
        vendor_id=badge.vendor_id,
        valid_until=valid_until,
    )
    if pin is not None:
        granted["pin"] = pin
    tx.append(site, Stream.DOWN, Down.BADGE_GRANTED, dict(granted))
