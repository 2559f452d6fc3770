"""Honest and clumsy people: they pull at what gives way, do their work, answer or do not."""

import asyncio
import contextlib
from collections.abc import Callable

from controller.refusals import Refused
from controller.site.kiosk import KioskView
from tests.controller.site.world import Town

DOORS = 4
TURN_S = 0.3
VISIT_S = 90.0

Answers = dict[str, Callable[[], tuple[str, str | None] | None]]


class People:
    """Whoever stands before the kiosk, in turn."""

    town: Town

    async def visit(
        self,
        *scans: str,
        at_door: Callable[[int], None],
        answers: Answers,
        leaves_open: bool = False,
    ) -> None:
        """Scan, pull at what gives way, do the work, shut it, answer; until the kiosk is free."""
        town = self.town
        answered: KioskView | None = None
        until = town.cabinet.now() + VISIT_S
        for text in scans:
            town.reader.hold(text)
            await asyncio.sleep(2.5)
        while town.cabinet.now() < until:
            await self.pull(at_door, leaves_open=leaves_open)
            view = town.view
            if view is not answered and view.text in answers:
                answered = view
                if (said := answers[view.text]()) is not None:
                    with contextlib.suppress(Refused):
                        town.site.press(*said)
            if view.text in ("start", "loaded", "nothing_put_in") or view.screen == "refused":
                break
            await asyncio.sleep(TURN_S)
        await self.go_home()

    async def pull(self, at_door: Callable[[int], None], *, leaves_open: bool) -> None:
        cabinet = self.town.cabinet
        for door in range(1, DOORS + 1):
            if cabinet.is_unlocked(door) and not cabinet[door].open and cabinet.pull(door):
                await asyncio.sleep(0.6)
                at_door(door)
                await asyncio.sleep(0.6)
                if not leaves_open:
                    cabinet.close(door)

    async def go_home(self) -> None:
        """Whoever it was goes away, and the kiosk is free again."""
        town = self.town
        until = town.cabinet.now() + 600
        while town.view.text != "start":
            assert town.cabinet.now() < until, town.view
            if "end" in town.view.buttons:
                town.site.press("end")
            await asyncio.sleep(1)
        await asyncio.sleep(2.5)

    def box(self, door: int) -> list[str]:
        return self.town.cabinet[door].inside

    def takes(self, hands: set[str]) -> Callable[[int], None]:
        return lambda door: hands.update(self.town.cabinet.take(door))

    def leaves(self, _door: int) -> None:
        """Looks in, and lets all be."""
