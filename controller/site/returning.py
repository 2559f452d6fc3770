"""Returns: what is cancelled, overdue or asked back leaves with who brought it, or with staff.

Its code works until the moment it is taken out.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from controller.entries import CompartmentState, ItemState
from controller.journal import rfc3339
from controller.ports import Outcome
from controller.prepared import Prepared
from controller.refusals import Reason, Refused
from controller.settings import PolicyTable
from controller.site import compartments
from controller.site.badged import STAFF, Bearer, SteppedUp
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.items import COLLECTABLE, Custody
from controller.site.kiosk import Choice, Press
from controller.site.movements import Wanted
from controller.site.outlet import bring_out
from controller.site.schema import items as table
from controller.site.schema import orders
from controller.site.takeout import take_out
from controller.site.texts import Button, Offer, Screen, Text

ALL = "all"

_DUE = (
    select(table)
    .join(orders, orders.c.order_no == table.c.order_no)
    .where(
        table.c.cabinet.is_not(None) | table.c.slot.is_not(None),
        (table.c.state == ItemState.RETURN_REQUESTED.value)
        | (
            (table.c.state == ItemState.LOADED.value)
            & orders.c.expires_at.is_not(None)
            & (orders.c.expires_at <= bindparam("long_over"))
        ),
    )
    .order_by(table.c.cabinet.is_(None), table.c.cabinet, table.c.no, table.c.machine, table.c.slot)
)
_DUE_TO_ALL = Prepared(_DUE)
_DUE_TO_ONE = Prepared(_DUE.where(table.c.vendor_id == bindparam("vendor")))
_RELEASE = Prepared(
    table.update()
    .where(table.c.item_id == bindparam("of"), table.c.state.in_(COLLECTABLE))
    .values(state=ItemState.RELEASING.value)
)


def due(
    connection: Connection, at: datetime, policy: PolicyTable, badge: Row[Any] | None = None
) -> list[Row[Any]]:
    """What may be taken back now, of a vendor's own or of everybody."""
    long_over = rfc3339(at - timedelta(seconds=policy.overdue_return_s))
    if badge is not None and badge.role != STAFF:
        return _DUE_TO_ONE.rows(connection, long_over=long_over, vendor=badge.vendor_id)
    return _DUE_TO_ALL.rows(connection, long_over=long_over)


