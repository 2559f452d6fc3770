"""Staff look into a compartment that is out of use, or whose lock jammed, and say what is there."""

from typing import Any

from sqlalchemy import Row, select

from controller.codes import Label
from controller.entries import CompartmentState, ItemState, Verdict
from controller.ports import Presence
from controller.site import items
from controller.site.badged import STAFF, Bearer, SteppedUp
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.doorway import Way
from controller.site.kiosk import Choice, Press
from controller.site.movements import Wanted
from controller.site.schema import items as table
from controller.site.settling import restore, say_where, take_up, verdicts
from controller.site.texts import Button, Offer, Screen, Text


class Inspection:
    """One look behind one door."""

    def __init__(self, bearer: Bearer, place: Place) -> None:
        self._b = bearer
        self._p = bearer.p
        self._place = place
        self._inside = False  # the label of the compartment's own item was scanned
        self._empty = False  # so said the person
        self._was_seen = False  # the door, to open and to shut
        self._strays: dict[str, Row[Any]] = {}  # other items whose labels were found there
        with self._p.book.look() as connection:
            self._own = items.item_at(connection, place)

    async def run(self) -> None:
        """Open, look, shut, say; what is not said stays in doubt."""
        p, place = self._p, self._place
        try:
            way = await self._open()
            if way is Way.OPEN:
                await self._b.stand_by(place, Screen.STAFF, self._show, answer=self._answer)
            elif way is not Way.NOT_MOVED:
                await self._hear_unseen()
        finally:
            self._b.step_back(place)
        self._was_seen = way is Way.OPEN and p.doors.is_shut(place)
        if self._was_seen or self._empty:
            await self._conclude()
        else:
            self._b.trouble(Screen.STAFF, Text.DOOR_NOT_OPENED, place, "will_not_open")

    async def _open(self) -> Way:
        """As it stands open, or by a release."""
        if not self._p.doors.is_open(self._place):
            return await self._b.opened(self._place, self._decide)
        with self._p.book.act() as act:
            self._b.badge_in(act.db, STAFF)
            take_up(act, self._place)
        return Way.OPEN

    async def _hear_unseen(self) -> None:
        """Its switch saw nothing; the person may have it open all the same, by key or by hand."""
        self._show(Button.SKIP)
        heard = await self._b.hear()
        while isinstance(heard, Label):
            self._answer(heard)
            heard = await self._b.hear()
        if not isinstance(heard, Press):
            raise SteppedUp(heard)
        self._answer(heard)

    def _decide(self, act: Act) -> Wanted:
        badge = self._b.badge_in(act.db, STAFF)
        take_up(act, self._place)
        order = self._own.order_no if self._own is not None else None
        return Wanted(kind="inspect", reason="settle", order=order, badge=badge.badge_id)

    def _show(self, *buttons: Button) -> None:
        text = Text.BELONGS_ELSEWHERE if self._strays else Text.LOOK_INSIDE
        self._p.desk.show(
            Screen.STAFF,
            text,
            *buttons,
            choices=(Choice(Offer.NOTHING_INSIDE.value, Offer.NOTHING_INSIDE),),
            doors=(self._place,),
            compartment=self._place.sign,
        )

    def _answer(self, heard: Press | Label) -> bool:
        match heard:
            case Label(text=text) if self._own is not None and text == self._own.label:
                self._inside, self._empty = True, False
                return True
            case Label(text=text):
                with self._p.book.look() as connection:
                    found = connection.execute(select(table).where(table.c.label == text)).first()
                if found is not None:
                    self._strays[found.item_id] = found
                self._show()
                return False
            case Press(button=Button.CHOOSE):
                self._inside, self._empty = False, True
                return True
        return False

    async def _conclude(self) -> None:
        """Write what the person found, if a sensor does not say otherwise."""
        sensor = self._p.doors[self._place].item
        if (self._inside and sensor is Presence.ABSENT) or (
            self._empty and sensor is Presence.PRESENT
        ):
            self._say(Text.SENSOR_DISAGREES, compartment=self._place.sign)
        elif self._inside:
            self._write(Verdict.INSIDE)
        elif not self._empty and sensor is not Presence.ABSENT:
            self._say(Text.NOT_SETTLED, place=self._place.sign)
        elif self._own is None:
            self._write(None)
        else:
            await self._ask_where(self._own)

    async def _ask_where(self, own: Row[Any]) -> None:
        verdict = await ask_where(self._b, own, self._place.sign)
        if verdict is None or verdict is Verdict.INSIDE:
            self._say(Text.NOT_SETTLED, place=self._place.sign)
        else:
            self._write(verdict)

    def _write(self, verdict: Verdict | None) -> None:
        place = self._place
        after = CompartmentState.FREE
        with self._p.book.act() as act:
            badge = self._b.badge_in(act.db, STAFF).badge_id
            if self._own is not None and verdict is not None:
                if verdict is Verdict.INSIDE:
                    after = CompartmentState.OCCUPIED
                if verdict is not Verdict.INSIDE or not self._rests(act):
                    say_where(act, self._own, verdict, str(place), badge)
            if self._was_seen:  # else lock or switch must be mended first
                restore(act, place, after, badge)
            for stray in self._strays.values():
                _settle_stray(act, stray.item_id, place, badge)
        self._say(Text.SETTLED, place=place.sign)

    def _rests(self, act: Act) -> bool:
        """Nobody doubted where its own item is."""
        assert self._own is not None
        return items.item_of(act.db, self._own.item_id).state in items.COLLECTABLE

    def _say(self, text: Text, **values: str | int) -> None:
        self._p.desk.show_with(Screen.STAFF, text, values, Button.END)


async def ask_where(bearer: Bearer, item: Row[Any], where: str) -> Verdict | None:
    """Where an item is that is not where it should be, as the person says."""
    with bearer.p.book.look() as connection:
        item = items.item_of(connection, item.item_id)
        may_be = verdicts(connection, item)
    if item.slot is not None and item.slot in bearer.p.machines.free_slots(item.machine):
        may_be.remove(Verdict.INSIDE)  # its machine says that the slot is empty
    choices = [Choice(each.value, Offer(each.value)) for each in may_be]
    said = await bearer.choose(Text.WHERE_IS_IT, *choices, items=item.kind, place=where)
    return None if said is None else Verdict(said)


def _settle_stray(act: Act, item_id: str, found_at: Place, badge: str) -> None:
    """An item was found where it does not belong, and is in this person's hands."""
    item = items.item_of(act.db, item_id)
    if item.state == ItemState.COLLECTED.value:  # somebody left it here: it is not handed out again
        items.returned(act, item, str(found_at), "person", badge, "left_behind")
    elif item.state in items.COLLECTABLE and item.cabinet is not None:
        elsewhere = Place(item.cabinet, item.no)
        items.doubtful(act, item_id, str(elsewhere), elsewhere)
