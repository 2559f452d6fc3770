"""One door of a pickup: released, the item taken, the door shut; or all stays safely inside."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from controller.entries import CompartmentState
from controller.ports import DoorSight, Presence
from controller.refusals import Reason, Refused
from controller.site import compartments, locks
from controller.site.claim import Claim
from controller.site.doors import Place
from controller.site.doorway import Way, is_over, release, shut, step_back
from controller.site.items import Custody, settle_shut
from controller.site.kiosk import Happened, Heard, Press
from controller.site.premises import Premises
from controller.site.texts import Button, Screen, Text
from controller.site.trouble import trouble

OUT_OF_USE = (CompartmentState.FAULT, CompartmentState.BLOCKED)


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
        self.ended = False  # by the person, who may have left the door open
        self.next: Heard | None = None  # somebody else stepped up to the kiosk
        self.opened: Opened | None = None  # and the item was taken
        self._p = premises
        self._claim = claim
        self._item = item
        self.place = Place(item.cabinet, item.no)
        self._number = number
        self._of = of
        self._doubted = False  # the sensor said before that nothing was inside

    async def run(self) -> None:
        """Hand the item over, or leave it there safely."""
        p, place = self._p, self.place
        if place not in p.doors or self._is_out_of_use():
            await self._trouble(Text.DOOR_OUT_OF_USE, "will_not_open")
            return
        if not p.doors.is_shut(place) and not await self._again(Text.DOOR_OUT_OF_USE):
            return
        await self.go_on(None)

    def is_ready(self) -> bool:
        """Nothing has to be said before the door is released."""
        p, place = self._p, self.place
        return place in p.doors and not self._is_out_of_use() and p.doors.is_shut(place)

    async def unlock(self, *, longer: bool = False) -> Way:
        """Release the door once. Somebody must `go_on` or `conclude`."""
        p, place = self._p, self.place
        self._doubted = p.doors[place].item is Presence.ABSENT
        return await release(p, place, self._claim.decide_door(self._item, place), longer=longer)

    async def go_on(self, way: Way | None) -> None:
        """What follows a release that went so, or a first one, and as many more as are allowed."""
        pulses = int(way is not None)
        try:
            while True:
                if way is not None and not await self._after(way):
                    return
                if pulses >= self._p.policy.lock_pulses:
                    return
                way = await self.unlock(longer=way is Way.STUCK)
                pulses += 1
        except Refused as refusal:
            if refusal.reason is not Reason.DOOR_OUT_OF_USE:
                raise
            await self._trouble(Text.DOOR_OUT_OF_USE, "will_not_open")
        finally:
            step_back(self._p, self.place)

    async def conclude(self) -> None:
        """The door was opened with others and the person has been at it: see that it is shut."""
        try:
            if await self._means(await self._close(said=None)):
                await self.go_on(None)
        finally:
            step_back(self._p, self.place)

    def is_empty_or_over(self) -> bool:
        return self._sensor is Presence.ABSENT or is_over(self._p, self.place)

    def _is_out_of_use(self) -> bool:
        with self._p.book.look() as connection:
            return compartments.state_of(connection, self.place) in OUT_OF_USE

    @property
    def _sensor(self) -> Presence:
        """What lies behind the door now, by a sensor that saw the item before."""
        return Presence.UNKNOWN if self._doubted else self._p.doors[self.place].item

    async def _after(self, way: Way) -> bool:
        """What follows a release; True if the person wants another one."""
        match way:
            case Way.NOT_MOVED:
                return await self._again(Text.DOOR_OUT_OF_USE)
            case Way.STUCK:
                return await self._stuck()
            case Way.ELSEWHERE:
                await self._elsewhere()
                return False
            case Way.UNSEEN if not await self._unseen():
                return False
            case Way.NO_NEWS:
                return await self._means(await self._unshown())
        return await self._means(await self._take())

    async def _means(self, custody: Custody | None) -> bool:
        if custody is Custody.LEFT:
            return await self._look_again()
        if custody is Custody.DOUBTFUL:
            await self._trouble(Text.UNSURE, "unsure")
        return False

    async def _unseen(self) -> bool:
        """Nobody sees the door: the person may have it all in hand, else a sensor will tell later.

        True if the door is seen again, and open.
        """
        heard = await self._trouble(Text.STUCK, "will_not_open", Button.TAKEN)
        if self._p.doors.is_open(self.place):
            return True
        if heard is Button.TAKEN:
            self._settle(said=False)
        return False

    async def _take(self) -> Custody | None:
        """The door is open: the item is taken and the door shut. None if that is not known."""
        return await self._close(said=await self._taken())

    async def _close(self, *, said: bool | None) -> Custody | None:
        """The person has been at it: the door shuts, and what is behind it is known."""
        p, place = self._p, self.place
        if not is_over(p, place):
            match await shut(p, place):
                case Happened():
                    pass
                case Press(button=Button.CONFIRM):
                    return self._settle(said=said, switch=DoorSight.OPEN)
                case heard:
                    self._leave(heard, said=said)
                    return None
        if not p.doors.is_shut(place):
            return None
        shut_at = p.clock.monotonic()
        if self._sensor is Presence.UNKNOWN and said is None:
            said = await self._did_you_take()
        custody = self._settle(said=said)
        if custody is Custody.COLLECTED:
            self.opened = Opened(place, shut_at)
        return custody

    async def _unshown(self) -> Custody:
        """The switch said *open* all the time: the sensor and the person know, if anybody."""
        p, place = self._p, self.place
        said = await self._taken()
        if said is None and self._sensor is Presence.UNKNOWN:
            said = await self._did_you_take()
        custody = self._settle(said=said, switch=DoorSight.OPEN)
        if custody is Custody.COLLECTED:
            p.desk.show(Screen.CLOSE, Text.CLOSE, doors=(place,), compartment=place.sign)
            await p.bell.until(lambda: is_over(p, place), p.policy.refused_s)
        return custody

    def _leave(self, heard: Heard, *, said: bool | None) -> None:
        """The door stays open behind somebody who goes; what is known to be taken is theirs."""
        if said is False or self._sensor is Presence.ABSENT:
            self._settle(said=said)
        self.ended = True
        self.next = None if isinstance(heard, Press) else heard

    async def _taken(self) -> bool | None:
        """Wait until the item is out or the door over; False if the person says that it is out."""
        p, place = self._p, self.place
        asked = () if self._sensor is not Presence.UNKNOWN else (Button.TAKEN,)
        p.desk.show(
            Screen.TAKE,
            Text.TAKE,
            *asked,
            doors=(place,),
            compartment=place.sign,
            number=self._number,
            of=self._of,
        )
        heard = await p.desk.hear(p.policy.ajar_notice_s, self.is_empty_or_over, scans=False)
        return False if isinstance(heard, Press) else None

    async def _did_you_take(self) -> bool | None:
        """True if it is still inside, as the person says."""
        heard = await self._ask(Text.DID_YOU_TAKE, Button.TAKEN, Button.AGAIN)
        return {Button.TAKEN: False, Button.AGAIN: True}.get(heard) if heard else None

    async def _look_again(self) -> bool:
        """Something is still inside: the person may have the door once more."""
        return await self._ask(Text.ITEM_LEFT, Button.AGAIN, Button.SKIP) is Button.AGAIN

    async def _ask(self, text: Text, *buttons: Button) -> Button | None:
        p, place = self._p, self.place
        p.desk.show(Screen.TAKE, text, *buttons, doors=(place,), compartment=place.sign)
        heard = await p.desk.hear(p.policy.session_idle_s, scans=False)
        return heard.button if isinstance(heard, Press) else None

    async def _stuck(self) -> bool:
        """The door was not seen to open. The sensor knows, else the person is asked."""
        with self._p.book.look() as connection:
            given_up = locks.distrust(connection, self.place) is not None
        text = Text.LOCK_GIVEN_UP if given_up else Text.STUCK
        again = () if given_up else (Button.AGAIN,)
        if self._sensor is not Presence.UNKNOWN:
            custody = self._settle(said=None, switch=DoorSight.CLOSED)
            if custody is not Custody.LEFT:
                return False
            return await self._trouble(text, "will_not_open", *again) is Button.AGAIN
        heard = await self._trouble(text, "will_not_open", *again, Button.TAKEN)
        says = {Button.AGAIN: True, Button.TAKEN: False}
        if given_up:  # the screen says that all stays inside, and that is agreed to
            says |= {Button.SKIP: True, Button.END: True}
        self._settle(said=says.get(heard) if heard else None, switch=DoorSight.CLOSED)
        return heard is Button.AGAIN

    async def _elsewhere(self) -> None:
        """Another door opened: it is to be shut, and neither is used any more."""
        p, place = self._p, self.place
        other = p.watch.instead[place][0]
        buttons = (Button.TAKEN, Button.SKIP, Button.END)
        p.desk.show(
            Screen.TROUBLE,
            Text.WRONG_DOOR,
            *buttons,
            doors=(other,),
            compartment=other.sign,
            tel=p.tel,
            case=p.desk.case(str(place), "wrong_door"),
        )

        def is_shut() -> bool:
            return not p.doors.is_open(other)

        heard = await p.desk.hear(p.policy.session_idle_s, is_shut, scans=False)
        button = heard.button if isinstance(heard, Press) else None
        said = False if button is Button.TAKEN else None
        if said is None and self._sensor is Presence.UNKNOWN:
            said = await self._did_you_take()
        custody = self._settle(said=said)
        self.ended = button is Button.END
        if self.ended or custody is Custody.COLLECTED:
            return
        text = Text.UNSURE if custody is Custody.DOUBTFUL else Text.DOOR_OUT_OF_USE
        await self._trouble(text, "wrong_door")

    def _settle(self, *, said: bool | None, switch: DoorSight | None = None) -> Custody:
        """What is behind the door now; `switch` is what it said against all that happened."""
        with self._p.book.act() as act:
            return settle_shut(act, self.place, self._sensor, said=said, switch=switch)

    async def _again(self, text: Text) -> bool:
        return await self._trouble(text, "will_not_open", Button.AGAIN) is Button.AGAIN

    async def _trouble(self, text: Text, what: str, *buttons: Button) -> Button | None:
        heard = await trouble(self._p, text, self.place, what, *buttons)
        self.ended = heard is Button.END
        return heard
