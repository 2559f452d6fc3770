"""The store: one writer, full durability, readers that cannot write."""

import sqlite3
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from sqlalchemy import MetaData, text
from sqlalchemy.exc import OperationalError

from controller.clock import ManualClock
from controller.journal import Stream, journal_table, verify
from controller.store import StoreRefused, open_reader, open_store

CLOCK = ManualClock(datetime(2026, 11, 24, tzinfo=UTC))


@pytest.fixture
def table():
    return journal_table(MetaData())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "site.db"


@pytest.fixture
def store(path, table):
    with open_store(path, table, CLOCK) as opened:
        with opened.write() as transaction:
            table.metadata.create_all(transaction.connection)
        yield opened


def count(connection):
    return connection.execute(text("SELECT count(*) FROM journal")).scalar_one()


def test_commits_are_synced_in_full_and_logged_ahead(store):
    with store.write() as transaction:
        ask = transaction.connection.exec_driver_sql
        assert ask("PRAGMA synchronous").scalar() == 2
        assert ask("PRAGMA journal_mode").scalar() == "wal"


def test_a_driver_that_does_not_sync_is_refused(path, table):
    class Careless:
        """A driver on which FULL does not stick."""

        paramstyle = sqlite3.paramstyle
        sqlite_version_info = sqlite3.sqlite_version_info
        Error = sqlite3.Error

        @staticmethod
        def connect(*args, **options):
            class Connection(sqlite3.Connection):
                def cursor(self):
                    outer = self

                    class Cursor(sqlite3.Cursor):
                        def execute(self, sql, *rest):
                            return super().execute(sql.replace("=FULL", "=NORMAL"), *rest)

                    return sqlite3.Connection.cursor(outer, Cursor)

            return sqlite3.connect(*args, factory=Connection, **options)

    with (
        pytest.raises(StoreRefused, match="synchronous"),
        open_store(path, table, CLOCK, module=Careless),
    ):
        pass


def test_listeners_hear_of_entries_only_after_they_are_durable(store, path):
    heard = []
    store.on_commit(lambda entries: heard.append([entry.kind for entry in entries]))
    with store.write() as transaction:
        transaction.append("FT-0001", Stream.UP, "a", {})
        transaction.append("FT-0001", Stream.UP, "b", {})
        assert heard == []
        with open_reader(path) as reader:
            assert count(reader) == 0
    assert heard == [["a", "b"]]


def test_a_listener_finds_the_entries_that_it_is_told_of(store, path):
    found = []

    def look(_entries):
        with open_reader(path) as reader:
            found.append(count(reader))

    store.on_commit(look)
    with store.write() as transaction:
        transaction.append("FT-0001", Stream.UP, "a", {})
    assert found == [1]


def test_what_a_rule_wrote_and_its_entry_are_both_there_or_neither(store):
    def half_done():
        with store.write() as transaction:
            transaction.connection.exec_driver_sql("CREATE TABLE doors (no INTEGER)")
            transaction.append("FT-0001", Stream.UP, "a", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    with store.read() as reader:
        assert not reader.exec_driver_sql("PRAGMA table_info(doors)").fetchall()
        assert count(reader) == 0


def test_a_failed_transaction_leaves_nothing_and_tells_nobody(store):
    heard = []
    store.on_commit(heard.append)

    def half_done():
        with store.write() as transaction:
            transaction.append("FT-0001", Stream.UP, "a", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    with store.read() as reader:
        assert count(reader) == 0
    assert heard == []


def test_after_a_failed_transaction_the_chain_goes_on_where_it_stood(store, table):
    def half_done():
        with store.write() as transaction:
            transaction.append("FT-0001", Stream.UP, "a", {})
            raise ZeroDivisionError

    with store.write() as transaction:
        transaction.append("FT-0001", Stream.UP, "first", {})
    with pytest.raises(ZeroDivisionError):
        half_done()
    with store.write() as transaction:
        assert transaction.append("FT-0001", Stream.UP, "second", {}).seq == 2
    with store.read() as reader:
        assert verify(reader, table, "FT-0001", Stream.UP).seq == 2


def test_forty_may_read_at_one_moment_and_the_next_one_as_well(store):
    """As many as a server has threads; those that rest keep none of them waiting."""
    for _ in range(2):
        with ExitStack() as reading:
            counts = [count(reading.enter_context(store.read())) for _ in range(40)]
        assert counts == [0] * 40


def test_readers_cannot_write(store):
    with store.read() as reader, pytest.raises(OperationalError, match="readonly"):
        reader.execute(text("DROP TABLE journal"))


def test_a_second_process_is_told_that_the_file_is_taken(store, path, table):
    with (
        pytest.raises(StoreRefused, match="in use by another process"),
        open_store(path, table, CLOCK),
    ):
        pass


def test_a_file_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(StoreRefused, match=r"no database at .*missing\.db"),
        open_reader(tmp_path / "missing.db"),
    ):
        pass
