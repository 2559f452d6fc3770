"""Who is logged in at the district's pages, and who may try again.

Log-ins come from the settings. A session is a random token in a cookie; the database knows its
hash only.
"""

import asyncio
import hashlib
import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import argon2
import structlog
from sqlalchemy import Connection, delete, select

from controller.district.schema import login_sessions, login_tries
from controller.journal import parse_time, rfc3339
from controller.ports import Clock
from controller.refusals import Reason, Refused
from controller.settings import LoginTable
from controller.store import Store

log = structlog.get_logger()

TOKEN_BYTES = 32
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)  # a page view within this writes nothing

# Wrong passwords are forgotten after the window; beyond the free tries each wrong one doubles a
# wait. An address is slowed long before a name is, so that a stranger locks nobody out by trying.
TRIES_WINDOW = timedelta(minutes=10)
FREE_TRIES_ADDRESS = 3
FREE_TRIES_NAME = 50
FIRST_WAIT_S = 5
LONGEST_WAIT_S = 40
HASHES_AT_ONCE = 2  # argon2 takes a core and 64 MiB each

PASSWORD_LENGTH_MAX = 1_024
Role = Literal["ops", "vendor"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has logged in; a vendor's person acts for that vendor only."""

    username: str
    role: Role
    vendor_id: str | None


class Staff:
    """Logs people in and out. Nothing it answers tells a wrong name from a wrong password."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        logins: Sequence[LoginTable],
        mint: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._store = store
        self._clock = clock
        self._logins = {login.username: login for login in logins}
        self._mint = mint
        self._decoy = _decoy(logins)
        self._turns = asyncio.Semaphore(HASHES_AT_ONCE)

    @property
    def usernames(self) -> list[str]:
        return list(self._logins)

    async def log_in(self, username: str, password: str, address: str) -> str:
        """A new session's token. Refused UNAUTHENTICATED, or TOO_MANY_TRIES with `seconds`."""
        return self._open(await self._verified(username, password, address))

    async def vouch(self, username: str, password: str, address: str) -> Person:
        """Who that is, for one act and without a session. Refused as `log_in`."""
        login = await self._verified(username, password, address)
        return Person(login.username, login.role, login.vendor_id)

    async def _verified(self, username: str, password: str, address: str) -> LoginTable:
        keys = _try_keys(username, address)
        async with self._turns:
            with self._store.read() as connection:
                wait_s = _wait_s(connection, keys, self._clock.now())
            if wait_s > 0:
                raise Refused(Reason.TOO_MANY_TRIES, seconds=wait_s)
            login = self._logins.get(username)
            stored = login.password_hash.get_secret_value() if login else self._decoy
            fits = await asyncio.to_thread(_verify, stored, password)
            if login is None or not fits:
                self._count_wrong(keys)
                log.info("staff.refused")  # whoever mistypes may type the password as the name
                raise Refused(Reason.UNAUTHENTICATED)
        with self._store.write() as transaction:
            transaction.connection.execute(
                delete(login_tries).where(login_tries.c.key.in_([key for key, _ in keys]))
            )
        return login

    def who(self, token: str, *, active: bool = True) -> Person | None:
        """Whose session that is. `active` false: the page asks by itself, nobody touched it."""
        now = self._clock.now()
        with self._store.read() as connection:
            row = connection.execute(
                select(login_sessions).where(login_sessions.c.token == _hash(token))
            ).first()
        if row is None or row.username not in self._logins:
            return None
        seen = parse_time(row.seen_at)
        if now - seen > IDLE or now - parse_time(row.made_at) > LONGEST:
            return None
        login = self._logins[row.username]
        if active and now - seen > SEEN_EVERY:
            with self._store.write() as transaction:
                transaction.connection.execute(
                    login_sessions.update()
                    .where(login_sessions.c.token == row.token)
                    .values(seen_at=rfc3339(now))
                )
        return Person(login.username, login.role, login.vendor_id)

    def log_out(self, token: str) -> None:
        """The token is worth nothing from now on, whoever holds a copy."""
        with self._store.write() as transaction:
            transaction.connection.execute(
                delete(login_sessions).where(login_sessions.c.token == _hash(token))
            )

    def _open(self, login: LoginTable) -> str:
        token = self._mint(TOKEN_BYTES)
        now = self._clock.now()
        stale = (login_sessions.c.seen_at < rfc3339(now - IDLE)) | (
            login_sessions.c.made_at < rfc3339(now - LONGEST)
        )
        with self._store.write() as transaction:
            connection = transaction.connection
            connection.execute(delete(login_sessions).where(stale))
            connection.execute(
                login_sessions.insert().values(
                    token=_hash(token),
                    username=login.username,
                    made_at=rfc3339(now),
                    seen_at=rfc3339(now),
                )
            )
        log.info("staff.logged_in", username=login.username, role=login.role)
        return token

    def _count_wrong(self, keys: list[tuple[str, int]]) -> None:
        now = self._clock.now()
        with self._store.write() as transaction:
            connection = transaction.connection
            connection.execute(
                delete(login_tries).where(login_tries.c.at < rfc3339(now - TRIES_WINDOW))
            )
            for key, _ in keys:
                counted = connection.execute(
                    login_tries.update()
                    .where(login_tries.c.key == key)
                    .values(wrong=login_tries.c.wrong + 1, at=rfc3339(now))
                )
                if counted.rowcount == 0:
                    connection.execute(
                        login_tries.insert().values(key=key, wrong=1, at=rfc3339(now))
                    )


def _try_keys(username: str, address: str) -> list[tuple[str, int]]:
    """Under which hashes a try is counted, and how many wrong ones are free."""
    return [
        (_hash(f"{username}\n{address}"), FREE_TRIES_ADDRESS),
        (_hash(username), FREE_TRIES_NAME),
    ]


def _wait_s(connection: Connection, keys: list[tuple[str, int]], now: datetime) -> int:
    """Seconds until the next try counts; 0: now."""
    longest = 0.0
    for key, free in keys:
        row = connection.execute(select(login_tries).where(login_tries.c.key == key)).first()
        if row is None or row.wrong < free or now - parse_time(row.at) > TRIES_WINDOW:
            continue
        pause = min(FIRST_WAIT_S * 2 ** min(row.wrong - free, 10), LONGEST_WAIT_S)
        longest = max(longest, pause - (now - parse_time(row.at)).total_seconds())
    return math.ceil(longest)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _verify(stored: str, password: str) -> bool:
    if len(password) > PASSWORD_LENGTH_MAX:
        return False
    try:
        return argon2.PasswordHasher().verify(stored, password)
    except argon2.exceptions.VerifyMismatchError:
        return False


def _decoy(logins: Sequence[LoginTable]) -> str:
    """A hash that nothing fits and that takes as long to check as a real one."""
    parameters = (
        argon2.extract_parameters(logins[0].password_hash.get_secret_value())
        if logins
        else argon2.profiles.RFC_9106_LOW_MEMORY
    )
    return argon2.PasswordHasher.from_parameters(parameters).hash(secrets.token_urlsafe())
