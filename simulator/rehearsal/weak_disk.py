"""A disk that is full, or whose syncs or reads fail: below SQLAlchemy, above the real SQLite."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, Final, Self

ERROR: Final = "disk I/O error"


class Weakness(StrEnum):
    FULL = "disk_full"
    UNSYNCED = "sync_fails"  # what was written stays nowhere
    UNSURE = "sync_unsure"  # it is on the disk all the same
    UNREAD = "read_fails"


class WeakDisk:
    """Arm it with a weakness: one operation fails, or each from then on if `lasting`.

    `told` hears of each failure, `began` of the first since it was armed.
    """

    def __init__(self, told: Callable[[Weakness], None]) -> None:
        self.weakness: Weakness | None = None
        self.struck = False  # since somebody last asked
        self._told = told
        self._began: Callable[[], None] | None = None
        self._left = 0  # operations that go well before one fails
        self._lasting = False
        self._writers: list[_Connection] = []

    def arm(
        self, weakness: Weakness, began: Callable[[], None], *, after: int, lasting: bool
    ) -> None:
        self.weakness, self._began = weakness, began
        self._left, self._lasting = after, lasting
        for each in self._writers:  # what was full before is now weak in another way alone
            _limit(each, whole=weakness is not Weakness.FULL)

    def heal(self) -> None:
        self.weakness = None
        for each in self._writers:
            _limit(each, whole=True)

    def module(self) -> SimpleNamespace:
        """What `open_store` wants as its driver: one life of a process."""
        self._writers.clear()
        found = SimpleNamespace(**vars(sqlite3))
        found.connect = self._connect
        return found

    def strikes(self, *which: Weakness) -> bool:
        """Whether the operation at hand fails."""
        if self.weakness not in which:
            return False
        if self._left > 0:
            self._left -= 1
            return False
        self.failed()
        if not self._lasting:
            self.weakness = None
        return True

    def failed(self) -> None:
        assert self.weakness is not None
        self.struck = True
        self._told(self.weakness)
        if self._began is not None:
            self._began()
            self._began = None

    def _connect(self, source: str, **options: Any) -> "_Connection":
        made: _Connection = sqlite3.connect(source, factory=_Connection, **options)
        made.disk = self
        if "mode=ro" not in source:
            self._writers.append(made)
            if self.weakness is Weakness.FULL:
                _limit(made)
        return made


class _Connection(sqlite3.Connection):
    disk: WeakDisk

    def commit(self) -> None:
        weakness = self.disk.weakness
        if not self.in_transaction or not self.disk.strikes(Weakness.UNSYNCED, Weakness.UNSURE):
            super().commit()
            return
        (self.rollback if weakness is Weakness.UNSYNCED else super().commit)()
        raise sqlite3.OperationalError(ERROR)

    def cursor(self, factory: Any = None) -> Any:
        del factory
        return super().cursor(_Cursor)

    def execute(self, sql: str, values: Any = (), /) -> Any:
        if sql == "COMMIT" or self.disk.weakness is not None:
            return self.cursor().execute(sql, values)
        return super().execute(sql, values)


class _Cursor(sqlite3.Cursor):
    connection: _Connection

    def execute(self, sql: str, values: Any = (), /) -> Self:
        disk = self.connection.disk
        if sql == "COMMIT":  # as the store has it done
            self.connection.commit()
            return self
        if sql.startswith("SELECT") and disk.strikes(Weakness.UNREAD):
            raise sqlite3.OperationalError(ERROR)
        try:
            return super().execute(sql, values)
        except sqlite3.OperationalError:
            if disk.weakness is Weakness.FULL:
                disk.failed()
            raise


def _limit(connection: sqlite3.Connection, *, whole: bool = False) -> None:
    """No page more than there are; or as many as there may ever be."""
    with suppress(sqlite3.ProgrammingError):  # it is closed
        _limit_open(connection, whole=whole)


def _limit_open(connection: sqlite3.Connection, *, whole: bool) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={2**31 if whole else pages}").fetchone()
