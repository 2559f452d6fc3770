"""One door of a pickup: released, the item taken, the door shut; or all stays safely inside."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from controller.ports import Presence
from controller.site.claim import Claim
from controller.site.doors import Place
from controller.site.doorway import Way, is_over, release, step_back
from controller.site.items import Custody, settle_shut
from controller.site.kiosk import Press
from controller.site.premises import Premises
from controller.site.texts import Button, Screen, Text
from controller.site.trouble import trouble

PULSES_A_VISIT = 3  # for one door: then staff, or another day


@dataclass(frozen=True, slots=True)
class Opened:
    """The door that was used last, and when it fell shut."""

    place: Place
    shut_at: float


class Handover:
    """What lies behind one door, and the person before it."""

    def __init__(
        self, premises: Premises, claim: Claim, item: Row[Any], *, number: int, of: int
    ) -> None:
        self.ended = False  # by the person
        self.opened: Opened | None = None  # and the item was taken
        self._p = premises
        self._claim = claim
        self._item = item
        self._place = Place(item.cabinet, item.no)
        self._number = number
        self._of = of
        self._was_empty = False  # so said the sensor before the door was opened

    async def run(self) -> None:
        """Hand the item over, or leave it there safely."""
        p, place = self._p, self._place
        if place not in p.doors:  # the site's settings no longer name it
            await self._trouble(Text.DOOR_OUT_OF_USE, "will_not_open")
            return
        try:
            if not p.doors.is_shut(place) and not await self._again(Text.DOOR_OUT_OF_USE):
                return
            for _ in range(PULSES_A_VISIT):
                self._was_empty = p.doors[place].item is Presence.ABSENT
                way = await release(p, place, self._claim.decide_door(self._item, place))
                if not await self._after(way):
                    return
        finally:
            step_back(p, place)

    @property
    def _sensor(self) -> Presence:
        """What lies behind the door now. What was gone before was not taken by this person."""
        item = self._p.doors[self._place].item
        return Presence.UNKNOWN if item is Presence.ABSENT and self._was_empty else item

    async def _after(self, way: Way) -> bool:
        """What follows a release; True if the person wants another one."""
        if way is Way.NOT_MOVED:
            return await self._again(Text.DOOR_OUT_OF_USE)
        if way is Way.STUCK:
            return await self._stuck()
        if way is Way.UNSEEN and not await self._unseen():
            return False
        custody = await self._take()
        if custody is Custody.LEFT:
            return await self._look_again()
        if custody is Custody.DOUBTFUL:
            await self._trouble(Text.UNSURE, "unsure")
        return False

    async def _unseen(self) -> bool:
        """Nobody sees the door: the person may have it all in hand, else a sensor will tell later.

        True if the door is seen again, and open.
        """
        p = self._p
        heard = await self._trouble(Text.STUCK, "will_not_open", Button.TAKEN)
        if p.doors.is_open(self._place):
            return True
        if heard is Button.TAKEN:
            with p.book.act() as act:
                settle_shut(act, self._place, self._sensor, said=False)
        return False

    async def _take(self) -> Custody | None:
        """The door is open: the item is taken and the door shut. None if nobody can see it."""
        p, place = self._p, self._place
        asked = () if self._sensor is not Presence.UNKNOWN else (Button.TAKEN,)
        said: bool | None = None
        p.desk.show(
            Screen.TAKE,
            Text.TAKE,
            *asked,
            doors=(place,),
            compartment=place.sign,
            number=self._number,
            of=self._of,
        )

        def is_empty_or_over() -> bool:
            return self._sensor is Presence.ABSENT or is_over(p, place)

        heard = await p.desk.hear(p.policy.ajar_notice_s, is_empty_or_over, scans=False)
        if isinstance(heard, Press):
            said = False
        if not is_over(p, place):
            p.desk.show(Screen.CLOSE, Text.CLOSE, doors=(place,), compartment=place.sign)
            await p.bell.until(lambda: is_over(p, place))
        if not p.doors.is_shut(place):
            return None
        shut_at = p.clock.monotonic()
        if self._sensor is Presence.UNKNOWN and said is None:
            said = await self._did_you_take()
        with p.book.act() as act:
            custody = settle_shut(act, place, self._sensor, said=said)
        if custody is Custody.COLLECTED:
            self.opened = Opened(place, shut_at)
        return custody

    async def _did_you_take(self) -> bool | None:
        """True if it is still inside, as the person says."""
        heard = await self._ask(Text.DID_YOU_TAKE, Button.TAKEN, Button.AGAIN)
        return {Button.TAKEN: False, Button.AGAIN: True}.get(heard) if heard else None

    async def _look_again(self) -> bool:
        """Something is still inside: the person may have the door once more."""
        return await self._ask(Text.ITEM_LEFT, Button.AGAIN, Button.SKIP) is Button.AGAIN

    async def _ask(self, text: Text, *buttons: Button) -> Button | None:
        p, place = self._p, self._place
        p.desk.show(Screen.TAKE, text, *buttons, doors=(place,), compartment=place.sign)
        heard = await p.desk.hear(p.policy.session_idle_s, scans=False)
        return heard.button if isinstance(heard, Press) else None

    async def _stuck(self) -> bool:
        """The door was not seen to open. The sensor knows, else the person is asked."""
        p, place = self._p, self._place
        if self._sensor is not Presence.UNKNOWN:
            with p.book.act() as act:
                custody = settle_shut(act, place, self._sensor, said=None)
            return custody is Custody.LEFT and await self._again(Text.STUCK)
        heard = await self._trouble(Text.STUCK, "will_not_open", Button.AGAIN, Button.TAKEN)
        said = {Button.AGAIN: True, Button.TAKEN: False}.get(heard) if heard else None
        with p.book.act() as act:
            settle_shut(act, place, self._sensor, said=said)
        return heard is Button.AGAIN

    async def _again(self, text: Text) -> bool:
        return await self._trouble(text, "will_not_open", Button.AGAIN) is Button.AGAIN

    async def _trouble(self, text: Text, what: str, *buttons: Button) -> Button | None:
        heard = await trouble(self._p, text, self._place, what, *buttons)
        self.ended = heard is Button.END
        return heard
