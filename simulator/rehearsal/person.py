"""Somebody at the kiosk: sees its screen and the doors, presses, scans, and has two hands."""

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Final, Self

from controller.refusals import Refused
from controller.site.kiosk import KioskView
from controller.site.texts import Button, Screen, Text
from controller.store import StoreBroken
from simulator.door import Door, Impossible
from simulator.rehearsal.events import Answered, Held
from simulator.rehearsal.kiosks import Kiosk
from simulator.rehearsal.shapes import takes_s
from simulator.rehearsal.stage import Stage

DARK_PATIENCE_S: Final = 120.0
ANSWER_S: Final = 8.0  # to a code
LOOKS_MAX: Final = 400  # at the screen in one visit: it would never end


class NeverEnds(Exception):
    """The screen led nowhere."""


class Person:
    """Everything that anybody at the kiosk can do. Nobody sees more than screen and doors."""

    def __init__(self, stage: Stage, dice: Random) -> None:
        self.stage = stage
        self.dice = dice
        self.kiosk = stage.kiosks[0]
        self.hands: list[str] = []

    def before(self, kiosk: Kiosk) -> Self:
        """Whoever it is stands before that one."""
        self.kiosk = kiosk
        return self

    # eyes

    @property
    def view(self) -> KioskView | None:
        return self.kiosk.view

    @property
    def screen(self) -> Screen | None:
        view = self.kiosk.view
        return None if view is None else view.screen

    def offers(self, button: Button) -> bool:
        view = self.kiosk.view
        return view is not None and button in view.buttons

    def door(self, where: str) -> Door:
        cabinet, _, no = where.partition("/")
        self.stage.world.catch_up()
        return self.stage.world.door(cabinet, int(no))

    def shown_doors(self) -> list[Door]:
        view = self.kiosk.view
        return [] if view is None else [self.door(where) for where in view.doors if "/" in where]

    async def sees(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Look on until something is so, or patience is over."""
        return await self.stage.bell.until(holds, within_s)

    async def news(self, view: KioskView | None, within_s: float) -> bool:
        """Wait until the screen is another one."""
        return await self.sees(lambda: self.kiosk.view is not view, within_s)

    # time

    async def takes(self, step: str) -> None:
        await self.stage.clock.sleep(takes_s(self.dice, step))

    async def waits(self, seconds: float) -> None:
        await self.stage.clock.sleep(seconds)

    def happens(self, share: float) -> bool:
        return self.dice.random() < share

    # hands

    def press(self, button: Button, value: str | None = None) -> bool:
        """Press if the screen still offers it."""
        site = self.stage.site
        if site is None or not self.offers(button):
            return False
        with suppress(Refused, StoreBroken):  # the screen is about to say that nothing is kept
            site.press(button, value, self.kiosk.name)
            return True
        return False

    def hold(self, text: str, what: str, of: str) -> None:
        """Before the scanner for a moment."""
        self.stage.log.note(Held(what, of, self.kiosk.name))
        self.kiosk.scanner.hold(text)

    def type(self, digits: str, what: str, of: str) -> bool:
        """Twelve digits on the screen, if it asks for them and not for a phone's alone."""
        if not self.offers(Button.CODE) or self.screen is Screen.SECOND_FACTOR:
            return False
        self.stage.log.note(Held(what, of, self.kiosk.name))
        if what == "code":
            self.stage.log.note(Held("tail", of, self.kiosk.name))
        return self.press(Button.CODE, digits)

    async def answer(self, how: str, what: str, of: str, view: KioskView | None) -> bool:
        """Wait for what the screen says to a code; False if that is nothing."""
        asked_at, starts = self.stage.clock.monotonic(), self.stage.starts

        def is_told() -> bool:
            now = self.kiosk.view
            return now is not view and (now is None or now.text is not Text.CHECKING)

        if not await self.sees(is_told, ANSWER_S):
            return False
        told = self.kiosk.view
        if told is not None and told.screen is Screen.IDLE:
            return False  # it went home: what was held was taken for the presentation before
        if told is not None and told.text in (Text.OUT_OF_SERVICE, Text.STARTING):
            return True
        if told is not None and self.stage.starts == starts:
            after_s = round(self.stage.clock.monotonic() - asked_at, 3)
            bare = not (told.order or told.items or told.session or told.case or told.values)
            told_here = Answered(how, of, what, told.text.value, bare, after_s, self.kiosk.name)
            self.stage.log.note(told_here)
        return True

    def pull(self, door: Door) -> bool:
        with suppress(Impossible):
            door.pull()
            return True
        return False

    def close(self, door: Door) -> bool:
        self.stage.world.catch_up()
        with suppress(Impossible):
            door.close()
            return True
        return False

    def take(self, door: Door) -> str | None:
        with suppress(Impossible):
            thing = door.contents[-1] if door.contents else ""
            self.stage.world.take(door.cabinet, door.no)
            self.hands.append(thing)
            return thing
        return None

    def close_later(self, door: Door, seconds: float) -> None:
        """Somebody comes by and shuts it, if it still stands open."""
        self.stage.world.timeline.after(seconds, lambda: self._shut(door))

    @staticmethod
    def _shut(door: Door) -> None:
        if door.open and not door.broken_open:
            door.close()
