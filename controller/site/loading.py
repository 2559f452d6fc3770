"""Loading: badge, label, door, box in, door shut; and the next one at once."""

from typing import Any

from sqlalchemy import Connection, Row, select

from controller.codes import Badge, Label, keyed_hash
from controller.entries import CompartmentState, Holder, ItemState, PickupRefused, Up
from controller.journal import parse_time
from controller.ports import DoorSight, Presence
from controller.refusals import Reason, Refused
from controller.site import compartments
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.doorway import Way, is_over, release, step_back
from controller.site.items import Custody, settle_shut
from controller.site.kiosk import Heard, Press, Quiet
from controller.site.movements import Wanted
from controller.site.orders import order_of
from controller.site.premises import Premises
from controller.site.schema import badges
from controller.site.schema import items as table
from controller.site.texts import Button, Screen, Text

TEXT = {
    Reason.LABEL_UNKNOWN: Text.LABEL_UNKNOWN,
    Reason.LABEL_LOADED: Text.LABEL_LOADED,
    Reason.NO_COMPARTMENT: Text.NO_COMPARTMENT,
    Reason.LOADING_RESTS: Text.LOADING_RESTS,
    Reason.STALE_DECISION: Text.LABEL_UNKNOWN,
}


class Round:
    """One visit of somebody with a badge."""

    def __init__(self, premises: Premises, badge: Badge) -> None:
        self._p = premises
        self._hash = keyed_hash(premises.code_key, badge.secret)
        self._loaded: list[Place] = []

    async def run(self) -> Heard | None:
        """Load box after box until the person ends, walks off or somebody else steps up."""
        p = self._p
        self.badge()
        p.desk.show(Screen.LOAD, Text.LOAD_NEXT, Button.END, loaded=0)
        while True:
            p.desk.listen(on=True)
            heard = await p.desk.hear(p.policy.vendor_idle_s, scans=True)
            match heard:
                case Label():
                    try:
                        await self._box(heard)
                    except Refused as refusal:
                        if refusal.reason is Reason.BADGE_UNKNOWN:
                            raise
                        self._refuse(refusal)
                case Quiet() | Press(button=Button.END):
                    return None
                case Badge(secret=secret) if keyed_hash(p.code_key, secret) == self._hash:
                    pass
                case Press():
                    pass
                case _:
                    return heard

    def badge(self) -> Row[Any]:
        """The badge as it is now. Refused if it is unknown, revoked or out of date."""
        with self._p.book.look() as connection:
            return self._badge(connection)

    def _badge(self, connection: Connection) -> Row[Any]:
        row = connection.execute(select(badges).where(badges.c.hash == self._hash)).first()
        now = self._p.clock.now()
        if row is None or row.revoked or now >= parse_time(row.valid_until):
            raise Refused(Reason.BADGE_UNKNOWN)
        return row

    def _item(self, connection: Connection, label: str, badge: Row[Any]) -> Row[Any]:
        """The item that waits for this label. Another vendor's label is an unknown one."""
        item = connection.execute(select(table).where(table.c.label == label)).first()
        if (
            item is None
            or item.holder != Holder.CABINET.value
            or (badge.role == "vendor" and item.vendor_id != badge.vendor_id)
        ):
            raise Refused(Reason.LABEL_UNKNOWN)
        if item.state in (ItemState.LOADED.value, ItemState.RELEASING.value):
            raise Refused(Reason.LABEL_LOADED)
        if item.state != ItemState.EXPECTED.value or item.cabinet is not None:
            raise Refused(Reason.LABEL_UNKNOWN)
        return item

    async def _box(self, label: Label) -> None:
        p = self._p
        p.desk.listen(on=False)
        if p.surroundings.power_low:
            raise Refused(Reason.LOADING_RESTS)
        with p.book.look() as connection:
            item = self._item(connection, label.text, self._badge(connection))
            reach = order_of(connection, item.order_no).reach
            place = compartments.choose(connection, p.doors, item.size, reach, self._loaded)
        try:
            way = await release(p, place, lambda act: self._decide(act, label, place))
            match way:
                case Way.NOT_MOVED:
                    self._trouble(Text.LOAD_STUCK, place, "will_not_open")
                case Way.STUCK | Way.ELSEWHERE:
                    await self._stuck(place)
                case Way.UNSEEN:
                    self._trouble(Text.UNSURE, None, "unsure")
                case Way.OPEN:
                    await self._put_in(place)
        finally:
            step_back(p, place)

    def _decide(self, act: Act, label: Label, place: Place) -> Wanted:
        badge = self._badge(act.db)
        item = self._item(act.db, label.text, badge)
        free = (CompartmentState.FREE,)
        if not compartments.change(act, place, free, CompartmentState.RESERVED):
            raise Refused(Reason.STALE_DECISION)
        act.db.execute(
            table.update()
            .where(table.c.item_id == item.item_id)
            .values(cabinet=place.cabinet, no=place.no)
        )
        return Wanted(
            kind="load",
            reason=f"{badge.role}_load",
            order=item.order_no,
            item=item.item_id,
            badge=badge.badge_id,
        )

    async def _put_in(self, place: Place) -> None:
        """The door is open: wait for the box and for the door to shut; a next label may come."""
        p = self._p
        p.desk.listen(on=True)
        p.desk.show(Screen.LOAD, Text.LOAD_OPEN, doors=(place,), compartment=place.sign)

        def is_in_or_over() -> bool:
            return p.doors[place].item is Presence.PRESENT or is_over(p, place)

        await p.bell.until(is_in_or_over, p.policy.ajar_notice_s)
        if not is_over(p, place):
            p.desk.show(Screen.LOAD, Text.LOAD_CLOSE, doors=(place,), compartment=place.sign)
            await p.bell.until(lambda: is_over(p, place))
        if p.doors.is_shut(place):
            await self._settle(place)
        else:  # nobody can see it any more: the watch settles it once somebody can
            self._trouble(Text.UNSURE, None, "unsure")

    async def _stuck(self, place: Place) -> None:
        """The door was not seen to open; the box may be inside all the same."""
        if await self._custody(place, DoorSight.CLOSED) is not Custody.LOADED:
            self._trouble(Text.LOAD_STUCK, place, "will_not_open")

    async def _settle(self, place: Place) -> None:
        match await self._custody(place):
            case Custody.LOADED:
                pass
            case Custody.NOTHING:
                self._p.desk.show(
                    Screen.LOAD, Text.NOTHING_PUT_IN, Button.END, compartment=place.sign
                )
            case _:
                self._trouble(Text.UNSURE, None, "unsure")

    async def _custody(self, place: Place, switch: DoorSight | None = None) -> Custody:
        """Where the box is, by the sensor or else the person; a loaded one is said at once."""
        p = self._p
        said = await self._ask(place)
        with p.book.act() as act:
            custody = settle_shut(act, place, p.doors[place].item, said=said, switch=switch)
        if custody is Custody.LOADED:
            self._loaded.append(place)
            p.desk.show(
                Screen.LOAD,
                Text.LOADED,
                Button.END,
                compartment=place.sign,
                loaded=len(self._loaded),
            )
        return custody

    async def _ask(self, place: Place) -> bool | None:
        """Whether the box is inside, as the person says; not asked where a sensor knows."""
        p = self._p
        if p.doors[place].item is not Presence.UNKNOWN:
            return None
        p.desk.show(
            Screen.LOAD,
            Text.LOAD_CONFIRM,
            Button.CONFIRM,
            Button.SKIP,
            doors=(place,),
            compartment=place.sign,
        )
        match await p.desk.hear(p.policy.vendor_idle_s, scans=False):
            case Press(button=Button.CONFIRM):
                return True
            case Press(button=Button.SKIP):
                return False
        return None

    def _trouble(self, text: Text, place: Place | None, what: str) -> None:
        p = self._p
        where = None if place is None else str(place)
        values: dict[str, str | int] = {"tel": p.tel, "case": p.desk.case(where, what)}
        if place is not None:
            values["compartment"] = place.sign
        p.desk.show_with(Screen.LOAD, text, values, Button.END)

    def _refuse(self, refusal: Refused) -> None:
        with self._p.book.act() as act:
            act.say(Up.PICKUP_REFUSED, PickupRefused(reason=refusal.reason.value, how="label"))
        self._p.desk.show(Screen.LOAD, TEXT[refusal.reason], Button.END)
