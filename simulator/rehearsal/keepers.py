"""Staff: they load what staff load, look behind doors that are in doubt, and take things back."""

from collections.abc import Callable
from random import Random
from typing import Final

from controller.site.kiosk import Choice, KioskView
from controller.site.texts import Button, Offer, Screen, Text
from simulator.rehearsal.recipients import PATIENCE_S
from simulator.rehearsal.stage import Stage
from simulator.rehearsal.vendors import ANSWER_S, Loader

TRIES: Final = 2  # of one thing in the menu
UNASKED: Final = (Offer.EMERGENCY, Offer.MAINTENANCE)  # nobody does these unless told to
LABEL: Final = "OWL:"
SECOND: Final = "staff2"  # whose badge is asked for where one is not enough
OPENS_ALL: Final = 0.3
BRINGS_SECOND: Final = 0.8
SAVES: Final = 0.4  # of what lies there


class Keeper(Loader):
    """One visit of staff. `whereabouts` says what the recipient or vendor says on the phone."""

    def __init__(
        self,
        stage: Stage,
        dice: Random,
        badge: str,
        boxes: list[str],
        whereabouts: Callable[[str], Offer],
        *,
        emergency: bool = False,
    ) -> None:
        super().__init__(stage, dice, badge, boxes)
        self._whereabouts = whereabouts
        self._emergency = emergency  # doors must be opened, whatever lies behind them
        self._tried: dict[str, int] = {}
        self._asked_about = ""  # an item, or a place
        self._looked: set[str] = set()  # things whose label was scanned where they lay
        self._said_empty = False

    async def _act(self, view: KioskView) -> bool:
        if view.screen is Screen.WORKING and not self.boxes:
            return await self._give_way(view)
        if view.screen is not Screen.STAFF or (self.boxes and not view.doors):
            return await super()._act(view)
        return await self._attend(view)

    async def _attend(self, view: KioskView) -> bool:
        if view.text in (Text.WHICH_DOOR, Text.SECOND_BADGE, Text.DOOR_STANDS_OPEN):
            return await self._in_emergency(view)
        if view.text in (Text.LOOK_INSIDE, Text.BELONGS_ELSEWHERE):
            return await self._look(view)
        if view.text is Text.WHERE_IS_IT:
            await self.takes("press")
            return self._say_where(view)
        if view.text is Text.ADOPT:
            await self.takes("press")
            return self.press(Button.CONFIRM)
        if view.doors:
            return await self._take_out()
        return await self._choose(view)

    async def _choose(self, view: KioskView) -> bool:
        """The next thing in the menu that was not tried too often."""
        await self.takes("read")
        if self._emergency and self._has(view, Offer.EMERGENCY):
            self._emergency = False
            return self.press(Button.CHOOSE, "emergency")
        for choice in view.choices:
            if choice.offer in (Offer.EMERGENCY, Offer.TAKE_BACK) and len(view.choices) > 1:
                continue
            tried = self._tried.get(choice.value, 0)
            if choice.offer in UNASKED or tried >= TRIES:
                continue
            self._tried[choice.value] = tried + 1
            self._asked_about = choice.value.partition(":")[2]
            self._said_empty = False
            return self.press(Button.CHOOSE, choice.value)
        return self.press(Button.SKIP) or self.press(Button.END)

    # behind a door

    async def _look(self, view: KioskView) -> bool:
        (door,) = self.shown_doors()
        if not door.open:
            return await self._open(door)
        await self.takes("take")
        if not door.contents:
            if not self._said_empty and self._has(view, Offer.NOTHING_INSIDE):
                self._said_empty = True
                return self.press(Button.CHOOSE, Offer.NOTHING_INSIDE.value)
            return self.close(door)
        thing = door.contents[-1]
        if thing.startswith(LABEL) and thing not in self._looked:
            self._looked.add(thing)
            self.hold(thing, "label", thing)
            await self.news(view, 3.0)
            return True
        self.take(door)  # a bag, or what belongs elsewhere
        return True

    async def _give_way(self, view: KioskView) -> bool:
        """A door that was released is pulled, and left open until the screen says what for."""
        for door in self.shown_doors():
            if door.unlocked and not door.open:
                return await self._open(door)
        return await self.news(view, PATIENCE_S)

    @staticmethod
    def _has(view: KioskView, offer: Offer) -> bool:
        return any(choice.offer is offer for choice in view.choices)

    # in an emergency

    async def _in_emergency(self, view: KioskView) -> bool:
        """One door or all of them, with a second badge where one is asked for."""
        if view.text is Text.WHICH_DOOR:
            await self.takes("press")
            every = self.happens(OPENS_ALL)
            chosen = view.choices[0] if every else self.dice.choice(view.choices[1:])
            return self.press(Button.CHOOSE, chosen.value)
        if view.text is Text.SECOND_BADGE:
            await self.takes("badge")
            badge = SECOND if self.happens(BRINGS_SECOND) else self._badge
            self.hold(self.stage.district.badges[badge], "badge", badge)
            return await self.news(view, ANSWER_S) or self.press(Button.SKIP)
        (door,) = self.shown_doors()
        if door.contents and door.open and self.happens(SAVES):
            await self.takes("take")
            return self.take(door) is not None
        await self.takes("vendor_close")
        return self.close(door)

    # by phone

    def _say_where(self, view: KioskView) -> bool:
        truth = self._whereabouts(self._asked_about)
        said = _offered(view.choices, truth, Offer.TO_WINDOW, Offer.MISSING)
        return self.press(Button.CHOOSE, said.value) if said else self.press(Button.SKIP)


def _offered(choices: tuple[Choice, ...], *wanted: Offer) -> Choice | None:
    """The first of these that may be said."""
    by_offer = {choice.offer: choice for choice in choices}
    return next((by_offer[offer] for offer in wanted if offer in by_offer), None)
