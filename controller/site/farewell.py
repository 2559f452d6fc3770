"""The end of a visit: a rating, the same door once more, goodbye."""

from collections.abc import Sequence

from controller.entries import FeedbackRated, ItemState, Up
from controller.refusals import Refused
from controller.site.claim import Claim
from controller.site.doors import Place
from controller.site.doorway import Way, release, shut, step_back
from controller.site.handover import Opened
from controller.site.items import settle_shut
from controller.site.kiosk import Happened, Heard, Press, Quiet
from controller.site.premises import Premises, shown_items
from controller.site.texts import Button, Screen, Text


class Farewell:
    """The last screens; the next person's scan ends them."""

    def __init__(
        self, premises: Premises, claim: Claim, last: Opened | None, used: Sequence[Place]
    ) -> None:
        """`used` are the visit's doors: while one of them is open, no other is had again."""
        self._p = premises
        self._claim = claim
        self._last = last
        self._used = used
        self._reopened = 0

    async def run(self) -> Heard | None:
        """What the next person did meanwhile is returned."""
        p = self._p
        p.desk.listen(on=True)
        order = self._claim.order.order_no
        with p.book.look() as connection:
            items = shown_items(connection, order)
        if any(item.state != ItemState.COLLECTED.value for item in items):
            return await self._linger(Screen.DONE, Text.SOME_LEFT, p.policy.refused_s)
        heard = await self._linger(Screen.RATING, Text.RATE, p.policy.rating_s, rating=True)
        match heard:
            case Press(button=Button.RATE, value=str(stars)):
                with p.book.act() as act:
                    act.say(Up.FEEDBACK_RATED, FeedbackRated(order=order, stars=int(stars)))
            case None | Press():
                pass
            case _:
                return heard
        heard = await self._linger(Screen.DONE, Text.ALL_TAKEN, p.policy.refused_s)
        return None if isinstance(heard, Press) else heard

    async def _linger(
        self, screen: Screen, text: Text, within_s: float, *, rating: bool = False
    ) -> Heard | None:
        """Show a last screen; a door may be had again; the next person's scan ends it."""
        p = self._p
        while True:
            buttons = (Button.RATE, Button.SKIP) if rating else (Button.END,)
            again = (Button.AGAIN,) if self._may_reopen() else ()
            p.desk.show(screen, text, *buttons, *again, wait_s=within_s)
            heard = await p.desk.hear(within_s, scans=True)
            match heard:
                case Press(button=Button.AGAIN) if not p.desk.is_scan_waiting():
                    if (left := await self._reopen()) is not None:
                        return None if isinstance(left, Press) else left
                case Quiet():
                    return None
                case _:
                    return heard

    def _may_reopen(self) -> bool:
        last = self._last
        return (
            last is not None
            and self._reopened < self._p.policy.reopen_times
            and self._p.clock.monotonic() - last.shut_at <= self._p.policy.reopen_s
            and self._p.doors.is_shut(last.place)
            and not any(self._p.doors.is_open(place) for place in self._used)
        )

    async def _reopen(self) -> Heard | None:
        """The same door once more for the same person: its own intent, nothing else changes.

        Who left it open, or who stepped up meanwhile, is returned.
        """
        p = self._p
        if self._last is None or not self._may_reopen():
            return None
        heard: Heard = Happened()
        place = self._last.place
        self._reopened += 1
        p.desk.listen(on=False)
        try:
            if await release(p, place, self._claim.decide_reopen(place)) is Way.OPEN:
                heard = await shut(p, place)
            if p.doors.is_shut(place):
                with p.book.act() as act:
                    settle_shut(act, place, p.doors[place].item, said=False)
                self._last = Opened(place, p.clock.monotonic())
        except Refused:
            self._last = None
        finally:
            step_back(p, place)
            p.desk.listen(on=True)
        return None if isinstance(heard, Happened) else heard
