"""A door with a person before it: released, seen to open, seen to shut."""

from collections.abc import Callable
from enum import StrEnum

from controller.entries import CompartmentState
from controller.site import compartments, locks
from controller.site.book import Act
from controller.site.doors import Door, Place, Sight
from controller.site.intents import settle
from controller.site.kiosk import Happened, Heard
from controller.site.movements import Intent, Wanted
from controller.site.premises import Premises
from controller.site.texts import Button, Screen, Text


class Way(StrEnum):
    OPEN = "open"
    NOT_MOVED = "not_moved"  # certainly; all is as before
    STUCK = "stuck"  # asked for, and the door was seen to stay shut
    UNSEEN = "unseen"  # asked for, and nobody can see the door
    NO_NEWS = "no_news"  # asked for, and its switch says that it was open all the time
    ELSEWHERE = "elsewhere"  # asked for, and another door opened instead


async def release(
    p: Premises, place: Place, decide: Callable[[Act], Wanted], *, longer: bool = False
) -> Way:
    """Release a door once and say how it went. Refused where `decide` refuses.

    `longer`: the lock is perhaps weak, and the person pressed again.
    """
    p.watch.attended.add(place)
    p.desk.show(Screen.WORKING, Text.OPENING, doors=(place,), compartment=place.sign)
    while (rest_s := p.movements.coil_rests_s(place)) > 0:
        await p.clock.sleep(rest_s)
    was_open = p.doors.is_open(place)
    intent = await p.movements.open_door(place, decide, longer=longer)
    if intent is None:
        return Way.NOT_MOVED
    if was_open:
        with p.book.act() as act:
            settle(act, intent.id, "unknown", None)
        return Way.NO_NEWS
    return await _follow(p, place, intent)


async def _follow(p: Premises, place: Place, intent: Intent) -> Way:
    """Look which door opens: for a while without a word, then the person is asked to push."""
    others: list[Place] = []

    def is_open() -> bool:
        others.extend(strays(p, place, intent))
        return p.doors[place].door is Door.OPEN

    if await p.bell.until(is_open, p.policy.door_unseen_s):
        return Way.OPEN
    if not others:
        p.desk.show(Screen.WORKING, Text.PUSH, doors=(place,), compartment=place.sign)
        await p.bell.until(lambda: is_open() or bool(others), p.policy.door_jammed_s)
        if p.doors[place].door is Door.OPEN:
            return Way.OPEN
    with p.book.act() as act:
        settle(act, intent.id, "unknown", None)
        if others:
            lock_up(act, place, others[0])
        elif not p.doors.is_seen(place):
            return Way.UNSEEN
        else:
            locks.jammed(act, place, p.policy.lock_pulses)
        p.doors.feed(act, place, Sight.BOLT_RESTED)
    p.watch.instead[place] = others[:1]
    return Way.ELSEWHERE if others else Way.STUCK


def strays(p: Premises, place: Place, intent: Intent) -> list[Place]:
    """Doors of the same cabinet that opened by themselves since this one was released."""
    return [
        other
        for other in p.doors
        if other.cabinet == place.cabinet
        and not p.maintenance.is_on(place.cabinet)  # the key opens a whole column
        and p.doors[other].door is Door.FORCED
        and p.doors.is_open(other)
        and p.doors[other].since >= intent.born
    ]


def lock_up(act: Act, place: Place, other: Place) -> None:
    """Neither of two doors that were taken for each other is used again until staff have looked."""
    locks.crosswired(act, place)
    idle = (CompartmentState.FREE, CompartmentState.OCCUPIED)
    if compartments.state_of(act.db, other) in idle:
        compartments.out_of_use(act, other, locks.CROSSWIRED)


async def shut(p: Premises, place: Place) -> Heard:
    """Wait for an open door: over, said to be shut, or left to itself; the next one is served."""
    p.desk.show(Screen.CLOSE, Text.CLOSE, doors=(place,), compartment=place.sign)
    if await p.bell.until(lambda: is_over(p, place), p.policy.ajar_alarm_s):
        return Happened()
    p.desk.show(
        Screen.CLOSE,
        Text.STILL_OPEN,
        Button.CONFIRM,
        Button.END,
        doors=(place,),
        compartment=place.sign,
        tel=p.tel,
        case=p.desk.case(str(place), "will_not_close"),
    )
    p.desk.listen(on=True)
    try:
        return await p.desk.hear(None, lambda: is_over(p, place), scans=True)
    finally:
        p.desk.listen(on=False)


def is_over(p: Premises, place: Place) -> bool:
    """The door fell shut, or nobody can see it any more."""
    return p.doors.is_shut(place) or not p.doors.is_seen(place)


def step_back(p: Premises, place: Place) -> None:
    """No visit cares for this place any more: what is still open there, the watch decides."""
    p.watch.attended.discard(place)
    p.watch.instead.pop(place, None)
