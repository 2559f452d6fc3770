"""What the district says, applied in the transaction that takes it over."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import select

from controller.entries import (
    BadgeGranted,
    BadgeRevoked,
    CodeReplaced,
    Down,
    ItemReturn,
    ItemState,
    OrderCancelled,
    OrderPlaced,
    OrderState,
    PlacedCode,
    ProblemSolved,
)
from controller.journal import Entry
from controller.ports import Clock
from controller.site.book import Act
from controller.site.cases import solve
from controller.site.items import IF_CANCELLED, load_printed
from controller.site.orders import close_if_returned, withdraw_prints
from controller.site.remote import take_down
from controller.site.schema import badges, codes, items, orders, proofs, typed_codes
from controller.store import Transaction


class Inbox:
    """Hand `apply` to the link: once for each entry, in order."""

    def __init__(self, site: str, clock: Clock) -> None:
        self._site = site
        self._clock = clock

    def apply(self, transaction: Transaction, entry: Entry) -> None:
        """Its effect is written. A kind that a later release made changes nothing here."""
        rule = RULES.get(entry.kind)
        if rule is not None:
            act = Act(transaction, self._site, self._clock.now())
            rule(act, entry.data)
            if entry.kind == Down.ORDER_PLACED:
                load_printed(act)


def _placed(act: Act, data: OrderPlaced) -> None:
    order = data["order"]
    if act.db.scalar(select(orders.c.order_no).where(orders.c.order_no == order)):
        return
    act.db.execute(
        orders.insert().values(
            order_no=order,
            company=data["company"],
            state=OrderState.PLACED.value,
            reach=data["needs"].get("reach"),
            retention_s=data["retention_s"],
        )
    )
    for item in data["items"]:
        act.db.execute(
            items.insert().values(order_no=order, state=ItemState.EXPECTED.value, **item)
        )
    for code in data["codes"]:
        _add_code(act, order, code)


def _cancelled(act: Act, data: OrderCancelled) -> None:
    """Nothing of it is handed out any more; what lies here waits for staff to take it back."""
    order = data["order"]
    act.db.execute(  # a page that was not printed needs nobody to take it back
        items.update()
        .where(
            items.c.order_no == order,
            items.c.job.is_not(None),
            items.c.state == ItemState.LOADED.value,
        )
        .values(state=ItemState.CANCELLED.value)
    )
    for before, after in IF_CANCELLED.items():
        act.db.execute(
            items.update()
            .where(items.c.order_no == order, items.c.state == before.value)
            .values(state=after.value)
        )
    act.db.execute(
        orders.update().where(orders.c.order_no == order).values(state=OrderState.CANCELLED.value)
    )
    _kill_codes(act, codes.c.order_no == order, "cancelled")


def _return(act: Act, data: ItemReturn) -> None:
    """Vendor or staff may take it out; until somebody has, its code works."""
    which = items.c.order_no == data["order"]
    if "item" in data:
        which &= items.c.item_id == data["item"]
    here = (ItemState.LOADED.value, ItemState.RELEASING.value)
    act.db.execute(
        items.update().where(which, items.c.state.in_(here)).values(return_reason=data["reason"])
    )
    act.db.execute(
        items.update()
        .where(which, items.c.state == ItemState.LOADED.value)
        .values(state=ItemState.RETURN_REQUESTED.value)
    )
    withdraw_prints(act, data["order"])
    close_if_returned(act, data["order"])


def _replaced(act: Act, data: CodeReplaced) -> None:
    _kill_codes(act, codes.c.code_id == data["replaces"], "replaced")
    _add_code(act, data["order"], data["code"])


def _granted(act: Act, data: BadgeGranted) -> None:
    """A badge may come again, with a later end."""
    act.db.execute(badges.delete().where(badges.c.badge_id == data["badge"]))
    act.db.execute(
        badges.insert().values(
            badge_id=data["badge"],
            hash=data["hash"],
            role=data["role"],
            vendor_id=data["vendor_id"],
            valid_until=data["valid_until"],
            revoked=False,
        )
    )


def _revoked(act: Act, data: BadgeRevoked) -> None:
    act.db.execute(badges.update().where(badges.c.badge_id == data["badge"]).values(revoked=True))


def _solved(act: Act, data: ProblemSolved) -> None:
    solve(act, data["case"], data["by"])


def _add_code(act: Act, order: str, code: PlacedCode) -> None:
    act.db.execute(
        codes.insert().values(code_id=code["code_id"], order_no=order, qr=code["qr"], state="open")
    )
    for digest in code["typed"]:
        act.db.execute(typed_codes.insert().values(hash=digest, code_id=code["code_id"]))
    for kind, digests in (("tail", code.get("tails", [])), ("id", code.get("id_hashes", []))):
        for digest in set(digests):
            act.db.execute(proofs.insert().values(code_id=code["code_id"], kind=kind, hash=digest))


def _kill_codes(act: Act, which: Any, state: str) -> None:
    dead = select(codes.c.code_id).where(which)
    act.db.execute(typed_codes.delete().where(typed_codes.c.code_id.in_(dead)))
    act.db.execute(proofs.delete().where(proofs.c.code_id.in_(dead)))
    act.db.execute(
        codes.update().where(which, codes.c.state.in_(("open", "claimed"))).values(state=state)
    )


RULES: Final[Mapping[str, Callable[[Act, Any], None]]] = {
    Down.ORDER_PLACED: _placed,
    Down.ORDER_CANCELLED: _cancelled,
    Down.ITEM_RETURN: _return,
    Down.CODE_REPLACED: _replaced,
    Down.BADGE_GRANTED: _granted,
    Down.BADGE_REVOKED: _revoked,
    Down.PROBLEM_SOLVED: _solved,
    Down.COMPARTMENT_OPEN: partial(take_down, Down.COMPARTMENT_OPEN),
    Down.COMPARTMENT_BLOCK: partial(take_down, Down.COMPARTMENT_BLOCK),
    Down.COMPARTMENT_UNBLOCK: partial(take_down, Down.COMPARTMENT_UNBLOCK),
}
