"""A door opened for somebody with a badge who takes out what lies there."""

from collections.abc import Callable

from controller.ports import DoorSight, Presence
from controller.site.badged import Bearer
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.doorway import Way
from controller.site.items import Custody, settle_shut
from controller.site.movements import Wanted
from controller.site.texts import Button, Screen, Text


async def take_out(
    bearer: Bearer, place: Place, decide: Callable[[Act], Wanted], screen: Screen = Screen.LOAD
) -> Custody | None:
    """What became of it; None if that is not known yet, and the screen says so."""
    p = bearer.p
    switch: DoorSight | None = None
    try:
        match await bearer.opened(place, decide):
            case Way.OPEN:
                await bearer.stand_by(
                    place,
                    screen,
                    lambda: p.desk.show(
                        screen, Text.TAKE_OUT, doors=(place,), compartment=place.sign
                    ),
                    done=lambda: p.doors[place].item is Presence.ABSENT,
                )
            case Way.STUCK | Way.ELSEWHERE:
                switch = DoorSight.CLOSED
            case Way.NOT_MOVED:
                bearer.trouble(screen, Text.DOOR_NOT_OPENED, place, "will_not_open")
                return None
        if not p.doors.is_shut(place):  # nobody can see it: the watch settles it once somebody can
            bearer.trouble(screen, Text.UNSURE, place, "unsure")
            return None
        custody = await _settle(bearer, place, switch)
    finally:
        bearer.step_back(place)
    if custody is Custody.DOUBTFUL:
        bearer.trouble(screen, Text.UNSURE, place, "unsure")
    elif custody is Custody.LEFT:
        p.desk.show(screen, Text.STILL_INSIDE, Button.END, compartment=place.sign)
    return custody


async def _settle(bearer: Bearer, place: Place, switch: DoorSight | None) -> Custody:
    """By the sensor, else by what the person says."""
    p = bearer.p
    inside: bool | None = None
    if p.doors[place].item is Presence.UNKNOWN:
        taken = await bearer.ask(Text.TAKE_OUT_CONFIRM, place, Button.TAKEN, Button.SKIP)
        inside = None if taken is None else not taken
    with p.book.act() as act:
        return settle_shut(act, place, p.doors[place].item, said=inside, switch=switch)
