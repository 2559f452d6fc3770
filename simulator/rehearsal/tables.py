"""What a site's own tables say, for whoever compares it with the journal."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlalchemy import select, text

from controller.prepared import Prepared
from controller.site.schema import items
from controller.store import Store

GONE: Final = ("collected", "returned")
NEWEST: Final = 1_500  # more than any site is sent in the time that an order may wait

Found = dict[str, tuple[str, str | None]]

_WHOLE: Final = select(items.c.item_id, items.c.state, items.c.cabinet, items.c.no, items.c.machine)
_LEFT: Final = Prepared(_WHOLE.where(items.c.state.not_in(GONE)))
_GONE: Final = Prepared(
    _WHOLE.where(items.c.state.in_(GONE)).order_by(text("items.rowid DESC")).limit(NEWEST)
)


def items_by_table(rows: Callable[[Any], list[Any]]) -> Found:
    """Each item's state and where it is."""
    return _found(rows(_WHOLE))


def newest_items(store: Store | None) -> Found:
    """The same; of those that are gone only the newest, and cheaply: it is asked at each start."""
    assert store is not None, "the site runs"
    with store.read() as connection:
        return _found([*_LEFT.plain(connection), *_GONE.plain(connection)])


def _found(rows: Iterable[tuple[str, str, str | None, int | None, str | None]]) -> Found:
    return {
        item_id: (state, f"{cabinet}/{no}" if cabinet else machine)
        for item_id, state, cabinet, no, machine in rows
    }
