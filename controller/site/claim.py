"""A good code in use: whose visit it is, and what may be moved for it."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Row, bindparam

from controller.entries import CompartmentState, ItemState
from controller.prepared import Prepared
from controller.refusals import Reason, Refused
from controller.site import compartments
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.items import COLLECTABLE, loaded_items
from controller.site.movements import Wanted
from controller.site.orders import (
    OrderRow,
    end_session,
    refuse_expired,
    start_session,
    still_claimed,
)
from controller.site.premises import Premises, shown_items
from controller.site.schema import items as table
from controller.site.second_factor import Proof

_RELEASE: Final = Prepared(
    table.update()
    .where(
        table.c.item_id == bindparam("item"),
        table.c.order_no == bindparam("order"),
        table.c.state.in_(COLLECTABLE),
    )
    .values(state=ItemState.RELEASING.value)
)


class Claim:
    """The code's visit. It begins with the first movement and ends once."""

    def __init__(self, premises: Premises, order: OrderRow, code: str) -> None:
        self.order = order
        self.proof = Proof("none")
        self._p = premises
        self._code = code
        self._session: str | None = None

    def items(self) -> list[Row[Any]]:
        """What waits for this code: doors first, the machine last."""
        with self._p.book.look() as connection:
            return loaded_items(connection, self.order.order_no)

    def show_items(self) -> None:
        """The screens belong to this order and say how far it has got."""
        with self._p.book.look() as connection:
            items = shown_items(connection, self.order.order_no)
        self._p.desk.accept(self._session, self.order.order_no, items)

    def end(self) -> None:
        if self._session is not None:
            with self._p.book.act() as act:
                end_session(act, self._session)

    def decide_door(self, item: Row[Any], place: Place) -> Callable[[Act], Wanted]:
        def decide(act: Act) -> Wanted:
            occupied = (CompartmentState.OCCUPIED,)
            session = self._claim(act, item)
            if not compartments.change(act, place, occupied, CompartmentState.OPEN):
                raise Refused(Reason.DOOR_OUT_OF_USE)
            self._session = session  # of an act that nothing refuses any more
            return self._wanted(item.item_id, "collect", "pickup")

        return decide

    def decide_machine(self, act: Act, item: Row[Any]) -> Wanted:
        self._session = self._claim(act, item)
        return self._wanted(item.item_id, "present", "pickup")

    def decide_reopen(self, place: Place) -> Callable[[Act], Wanted]:
        def decide(act: Act) -> Wanted:
            free = (CompartmentState.FREE,)
            if not compartments.change(act, place, free, CompartmentState.OPEN):
                raise Refused(Reason.REOPEN_NOT_OFFERED)
            return self._wanted(None, "reopen", "forgot_something")

        return decide

    def _claim(self, act: Act, item: Row[Any]) -> str:
        """The code, then the item, in the intent's own transaction; the visit's session."""
        session = self._session
        if session is None:
            refuse_expired(self.order, act.at, self._p.policy.code_valid_s)
            session = start_session(
                act, self.order.order_no, self._code, self.proof.factor, self.proof.badge
            )
        else:
            still_claimed(act, self._code)
        if _RELEASE.run(act.db, item=item.item_id, order=self.order.order_no) != 1:
            raise Refused(Reason.STALE_DECISION)
        return session

    def _wanted(self, item: str | None, kind: Any, reason: str) -> Wanted:
        return Wanted(
            kind=kind,
            reason=reason,
            order=self.order.order_no,
            item=item,
            code=self._code,
            session=self._session,
        )
