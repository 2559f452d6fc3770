"""Loading: badge, label, door, box in, door shut; and the next one at once."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from controller.codes import Label
from controller.entries import (
    AlarmKind,
    CompartmentState,
    Holder,
    ItemState,
    Kind,
    PickupRefused,
    Up,
)
from controller.ports import DoorSight, Presence
from controller.refusals import Reason, Refused
from controller.rows import change_rows, first_row
from controller.site import compartments
from controller.site.alarms import raise_alarm
from controller.site.badged import VENDOR, Bearer, SteppedUp
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.doorway import Way
from controller.site.intake import Intake, Licence
from controller.site.items import Custody, settle_shut
from controller.site.kiosk import Press
from controller.site.movements import Wanted
from controller.site.orders import order_of
from controller.site.returning import Returns, claim_item, due, sign
from controller.site.schema import items as table
from controller.site.takeout import take_out
from controller.site.texts import Button, Screen, Text

TEXT = {
    Reason.LABEL_UNKNOWN: Text.LABEL_UNKNOWN,
    Reason.LABEL_LOADED: Text.LABEL_LOADED,
    Reason.SEALS_NOT_FILED: Text.SEALS_NOT_FILED,
    Reason.NO_COMPARTMENT: Text.NO_COMPARTMENT,
    Reason.NO_SLOT: Text.NO_SLOT,
    Reason.LOADING_RESTS: Text.LOADING_RESTS,
    Reason.MAINTENANCE: Text.LOADING_SERVICED,
    Reason.STALE_DECISION: Text.LABEL_UNKNOWN,
}
FULL = {Reason.NO_COMPARTMENT: Text.CABINET_FULL, Reason.NO_SLOT: Text.MACHINE_FULL}
NAMED_MAX = 8  # doors or slots that are named


@dataclass(frozen=True, slots=True)
class Box:
    """A box, and the door that it was meant for."""

    label: Label
    item_id: str
    order_no: str
    place: Place


class Round:
    """One round of somebody with a badge."""

    def __init__(self, bearer: Bearer) -> None:
        self._b = bearer
        self._p = bearer.p
        self._returns = Returns(bearer)
        self._intake = Intake(bearer)
        self._loaded: list[Box] = []
        self._last: Box | Licence | None = None  # what was loaded last, and may be undone
        self._misfit: Box | None = None  # what was not put in, and may need a bigger door
        self._next: Label | None = None  # scanned while a door was still open

    async def run(self, first: Label | None = None) -> None:
        """Load box after box until the person ends it. SteppedUp if it is over otherwise."""
        self._next = first
        if first is None:
            self._show_next()
        while True:
            heard = self._next or await self._b.hear()
            self._next = None
            match heard:
                case Label():
                    await self._try(self._load(heard))
                case Press(button=Button.UNDO) if self._last is not None:
                    await self._try(self._undo(self._last))
                case Press(button=Button.BIGGER) if self._misfit is not None:
                    await self._try(self._box(self._misfit.label, unfit=self._misfit.place))
                case Press(button=Button.CHOOSE):
                    if not await self._returns.run():
                        self._show_next()
                case Press(button=Button.END):
                    return
                case Press():
                    pass
                case _:
                    raise SteppedUp(heard)

    def _show_next(self) -> None:
        self._p.desk.show(
            Screen.LOAD,
            Text.LOAD_NEXT,
            Button.END,
            choices=self._returns.offer(),
            loaded=len(self._loaded),
        )

    async def _try(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Refused as refusal:
            if refusal.reason is Reason.BADGE_UNKNOWN:
                raise
            self._refuse(refusal)

    def _item(self, connection: Connection, label: str, badge: Row[Any]) -> Row[Any]:
        """The item that waits for this label. Another vendor's label is an unknown one."""
        item = first_row(connection, table, label=label)
        if (
            item is None
            or item.holder != Holder.CABINET.value
            or (badge.role == VENDOR and item.vendor_id != badge.vendor_id)
        ):
            raise Refused(Reason.LABEL_UNKNOWN)
        if item.state in (ItemState.LOADED.value, ItemState.RELEASING.value):
            raise Refused(Reason.LABEL_LOADED)
        if item.state != ItemState.EXPECTED.value or item.cabinet is not None:
            raise Refused(Reason.LABEL_UNKNOWN)
        wants_codes = self._p.policy.require_seal_codes and item.kind == Kind.SEAL_SET.value
        if wants_codes and not item.filed:
            raise Refused(Reason.SEALS_NOT_FILED)
        return item

    async def _load(self, label: Label) -> None:
        """A machine takes it in, or a compartment."""
        if self._intake.is_for(label):
            self._last = await self._intake.run(label) or self._last
        else:
            await self._box(label)

    async def _box(self, label: Label, *, unfit: Place | None = None) -> None:
        """One box goes in, behind a bigger door than the one that was too small."""
        p = self._p
        p.desk.listen(on=False)
        self._misfit = None
        if p.surroundings.power_low or p.holds:
            raise Refused(Reason.LOADING_RESTS)
        with p.book.look() as connection:
            item = self._item(connection, label.text, self._b.badge_in(connection))
            size = item.size if unfit is None else compartments.bigger(connection, unfit)
            reach = order_of(connection, item.order_no).reach
            place = self._choose(connection, size, reach)
            strays = compartments.strays(connection, p.doors)
        box = Box(label, item.item_id, item.order_no, place)
        try:
            match await self._b.opened(place, lambda act: self._decide(act, box)):
                case Way.NOT_MOVED:
                    self._b.trouble(Screen.LOAD, Text.LOAD_STUCK, place, "will_not_open")
                    return
                case Way.STUCK | Way.ELSEWHERE:
                    custody = await self._stuck(box)
                case Way.UNSEEN | Way.NO_NEWS:
                    self._b.trouble(Screen.LOAD, Text.UNSURE, place, "unsure")
                    return
                case Way.OPEN:
                    custody = await self._put_in(box)
        finally:
            self._b.step_back(place)
        self._after(box, custody, strays)

    def _choose(self, connection: Connection, size: str, reach: str | None) -> Place:
        """Not at a cabinet that staff are at."""
        p = self._p
        closed = p.maintenance.cabinets()
        beside = [box.place for box in self._loaded]
        try:
            return compartments.choose(connection, p.doors, size, reach, beside, closed)
        except Refused:
            if (until := p.maintenance.ends(closed)) is not None:
                raise Refused(Reason.MAINTENANCE, until=until) from None
            raise

    def _decide(self, act: Act, box: Box) -> Wanted:
        badge = self._b.badge_in(act.db)
        item = self._item(act.db, box.label.text, badge)
        free = (CompartmentState.FREE,)
        if not compartments.change(act, box.place, free, CompartmentState.RESERVED):
            raise Refused(Reason.STALE_DECISION)
        of = {"item_id": item.item_id}
        change_rows(act.db, table, of, cabinet=box.place.cabinet, no=box.place.no)
        return Wanted(
            kind="load",
            reason=f"{badge.role}_load",
            order=item.order_no,
            item=item.item_id,
            badge=badge.badge_id,
        )

    async def _put_in(self, box: Box) -> Custody | None:
        """The door is open: the box goes in and the door is shut; a next label may come."""
        p, place = self._p, box.place
        too_small = False

        def show() -> None:
            p.desk.show(
                Screen.LOAD,
                Text.LOAD_OPEN,
                Button.BIGGER,
                doors=(place,),
                compartment=place.sign,
            )

        def answer(heard: Press | Label) -> bool:
            nonlocal too_small
            match heard:
                case Label() if heard != box.label:
                    self._next = heard
                case Press(button=Button.BIGGER):
                    too_small = True
            return too_small

        await self._b.stand_by(
            place,
            Screen.LOAD,
            show,
            done=lambda: p.doors[place].item is Presence.PRESENT,
            answer=answer,
        )
        if not p.doors.is_shut(place):
            return None  # nobody can see it any more: the watch settles it once somebody can
        custody = await self._custody(box, said=False if too_small else None)
        if too_small and custody is Custody.NOTHING:
            self._b.step_back(place)
            await self._box(box.label, unfit=place)
            return Custody.UNDONE
        return custody

    async def _stuck(self, box: Box) -> Custody | None:
        """The door was not seen to open; the box may be inside all the same."""
        custody = await self._custody(box, switch=DoorSight.CLOSED)
        if custody is Custody.LOADED:
            return custody
        self._b.trouble(Screen.LOAD, Text.LOAD_STUCK, box.place, "will_not_open")
        return Custody.UNDONE

    async def _custody(
        self, box: Box, *, said: bool | None = None, switch: DoorSight | None = None
    ) -> Custody:
        """Where the box is, by the sensor or else the person."""
        p, place = self._p, box.place
        if said is None and p.doors[place].item is Presence.UNKNOWN:
            said = await self._b.ask(Text.LOAD_CONFIRM, place, Button.CONFIRM, Button.SKIP)
        with p.book.act() as act:
            return settle_shut(act, place, p.doors[place].item, said=said, switch=switch)

    def _after(self, box: Box, custody: Custody | None, strays: set[Place]) -> None:
        """Say how it ended; the scanner takes the next label."""
        p, sign = self._p, box.place.sign
        match custody:
            case Custody.LOADED:
                self._loaded.append(box)
                self._last = box
                loaded = len(self._loaded)
                p.desk.show(
                    Screen.LOAD,
                    Text.LOADED,
                    Button.UNDO,
                    Button.END,
                    choices=self._returns.offer(),
                    compartment=sign,
                    loaded=loaded,
                )
            case Custody.NOTHING if not self._put_elsewhere(strays):
                self._misfit = box
                p.desk.show(
                    Screen.LOAD, Text.NOTHING_PUT_IN, Button.BIGGER, Button.END, compartment=sign
                )
            case None | Custody.DOUBTFUL:
                self._b.trouble(Screen.LOAD, Text.UNSURE, box.place, "unsure")

    def _put_elsewhere(self, before: set[Place]) -> bool:
        """Whether the box went behind another door that stood open; staff will look there."""
        p = self._p
        with p.book.act() as act:
            found = sorted(compartments.strays(act.db, p.doors) - before)
            for place in found:
                compartments.out_of_use(act, place, "item_left")
                raise_alarm(act, AlarmKind.ITEM_LEFT, str(place))
        for place in found:
            self._b.trouble(Screen.LOAD, Text.PUT_ELSEWHERE, place, "wrong_compartment")
        return bool(found)

    async def _undo(self, last: Box | Licence) -> None:
        """The last one is taken out again and waits to be loaded, as if it had not been."""
        self._last = None
        if isinstance(last, Licence):
            await self._intake.undo(last)
        else:
            await self._undo_box(last)

    async def _undo_box(self, box: Box) -> None:
        custody = await take_out(self._b, box.place, lambda act: self._decide_undo(act, box))
        if custody is Custody.UNDONE:
            self._loaded.remove(box)
            self._p.desk.show(Screen.LOAD, Text.UNDONE, Button.END, compartment=box.place.sign)

    def _decide_undo(self, act: Act, box: Box) -> Wanted:
        badge = self._b.badge_in(act.db)
        occupied = (CompartmentState.OCCUPIED,)
        if not compartments.change(act, box.place, occupied, CompartmentState.OPEN):
            raise Refused(Reason.STALE_DECISION)
        claim_item(act, box.item_id)
        return Wanted(
            kind="undo",
            reason="undo_load",
            order=box.order_no,
            item=box.item_id,
            badge=badge.badge_id,
        )

    def _named(self, reason: Reason, overdue: Sequence[Row[Any]]) -> list[str]:
        """Where something lies that could be taken back at once, and make room."""
        if reason is Reason.NO_COMPARTMENT:
            return [sign(item) for item in overdue if item.cabinet is not None]
        machines = self._p.machines
        return [sign(item) for item in overdue if item.slot and machines.can_present(item.machine)]

    def _refuse(self, refusal: Refused) -> None:
        p = self._p
        with p.book.act() as act:
            act.say(Up.PICKUP_REFUSED, PickupRefused(reason=refusal.reason.value, how="label"))
            overdue = due(act.db, act.at, p.policy)
        text, values = TEXT[refusal.reason], dict(refusal.values)
        if refusal.reason in FULL and (named := self._named(refusal.reason, overdue)):
            text, values = FULL[refusal.reason], {"places": ", ".join(named[:NAMED_MAX])}
        p.desk.show_with(Screen.LOAD, text, values, Button.END, choices=self._returns.offer())
