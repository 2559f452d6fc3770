"""Vendors and staff with things to load: a badge, then box after box."""

from random import Random
from typing import Final

from controller.site.kiosk import KioskView
from controller.site.texts import Button, Screen, Text
from simulator.door import Door, Impossible
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
        self._asked = 0  # for what there is to be taken back
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
        acts = {
            Text.LAY_IN: self._lay_in,
            Text.LOAD_CONFIRM: self._confirm,
            Text.TAKE_LICENCE: self._take_paper,
            Text.RETURNS: self._take_back,
        }
        if view.screen is Screen.REFUSED:
            return False
        if (act := acts.get(view.text)) is not None:
            return await act(view)
        if view.screen is Screen.STAFF and view.doors:
            return await self._take_out()
        if self._at_door():
            return await self._load()
        if Button.END in view.buttons and not view.doors:
            return await self._next(view)
        return False

    async def _confirm(self, _view: KioskView) -> bool:
        await self.takes("press")
        inside = any(door.contents for door in self.shown_doors())
        return self.press(Button.CONFIRM if inside else Button.SKIP)

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

    # what is taken back

    async def _take_back(self, view: KioskView) -> bool:
        """All of it or the first, and not for ever."""
        self._asked += 1
        await self.takes("read")
        if self._asked > TRIES:
            return self.press(Button.SKIP)
        every = len(view.choices) == 1 or self.happens(1 / 2)
        return self.press(Button.CHOOSE, view.choices[0 if every else 1].value)

    async def _take_paper(self, view: KioskView) -> bool:
        """A machine hands out what is taken back."""
        machine = str(view.values["machine"])
        await self.takes("take_paper")
        self.stage.world.catch_up()
        if self.view is not view or not self.stage.world.machine(machine).inside.outlet:
            return False
        self.stage.world.machine_take(machine)
        return True

    async def _open(self, door: Door) -> bool:
        if not door.unlocked or door.jammed:
            return self.press(Button.SKIP)
        await self.takes("pull")
        return self.pull(door)

    async def _take_out(self) -> bool:
        """A door for a return; or one that only has to be shut."""
        (door,) = self.shown_doors()
        if self.offers(Button.TAKEN):
            await self.takes("press")
            return self.press(Button.SKIP if door.contents else Button.TAKEN)
        if not door.open:
            return door.unlocked and not door.jammed and await self._open(door)
        await self.takes("take")
        view = self.view
        wants = view is not None and view.text is Text.TAKE_OUT
        if wants and door.contents:
            return self.take(door) is not None
        return self.close(door)

    # what is brought

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
            if view.choices and view.screen is Screen.LOAD and self._asked < TRIES:
                return self.press(Button.CHOOSE, view.choices[0].value)
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
