"""A door with a person before it: released, seen to open, seen to shut."""

from collections.abc import Callable
from enum import StrEnum

from controller.entries import AlarmKind
from controller.site.alarms import raise_alarm
from controller.site.book import Act
from controller.site.doors import Place, Sight
from controller.site.intents import settle
from controller.site.movements import Wanted
from controller.site.premises import Premises
from controller.site.texts import Screen, Text


class Way(StrEnum):
    OPEN = "open"
    NOT_MOVED = "not_moved"  # certainly; all is as before
    STUCK = "stuck"  # asked for, and the door was seen to stay shut
    UNSEEN = "unseen"  # asked for, and nobody can see the door


async def release(p: Premises, place: Place, decide: Callable[[Act], Wanted]) -> Way:
    """Release a door once and say how it went. Refused where `decide` refuses."""
    p.watch.attended.add(place)
    p.desk.show(Screen.WORKING, Text.OPENING, doors=(place,), compartment=place.sign)
    if (rest_s := p.policy.lock_rest_s - p.movements.since_pulse_s(place)) > 0:
        await p.clock.sleep(rest_s)
    intent = await p.movements.open_door(place, decide)
    if intent is None:
        return Way.NOT_MOVED
    if await p.movements.opens(place, p.policy.door_unseen_s):
        return Way.OPEN
    p.desk.show(Screen.WORKING, Text.PUSH, doors=(place,), compartment=place.sign)
    if await p.movements.opens(place, p.policy.door_jammed_s):
        return Way.OPEN
    with p.book.act() as act:
        settle(act, intent.id, "unknown", None)
        if not p.doors.is_seen(place):
            return Way.UNSEEN
        p.doors.feed(act, place, Sight.BOLT_RESTED)
        raise_alarm(act, AlarmKind.LOCK_JAMMED, str(place))
    return Way.STUCK


def is_over(p: Premises, place: Place) -> bool:
    """The door fell shut, or nobody can see it any more."""
    return p.doors.is_shut(place) or not p.doors.is_seen(place)


def step_back(p: Premises, place: Place) -> None:
    """No visit cares for this place any more: what is still open there, the watch decides."""
    p.watch.attended.discard(place)
