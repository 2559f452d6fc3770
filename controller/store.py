"""Opens a tier's database: the one place that does.

One connection of one process writes a SQLite file (a lock file sees to it); pages, checks and
backups read through connections that cannot write. A transaction is durable when `write` ends:
nothing below `synchronous=FULL` is accepted.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, Pool, StaticPool, Table, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from controller.journal import Entry, Head, Stream, append, head, receive
from controller.ports import Clock
from controller.prepared import carry_out

FULL = 2  # SQLite's number for synchronous=FULL
STATEMENTS = 512  # that SQLite need not read again: all that we have
BUSY_MS = 5_000  # a reader's checkpoint never takes longer than this


class StoreRefused(Exception):
    """The database cannot be used; the text says why and what to do."""


class StoreBroken(Exception):
    """The database failed. Nothing may move until it was opened anew; what it says then holds."""


class Transaction:
    """What a rule works in: a connection, and the journal entries written with it."""

    def __init__(
        self, connection: Connection, journal: Table, clock: Clock, memory: dict[Any, Any]
    ) -> None:
        self.connection = connection
        self.memory = memory  # what was read or written before and is so; gone if this fails
        self.entries: list[Entry] = []
        self._journal = journal
        self._clock = clock

    def head(self, site: str, stream: Stream) -> Head:
        """Where a chain ends, with what this transaction wrote: no other process writes."""
        key = (site, stream)
        if key not in self.memory:
            self.memory[key] = head(self.connection, self._journal, site, stream)
        last: Head = self.memory[key]
        return last

    def append(
        self,
        site: str,
        stream: Stream,
        kind: str,
        data: dict[str, Any],
        at: datetime | None = None,
    ) -> Entry:
        """Write an entry of our own in this transaction, as of now unless `at` says when."""
        at = at or self._clock.now()
        last = self.head(site, stream)
        after = self.head(site, Stream.DOWN).seq if stream is Stream.UP else None
        entry = append(
            self.connection, self._journal, site, stream, kind, data, at, last=last, after=after
        )
        self._wrote(entry)
        return entry

    def receive(self, entry: Entry) -> None:
        """Write the other side's entry in this transaction; BrokenChain if it does not follow."""
        last = self.head(entry.site, entry.stream)
        receive(self.connection, self._journal, entry, last=last)
        self._wrote(entry)

    def _wrote(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.memory[entry.site, entry.stream] = Head(entry.seq, entry.hash)


class Store:
    """A database in use. `write` is the only way to change it."""

    def __init__(self, writer: Engine, reader: Engine, journal: Table, clock: Clock) -> None:
        self.writer = writer
        self.reader = reader
        self.journal = journal
        self._clock = clock
        self._turn = threading.Lock()
        self._writing: Connection | None = None  # opened once: opening costs more than a commit
        self._resting: list[Connection] = []  # readers that nobody uses
        self._listeners: list[Callable[[list[Entry]], None]] = []
        self._memory: dict[Any, Any] = {}

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One transaction, durable once this ends; only then listeners hear of its entries."""
        with self._turn:
            durable = False
            connection = self._writing = self._writing or self.writer.connect()
            try:
                carry_out(connection, "BEGIN IMMEDIATE")
                transaction = Transaction(connection, self.journal, self._clock, self._memory)
                yield transaction
                carry_out(connection, "COMMIT")
                durable = True
                if connection.in_transaction():  # by its own count, where it wrote anything itself
                    connection.commit()
            finally:
                if not durable:
                    self._memory.clear()
                    self._writing = None
                    connection.close()  # the pool sees to it that nothing of this one is left
        if transaction.entries:
            for listener in self._listeners:
                listener(transaction.entries)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that cannot write and sees what is committed."""
        try:
            connection = self._resting.pop()
        except IndexError:
            connection = self.reader.connect()
        try:
            yield connection
        finally:
            if connection.in_transaction():
                connection.rollback()
            self._resting.append(connection)

    def close(self) -> None:
        """Nobody writes or reads any more."""
        for connection in (self._writing, *self._resting):
            if connection is not None:
                connection.close()
        self._writing = None
        self._resting.clear()

    def on_commit(self, listener: Callable[[list[Entry]], None]) -> None:
        """Have `listener` called with the entries of each transaction, after it is durable."""
        self._listeners.append(listener)


@contextmanager
def open_store(
    path: Path,
    journal: Table,
    clock: Clock,
    *,
    module: ModuleType | Any = None,
    poolclass: type[Pool] = StaticPool,
) -> Iterator[Store]:
    """Open a SQLite file for this process alone. StoreRefused where that cannot be safe,
    StoreBroken where the file or its disk fails.

    `module` and `poolclass` let a test put its own driver below, one that cuts the power.
    """
    with ExitStack() as keep_open:
        keep_open.enter_context(owned(path))
        writer = _engine(f"file:{path}?mode=rwc", module, poolclass)
        keep_open.callback(writer.dispose)
        event.listen(writer, "connect", _prepare_writer)
        event.listen(writer, "begin", _begin_immediate)
        try:
            with writer.connect():
                pass
        except (SQLAlchemyError, sqlite3.Error, UnicodeDecodeError) as error:
            raise StoreBroken(f"{path}: {getattr(error, 'orig', error)}") from error
        reader = _engine(f"file:{path}?mode=ro", module, NullPool)  # `Store` lets them rest
        keep_open.callback(reader.dispose)
        store = Store(writer, reader, journal, clock)
        keep_open.callback(store.close)
        yield store


@contextmanager
def memory_store(name: str, journal: Table, clock: Clock) -> Iterator[Store]:
    """A store that is gone with its process; two of one name in a process are one."""
    uri = f"file:{name}?mode=memory&cache=shared"
    writer, reader = _engine(uri, None, StaticPool), _engine(uri, None, StaticPool)
    event.listen(writer, "connect", _prepare_writer)
    event.listen(writer, "begin", _begin_immediate)
    try:
        with writer.connect():
            store = Store(writer, reader, journal, clock)
            yield store
            store.close()
    finally:
        reader.dispose()
        writer.dispose()


@contextmanager
def open_reader(path: Path) -> Iterator[Connection]:
    """A connection that cannot write, beside a process that does."""
    if not path.is_file():
        raise StoreRefused(f"there is no database at {path}")
    engine = _engine(f"file:{path}?mode=ro", None, StaticPool)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _engine(uri: str, module: ModuleType | Any, poolclass: type[Pool]) -> Engine:
    options: dict[str, Any] = {} if module is None else {"module": module}
    return create_engine(
        f"sqlite:///{uri}&uri=true",
        poolclass=poolclass,
        hide_parameters=True,  # an error's text may reach a log, and values may name people
        connect_args={"check_same_thread": False, "cached_statements": STATEMENTS},
        **options,
    )


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Nobody else may open or replace this database meanwhile."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreBroken(f"{error.filename}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreRefused(f"{path} is in use by another process; end that one first") from None
        yield
    finally:
        os.close(lock)


def _prepare_writer(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # the driver begins nothing by itself; `_begin_immediate` does
    cursor = raw.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_MS}",
        "mmap_size=0",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}").fetchall()
    durability = cursor.execute("PRAGMA synchronous").fetchone()[0]
    # What a process left in the log before it died, or before a sync failed, is synced once more
    # where it belongs: the page cache alone is no proof of it.
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    cursor.close()
    if durability < FULL:
        raise StoreRefused("the database does not sync every commit (synchronous below FULL)")


def _begin_immediate(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:  # of `Store.write`
        carry_out(connection, "BEGIN IMMEDIATE")
