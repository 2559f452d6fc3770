"""What the district says, applied in the transaction that takes it over."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import bindparam, select

from controller.entries import (
    AlarmAcknowledged,
    Down,
    ItemState,
    OrderState,
    ProblemSolved,
)
from controller.entries_down import (
    BadgeGranted,
    BadgeRevoked,
    CodeReplaced,
    ItemReturn,
    OrderCancelled,
    OrderPlaced,
    OrderUpdated,
    PlacedCode,
)
from controller.journal import Entry, parse_time
from controller.ports import Clock
from controller.prepared import Prepared
from controller.rows import add_row, first_row, rows
from controller.site.alarms import acknowledge
from controller.site.book import Act
from controller.site.cases import solve
from controller.site.commands import take_down
from controller.site.items import IF_CANCELLED, load_printed
from controller.site.orders import (
    COLLECTABLE,
    NOT_YET,
    OrderRow,
    close_if_returned,
    extend,
    withdraw_prints,
)
from controller.site.retention import last_moment
from controller.site.rules import change_settings
from controller.site.schema import (
    badges,
    codes,
    hindrances,
    items,
    orders,
    proofs,
    typed_codes,
)
from controller.store import Transaction

_DEAD: Final = select(codes.c.code_id).where(codes.c.state.not_in(("open", "claimed")))
_FORGET_IF_DEAD: Final = Prepared(
    typed_codes.delete().where(
        typed_codes.c.hash == bindparam("digest"), typed_codes.c.code_id.in_(_DEAD)
    )
)


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
    known = first_row(act.db, orders, order_no=order)
    if known is not None and not _has_left(act, known):
        return
    if known is not None:
        _forget(act, order)
    add_row(
        act.db,
        orders,
        order_no=order,
        company=data["company"],
        state=OrderState.PLACED.value,
        reach=data["needs"].get("reach"),
        retention_s=data["retention_s"],
    )
    for item in data["items"]:
        add_row(act.db, items, order_no=order, state=ItemState.EXPECTED.value, **item)
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


def _updated(act: Act, data: OrderUpdated) -> None:
    order = act.db.execute(select(orders).where(orders.c.order_no == data["order"])).first()
    if order is None:
        return
    if "needs" in data:
        _write(act, order.order_no, reach=data["needs"].get("reach"))
    if data.get("retention_s", 0) > order.retention_s:
        _keep_longer(act, order, data["retention_s"])
    if order.state in (*NOT_YET, *COLLECTABLE):
        for code in data.get("codes", []):
            _add_code(act, order.order_no, code)
    if "moved_to" in data:
        _moved_away(act, order)


def _keep_longer(act: Act, order: OrderRow, retention_s: int) -> None:
    _write(act, order.order_no, retention_s=retention_s)
    if order.state not in COLLECTABLE:
        return
    ready = parse_time(order.ready_at)
    more = last_moment(ready, retention_s) - last_moment(ready, order.retention_s)
    extend(act, order.order_no, parse_time(order.expires_at) + more, "asked_for")


def _moved_away(act: Act, order: OrderRow) -> None:
    """As if it had never been this site's; what lies here already waits to be taken back."""
    rows = act.db.execute(select(items).where(items.c.order_no == order.order_no))
    waits = all(
        row.state == ItemState.EXPECTED.value and row.cabinet is None and row.slot is None
        for row in rows
    )
    if order.state not in NOT_YET or not waits:
        if order.state in (*NOT_YET, *COLLECTABLE):
            _cancelled(act, OrderCancelled(order=order.order_no, reason="moved"))
        return
    _forget(act, order.order_no)


def _has_left(act: Act, order: OrderRow) -> bool:
    """It was moved away while something of it lay here; by now all was taken back."""
    gone = (ItemState.RETURNED.value, ItemState.CANCELLED.value)
    mine = rows(act.db, items, order_no=order.order_no)
    return order.state == OrderState.CANCELLED.value and all(each.state in gone for each in mine)


def _forget(act: Act, order: str) -> None:
    mine = select(codes.c.code_id).where(codes.c.order_no == order)
    for table in (typed_codes, proofs):
        act.db.execute(table.delete().where(table.c.code_id.in_(mine)))
    for table in (codes, items, hindrances, orders):
        act.db.execute(table.delete().where(table.c.order_no == order))


def _write(act: Act, order: str, **values: str | int | None) -> None:
    act.db.execute(orders.update().where(orders.c.order_no == order).values(**values))


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
    """Of several codes the others stay good."""
    which = (codes.c.code_id == data["replaces"]) & (codes.c.order_no == data["order"])
    _kill_codes(act, which, "replaced")
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
            pin=data.get("pin"),
        )
    )


def _revoked(act: Act, data: BadgeRevoked) -> None:
    act.db.execute(badges.update().where(badges.c.badge_id == data["badge"]).values(revoked=True))


def _solved(act: Act, data: ProblemSolved) -> None:
    solve(act, data["case"], data["by"])


def _acknowledged(act: Act, data: AlarmAcknowledged) -> None:
    """It stands, and somebody at the district looks after it: of two people the first."""
    acknowledge(act, data["alarm"], data["by"])


def _add_code(act: Act, order: str, code: PlacedCode) -> None:
    add_row(act.db, codes, code_id=code["code_id"], order_no=order, qr=code["qr"], state="open")
    for digest in set(code["typed"]):  # two phones may end alike; digits come again in time
        _FORGET_IF_DEAD.run(act.db, digest=digest)
        add_row(act.db, typed_codes, hash=digest, code_id=code["code_id"])
    shown = {
        "tail": code.get("tails", []),
        "id": code.get("id_hashes", []),
        "no_card": code.get("without_card", []),
    }
    for kind, digests in shown.items():
        for digest in set(digests):
            add_row(act.db, proofs, code_id=code["code_id"], kind=kind, hash=digest)


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
    Down.ORDER_UPDATED: _updated,
    Down.ITEM_RETURN: _return,
    Down.CODE_REPLACED: _replaced,
    Down.BADGE_GRANTED: _granted,
    Down.BADGE_REVOKED: _revoked,
    Down.PROBLEM_SOLVED: _solved,
    Down.SETTINGS_CHANGED: change_settings,
    Down.COMPARTMENT_OPEN: partial(take_down, Down.COMPARTMENT_OPEN),
    Down.COMPARTMENT_BLOCK: partial(take_down, Down.COMPARTMENT_BLOCK),
    Down.COMPARTMENT_UNBLOCK: partial(take_down, Down.COMPARTMENT_UNBLOCK),
    Down.DOUBT_SETTLE: partial(take_down, Down.DOUBT_SETTLE),
    Down.ALARM_ACKNOWLEDGED: _acknowledged,
}
