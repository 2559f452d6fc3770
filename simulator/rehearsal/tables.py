"""What a site's own tables say, for whoever compares it with the journal."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import select, text

from controller.site import schema

GONE: Final = ("collected", "returned")
NEWEST: Final = 1_500  # more than any site is sent in the time that an order may wait

Found = dict[str, tuple[str, str | None]]


def items_by_table(rows: Callable[[Any], list[Any]], *, newest: int | None = None) -> Found:
    """Each item's state and where it is; with `newest` of those that are gone only so many."""
    items = schema.items
    found = rows(select(items)) if newest is None else _living(rows, newest)
    return {
        each.item_id: (
            each.state,
            f"{each.cabinet}/{each.no}" if each.cabinet else each.machine,
        )
        for each in found
    }


def _living(rows: Callable[[Any], list[Any]], newest: int) -> list[Any]:
    items = schema.items
    gone = select(items).where(items.c.state.in_(GONE)).order_by(text("rowid DESC")).limit(newest)
    return rows(select(items).where(items.c.state.not_in(GONE))) + rows(gone)
