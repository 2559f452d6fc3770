"""Statements that are compiled once and then carried out by the driver itself.

SQLAlchemy's own way costs five times what SQLite does for a statement. What is done at every
movement goes this way instead; tables and statements are SQLAlchemy's all the same, and so are
the rows and the errors that come of them.
"""

import re
from collections.abc import Callable
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Delete, Insert, Row, Select, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import result_tuple
from sqlalchemy.exc import ArgumentError, DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.sql.compiler import SQLCompiler

Statement = Select[Any] | Insert | Update | Delete
Values = Callable[[dict[str, Any]], tuple[Any, ...]]

_SQLITE: Final = sqlite.dialect()
_LIST: Final = re.compile(r"__\[POSTCOMPILE_(\w+)\]")  # how a compiled `in_` stands for its list


class Prepared:
    """A statement for SQLite, with named values that may be others each time.

    `columns` are those that an insert or update fills, where the statement does not say it.
    Values are what SQLite knows by itself: texts, numbers, bytes, truths and None.
    """

    def __init__(self, statement: Statement, *columns: str) -> None:
        self.statement = statement
        self._columns = columns

    def rows(self, connection: Connection, /, **values: Any) -> list[Row[Any]]:
        """All that it finds."""
        return [self._row(each) for each in self._carry_out(connection, values)[0]]

    def plain(self, connection: Connection, /, **values: Any) -> list[tuple[Any, ...]]:
        """All that it finds as SQLite says it: for texts and numbers, of which there are many."""
        return self._carry_out(connection, values)[0]

    def first(self, connection: Connection, /, **values: Any) -> Row[Any] | None:
        """The first that it finds, if any."""
        found, _ = self._carry_out(connection, values)
        return self._row(found[0]) if found else None

    def one(self, connection: Connection, /, **values: Any) -> Row[Any]:
        """The one that it finds. NoResultFound or MultipleResultsFound otherwise."""
        found, _ = self._carry_out(connection, values)
        if len(found) != 1:
            raise MultipleResultsFound(self._sql) if found else NoResultFound(self._sql)
        return self._row(found[0])

    def scalar(self, connection: Connection, /, **values: Any) -> Any:
        """The first column of the first row; None where there is none."""
        row = self.first(connection, **values)
        return None if row is None else row[0]

    def scalars(self, connection: Connection, /, **values: Any) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.rows(connection, **values)]

    def run(self, connection: Connection, /, **values: Any) -> int:
        """Change what it says; how many rows that were."""
        return self._carry_out(connection, values)[1]

    def _carry_out(self, connection: Connection, values: dict[str, Any]) -> tuple[list[Any], int]:
        return carry_out(connection, self._sql, self._in_order(values))

    @cached_property
    def _compiled(self) -> SQLCompiler:
        columns = list(self._columns) or None
        compiled = self.statement.compile(dialect=_SQLITE, column_keys=columns)
        assert isinstance(compiled, SQLCompiler), "no DDL"
        return compiled

    @cached_property
    def _sql(self) -> str:
        written = _written(self._compiled)
        return _LIST.sub(lambda name: ", ".join("?" * len(written[name[1]])), str(self._compiled))

    @cached_property
    def _in_order(self) -> Values:
        """Puts named values, and those that the statement has, in the order of its marks."""
        written = _written(self._compiled)
        marks = []
        for name in self._compiled.positiontup or ():
            listed = written.pop(name) if self._compiled.binds[name].expanding else None
            if listed is None:
                marks.append(name)
            else:
                keys = [f"{name} {number}" for number in range(len(listed))]
                written.update(zip(keys, listed, strict=True))
                marks += keys
        return _ordering(marks, written)

    @cached_property
    def _row(self) -> Callable[[tuple[Any, ...]], Row[Any]]:
        """Makes a row of what SQLite answers."""
        assert isinstance(self.statement, Select), "nothing else has rows"
        columns = list(self.statement.selected_columns)
        row = result_tuple([each.name for each in columns])
        reads = [
            each.type.dialect_impl(_SQLITE).result_processor(_SQLITE, None) for each in columns
        ]
        if not any(reads):
            return row
        return lambda told: row(
            [read(each) if read else each for read, each in zip(reads, told, strict=True)]
        )


def carry_out(
    connection: Connection, sql: str, values: tuple[Any, ...] = ()
) -> tuple[list[Any], int]:
    """What the driver finds, and how many rows it changed. Errors are SQLAlchemy's."""
    driver: Any = connection.connection.dbapi_connection
    try:
        cursor = driver.execute(sql, values)
        return cursor.fetchall(), cursor.rowcount
    except connection.dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            sql,
            None,
            error,
            connection.dialect.loaded_dbapi.Error,
            hide_parameters=True,  # values may name people
            dialect=connection.dialect,
        ) from error


def _written(compiled: SQLCompiler) -> dict[str, Any]:
    """The values that a statement has itself."""
    binds = [(name, compiled.binds[name]) for name in compiled.positiontup or ()]
    return {name: bind.effective_value for name, bind in binds if not bind.required}


def _ordering(marks: list[str], written: dict[str, Any]) -> Values:
    pick: Callable[[dict[str, Any]], Any] = itemgetter(*marks) if marks else lambda _values: ()
    given = len(set(marks) - set(written))
    one = len(marks) == 1

    def in_order(values: dict[str, Any]) -> tuple[Any, ...]:
        if len(values) != given:
            raise ArgumentError(f"values for {marks}, not for {sorted(values)}")
        picked = pick({**written, **values} if written else values)
        return (picked,) if one else picked

    return in_order
