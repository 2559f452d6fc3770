"""The beginning of a recipient's visit, and what is asked afterwards."""

from sqlalchemy import select

from controller.journal import Stream
from controller.site.schema import codes, compartments, items, journal
from tests.controller.site.world import Town, qr_of


async def at_first_door(town: Town, **what: object) -> int:
    """Loaded, scanned, confirmed: the door on the screen was released."""
    await town.loaded(**what)
    return await scanned(town)


async def scanned(town: Town) -> int:
    town.reader.hold(qr_of(1))
    await town.shows("confirm")
    town.site.press("confirm")
    await town.shows("opening", "take", "push", "door_out_of_use")
    return town.door_shown()


def state_of(town: Town, item: str = "N1-seal1") -> str:
    return town.rows(select(items.c.state).where(items.c.item_id == item))[0][0]


def code_state(town: Town) -> str:
    return town.rows(select(codes.c.state))[0][0]


def alarms(town: Town) -> list[str]:
    return [alarm["does"] for alarm in town.up("alarm.raised")]


def bolts(town: Town) -> int:
    return sum(box.bolts for box in town.cabinet.boxes)


async def begun(town: Town, number: int = 1) -> None:
    town.reader.hold(qr_of(number))
    await town.shows("confirm")
    town.site.press("confirm")


def place_state(town: Town, door: int) -> str:
    return town.rows(select(compartments.c.state).where(compartments.c.no == door))[0][0]


def standing(town: Town) -> list[str]:
    cleared = {each["alarm"] for each in town.up("alarm.cleared")}
    return [each["does"] for each in town.up("alarm.raised") if each["alarm"] not in cleared]


def pulses(town: Town) -> int:
    return sum(box.pulses for box in town.cabinet.boxes)


def moments(town: Town) -> list[str]:
    """When each entry of the site was written, as it says itself."""
    said = select(journal.c.at).where(journal.c.stream == Stream.UP.value).order_by(journal.c.seq)
    return [row.at for row in town.rows(said)]
