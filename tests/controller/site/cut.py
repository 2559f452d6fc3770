"""A database below which the power can fail: every write and sync is a numbered step.

apsw's VFS is put under SQLAlchemy through a small DBAPI face. After the cut everything raises; of
what was not synced, each write is undone with even odds, newest first, as a disk's cache would.
"""

import contextlib
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import apsw

from tests.controller.site.hardware import Power, PowerCut

Undo = Callable[[], None]


class Mains(Power):
    """Power for a database and the machines around it; fails at step `fails_at` (0: never)."""

    def __init__(self, fails_at: int = 0, seed: int = 0) -> None:
        self.fails_at = fails_at
        self.steps = 0
        self.on = True
        self.was_unsynced = False  # something was on its way to the disk when the power failed
        self.seed = seed
        self._dice = Random(seed)
        self._unsynced: dict[str, list[Undo]] = {}

    def step(self) -> None:
        """One more; raises once the power is off."""
        if not self.on:
            raise apsw.IOError("the power is off")
        self.steps += 1
        if self.steps == self.fails_at:
            self.on = False
            raise apsw.IOError("the power fails")

    def sync(self) -> None:
        """One more step, of those that make the ones before it durable."""
        self.step()

    def check(self) -> None:
        if not self.on:
            raise PowerCut

    def strike(self) -> None:
        self.check()
        try:
            self.step()
        except apsw.IOError as end:
            raise PowerCut from end

    def wrote(self, name: str, undo: Undo) -> None:
        self._unsynced.setdefault(name, []).append(undo)

    def synced(self, name: str) -> None:
        self._unsynced.pop(name, None)

    def lose(self) -> None:
        """What was not synced may be gone: newest first, each with even odds."""
        self.was_unsynced = any(self._unsynced.values())
        for undos in self._unsynced.values():
            for undo in reversed(undos):
                if self._dice.random() < 0.5:
                    undo()
        self._unsynced.clear()


class _File(apsw.VFSFile):
    def __init__(self, mains: Mains, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._mains = mains
        self._path = name if isinstance(name, str) else name.filename()

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's own name
        self._mains.step()
        path = self._path
        size = super().xFileSize()
        before = super().xRead(min(len(data), size - offset), offset) if size > offset else b""
        self._mains.wrote(path, lambda: _put_back(path, offset, before, size))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's own name
        self._mains.sync()
        super().xSync(flags)
        self._mains.synced(self._path)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - apsw's own name
        self._mains.step()
        super().xTruncate(size)


def _put_back(path: str, offset: int, before: bytes, size: int) -> None:
    with Path(path).open("r+b") as file:
        file.seek(offset)
        file.write(before)
        if file.seek(0, 2) > size:
            file.truncate(max(size, offset + len(before)))


class _Disk(apsw.VFS):
    def __init__(self, name: str, mains: Mains) -> None:
        self._mains = mains
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 - apsw's own name
        return _File(self._mains, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: FBT001, N802 - apsw's own
        self._mains.step()
        super().xDelete(name, sync)


class _Cursor:
    arraysize = 1

    def __init__(self, raw: apsw.Connection) -> None:
        self._raw = raw
        self._cursor = raw.cursor()
        self._cursor.exec_trace = self._describe
        self._rows: list[tuple[Any, ...]] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid = 0

    def _describe(self, cursor: apsw.Cursor, _sql: str, _values: Any) -> bool:
        """Asked before the first row: afterwards an empty answer has no columns any more."""
        columns = cursor.get_description()
        self.description = [(each[0], *[None] * 6) for each in columns] or None
        return True

    def execute(self, sql: str, values: Any = ()) -> "_Cursor":
        before = self._raw.total_changes()
        try:
            self._cursor.execute(sql, values or None)
            self._rows = list(self._cursor)
        except apsw.ConstraintError as error:
            raise sqlite3.IntegrityError(str(error)) from error
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error
        self.rowcount = self._raw.total_changes() - before
        self.lastrowid = self._raw.last_insert_rowid()
        return self

    def executemany(self, sql: str, many: Any) -> "_Cursor":
        for values in many:
            self.execute(sql, values)
        return self

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Any]:
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None:
        self._cursor.close(force=True)


class _Connection:
    isolation_level = None

    def __init__(self, raw: apsw.Connection) -> None:
        self.raw = raw

    def cursor(self) -> _Cursor:
        return _Cursor(self.raw)

    def execute(self, sql: str, values: Any = ()) -> _Cursor:
        return self.cursor().execute(sql, values)

    def commit(self) -> None:
        if self.raw.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self.raw.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """A dead process's handles go without a word."""
        with contextlib.suppress(apsw.Error):
            self.raw.close(force=True)

    def create_function(self, name: str, count: int, function: Any, **_: Any) -> None:
        self.raw.create_scalar_function(name, function, count)


class Driver(SimpleNamespace):
    """What `open_store(module=...)` wants: the face of sqlite3, apsw on a failing disk below."""

    def __init__(self, mains: Mains) -> None:
        names = (
            "Error", "DatabaseError", "OperationalError", "IntegrityError", "InterfaceError",
            "DataError", "InternalError", "NotSupportedError", "ProgrammingError", "Warning",
        )  # fmt: skip
        super().__init__(**{name: getattr(sqlite3, name) for name in names})
        self.__name__ = "apsw"
        self.paramstyle = "qmark"
        self.Binary = bytes
        self.sqlite_version = apsw.sqlite_lib_version()
        self.sqlite_version_info = tuple(map(int, self.sqlite_version.split(".")))
        self.PARSE_COLNAMES = self.PARSE_DECLTYPES = 0
        self._name = f"cut-{id(self):x}"
        self._disk = _Disk(self._name, mains)
        self._open: list[_Connection] = []

    def connect(self, source: str, **_: Any) -> _Connection:
        read_only = "mode=ro" in source
        path = source.removeprefix("file:").partition("?")[0]
        flags = (
            apsw.SQLITE_OPEN_READONLY
            if read_only
            else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        )
        try:
            raw = apsw.Connection(path, flags=flags, vfs=self._name)
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error
        connection = _Connection(raw)
        self._open.append(connection)
        return connection

    def drop(self) -> None:
        """The process is dead: nothing of it may touch the files any more."""
        for connection in self._open:
            connection.close()
        self._disk.unregister()


def keep_quiet() -> None:
    """apsw prints what a VFS raises; here that is the point and not news."""
    sys.unraisablehook = lambda _what: None
