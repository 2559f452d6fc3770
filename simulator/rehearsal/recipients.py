"""Recipients: they come with a code, do what the screen says, or what people do instead."""

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from controller.site.kiosk import KioskView
from controller.site.texts import Button, Screen, Text
from simulator.door import Door
from simulator.rehearsal.district import Code, Order
from simulator.rehearsal.events import Held
from simulator.rehearsal.linked_people import card_number
from simulator.rehearsal.person import DARK_PATIENCE_S, LOOKS_MAX, NeverEnds, Person
from simulator.rehearsal.shapes import STARS, Shares, chosen
from simulator.rehearsal.stage import Stage

GOES_IN_THE_DARK_S: Final = 1.0  # and whoever stood behind steps up
PATIENCE_S: Final = 200.0  # before a screen that does not change
TAKES_IN_S: Final = 0.5  # a screen, what was done before it
TRIES: Final = 3  # of a scan, of one door
BAG: Final = "BAG"
CARD: Final = (Text.ASK_ID_CARD, Text.ASK_CARD_OR_PHONE, Text.ID_CARD_OTHER)
CARD_S: Final = 6.0  # on the reader


@dataclass(frozen=True, slots=True)
class Mood:
    """What this person will do wrong today."""

    types: bool = False
    first: str = ""  # wrong_site, mistypes, dark_screen
    hesitates: bool = False
    walks_off: bool = False
    forgets_door: bool = False
    leaves_item: bool = False
    leaves_bag: bool = False
    not_pulled: bool = False
    replaces: bool = False  # on the phone, a new code for the one that was just shown
    opens_again: bool = False
    reports: bool = False
    rates: bool = False


def mood_of(dice: Random, shares: Shares, *, types: bool) -> Mood:
    def so(share: float) -> bool:
        return dice.random() < share

    kinds = (
        (shares.wrong_site, "wrong_site"),
        (shares.mistypes if types else 0.0, "mistypes"),
        (shares.dark_screen, "dark_screen"),
    )
    first = chosen(dice, [*kinds, (1 - sum(share for share, _ in kinds), "")])
    return Mood(
        types=types,
        first=first,
        hesitates=so(shares.hesitates),
        walks_off=so(shares.walks_off),
        forgets_door=so(shares.forgets_door),
        leaves_item=so(shares.leaves_item),
        leaves_bag=so(shares.leaves_bag),
        not_pulled=so(shares.not_pulled),
        replaces=so(shares.replaces_at_the_press),
        opens_again=so(shares.opens_again),
        reports=so(shares.reports_problem),
        rates=so(shares.rates),
    )


def mistyped(code: Code) -> str:
    """Its first digits are others."""
    return str((int(code.typed) + 10_000) % 10**12).zfill(12)


