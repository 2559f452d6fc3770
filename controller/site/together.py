"""All doors of an order at once, where the policy wants it: released, emptied, shut."""

from collections.abc import Sequence

from controller.refusals import Refused
from controller.site.doors import Place
from controller.site.doorway import Way, is_over, step_back
from controller.site.handover import Handover
from controller.site.premises import Premises
from controller.site.texts import Screen, Text


async def open_together(p: Premises, doors: Sequence[Handover]) -> dict[Place, Way]:
    """Release each door that can be, one pulse after the other; wait for those that opened.

    How each release went. Refused where the first one is; a later refusal leaves the rest shut.
    """
    ways: dict[Place, Way] = {}
    for door in doors:
        if door.is_ready():
            try:
                ways[door.place] = await door.unlock()
            except Refused:
                step_back(p, door.place)
                if not ways:
                    raise
                break
    opened = [door for door in doors if ways.get(door.place) is Way.OPEN]
    if opened:
        await _taken(p, opened)
    return ways


async def _taken(p: Premises, opened: Sequence[Handover]) -> None:
    """Everybody who collects is busy at these doors, for a while at most."""
    places = tuple(door.place for door in opened)
    signs = ", ".join(place.sign for place in places)
    p.desk.show(Screen.TAKE, Text.TAKE_ALL, doors=places, compartments=signs)

    def is_empty_or_over() -> bool:
        return all(door.is_empty_or_over() for door in opened)

    def is_all_over() -> bool:
        return all(is_over(p, place) for place in places)

    await p.bell.until(is_empty_or_over, p.policy.ajar_notice_s)
    if not is_all_over():
        p.desk.show(Screen.CLOSE, Text.CLOSE_ALL, doors=places, compartments=signs)
        await p.bell.until(is_all_over, p.policy.ajar_alarm_s)
