"""Vendors and staff with things to load: a badge, then box after box."""

from random import Random
from typing import Final

from controller.site.kiosk import KioskView
from controller.site.texts import Button, Screen, Text
from simulator.door import Impossible
from simulator.rehearsal.person import DARK_PATIENCE_S, LOOKS_MAX, NeverEnds, Person
from simulator.rehearsal.stage import Stage

PATIENCE_S: Final = 200.0
TAKES_IN_S: Final = 0.5  # a screen, what was done before it
ANSWER_S: Final = 6.0
TRIES: Final = 3  # of one box


class Loader(Person):
    """One round. What found no place stays in `boxes`."""

    def __init__(self, stage: Stage, dice: Random, badge: str, boxes: list[str]) -> None:
        super().__init__(stage, dice)
        self._badge = badge
        self.boxes = boxes
        self.aside: list[str] = []
        self._tries = 0
        self._scanned: KioskView | None = None  # the screen before the box in hand was scanned
        self._put_at = ""

    async def visit(self) -> None:
        """Load what there is to load."""
        if not await self.sees(lambda: self.screen is Screen.IDLE, PATIENCE_S):
            return
        await self.takes("walk_up")
        await self.takes("badge")
        view = self.view
        self.hold(self.stage.district.badges[self._badge], "badge", self._badge)
        if not await self.news(view, ANSWER_S) or self.screen not in (Screen.LOAD, Screen.STAFF):
            return
        for _ in range(LOOKS_MAX + 20 * len(self.boxes)):
            view = self.view
            if view is None:
                if not await self.news(view, DARK_PATIENCE_S):
                    return
            elif view.screen is Screen.IDLE or not await self._goes_on(view):
                return
        raise NeverEnds(f"{self._badge} at {self.view}")

    async def _goes_on(self, view: KioskView) -> bool:
        """Do one thing, and see whether the screen takes it in; else wait."""
        if not await self._act(view):
            return await self._wait(view)
        await self.news(view, TAKES_IN_S)
        return True

    async def _wait(self, view: KioskView) -> bool:
        """Nothing to do before the screen or a door is another."""
        return await self.sees(lambda: self.view is not view or self._at_door(), PATIENCE_S)

    async def _act(self, view: KioskView) -> bool:
        if view.screen is Screen.REFUSED:
            return False
        if view.text is Text.LAY_IN:
            return await self._lay_in(view)
        if view.text is Text.LOAD_CONFIRM:
            await self.takes("press")
            inside = any(door.contents for door in self.shown_doors())
            return self.press(Button.CONFIRM if inside else Button.SKIP)
        if self._at_door():
            return await self._load()
        if Button.END in view.buttons and not view.doors:
            return await self._next(view)
        return False

    async def _lay_in(self, view: KioskView) -> bool:
        """A machine waits for the licence in hand."""
        await self.takes("put")
        if self.view is not view or not self.boxes:
            return True
        try:
            self.stage.feed(str(view.values["machine"]), self.boxes[0])
        except Impossible:  # it has one already
            return False
        self.boxes.pop(0)
        self._scanned, self._tries = None, 0
        return True

    def _at_door(self) -> bool:
        """There is something to do at the door that the screen names."""
        return any(door.open or (door.unlocked and not door.jammed) for door in self.shown_doors())

    async def _load(self) -> bool:
        (door,) = self.shown_doors()
        if not door.open:
            await self.takes("read")
            self.pull(door)
        elif self._scanned is not None and self.boxes:
            await self.takes("put")
            try:
                self.stage.put(door.name, self.boxes[0])
            except Impossible:  # somebody shut it
                return True
            self.boxes.pop(0)
            self._scanned, self._tries = None, 0
        else:
            view = self.view
            await self.takes("vendor_close")
            if self.view is view:  # else the screen asks for something else by now
                self.close(door)
        return True

    async def _next(self, view: KioskView) -> bool:
        """The next label, or the end of the round."""
        if not self.boxes:
            await self.takes("read")
            return self.press(Button.END)
        self._tries += 1
        if self._tries > TRIES:
            self.aside.append(self.boxes.pop(0))
            self._tries, self._scanned = 0, None
            return True
        await self.takes("label")
        self._scanned = view
        if self._tries > 1:
            await self.waits(2.5)  # or it is taken for the same presentation
        self.hold(self.boxes[0], "label", self.boxes[0])
        await self.news(view, ANSWER_S)
        return True
