"""What people at a desk read: who may collect (masked), how many orders, what happened."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from controller.district import schema as s
from controller.district.seal import Seal
from controller.district.views import OrderView
from controller.entries import OrderState, Up
from controller.identifiers import mask_name, mask_phone
from controller.journal import Entry, Stream, entries, head, read_entry, rfc3339
from controller.store import Store

STORY_MAX = 500  # entries; a pickup with every trouble has some dozens
CLOCKS_APART = timedelta(hours=1)  # a site's clock may be behind ours


@dataclass(frozen=True, slots=True)
class MaskedRecipient:
    name: str  # 张*
    phone: str  # 138****0000
    role: str


class Stories:
    def __init__(self, store: Store, seal: Seal) -> None:
        self._store = store
        self._seal = seal

    def recipients(self, order_no: str) -> list[MaskedRecipient]:
        with self._store.read() as connection:
            rows = connection.execute(
                select(s.recipients)
                .where(s.recipients.c.order_no == order_no)
                .order_by(s.recipients.c.recipient_id)
            ).all()
        return [
            MaskedRecipient(
                mask_name(self._seal.open(row.name, f"name {row.recipient_id}")),
                mask_phone(self._seal.open(row.phone, f"phone {row.recipient_id}")),
                row.role,
            )
            for row in rows
        ]

    def counts(self) -> list[tuple[OrderState, int]]:
        """Orders by state, in the order of an order's life; states without any are left out."""
        with self._store.read() as connection:
            found: dict[str, int] = {
                row[0]: row[1]
                for row in connection.execute(
                    select(s.orders.c.state, func.count()).group_by(s.orders.c.state)
                )
            }
        return [(state, found[state]) for state in OrderState if state in found]

    def newest(
        self, site_id: str, stream: Stream, before: int | None, limit: int
    ) -> tuple[list[Entry], int | None]:
        """Entries below `before`, newest first, and what to ask for the page of older ones."""
        with self._store.read() as connection:
            top = head(connection, s.journal, site_id, stream).seq
            below = min(before or top + 1, top + 1)
            after = max(below - 1 - limit, 0)
            count = below - 1 - after
            found = list(entries(connection, s.journal, site_id, stream, after, count))
        return found[::-1], (after + 1 if after else None)

    def story(self, order: OrderView) -> list[Entry]:
        """What both sides wrote about an order, oldest first; at most STORY_MAX entries."""
        theirs = {order.order_no}
        found: list[Entry] = []
        with self._store.read() as connection:
            rows = connection.execute(
                select(s.journal.c.body)
                .where(
                    s.journal.c.site == order.site_id,
                    s.journal.c.at >= rfc3339(order.placed_at - CLOCKS_APART),
                )
                .order_by(s.journal.c.at, s.journal.c.stream, s.journal.c.seq)
            )
            for row in rows:
                if not any(each.encode() in row.body for each in theirs):
                    continue
                entry = read_entry(order.site_id, row.body)
                if theirs.isdisjoint({entry.data.get("order"), entry.data.get("intent")}):
                    continue
                found.append(entry)
                if entry.kind == Up.MOVEMENT_INTENDED:
                    theirs.add(entry.data["intent"])
                if len(found) == STORY_MAX:
                    break
        return found
