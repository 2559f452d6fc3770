"""The site's book: whatever changes at a site is one act, its state and its entries together."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from controller.entries import Up
from controller.journal import Stream, rfc3339
from controller.ports import Clock
from controller.store import Store, StoreBroken, Transaction


class Act:
    """One transaction: `db` for the state, `say` for the journal, one moment for both."""

    def __init__(self, transaction: Transaction, site: str, at: datetime) -> None:
        self.db: Connection = transaction.connection
        self.at = at
        self.memory = transaction.memory
        self.touched: set[Any] = set()  # places: a compartment's or its item's state is another
        self.transaction = transaction
        self.site = site

    @cached_property
    def now(self) -> str:
        return rfc3339(self.at)

    def say(self, kind: Up, data: Mapping[str, Any]) -> None:
        self.transaction.append(self.site, Stream.UP, kind.value, dict(data), self.at)

    def name(self, prefix: str) -> str:
        """A name for what the next entry tells of: its number makes it unique at this site."""
        return f"{prefix}{self.transaction.head(self.site, Stream.UP).seq + 1}"


class Book:
    """Opens acts, and knows when the database no longer takes them."""

    def __init__(self, store: Store, site: str, clock: Clock, step: Callable[[str], None]) -> None:
        self.store = store
        self.site = site
        self.broken = asyncio.Event()
        self.why = ""  # it broke
        self.acts = 0  # done so far: where this stands still, so does everything
        self.custody = 0  # those of them that changed what is where
        self._clock = clock
        self._followers: list[set[Any]] = []
        self.step = step  # counted by who wants to break off at one

    @contextmanager
    def act(self) -> Iterator[Act]:
        """Durable once this ends. StoreBroken where the database failed."""
        if self.broken.is_set():
            raise StoreBroken(self.why)
        try:
            with self.store.write() as transaction:
                act = Act(transaction, self.site, self._clock.now())
                yield act
                self.step("commit")
        except DBAPIError as error:
            raise self._broken(error) from error
        self.acts += 1
        if act.touched:
            self.custody += 1
            for follower in self._followers:
                follower.update(act.touched)
        self.step("committed")

    def touched(self) -> set[Any]:
        """A set of its own for who asks: from now on places that an act touched go into it."""
        follower: set[Any] = set()
        self._followers.append(follower)
        return follower

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """What is committed. StoreBroken where it cannot be read."""
        try:
            with self.store.read() as connection:
                yield connection
        except DBAPIError as error:
            raise self._broken(error) from error

    def _broken(self, error: DBAPIError) -> StoreBroken:
        if not self.broken.is_set():
            self.why = str(error.orig)
            self.broken.set()
        return StoreBroken(self.why)
