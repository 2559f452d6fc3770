"""SQLite over a disk whose power can fail: apsw's VFS below, the face of sqlite3 above.

Python's own sqlite3 cannot use apsw's VFS: they are two libraries. So SQLAlchemy is handed this.
"""

import sqlite3
import sys
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any, Final

import apsw

from simulator.rehearsal.power import Mains, Write

NAMES: Final = (
    "Error", "DatabaseError", "OperationalError", "IntegrityError", "InterfaceError",
    "DataError", "InternalError", "NotSupportedError", "ProgrammingError", "Warning",
)  # fmt: skip
_numbers: Final = count()


class _File(apsw.VFSFile):
    def __init__(self, mains: Mains, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._mains = mains
        self._path = name if isinstance(name, str) else name.filename()

    def xWrite(self, content: bytes, offset: int) -> None:  # noqa: N802 - apsw's own name
        path = self._path
        if not self._mains.step("write", Write(path, offset, content)):
            raise apsw.IOError("the power is off")
        size = super().xFileSize()
        before = super().xRead(min(len(content), size - offset), offset) if size > offset else b""
        self._mains.wrote(path, (offset, before, size))
        super().xWrite(content, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's own name
        _step(self._mains, "sync")
        super().xSync(flags)
        self._mains.synced(self._path)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - apsw's own name
        _step(self._mains, "truncate")
        before = super().xFileSize()
        if before > size:
            self._mains.wrote(self._path, (size, super().xRead(before - size, size), before))
        super().xTruncate(size)


class _Disk(apsw.VFS):
    def __init__(self, name: str, mains: Mains) -> None:
        self._mains = mains
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 - apsw's own name
        return _File(self._mains, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: FBT001, N802 - apsw's own
        _step(self._mains, "delete")
        super().xDelete(name, sync)
        self._mains.synced(name)  # nothing of it is left to be lost


def _step(mains: Mains, what: str) -> None:
    if not mains.step(what):
        raise apsw.IOError("the power is off")


class _Cursor:
    arraysize = 1

    def __init__(self, raw: apsw.Connection, mains: Mains) -> None:
        self._raw = raw
        self._mains = mains
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
        if not self._mains.on:
            raise sqlite3.OperationalError("the power is off")
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
        if self._mains.on:
            self._cursor.close(force=True)


class _Connection:
    isolation_level = None

    def __init__(self, raw: apsw.Connection, mains: Mains) -> None:
        self._raw = raw
        self._mains = mains

    @property
    def in_transaction(self) -> bool:
        return self._mains.on and self._raw.in_transaction

    def cursor(self) -> _Cursor:
        return _Cursor(self._raw, self._mains)

    def execute(self, sql: str, values: Any = ()) -> _Cursor:
        return self.cursor().execute(sql, values)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def _end(self, how: str) -> None:
        if self._mains.on and self._raw.in_transaction:
            self.execute(how)

    def close(self) -> None:
        """A dead process's handles stay as they are: another may have the files now."""
        if self._mains.on:
            self._raw.close(force=True)

    def create_function(self, name: str, number: int, function: Any, **_: Any) -> None:
        self._raw.create_scalar_function(name, function, number)


class Driver(SimpleNamespace):
    """What `open_store(module=...)` wants: the face of sqlite3, apsw on a failing disk below."""

    def __init__(self, mains: Mains) -> None:
        super().__init__(**{name: getattr(sqlite3, name) for name in NAMES})
        self.__name__ = "apsw"
        self.paramstyle = "qmark"
        self.Binary = bytes
        self.sqlite_version = apsw.sqlite_lib_version()
        self.sqlite_version_info = tuple(map(int, self.sqlite_version.split(".")))
        self.PARSE_COLNAMES = self.PARSE_DECLTYPES = 0
        self._mains = mains
        self._name = f"mains-{next(_numbers)}"
        self._disk = _Disk(self._name, mains)
        self._opened: list[apsw.Connection] = []  # kept: nobody else may close them

    def connect(self, source: str, **_: Any) -> _Connection:
        if not self._mains.on:
            raise sqlite3.OperationalError("the power is off")
        path = source.removeprefix("file:").partition("?")[0]
        flags = (
            apsw.SQLITE_OPEN_READONLY
            if "mode=ro" in source
            else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        )
        try:
            # Without a mutex: its owner would be the parent where a process forks inside a write.
            raw = apsw.Connection(path, flags=flags | apsw.SQLITE_OPEN_NOMUTEX, vfs=self._name)
        except apsw.Error as error:
            raise sqlite3.OperationalError(str(error)) from error
        self._opened.append(raw)
        return _Connection(raw, self._mains)


def keep_quiet() -> Callable[[], None]:
    """What a VFS raises is not printed, for it is the point here; the answer ends that."""
    before = sys.unraisablehook, sys.excepthook
    sys.unraisablehook = lambda _what: None
    sys.excepthook = lambda *_what: None

    def speak() -> None:
        sys.unraisablehook, sys.excepthook = before

    return speak
