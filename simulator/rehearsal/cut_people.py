"""Who comes in the stories of power cuts, and what hands do in the dark."""

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol

from controller.site.kiosk import KioskView
from controller.site.texts import Button, Offer, Screen, Text
from simulator.door import Door, Impossible
from simulator.rehearsal.cut_setting import UNTIL
from simulator.rehearsal.cut_stage import CutStage
from simulator.rehearsal.district import Order
from simulator.rehearsal.person import LOOKS_MAX, NeverEnds, Person
from simulator.rehearsal.recipients import Mood, Recipient
from simulator.rehearsal.vendors import Loader

DARK_S: Final = 8.0  # so long people try doors, light or not
TRIES_EVERY_S: Final = 0.4
HAND_S: Final = 0.7
PATIENCE_S: Final = 200.0
ANSWER_S: Final = 6.0
VENDOR: Final = "vendor"
STAFF: Final = "staff"
FIRM: Final = "V01"


class Visitor(Protocol):
    """Somebody with something to do here."""

    async def visit(self) -> None: ...


@dataclass(slots=True)
class Cast:
    """Everybody of one story, and what they have in hand."""

    stage: CutStage
    order: Order
    dice: Random
    boxes: list[str] = field(default_factory=list)  # that are still to be loaded
    brings: bool = False  # hands put things in; else they take them out
    looks: bool = False  # or neither

    def loader(self) -> Loader:
        return Loader(self.stage, self.dice, VENDOR, self.boxes)

    def recipient(self) -> Recipient:
        return Recipient(self.stage, self.dice, self.order, self.order.codes[-1], Mood())

    def clerk(self, badge: str = STAFF) -> "Clerk":
        return Clerk(self.stage, self.dice, badge, self.boxes)

    async def grope(self) -> None:
        """Try what gives way."""
        stage = self.stage
        until = stage.clock.monotonic() + DARK_S
        while stage.clock.monotonic() < until:
            await stage.clock.sleep(TRIES_EVERY_S)
            stage.world.catch_up()
            for door in stage.world.doors.values():
                if door.open or (door.unlocked and not door.jammed):
                    await self._at(door)
            for name, machine in stage.world.machines.items():
                with suppress(Impossible):  # its shutter may be shut
                    out = list(machine.inside.outlet)
                    stage.world.machine_take(name)
                    self.order.gone.update(out)

    async def _at(self, door: Door) -> None:
        person = Person(self.stage, self.dice)
        if not door.open and not person.pull(door):
            return
        await self.stage.clock.sleep(HAND_S)
        if not door.open:
            return
        if self.looks:
            pass
        elif self.brings:
            if self.boxes and not door.contents:
                self.stage.put(door.name, self.boxes.pop(0))
        elif door.contents:
            thing = person.take(door)
            if thing is not None:
                self.order.gone.add(thing)
        await self.stage.clock.sleep(HAND_S)
        person.close(door)


class Clerk(Person):
    """Somebody with a badge who settles what nobody knows and takes back what is due."""

    def __init__(self, stage: CutStage, dice: Random, badge: str, boxes: list[str]) -> None:
        super().__init__(stage, dice)
        self._badge = badge
        self._boxes = boxes  # what is in a vendor's hands
        self._done: set[str] = set()  # choices that were made in this visit

    async def visit(self) -> None:
        """Until the menu offers nothing that was not tried."""
        if not await self.sees(lambda: self.screen is Screen.IDLE, PATIENCE_S):
            return
        self._mend_machines()
        await self.waits(3.0)
        view = self.view
        self.hold(self.stage.district.badges[self._badge], "badge", self._badge)
        if not await self.news(view, ANSWER_S):
            return
        for _ in range(LOOKS_MAX):
            view = self.view
            if view is None or view.screen in (Screen.IDLE, Screen.REFUSED):
                return
            if not await self._act(view):
                await self._look_on(view)
        raise NeverEnds(f"{self._badge} at {self.view}")

    def _mend_machines(self) -> None:
        """What sticks is taken out, by the service door."""
        for machine in self.stage.world.machines.values():
            with suppress(Impossible):  # nothing sticks
                machine.inside.free()

    async def _look_on(self, view: KioskView) -> None:
        """Nothing to do before the screen or a door is another."""
        await self.sees(lambda: self.view is not view or self._wish(), PATIENCE_S)

    def _wish(self) -> bool:
        return any(door.open or door.unlocked for door in self.shown_doors())

    async def _act(self, view: KioskView) -> bool:
        await self.waits(1.0)
        if self.view is not view:
            return True
        if view.text is Text.WHERE_IS_IT:
            return self.press(Button.CHOOSE, self._where(view))
        if view.text in (Text.TAKE_OUT_CONFIRM, Text.LOAD_CONFIRM):
            inside = any(door.contents for door in self.shown_doors())
            yes = Button.CONFIRM if inside else Button.TAKEN
            return self.press(yes) or self.press(Button.SKIP)
        doors = [door for door in self.shown_doors() if door.open or door.unlocked]
        if doors:
            return await self._at(doors[0], view)
        return self._choose(view)

    async def _at(self, door: Door, view: KioskView) -> bool:
        if not door.open:
            return self.pull(door)
        if view.text is Text.TAKE_OUT and door.contents:
            return self.take(door) is not None
        if view.text in (Text.LOOK_INSIDE, Text.BELONGS_ELSEWHERE):
            if not door.contents:
                return self.press(Button.CHOOSE, Offer.NOTHING_INSIDE.value)
            await self.waits(2.5)
            self.hold(door.contents[-1], "label", door.contents[-1])
            return await self.news(view, ANSWER_S) or self.close(door)
        return self.close(door)

    def _choose(self, view: KioskView) -> bool:
        for choice in view.choices:
            fresh = f"{view.text}/{choice.value}" not in self._done
            if choice.offer not in (Offer.EMERGENCY, Offer.MAINTENANCE) and fresh:
                self._done.add(f"{view.text}/{choice.value}")
                return self.press(Button.CHOOSE, choice.value)
        return self.press(Button.END) or self.press(Button.SKIP)

    def _where(self, view: KioskView) -> str:
        """What this person knows of a thing that is not where it should be."""
        offered = [choice.value for choice in view.choices]
        printed = any(held["took"].startswith("JOB:") for held in self.stage.world.hands)
        wishes = [Offer.IN_HAND] if self._boxes else []
        wishes += [Offer.WITH_RECIPIENT] if printed else [Offer.INSIDE, Offer.WITH_RECIPIENT]
        wishes.append(Offer.TO_WINDOW)
        return next(wish.value for wish in wishes if wish.value in offered)


def grant_badges(stage: CutStage) -> None:
    stage.district.grant(VENDOR, "vendor", FIRM, UNTIL)
    stage.district.grant(STAFF, "staff", None, UNTIL)
