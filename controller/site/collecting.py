"""Collecting: one visit of somebody with a good code, door after door, until all is in hand."""

from collections.abc import Sequence

from controller.entries import Holder
from controller.refusals import Refused
from controller.site.claim import Claim
from controller.site.doors import Place
from controller.site.doorway import Way, step_back
from controller.site.farewell import Farewell
from controller.site.handover import Handover, Opened
from controller.site.kiosk import Heard, Press, Quiet
from controller.site.orders import OrderRow
from controller.site.outlet import hand_out
from controller.site.premises import Premises
from controller.site.second_factor import Shown, prove
from controller.site.texts import Button, Screen, Text
from controller.site.together import open_together


class Pickup:
    """A good code, and what is done with it."""

    def __init__(self, premises: Premises, order: OrderRow, shown: Shown) -> None:
        self._p = premises
        self._shown = shown
        self._claim = Claim(premises, order, shown.code)
        self._last: Opened | None = None
        self._used: list[Place] = []  # doors of this visit
        self._next: Heard | None = None  # who stepped up while a door was left open

    async def run(self) -> Heard | None:
        """Hand over what the order has; what the next person scanned meanwhile is returned."""
        self._p.desk.listen(on=False)
        kinds = [item.kind for item in self._claim.items()]
        proof = await prove(self._p, self._shown, kinds)
        if proof is None:
            return None
        self._claim.proof = proof
        self._claim.show_items()
        if self._p.policy.confirm_pickup and not await self._confirmed():
            return None
        try:
            await self._hand_over()
        except Refused:  # the code died meanwhile: what is left is another code's
            self._claim.end()
            raise
        self._claim.end()
        if self._next is not None:
            return self._next
        return await Farewell(self._p, self._claim, self._last, self._used).run()

    async def _hand_over(self) -> None:
        """Doors first, the machine last, until the person ends it."""
        items = self._claim.items()
        doors = [
            Handover(self._p, self._claim, item, number=number, of=len(items))
            for number, item in enumerate(items, 1)
            if item.holder == Holder.CABINET.value
        ]
        self._used = [door.place for door in doors if door.place in self._p.doors]
        if not await self._open(doors):
            return
        for item in items:
            if item.holder != Holder.CABINET.value:
                goes_on = await hand_out(self._p, item, self._claim.decide_machine)
                self._claim.show_items()
                if not goes_on:
                    return

    async def _open(self, doors: Sequence[Handover]) -> bool:
        """One door after the other, or all of them together by policy; False if it is ended."""
        together = self._p.policy.doors_together and len(doors) > 1
        ways = await open_together(self._p, doors) if together else {}
        try:
            for door in doors:
                match ways.pop(door.place, None):
                    case None:
                        await door.run()
                    case Way.OPEN:
                        await door.conclude()
                    case way:
                        await door.go_on(way)
                self._last = door.opened or self._last
                self._claim.show_items()
                if door.ended:
                    self._next = door.next
                    return False
        finally:
            for place in ways:  # what is still open there, the watch decides
                step_back(self._p, place)
        return True

    async def _confirmed(self) -> bool:
        """The person saw what it is and wants it now."""
        p = self._p
        kinds = ",".join(item.kind for item in self._claim.items())
        p.desk.show(
            Screen.CONFIRM,
            Text.CONFIRM,
            Button.CONFIRM,
            Button.END,
            company=self._claim.order.company,
            items=kinds,
        )
        heard = await p.desk.hear(p.policy.session_idle_s, scans=False)
        if isinstance(heard, Quiet):
            p.desk.show(
                Screen.CONFIRM,
                Text.STILL_THERE,
                Button.CONFIRM,
                Button.END,
                wait_s=p.policy.session_end_s,
            )
            heard = await p.desk.hear(p.policy.session_end_s, scans=False)
        return isinstance(heard, Press) and heard.button is Button.CONFIRM
