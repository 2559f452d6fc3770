"""All that a visit at the kiosk needs, in one hand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from controller.ports import Clock
from controller.settings import PolicyTable
from controller.site.bell import Bell
from controller.site.book import Book
from controller.site.doors import Doors
from controller.site.kiosk import Desk, ShownItem
from controller.site.machines import Machines
from controller.site.movements import Movements
from controller.site.schema import items
from controller.site.watch import Watch

Slow = Callable[[Callable[[], str]], Awaitable[str]]  # runs what takes long off the loop


@dataclass(frozen=True, slots=True)
class Premises:
    site: str
    tel: str
    policy: PolicyTable
    code_key: bytes
    typed_salt: bytes
    book: Book
    doors: Doors
    machines: Machines
    movements: Movements
    watch: Watch
    desk: Desk
    bell: Bell
    clock: Clock
    slow: Slow


def shown_items(connection: Connection, order: str) -> tuple[ShownItem, ...]:
    """An order's items as its own screens show them."""
    rows = connection.execute(
        select(items).where(items.c.order_no == order).order_by(items.c.holder, items.c.item_id)
    )
    return tuple(
        ShownItem(
            item_id=row.item_id,
            kind=row.kind,
            holder=row.holder,
            state=row.state,
            where=f"{row.cabinet}/{row.no}" if row.cabinet else row.machine,
        )
        for row in rows
    )