class Returns:
    """What one person with a badge takes back, one door after the other."""

    def __init__(self, bearer: Bearer) -> None:
        self._b = bearer
        self._p = bearer.p

    def count(self) -> int:
        return len(self._due())

    def offer(self) -> tuple[Choice, ...]:
        """The way to the list, where there is something in it."""
        count = self.count()
        return (Choice("returns", Offer.RETURNS, {"count": count}),) if count else ()

    async def run(self) -> bool:
        """Until the person wants no more, or nothing is left: then True, and the screen says so."""
        while listed := self._due():
            chosen = await self._b.choose(Text.RETURNS, *_choices(listed), count=len(listed))
            if chosen is None:
                return False
            for item in listed:
                if chosen in (ALL, item.item_id) and not await self._one(item):
                    break
        self._p.desk.show(Screen.STAFF, Text.NO_RETURNS, Button.END)
        return True

    def _due(self) -> list[Row[Any]]:
        with self._p.book.look() as connection:
            badge = self._b.badge_in(connection)
            listed = due(connection, self._p.clock.now(), self._p.policy, badge)
        closed = set() if badge.role == STAFF else self._p.maintenance.cabinets()
        return [item for item in listed if item.cabinet not in closed]

    async def _one(self, item: Row[Any]) -> bool:
        """Take one item out; False if the person had better look before the next."""
        if item.slot is not None:
            return await self._from_machine(item)
        place = Place(item.cabinet, item.no)
        if place not in self._p.doors or not self._p.doors.is_shut(place):
            self._b.trouble(Screen.STAFF, Text.DOOR_NOT_OPENED, place, "will_not_open")
        else:
            try:
                custody = await take_out(
                    self._b, place, lambda act: self._decide(act, item, place), Screen.STAFF
                )
            except Refused as refusal:
                if refusal.reason is Reason.BADGE_UNKNOWN:
                    raise
                return True  # it is no longer there to be taken back
            if custody is Custody.RETURNED:
                self._p.desk.show(Screen.STAFF, Text.RETURNED, compartment=place.sign)
                return True
        return await self._read()

    async def _read(self) -> bool:
        """The person read what went otherwise."""
        match await self._b.hear():
            case Press():
                return False
            case other:
                raise SteppedUp(other)

    async def _from_machine(self, item: Row[Any]) -> bool:
        """The same for a licence that a machine hands out to whoever takes it back."""
        p = self._p
        try:
            outcome = await bring_out(p, item, self._decide_machine)
        except Refused as refusal:
            if refusal.reason is Reason.BADGE_UNKNOWN:
                raise
            return True
        if outcome is Outcome.TAKEN:
            p.desk.show(Screen.STAFF, Text.MACHINE_RETURNED, machine=item.machine)
            return True
        tell_not_taken(self._b, Screen.STAFF, outcome, item.machine)
        return await self._read()

    def _decide_machine(self, act: Act, item: Row[Any]) -> Wanted:
        badge = self._badge_for(act, item)
        return _wanted(act, item, badge)

    def _decide(self, act: Act, item: Row[Any], place: Place) -> Wanted:
        badge = self._badge_for(act, item)
        occupied = (CompartmentState.OCCUPIED,)
        if not compartments.change(act, place, occupied, CompartmentState.OPEN):
            raise Refused(Reason.DOOR_OUT_OF_USE)
        return _wanted(act, item, badge)

    def _badge_for(self, act: Act, item: Row[Any]) -> Row[Any]:
        """The badge, if it may take this back now."""
        badge = self._b.badge_in(act.db)
        if item.item_id not in {
            each.item_id for each in due(act.db, act.at, self._p.policy, badge)
        }:
            raise Refused(Reason.STALE_DECISION)
        return badge


def _wanted(act: Act, item: Row[Any], badge: Row[Any]) -> Wanted:
    claim_item(act, item.item_id)
    return Wanted(
        kind="return",
        reason=item.return_reason or "overdue",
        order=item.order_no,
        item=item.item_id,
        badge=badge.badge_id,
    )


def claim_item(act: Act, item_id: str) -> None:
    """It is between here and somebody's hands. Refused where it does not rest here."""
    if _RELEASE.run(act.db, of=item_id) != 1:
        raise Refused(Reason.STALE_DECISION)


def sign(item: Row[Any]) -> str:
    """Where it lies, as people call it: A07, or a machine and its slot."""
    return Place(item.cabinet, item.no).sign if item.cabinet else f"{item.machine}-{item.slot}"


def _choices(listed: list[Row[Any]]) -> list[Choice]:
    each = [
        Choice(
            item.item_id,
            Offer.TAKE_BACK,
            {"compartment": sign(item), "items": item.kind},
        )
        for item in listed
    ]
    return [Choice(ALL, Offer.TAKE_ALL_BACK), *each] if len(each) > 1 else each


def tell_not_taken(bearer: Bearer, screen: Screen, outcome: Outcome | None, machine: str) -> None:
    """A machine was to hand something out to this person, who has not got it."""
    match outcome:
        case None | Outcome.REFUSED | Outcome.FAILED_INSIDE:
            bearer.p.desk.show(screen, Text.MACHINE_KEEPS, Button.END, machine=machine)
        case Outcome.RETRACTED:
            bearer.trouble(screen, Text.LICENCE_RETRACTED, None, "licence_retracted")
        case _:
            bearer.trouble(screen, Text.UNSURE, None, "unsure")