class Recipient(Person):
    """One visit with one code."""

    def __init__(self, stage: Stage, dice: Random, order: Order, code: Code, mood: Mood) -> None:
        super().__init__(stage, dice)
        self.order = order
        self.code = code
        self.mood = mood
        self.refused = False
        self.begins_at = self.ends_at = Screen.IDLE  # an agent has other orders before and after
        self._again = 0
        self._reopened = False
        self._hesitated = False
        self._in_hand = False  # whoever stands before a dark kiosk is ready when it starts
        self._left: set[str] = set()  # doors whose thing was left, or that were walked off from
        self._used: set[str] = set()

    async def visit(self) -> None:
        """Come, take what there is, go."""
        self._in_hand = self.view is None
        if not await self.sees(lambda: self.screen in (Screen.IDLE, self.begins_at), PATIENCE_S):
            return  # out of order, or somebody who never leaves
        if self.screen is Screen.IDLE and not self._in_hand:
            await self.takes("walk_up")
        if not await self._identify():
            return
        for _ in range(LOOKS_MAX):
            view = self.view
            if view is None:
                goes = self.happens(1 / 2)
                if not await self.news(view, GOES_IN_THE_DARK_S if goes else DARK_PATIENCE_S):
                    return
            elif view.screen in (Screen.IDLE, self.ends_at) or not await self._goes_on(view):
                return
        raise NeverEnds(f"{self.code.code_id} at {self.view}")

    async def _identify(self) -> bool:
        """True once the screen is about something; a first try may fail."""
        if not self._in_hand:
            await self.takes("find_code")
        types = self.mood.types and bool(self.code.typed)
        for number in range(TRIES):
            first = self.mood.first if number == 0 else ""
            if await self._show(first, types=types):
                if self.screen is not Screen.REFUSED and self.screen is not None:
                    return True
                view = self.view
                types = types and (view is None or view.text is not Text.TOO_MANY_TRIES)
                self.refused = self.screen is Screen.REFUSED and first == "" and not types
                if self.refused:
                    await self.takes("read")
                    self.press(Button.END)
                    return False
            await self.waits(2.5)
        return False

    async def _show(self, first: str, *, types: bool) -> bool:
        """The code, or on a first try something else; True if the screen said something to it."""
        code = self.code
        if types or not self._in_hand:
            await self.takes("type" if types else "hold")
        view = self.view
        if types:
            what = "other" if first == "mistypes" else "code"
            digits = mistyped(code) if what == "other" else code.typed
            return self.type(digits, what, code.code_id) and await self.answer(
                "typed", what, code.code_id, view
            )
        if first == "dark_screen":
            return False
        site, secret = code.qr.split(":")[1:]
        what = "other" if first == "wrong_site" else "code"
        self.hold(f"OW1:X{site[1:]}:{secret}" if what == "other" else code.qr, what, code.code_id)
        return await self.answer("qr", what, code.code_id, view)

    async def _goes_on(self, view: KioskView) -> bool:
        """Do one thing, and see whether the screen takes it in; else wait."""
        if not await self._act(view):
            return await self._wait(view)
        await self.news(view, TAKES_IN_S)
        return True

    async def _wait(self, view: KioskView) -> bool:
        """Nothing to do: something will change. Else leave."""

        def is_new() -> bool:
            return self.view is not view or self._wish() is not None

        if await self.sees(is_new, PATIENCE_S):
            return True
        return self.press(Button.SKIP) or self.press(Button.END)

    # one thing at a time

    async def _act(self, view: KioskView) -> bool:
        """Do what is to be done at this screen. False if that is nothing."""
        if self.mood.reports and view.order and self.press(Button.PROBLEM, "something_is_wrong"):
            self.mood = _without_report(self.mood)
            return True
        wish = self._wish()
        if wish is not None:
            await self._handle(*wish)
            return True
        acts = {
            Screen.CONFIRM: self._confirm,
            Screen.REFUSED: self._read_on,
            Screen.DONE: self._read_on,
            Screen.RATING: self._rate,
            Screen.SECOND_FACTOR: self._prove,
            Screen.TAKE: self._decide,
            Screen.TROUBLE: self._decide,
            Screen.CLOSE: self._decide,
            Screen.WORKING: self._decide,
        }
        act = acts.get(view.screen)
        return act is not None and await act(view)

    async def _read_on(self, _view: KioskView) -> bool:
        await self.takes("read")
        return self.press(Button.END)

    async def _confirm(self, view: KioskView) -> bool:
        if self.mood.hesitates and not self._hesitated:
            self._hesitated = True
            return await self.news(view, PATIENCE_S)
        if not self._in_hand:
            await self.takes("confirm")
        if self.mood.replaces and self.code is self.order.codes[-1]:
            self.stage.district.replace(self.order, types=bool(self.code.typed))
            await self.waits(1.0)
        return self.press(Button.CONFIRM)

    async def _prove(self, view: KioskView) -> bool:
        """The last digits of the phone, or a clerk who says that it is me."""
        if view.text is Text.ASK_CLERK:
            await self.takes("take")
            self.hold(self.stage.district.badges["staff"], "badge", "staff")
            await self.news(view, PATIENCE_S)
            return True
        if view.text in CARD and self.code.card and self.kiosk.lid is not None:
            await self._lay_card(view)
            return True
        await self.takes("press")
        wrong = self.mood.first == "mistypes" and view.text is Text.ASK_PHONE4
        tail = str((int(self.code.tail) + 1) % 10_000).zfill(4) if wrong else self.code.tail
        if not wrong:
            self.stage.log.note(Held("tail", self.code.code_id, self.kiosk.name))
        return self.press(Button.CODE, tail) or self.press(Button.END)

    async def _lay_card(self, view: KioskView) -> None:
        """On the reader, for as long as it takes; the first may be somebody else's."""
        lid = self.kiosk.lid
        assert lid is not None, "whoever called has looked"
        await self.takes("hold")
        other = self.mood.first == "mistypes" and view.text is not Text.ID_CARD_OTHER
        if not other:
            self.stage.log.note(Held("card", self.code.code_id, self.kiosk.name))
        lid.lay(card_number(self.dice) if other else self.code.card)
        await self.news(view, CARD_S)
        lid.take()

    def _wish(self) -> tuple[str, Door] | None:
        """What my hands would do at a door that the screen names."""
        view = self.view
        if view is None or view.screen in (Screen.IDLE, Screen.LOAD, Screen.REFUSED):
            return None
        for door in self.shown_doors():
            if door.name in self._left and door.open and self.mood.walks_off:
                continue
            if not door.open:
                if door.unlocked and not door.jammed and view.screen is not Screen.TROUBLE:
                    return ("pull", door)
                continue
            if door.contents and self._is_mine(door) and door.name not in self._left:
                return ("take", door)
            return ("close", door)
        return None

    def _is_mine(self, door: Door) -> bool:
        bags = (f"{BAG}:{code.code_id}" for code in self.order.codes)
        return door.contents[-1] in (*self.order.boxes, *self.order.licences, *bags)

    async def _handle(self, what: str, door: Door) -> None:
        if what == "pull" and self.mood.not_pulled and door.name not in self._used:
            self._used.add(door.name)
            await self.waits(12.5)
            return
        if what == "close" and self._forgets(door):
            return
        await self.takes(what)
        if self._wish() != (what, door):
            return
        match what:
            case "pull":
                if not self.pull(door):
                    await self.waits(1.0)
            case "take":
                self._take(door)
            case "close":
                self.close(door)

    def _take(self, door: Door) -> None:
        if self.mood.leaves_item and door.name not in self._used:
            self._left.add(door.name)
        elif (thing := self.take(door)) is not None and not thing.startswith(BAG):
            self.order.gone.add(thing)
            if self.mood.leaves_bag:
                self.stage.put(door.name, f"{BAG}:{self.code.code_id}")
        self._used.add(door.name)

    def _forgets(self, door: Door) -> bool:
        """Away with the door open; somebody else shuts it some time."""
        if door.name in self._left or not (self.mood.forgets_door or self.mood.walks_off):
            return False
        self._left.add(door.name)
        self.close_later(door, self.dice.triangular(45.0, 400.0, 70.0))
        return True

    async def _decide(self, view: KioskView) -> bool:
        """The screen asks something."""
        if view.text is Text.TAKE_LICENCE:
            return await self._take_paper(view)
        if not {Button.TAKEN, Button.AGAIN, Button.SKIP} & set(view.buttons):
            return False
        await self.takes("press")
        doors = self.shown_doors()
        inside = any(door.contents and self._is_mine(door) for door in doors)
        if Button.TAKEN in view.buttons and not inside:
            return self.press(Button.TAKEN)
        for door in doors:
            self._left.discard(door.name)
        if Button.AGAIN in view.buttons and self._may_try():
            return self.press(Button.AGAIN)
        return self.press(Button.SKIP) or self.press(Button.END)

    def _may_try(self) -> bool:
        self._again += 1
        return self._again <= TRIES

    async def _take_paper(self, view: KioskView) -> bool:
        machine = str(view.values.get("machine", ""))
        inside = self.stage.world.machine(machine).inside
        if not inside.outlet:
            return False
        if self.mood.leaves_item:
            return False
        await self.takes("take_paper")
        self.stage.world.catch_up()
        if inside.outlet and self.view is view:
            self.order.gone.update(inside.outlet)
            self.stage.world.machine_take(machine)
            return True
        return self.view is not view

    async def _rate(self, _view: KioskView) -> bool:
        await self.takes("press")
        if self.mood.opens_again and not self._reopened and self.offers(Button.AGAIN):
            self._reopened = True
            return self.press(Button.AGAIN)
        if self.mood.rates:
            return self.press(Button.RATE, chosen(self.dice, list(STARS)))
        return self.press(Button.SKIP)


def _without_report(mood: Mood) -> Mood:
    return replace(mood, reports=False)
