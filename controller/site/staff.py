"""Staff at the kiosk: what is in doubt or out of use, returns, emergencies; and loading."""

from datetime import datetime

from sqlalchemy import Connection

from controller.codes import Label
from controller.entries import ClockConfirmed, Up
from controller.journal import rfc3339
from controller.local_time import LOCAL
from controller.refusals import Reason, Refused
from controller.site import servicing
from controller.site.alarms import acknowledge, unattended
from controller.site.badged import STAFF, Bearer, SteppedUp
from controller.site.doors import Place
from controller.site.emergency import Emergency
from controller.site.inspecting import Inspection, ask_where
from controller.site.items import item_of
from controller.site.kiosk import Choice, Press
from controller.site.loading import Round
from controller.site.returning import Returns
from controller.site.servicing import Servicing
from controller.site.settling import clear_if_settled, faulty_places, lost_items, say_where
from controller.site.texts import Button, Offer, Screen, Text

RESULTS = frozenset(  # stay on the screen, with the menu below
    {
        Text.SETTLED,
        Text.NOT_SETTLED,
        Text.SENSOR_DISAGREES,
        Text.DOOR_NOT_OPENED,
        Text.NO_RETURNS,
        Text.ALL_OPENED,
        Text.CLOCK_BEHIND,
        Text.CLOCK_CONFIRMED,
        Text.MAINTENANCE_BEGUN,
        Text.MAINTENANCE_OVER,
    }
)
PLACE, ITEM, MACHINE, CLOCK, ALARMS = "place:", "item:", "machine:", "clock", "alarms"
SHOWN_MAX = 12  # alarms at once


