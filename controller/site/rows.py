"""Rows by the values of their columns.

Each statement is made once: making one costs five times as much as carrying it out.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    insert,
    select,
    update,
)


def rows(connection: Connection, table: Table, **of: str | int) -> CursorResult[Any]:
    """The whole rows of which these columns have these values."""
    return connection.execute(_selection(table, tuple(of)), _named(of))


def change_rows(
    connection: Connection, table: Table, of: dict[str, str | int], **values: str | int | None
) -> CursorResult[Any]:
    """The rows of which the columns of `of` have these values have new ones."""
    return connection.execute(_update(table, tuple(of)), {**_named(of), **values})


def add_row(connection: Connection, table: Table, **values: str | int | None) -> None:
    """A new row; a column that is not named has its default."""
    connection.execute(_insertion(table), values)


def _named(of: dict[str, str | int]) -> dict[str, str | int]:
    return {f"of_{name}": value for name, value in of.items()}


@cache
def _selection(table: Table, names: tuple[str, ...]) -> Select[Any]:
    return select(table).where(*(table.c[name] == bindparam(f"of_{name}") for name in names))


@cache
def _update(table: Table, names: tuple[str, ...]) -> Update:
    return update(table).where(*(table.c[name] == bindparam(f"of_{name}") for name in names))


@cache
def _insertion(table: Table) -> Insert:
    return insert(table)
