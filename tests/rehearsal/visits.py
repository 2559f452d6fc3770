"""People at the kiosk: they read the screen, and do what a person would.

What stands behind doors is done by the simulator's people (they pull, take, close and empty the
outlet); here are the hands that hold codes before the scanner, press, and put boxes in.
"""

from contextlib import suppress
from typing import Final

from controller.site.schema import items
from controller.site.texts import Button, Screen, Text
from simulator.door import Impossible
from tests.rehearsal.rig import Order, Rig

TRIES: Final = 3  # of one box, of one door, of one visit
ANSWER_S: Final = 5.0  # to a scan
LOOKS_MAX: Final = 2_000  # at the screen in one visit: it would never end


class NeverEnds(Exception):
    """The screen led nowhere."""


async def home(rig: Rig) -> None:
    """The one before has left."""
    await rig.until(lambda: rig.view.screen is Screen.IDLE, within_s=900.0)


class Vendor:
    """Brings boxes, and takes back those that found no place."""

    def __init__(self, rig: Rig, boxes: list[str]) -> None:
        self._rig = rig
        self._boxes = list(boxes)
        self._tries = 0
        self._scanned = False  # the first box, and it is still in hand
        self._set_aside: list[str] = []

    async def load(self) -> None:
        rig = self._rig
        await home(rig)
        await rig.hold(rig.badge)
        await rig.until(lambda: rig.view.screen is Screen.LOAD)
        for _ in range(LOOKS_MAX):
            await rig.pause(0.5, 2.0)
            view = rig.view
            if view.screen is not Screen.LOAD and view.text is not Text.OPENING:
                if view.screen is Screen.IDLE:
                    return
            elif Button.END in view.buttons and not view.doors:
                if not self._boxes:
                    rig.site.press(Button.END)
                    return
                await self._next()
            else:
                self._at_door()
        raise NeverEnds(str(rig.view))

    async def _next(self) -> None:
        """Scan the box in hand, unless it was of no use often enough."""
        rig = self._rig
        self._tries += 1
        if self._tries > TRIES:
            self._put_aside()
            return
        before = rig.view
        self._scanned = True
        await rig.hold(self._boxes[0])
        with suppress(TimeoutError):  # it was taken for the same presentation, or says the same
            await rig.until(lambda: rig.view is not before, within_s=ANSWER_S)

    @property
    def left(self) -> list[str]:
        """What found no place and is still in hand."""
        return [*self._set_aside, *self._boxes]

    def _put_aside(self) -> None:
        self._set_aside.append(self._boxes.pop(0))
        self._scanned, self._tries = False, 0

    def _at_door(self) -> None:
        rig, view = self._rig, self._rig.view
        if view.text is Text.LOAD_CONFIRM:
            (where,) = view.doors
            inside = bool(rig.world.door(*_place(where)).contents)
            rig.site.press(Button.CONFIRM if inside else Button.SKIP)
        elif view.text is Text.LOAD_OPEN and self._scanned:
            (where,) = view.doors
            try:
                rig.world.put(*_place(where), self._boxes[0])
            except Impossible:  # somebody shut it
                return
            self._boxes.pop(0)
            self._scanned, self._tries = False, 0


def _place(where: str) -> tuple[str, int]:
    cabinet, _, no = where.partition("/")
    return cabinet, int(no)


class Recipient:
    """Comes with a code, and comes again while something is left for it."""

    def __init__(self, rig: Rig, order: Order, *, types: bool = False) -> None:
        self._rig = rig
        self._order = order
        self._types = types
        self._again = 0
        self.visits = 0

    def left(self) -> list[str]:
        """Items that the site would still hand out."""
        rows = self._rig.rows(items.select().where(items.c.order_no == self._order.number))
        return [row.item_id for row in rows if row.state == "loaded"]

    async def collect(self, visits: int = 5) -> None:
        while self.left() and self.visits < visits:
            await self._visit()

    async def _visit(self) -> None:
        rig = self._rig
        await home(rig)
        self.visits += 1
        self._again = 0
        if self._types:
            rig.site.press(Button.CODE, self._order.typed)
        else:
            await rig.hold(self._order.qr)
        await rig.until(lambda: rig.view.screen is not Screen.IDLE)
        for _ in range(LOOKS_MAX):
            await rig.pause(0.5, 2.0)
            if rig.view.screen is Screen.IDLE:
                return
            self._look()
        raise NeverEnds(str(rig.view))

    def _look(self) -> None:
        """One glance at the screen, and a press where one is wanted."""
        rig, view = self._rig, self._rig.view
        match view.screen:
            case Screen.CONFIRM:
                rig.site.press(Button.CONFIRM)
            case Screen.TAKE if view.text is Text.DID_YOU_TAKE:
                (where,) = view.doors
                inside = bool(rig.world.door(*_place(where)).contents)
                rig.site.press(Button.AGAIN if inside else Button.TAKEN)
            case Screen.TAKE | Screen.TROUBLE if Button.SKIP in view.buttons:
                self._decide()
            case Screen.RATING:
                self._rate()
            case Screen.DONE | Screen.REFUSED:
                rig.site.press(Button.END)

    def _decide(self) -> None:
        """Something did not go as the screen had said."""
        rig = self._rig
        self._again += 1
        wants = Button.AGAIN in rig.view.buttons and self._again <= TRIES
        rig.site.press(Button.AGAIN if wants else Button.SKIP)

    def _rate(self) -> None:
        """Some rate, some forgot something in the compartment, most go."""
        rig, chance = self._rig, self._rig.dice.random()
        if chance < 0.1 and Button.AGAIN in rig.view.buttons:
            rig.site.press(Button.AGAIN)
        elif chance < 0.5:
            rig.site.press(Button.RATE, str(rig.dice.randint(1, 5)))
        else:
            rig.site.press(Button.SKIP)
