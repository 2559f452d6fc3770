"""Emergency: staff open a door, or every door, whatever lies behind it."""

from controller.codes import Badge
from controller.entries import CompartmentState
from controller.ports import Presence
from controller.refusals import Reason, Refused
from controller.site import compartments, items, pins
from controller.site.badged import STAFF, Bearer, SteppedUp
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.doorway import Way
from controller.site.items import settle_shut
from controller.site.kiosk import Choice, Press
from controller.site.movements import Wanted
from controller.site.returning import claim_item
from controller.site.texts import Button, Offer, Screen, Text

ALL = "all"


class Emergency:
    """Doors opened by one person, or by two where the policy asks for two."""

    def __init__(self, bearer: Bearer) -> None:
        self._b = bearer
        self._p = bearer.p
        self._second: Bearer | None = None
        self._ended = False

    async def run(self) -> None:
        """One door that is chosen, or all that may be opened, one after the other."""
        doors = [
            Choice(str(each), Offer.OPEN_ONE, {"compartment": each.sign}) for each in self._p.doors
        ]
        chosen = await self._b.choose(Text.WHICH_DOOR, Choice(ALL, Offer.OPEN_ALL), *doors)
        if chosen is None or not await self._is_approved():
            return
        opened = 0
        for place in list(self._p.doors) if chosen == ALL else [Place.parse(chosen)]:
            opened += await self._open(place)
            if self._ended:
                break
        if chosen == ALL:
            self._p.desk.show(Screen.STAFF, Text.ALL_OPENED, Button.END, count=opened)

    async def _is_approved(self) -> bool:
        """A second person's badge was read, where one is needed."""
        if not self._p.policy.emergency_two_badges:
            return True
        self._p.desk.show(Screen.STAFF, Text.SECOND_BADGE, Button.SKIP)
        match await self._b.hear():
            case Badge() as badge:
                self._second = Bearer(self._p, badge)
                with self._p.book.look() as connection:
                    row = self._second.badge_in(connection, STAFF)
                await pins.prove(self._p, badge, row)
                return True
            case Press():
                return False
            case other:
                raise SteppedUp(other)

    async def _open(self, place: Place) -> bool:
        """Open one door and wait until it is shut; False if it was not opened."""
        p = self._p
        if p.doors.is_open(place):
            return False
        try:
            way = await self._b.opened(place, lambda act: self._decide(act, place))
            if way is not Way.OPEN:
                self._b.trouble(Screen.STAFF, Text.DOOR_NOT_OPENED, place, "will_not_open")
            else:
                await self._b.stand_by(
                    place,
                    Screen.STAFF,
                    lambda: self._show(place),
                    answer=self._end,
                    closing=(Button.END,),
                )
            if p.doors.is_shut(place):
                await self._settle(place)
        except Refused as refusal:
            if refusal.reason is Reason.BADGE_UNKNOWN:
                raise
            return False  # blocked, or something there is not decided yet
        finally:
            self._b.step_back(place)
        return way is Way.OPEN

    def _show(self, place: Place) -> None:
        self._p.desk.show(
            Screen.STAFF,
            Text.DOOR_STANDS_OPEN,
            Button.END,
            doors=(place,),
            compartment=place.sign,
        )

    def _end(self, heard: object) -> bool:
        self._ended |= isinstance(heard, Press)
        return False

    async def _settle(self, place: Place) -> None:
        p = self._p
        with p.book.look() as connection:
            state = compartments.state_of(connection, place)
            item = items.item_at(connection, place)
        if state is not CompartmentState.OPEN:
            return
        inside: bool | None = False
        if item is not None and p.doors[place].item is Presence.UNKNOWN:
            taken = await self._b.ask(Text.TAKE_OUT_CONFIRM, place, Button.TAKEN, Button.SKIP)
            inside = None if taken is None else not taken
        with p.book.act() as act:
            settle_shut(act, place, p.doors[place].item, said=inside)

    def _decide(self, act: Act, place: Place) -> Wanted:
        badge = self._b.badge_in(act.db, STAFF)
        second = self._second.badge_in(act.db, STAFF) if self._second is not None else None
        item = items.item_at(act.db, place)
        match compartments.state_of(act.db, place):
            case CompartmentState.FREE | CompartmentState.OCCUPIED as state:
                compartments.change(act, place, (state,), CompartmentState.OPEN)
                if item is not None:
                    claim_item(act, item.item_id)
            case CompartmentState.FAULT:  # stays so until it is settled
                item = None
            case _:
                raise Refused(Reason.DOOR_OUT_OF_USE)
        return Wanted(
            kind="emergency",
            reason="emergency",
            order=item.order_no if item is not None else None,
            item=item.item_id if item is not None else None,
            badge=badge.badge_id,
            approved_by=second.badge_id if second is not None else None,
        )
