"""Collecting: one visit of somebody with a good code, door after door, until all is in hand."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from controller.entries import (
    CompartmentState,
    FeedbackRated,
    Holder,
    ItemState,
    Up,
)
from controller.ports import Presence
from controller.refusals import Reason, Refused
from controller.site import compartments
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.doorway import Way, is_over, release, step_back
from controller.site.items import Custody, loaded_items, settle_shut
from controller.site.kiosk import Heard, Press, Quiet
from controller.site.movements import Wanted
from controller.site.orders import (
    OrderRow,
    end_session,
    refuse_expired,
    start_session,
    still_claimed,
)
from controller.site.outlet import hand_out
from controller.site.premises import Premises, shown_items
from controller.site.schema import items as table
from controller.site.texts import Button, Screen, Text

PULSES_A_VISIT = 3  # for one door: then staff, or another day


@dataclass(frozen=True, slots=True)
class Opened:
    """The door that was used last, and when it fell shut."""

    place: Place
    shut_at: float


class Pickup:
    """A good code, and what is done with it."""

    def __init__(self, premises: Premises, order: OrderRow, code: str) -> None:
        self._p = premises
        self._order = order
        self._code = code
        self._session: str | None = None
        self._ended = False  # by the person
        self._was_empty = False  # so said the sensor before the door was opened
        self._last: Opened | None = None
        self._reopened = 0

    async def run(self) -> Heard | None:
        """Hand over what the order has; what the next person scanned meanwhile is returned."""
        self._p.desk.listen(on=False)
        self._show_items()
        if self._p.policy.confirm_pickup and not await self._confirmed():
            return None
        try:
            await self._hand_over()
        except Refused:  # the code died meanwhile: what is left is another code's
            self._end_session()
            raise
        self._end_session()
        return await self._goodbye()

    async def _hand_over(self) -> None:
        """One item after the other, until the person ends it."""
        items = self._items()
        for number, item in enumerate(items, 1):
            if self._ended:
                break
            if item.holder == Holder.CABINET.value:
                await self._from_cabinet(item, number, len(items))
            else:
                self._ended = not await hand_out(self._p, item, self._decide_machine)
            self._show_items()

    def _end_session(self) -> None:
        if self._session is not None:
            with self._p.book.act() as act:
                end_session(act, self._session)

    def decide(self, act: Act, item: Row[Any]) -> Wanted:
        """Claim the code, then the item, in the intent's own transaction."""
        if self._session is None:
            refuse_expired(self._order, act.at, self._p.policy.code_valid_s)
            self._session = start_session(act, self._order.order_no, self._code)
        else:
            still_claimed(act, self._code)
        claimed = act.db.execute(
            table.update()
            .where(
                table.c.item_id == item.item_id,
                table.c.order_no == self._order.order_no,
                table.c.state == ItemState.LOADED.value,
            )
            .values(state=ItemState.RELEASING.value)
        )
        if claimed.rowcount != 1:
            raise Refused(Reason.STALE_DECISION)
        return self._wanted(item.item_id, "collect", "pickup")

    def _wanted(self, item: str | None, kind: Any, reason: str) -> Wanted:
        return Wanted(
            kind=kind,
            reason=reason,
            order=self._order.order_no,
            item=item,
            code=self._code,
            session=self._session,
        )

    def _decide_machine(self, act: Act, item: Row[Any]) -> Wanted:
        wanted = self.decide(act, item)
        return self._wanted(wanted.item, "present", "pickup")

    def _decide_door(self, act: Act, item: Row[Any], place: Place) -> Wanted:
        wanted = self.decide(act, item)
        occupied = (CompartmentState.OCCUPIED,)
        if not compartments.change(act, place, occupied, CompartmentState.OPEN):
            raise Refused(Reason.DOOR_OUT_OF_USE)
        return wanted

    def _items(self) -> list[Row[Any]]:
        """What waits for this code: doors first, the machine last."""
        with self._p.book.look() as connection:
            return loaded_items(connection, self._order.order_no)

    def _show_items(self) -> None:
        with self._p.book.look() as connection:
            items = shown_items(connection, self._order.order_no)
        self._p.desk.accept(self._session, self._order.order_no, items)

    async def _confirmed(self) -> bool:
        """The person saw what it is and wants it now."""
        p = self._p
        kinds = ",".join(item.kind for item in self._items())
        p.desk.show(
            Screen.CONFIRM,
            Text.CONFIRM,
            Button.CONFIRM,
            Button.END,
            company=self._order.company,
            items=kinds,
        )
        heard = await p.desk.hear(p.policy.session_idle_s, scans=False)
        if isinstance(heard, Quiet):
            p.desk.show(
                Screen.CONFIRM,
                Text.STILL_THERE,
                Button.CONFIRM,
                Button.END,
                wait_s=p.policy.session_end_s,
            )
            heard = await p.desk.hear(p.policy.session_end_s, scans=False)
        return isinstance(heard, Press) and heard.button is Button.CONFIRM

    async def _from_cabinet(self, item: Row[Any], number: int, of: int) -> None:
        """Hand over what lies behind one door, or leave it there safely."""
        p = self._p
        place = Place(item.cabinet, item.no)
        if place not in p.doors:  # the site's settings no longer name it
            await self._trouble(Text.DOOR_OUT_OF_USE, place, "will_not_open")
            return
        try:
            if not p.doors.is_shut(place) and not await self._again(Text.DOOR_OUT_OF_USE, place):
                return
            for _ in range(PULSES_A_VISIT):
                self._was_empty = p.doors[place].item is Presence.ABSENT
                way = await release(p, place, lambda act: self._decide_door(act, item, place))
                if not await self._after(way, place, number, of):
                    return
        finally:
            step_back(p, place)

    def _sensor(self, place: Place) -> Presence:
        """What lies behind the door now. What was gone before was not taken by this person."""
        item = self._p.doors[place].item
        return Presence.UNKNOWN if item is Presence.ABSENT and self._was_empty else item

    async def _after(self, way: Way, place: Place, number: int, of: int) -> bool:
        """What follows a release; True if the person wants another one."""
        if way is Way.NOT_MOVED:
            return await self._again(Text.DOOR_OUT_OF_USE, place)
        if way is Way.STUCK:
            return await self._stuck(place)
        if way is Way.UNSEEN and not await self._unseen(place):
            return False
        custody = await self._take(place, number, of)
        if custody is Custody.LEFT:
            return await self._look_again(place)
        if custody is Custody.DOUBTFUL:
            await self._trouble(Text.UNSURE, place, "unsure")
        return False

    async def _unseen(self, place: Place) -> bool:
        """Nobody sees the door: the person may have it all in hand, else a sensor will tell later.

        True if the door is seen again, and open.
        """
        p = self._p
        heard = await self._trouble(Text.STUCK, place, "will_not_open", Button.TAKEN)
        if p.doors.is_open(place):
            return True
        if heard is Button.TAKEN:
            with p.book.act() as act:
                settle_shut(act, place, self._sensor(place), said=False)
        return False

    async def _take(self, place: Place, number: int, of: int) -> Custody | None:
        """The door is open: the item is taken and the door shut. None if nobody can see it."""
        p = self._p
        asked = () if self._sensor(place) is not Presence.UNKNOWN else (Button.TAKEN,)
        sign = place.sign
        said: bool | None = None
        p.desk.show(
            Screen.TAKE,
            Text.TAKE,
            *asked,
            doors=(place,),
            compartment=sign,
            number=number,
            of=of,
        )

        def is_empty_or_over() -> bool:
            return self._sensor(place) is Presence.ABSENT or is_over(p, place)

        heard = await p.desk.hear(p.policy.ajar_notice_s, is_empty_or_over, scans=False)
        if isinstance(heard, Press):
            said = False
        if not is_over(p, place):
            p.desk.show(Screen.CLOSE, Text.CLOSE, doors=(place,), compartment=sign)
            await p.bell.until(lambda: is_over(p, place))
        if not p.doors.is_shut(place):
            return None
        shut_at = p.clock.monotonic()
        if self._sensor(place) is Presence.UNKNOWN and said is None:
            said = await self._did_you_take(place)
        with p.book.act() as act:
            custody = settle_shut(act, place, self._sensor(place), said=said)
        if custody is Custody.COLLECTED:
            self._last = Opened(place, shut_at)
        return custody

    async def _did_you_take(self, place: Place) -> bool | None:
        """True if it is still inside, as the person says."""
        p = self._p
        p.desk.show(
            Screen.TAKE,
            Text.DID_YOU_TAKE,
            Button.TAKEN,
            Button.AGAIN,
            doors=(place,),
            compartment=place.sign,
        )
        match await p.desk.hear(p.policy.session_idle_s, scans=False):
            case Press(button=Button.TAKEN):
                return False
            case Press(button=Button.AGAIN):
                return True
        return None

    async def _look_again(self, place: Place) -> bool:
        """Something is still inside: the person may have the door once more."""
        p = self._p
        p.desk.show(
            Screen.TAKE,
            Text.ITEM_LEFT,
            Button.AGAIN,
            Button.SKIP,
            doors=(place,),
            compartment=place.sign,
        )
        heard = await p.desk.hear(p.policy.session_idle_s, scans=False)
        return isinstance(heard, Press) and heard.button is Button.AGAIN

    async def _stuck(self, place: Place) -> bool:
        """The door was not seen to open. The sensor knows, else the person is asked."""
        p = self._p
        if self._sensor(place) is not Presence.UNKNOWN:
            with p.book.act() as act:
                custody = settle_shut(act, place, self._sensor(place), said=None)
            return custody is Custody.LEFT and await self._again(Text.STUCK, place)
        heard = await self._trouble(Text.STUCK, place, "will_not_open", Button.AGAIN, Button.TAKEN)
        said = {Button.AGAIN: True, Button.TAKEN: False}.get(heard) if heard else None
        with p.book.act() as act:
            settle_shut(act, place, self._sensor(place), said=said)
        return heard is Button.AGAIN

    async def _again(self, text: Text, place: Place) -> bool:
        return await self._trouble(text, place, "will_not_open", Button.AGAIN) is Button.AGAIN

    async def _trouble(
        self, text: Text, place: Place, what: str, *buttons: Button
    ) -> Button | None:
        """A case with a number, and a way on."""
        p = self._p
        values: dict[str, str | int] = {"tel": p.tel, "case": p.desk.case(str(place), what)}
        if text is not Text.UNSURE:
            values["compartment"] = place.sign
        buttons = (*buttons, Button.SKIP, Button.END)
        p.desk.show_with(Screen.TROUBLE, text, values, *buttons, doors=(place,))
        heard = await p.desk.hear(p.policy.session_idle_s, scans=False)
        if not isinstance(heard, Press):
            return None
        self._ended = heard.button is Button.END
        return heard.button

    # afterwards

    async def _goodbye(self) -> Heard | None:
        p = self._p
        p.desk.listen(on=True)
        with p.book.look() as connection:
            items = shown_items(connection, self._order.order_no)
        if any(item.state != ItemState.COLLECTED.value for item in items):
            return await self._linger(Screen.DONE, Text.SOME_LEFT, p.policy.refused_s)
        heard = await self._linger(Screen.RATING, Text.RATE, p.policy.rating_s, rating=True)
        match heard:
            case Press(button=Button.RATE, value=str(stars)):
                with p.book.act() as act:
                    act.say(
                        Up.FEEDBACK_RATED,
                        FeedbackRated(order=self._order.order_no, stars=int(stars)),
                    )
            case None | Press():
                pass
            case _:
                return heard
        heard = await self._linger(Screen.DONE, Text.ALL_TAKEN, p.policy.refused_s)
        return None if isinstance(heard, Press) else heard

    async def _linger(
        self, screen: Screen, text: Text, within_s: float, *, rating: bool = False
    ) -> Heard | None:
        """Show a last screen; a door may be had again; the next person's scan ends it."""
        p = self._p
        while True:
            buttons = (Button.RATE, Button.SKIP) if rating else (Button.END,)
            again = (Button.AGAIN,) if self._may_reopen() else ()
            p.desk.show(screen, text, *buttons, *again, wait_s=within_s)
            heard = await p.desk.hear(within_s, scans=True)
            match heard:
                case Press(button=Button.AGAIN) if not p.desk.is_scan_waiting():
                    await self._reopen()
                case Quiet():
                    return None
                case _:
                    return heard

    def _may_reopen(self) -> bool:
        last = self._last
        return (
            last is not None
            and self._reopened < self._p.policy.reopen_times
            and self._p.clock.monotonic() - last.shut_at <= self._p.policy.reopen_s
            and self._p.doors.is_shut(last.place)
        )

    async def _reopen(self) -> None:
        """The same door once more for the same person: its own intent, nothing else changes."""
        p = self._p
        if self._last is None or not self._may_reopen():
            return
        place = self._last.place
        self._reopened += 1
        p.desk.listen(on=False)
        try:
            if await release(p, place, lambda act: self._decide_reopen(act, place)) is Way.OPEN:
                p.desk.show(Screen.CLOSE, Text.CLOSE, doors=(place,), compartment=place.sign)
                await p.bell.until(lambda: is_over(p, place))
            if p.doors.is_shut(place):
                with p.book.act() as act:
                    settle_shut(act, place, p.doors[place].item, said=False)
                self._last = Opened(place, p.clock.monotonic())
        except Refused:
            self._last = None
        finally:
            step_back(p, place)
            p.desk.listen(on=True)

    def _decide_reopen(self, act: Act, place: Place) -> Wanted:
        free = (CompartmentState.FREE,)
        if not compartments.change(act, place, free, CompartmentState.OPEN):
            raise Refused(Reason.REOPEN_NOT_OFFERED)
        return self._wanted(None, "reopen", "forgot_something")
