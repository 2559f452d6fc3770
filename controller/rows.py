"""Rows by the values of their columns."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, insert, select, update

from controller.prepared import Prepared

Value = str | int | bytes | None


def rows(connection: Connection, table: Table, **of: str | int) -> list[Row[Any]]:
    """The whole rows of which these columns have these values."""
    return _selection(table, tuple(of)).rows(connection, **of)


def first_row(connection: Connection, table: Table, **of: str | int) -> Row[Any] | None:
    """One of them, if any."""
    return _selection(table, tuple(of)).first(connection, **of)


def one_row(connection: Connection, table: Table, **of: str | int) -> Row[Any]:
    """The only one."""
    return _selection(table, tuple(of)).one(connection, **of)


def change_rows(
    connection: Connection, table: Table, of: dict[str, str | int], **values: Value
) -> int:
    """The rows of which the columns of `of` have these values have new ones; how many."""
    named = {f"of_{name}": value for name, value in of.items()}
    return _update(table, tuple(of), tuple(values)).run(connection, **named, **values)


def add_row(connection: Connection, table: Table, **values: Value) -> None:
    """A new row; a column that is not named has its default."""
    _insertion(table, tuple(values)).run(connection, **values)


def upsert(
    connection: Connection, table: Table, where: dict[str, Any], values: dict[str, Any]
) -> None:
    """Change the row or write it; what is not named keeps its value, or its default."""
    if not change_rows(connection, table, where, **values):
        add_row(connection, table, **where, **values)


@cache
def _selection(table: Table, names: tuple[str, ...]) -> Prepared:
    return Prepared(select(table).where(*(table.c[name] == bindparam(name) for name in names)))


@cache
def _update(table: Table, names: tuple[str, ...], columns: tuple[str, ...]) -> Prepared:
    where = (table.c[name] == bindparam(f"of_{name}") for name in names)
    return Prepared(update(table).where(*where), *columns)


@cache
def _insertion(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table), *columns)
