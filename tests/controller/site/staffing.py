"""A member of staff at the kiosk, and what they come for."""

import asyncio

from sqlalchemy import select

from controller.ports import Outcome
from controller.site.schema import badges
from tests.controller.site.visit import begun, place_state, state_of
from tests.controller.site.world import Town, badge_text

STAFF = 21


async def staff(town: Town) -> None:
    """A member of staff stands before the menu."""
    if not town.rows(select(badges).where(badges.c.role == "staff")):
        town.grant(STAFF, "staff", None)
    await asyncio.sleep(3)
    town.reader.hold(badge_text(STAFF))
    await town.shows("staff_menu")


def offered(town: Town) -> list[str]:
    return [choice.value for choice in town.view.choices]


async def doubtful_load(town: Town) -> int:
    """A box went in, or not: nobody said so, and there is no sensor."""
    town.order()
    town.grant()
    await town.badge()
    town.reader.hold("OWL:N1-seal1")
    door = await town.opened()
    town.cabinet.put(door, "OWL:N1-seal1")
    await asyncio.sleep(1)
    town.cabinet.close(door)
    await town.shows("unsure", within_s=300)
    town.site.press("end")
    await town.shows("start")
    assert place_state(town, door) == "fault"
    return door


async def doubtful_pickup(town: Town, *, taken: bool) -> int:
    (door,) = await town.loaded()
    await begun(town)
    await town.opened()
    await asyncio.sleep(1)
    if taken:
        town.hands += town.cabinet.take(door)
    town.cabinet.close(door)
    await town.shows("unsure", within_s=300)
    await town.shows("start", within_s=300)
    assert (place_state(town, door), state_of(town)) == ("fault", "releasing")
    return door


async def licence_astray(town: Town) -> None:
    """Its machine does not know where it is; the person has left."""
    town.order(seals=0, licence=True)
    town.printer.fails = Outcome.FAILED_ON_THE_WAY
    await begun(town)
    await town.shows("unsure")
    town.site.press("end")
    await town.shows("start", within_s=100)


async def stuck(town: Town, door: int) -> None:
    """The door that was chosen does not open before staff."""
    town.cabinet[door].jammed = True
    town.site.press("choose", f"place:A/{door}")
    await town.shows("look_inside")
    town.site.press("skip")
    await town.shows("door_not_opened")


async def looked(town: Town, door: int) -> None:
    """The door that was chosen stands open before staff."""
    town.site.press("choose", f"place:A/{door}")
    await town.opened()
    await town.shows("look_inside", "belongs_elsewhere")


async def shut(town: Town, door: int) -> None:
    await asyncio.sleep(1)
    town.cabinet.close(door)


async def emptied(town: Town, door: int) -> None:
    town.site.press("choose", "nothing_inside")
    await shut(town, door)


def restored(town: Town) -> dict[str, str]:
    (entry,) = town.up("compartment.restored")
    return {key: entry[key] for key in ("where", "reason", "badge")}
