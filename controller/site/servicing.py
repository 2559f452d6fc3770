"""Staff take a cabinet into maintenance: which, what for, how long; and give it back."""

from typing import Final

from controller.site.badged import STAFF, Bearer
from controller.site.kiosk import Choice
from controller.site.texts import Button, Offer, Screen, Text

BEGIN: Final = "maintenance"
END: Final = "maintained:"  # and the cabinet's letter
REASONS: Final = (Offer.REPAIR, Offer.CLEANING, Offer.CHECK, Offer.OTHER_WORK)
MINUTES: Final = (15, 30, 60, 120, 240, 480)


class Servicing:
    """What one member of staff does about it."""

    def __init__(self, bearer: Bearer) -> None:
        self._b = bearer
        self._p = bearer.p

    def offer(self) -> tuple[Choice, ...]:
        """Where it may begin, and where it may end."""
        on = self._p.maintenance.cabinets()
        ends = [
            Choice(f"{END}{each}", Offer.END_MAINTENANCE, {"place": each}) for each in sorted(on)
        ]
        begin = [Choice(BEGIN, Offer.MAINTENANCE)] if self._free() else []
        return (*ends, *begin)

    def _free(self) -> list[str]:
        on = self._p.maintenance.cabinets()
        return sorted({place.cabinet for place in self._p.doors} - on)

    async def run(self, value: str) -> None:
        """One of the offers was chosen."""
        if value == BEGIN:
            await self._begin()
            return
        cabinet = value.removeprefix(END)
        with self._p.book.act() as act:
            self._p.maintenance.end(act, cabinet, self._b.badge_in(act.db, STAFF).badge_id)
        self._p.desk.show(Screen.STAFF, Text.MAINTENANCE_OVER, Button.END, place=cabinet)

    async def _begin(self) -> None:
        free = self._free()
        cabinet: str | None = free[0]
        if len(free) > 1:
            choices = (Choice(each, Offer.CABINET, {"place": each}) for each in free)
            cabinet = await self._b.choose(Text.MAINTENANCE_WHERE, *choices)
        if cabinet is None:
            return
        reasons = (Choice(each.value, each) for each in REASONS)
        reason = await self._b.choose(Text.MAINTENANCE_WHY, *reasons, place=cabinet)
        if reason is None:
            return
        longest = self._p.policy.maintenance_longest_s / 60
        fitting = [each for each in MINUTES if each <= longest] or [int(longest) or 1]
        lasts = (Choice(str(each), Offer.FOR_MINUTES, {"count": each}) for each in fitting)
        minutes = await self._b.choose(Text.MAINTENANCE_HOW_LONG, *lasts, place=cabinet)
        if minutes is None:
            return
        maintenance = self._p.maintenance
        with self._p.book.act() as act:
            badge = self._b.badge_in(act.db, STAFF).badge_id
            maintenance.begin(act, cabinet, reason, int(minutes) * 60, badge)
        until = maintenance.ends([cabinet]) or ""
        self._p.desk.show(
            Screen.STAFF, Text.MAINTENANCE_BEGUN, Button.END, place=cabinet, until=until
        )