class Service:
    """One visit of somebody with a staff badge."""

    def __init__(self, bearer: Bearer) -> None:
        self._b = bearer
        self._p = bearer.p
        self._round = Round(bearer)

    async def run(self) -> None:
        """The menu again after each piece of work; a label begins a round of loading."""
        self._show_menu()
        while True:
            match await self._b.hear():
                case Label() as label:
                    await self._round.run(label)
                case Press(button=Button.CHOOSE, value=str(value)):
                    await self._do(value)
                case Press(button=Button.END):
                    return
                case Press():
                    pass
                case other:
                    raise SteppedUp(other)
            self._show_menu()

    def _show_menu(self) -> None:
        """What there is to be done, below what was done last."""
        desk = self._p.desk
        last = desk.view
        is_news = last.screen is Screen.STAFF and last.text in RESULTS
        desk.show_with(
            Screen.STAFF,
            last.text if is_news else Text.STAFF_MENU,
            last.values if is_news else {},
            Button.END,
            choices=self._choices(),
        )

    def _choices(self) -> tuple[Choice, ...]:
        with self._p.book.look() as connection:
            self._b.badge_in(connection, STAFF)
            settle = self._doubts(connection)
            count = len(unattended(connection))
        clock = (Choice(CLOCK, Offer.CLOCK),) if self._p.clock.doubted else ()
        alarms = (Choice(ALARMS, Offer.ALARMS, {"count": count}),) if count else ()
        return (
            *settle,
            *clock,
            *self._returns(),
            *alarms,
            *Servicing(self._b).offer(),
            Choice("emergency", Offer.EMERGENCY),
        )

    def _returns(self) -> tuple[Choice, ...]:
        return Returns(self._b).offer()

    def _doubts(self, connection: Connection) -> list[Choice]:
        """Each thing that nobody knows or uses until a person has looked."""
        held = [each for each in self._p.machines if self._p.machines.is_held(each)]
        return [
            *(
                Choice(
                    f"{PLACE}{each.place}",
                    Offer.SETTLE_PLACE,
                    {"compartment": each.place.sign, "why": each.reason},
                )
                for each in faulty_places(connection)
            ),
            *(
                Choice(
                    f"{ITEM}{item.item_id}",
                    Offer.SETTLE_ITEM,
                    {"items": item.kind, "place": item.machine or item.missed_at or ""},
                )
                for item in lost_items(connection)
            ),
            *(Choice(f"{MACHINE}{each}", Offer.ADOPT, {"machine": each}) for each in held),
        ]

    async def _do(self, value: str) -> None:
        try:
            if value == "returns":
                await Returns(self._b).run()
            elif value == "emergency":
                await Emergency(self._b).run()
            elif value == servicing.BEGIN or value.startswith(servicing.END):
                await Servicing(self._b).run(value)
            elif value == ALARMS:
                await self._look_after_alarms()
            elif value == CLOCK:
                await self._confirm_clock()
            elif value.startswith(PLACE):
                await Inspection(self._b, Place.parse(value.removeprefix(PLACE))).run()
            elif value.startswith(ITEM):
                await self._settle_item(value.removeprefix(ITEM))
            else:
                await self._adopt(value.removeprefix(MACHINE))
        except Refused as refusal:
            if refusal.reason is Reason.BADGE_UNKNOWN:
                raise  # all else was settled by others meanwhile: the menu shows what is left

    async def _settle_item(self, item_id: str) -> None:
        """An item that lies behind no door."""
        with self._p.book.look() as connection:
            item = item_of(connection, item_id)
        where = item.machine or item.missed_at or ""
        verdict = await ask_where(self._b, item, where)
        if verdict is None:
            return
        with self._p.book.act() as act:
            badge = self._b.badge_in(act.db, STAFF)
            say_where(act, item, verdict, where, badge.badge_id)
        self._p.desk.show(Screen.STAFF, Text.SETTLED, place=where)

    async def _adopt(self, machine: str) -> None:
        """A machine whose numbers are not ours: from now on they are."""
        self._p.desk.show(Screen.STAFF, Text.ADOPT, Button.CONFIRM, Button.SKIP, machine=machine)
        match await self._b.hear():
            case Press(button=Button.CONFIRM):
                with self._p.book.act() as act:
                    badge = self._b.badge_in(act.db, STAFF)
                    if self._p.machines.adopt(act, machine, badge.badge_id):
                        clear_if_settled(act, machine)
                self._p.desk.show(Screen.STAFF, Text.SETTLED, place=machine)
            case Press():
                pass
            case other:
                raise SteppedUp(other)

    async def _look_after_alarms(self) -> None:
        """Whoever takes one on is named in it, until it ends by itself or is settled."""
        while True:
            with self._p.book.look() as connection:
                found = unattended(connection)[:SHOWN_MAX]
            choices = (
                Choice(row.alarm_id, Offer.ALARM, {"place": _sign(row.place), "why": row.kind})
                for row in found
            )
            chosen = await self._b.choose(Text.ALARMS, *choices, count=len(found))
            if chosen is None:
                return
            with self._p.book.act() as act:
                acknowledge(act, chosen, self._b.badge_in(act.db, STAFF).badge_id)
            if len(found) == 1:
                return

    async def _confirm_clock(self) -> None:
        """A clock that jumped: it is right, says the person; or it must be set first."""
        time, desk = self._p.clock, self._p.desk
        ours, shown = time.now(), time.shown()
        values = {"clock": _local(shown), "record": _local(ours)}
        if shown < ours:  # no time before what is on record is ever believed
            desk.show_with(Screen.STAFF, Text.CLOCK_BEHIND, values, Button.END)
            return
        desk.show_with(Screen.STAFF, Text.CLOCK_AHEAD, values, Button.CONFIRM, Button.SKIP)
        match await self._b.hear():
            case Press(button=Button.CONFIRM):
                with self._p.book.act() as act:
                    badge = self._b.badge_in(act.db, STAFF).badge_id
                    told = ClockConfirmed(badge=badge, before=rfc3339(ours), after=rfc3339(shown))
                    act.say(Up.CLOCK_CONFIRMED, told)
                time.hear(shown)
                desk.show(Screen.STAFF, Text.CLOCK_CONFIRMED, clock=_local(time.now()))
            case Press():
                pass
            case other:
                raise SteppedUp(other)


def _local(at: datetime) -> str:
    return at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")


def _sign(where: str) -> str:
    """A door's, as it stands on it; all else by its name."""
    return Place.parse(where).sign if "/" in where else where
