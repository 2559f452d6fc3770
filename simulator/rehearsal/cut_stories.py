"""Ten stories in whose middle the power may fail, each with what was before it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controller.entries import Down
from simulator.rehearsal.cut_people import STAFF, VENDOR, Cast
from simulator.rehearsal.person import Person

BETWEEN_S: Final = 30.0  # one visitor and the next
LASTS_S: Final = 120.0  # what the district wants

Part = Callable[[Cast], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class Story:
    """What happens before the power may fail, and while it may."""

    name: str
    words: str
    before: Part
    act: Part
    sensors: bool = True
    licence: str = ""  # "machine": one is printed
    boxes: tuple[str, ...] = ("seals",)
    brings: bool = False
    collects: bool = False  # at its end the recipient has it all
    returns: bool = False  # it goes back
    looks: bool = False  # hands only open and shut
    linked: bool = False  # by the real link, to a real district
    twice: bool = False  # a second cut, in what follows the first


async def _nothing(_cast: Cast) -> None:
    """Only the order is known."""


async def _load(cast: Cast) -> None:
    await cast.loader().visit()
    await cast.stage.clock.sleep(BETWEEN_S)


async def _collect(cast: Cast) -> None:
    await cast.recipient().visit()


async def _loaded_and_cancelled(cast: Cast) -> None:
    await _load(cast)
    cast.stage.district.cancel(cast.order)


async def _take_back(cast: Cast) -> None:
    await cast.clerk(VENDOR).visit()


async def _cancelled_at_the_door(cast: Cast) -> None:
    """The recipient stands before the open door when the order dies."""
    stage, person = cast.stage, cast.recipient()
    doors = stage.world.doors.values()

    async def cancel() -> None:
        await person.sees(lambda: any(door.open for door in doors), BETWEEN_S)
        stage.district.cancel(cast.order)

    async with asyncio.TaskGroup() as group:
        group.create_task(person.visit())
        group.create_task(cancel())
    await stage.clock.sleep(BETWEEN_S)


async def _told(cast: Cast) -> None:
    """Order after order, a code, a badge and its end come down; what is done goes up."""
    district, clock = cast.stage.district, cast.stage.clock
    other = district.place("N2", "V02", licence="", types=True)
    await clock.sleep(1.0)
    district.replace(cast.order)
    await clock.sleep(1.0)
    district.tell(Down.ITEM_RETURN, {"order": cast.order.number, "reason": "asked_back"})
    await clock.sleep(1.0)
    district.revoke(STAFF)
    district.cancel(other)
    await clock.sleep(BETWEEN_S)


async def _open_from_afar(cast: Cast) -> None:
    """The district has an empty compartment opened, then the one in use; somebody there looks."""
    await _wanted(cast, "C1", ("A", 3), None)
    await _wanted(cast, "C2", ("A", 1), "ops2")


async def _wanted(cast: Cast, command: str, place: tuple[str, int], by: str | None) -> None:
    stage = cast.stage
    ends = stage.clock.true_now() + timedelta(seconds=LASTS_S)
    stage.district.command(Down.COMPARTMENT_OPEN, command, place, by, ends)
    door = stage.world.door(*place)
    person = Person(stage, cast.dice)
    await person.sees(lambda: door.unlocked, BETWEEN_S)
    person.pull(door)
    await stage.clock.sleep(1.0)
    person.close(door)
    await stage.clock.sleep(BETWEEN_S)


async def _left_in_doubt(cast: Cast) -> None:
    """Loaded, opened for its recipient, who took it and said nothing."""
    await _load(cast)
    stage, person = cast.stage, cast.recipient()
    person.hold(cast.order.codes[-1].qr, "code", cast.order.codes[-1].code_id)
    await person.sees(lambda: bool(person.shown_doors()), BETWEEN_S)
    (door,) = person.shown_doors()
    await person.sees(lambda: door.unlocked, BETWEEN_S)
    person.pull(door)
    await stage.clock.sleep(1.0)
    person.take(door)
    await stage.clock.sleep(1.0)
    person.close(door)
    await stage.clock.sleep(600.0)


async def _settle(cast: Cast) -> None:
    await cast.clerk().visit()


TWO: Final = ("seals", "stamps")
STORIES: Final = (
    Story("load", "two boxes loaded", _nothing, _load, boxes=TWO, brings=True, twice=True),
    Story(
        "load-blind",
        "a box loaded, no item sensors",
        _nothing,
        _load,
        sensors=False,
        brings=True,
        twice=True,
    ),
    Story("collect", "two doors by QR", _load, _collect, boxes=TWO, collects=True, twice=True),
    Story(
        "collect-blind",
        "one door by QR, no item sensors",
        _load,
        _collect,
        sensors=False,
        collects=True,
        twice=True,
    ),
    Story(
        "licence",
        "one door, then a licence is printed",
        _load,
        _collect,
        licence="machine",
        collects=True,
    ),
    Story(
        "return",
        "a cancelled order taken back by its vendor",
        _loaded_and_cancelled,
        _take_back,
        boxes=TWO,
        returns=True,
    ),
    Story(
        "cancel",
        "an order cancelled while its recipient is served",
        _load,
        _cancelled_at_the_door,
        boxes=TWO,
    ),
    Story("link", "both journals go by the real link", _load, _told, linked=True),
    Story(
        "remote",
        "the district opens an empty compartment and one in use",
        _load,
        _open_from_afar,
        collects=True,
        looks=True,
    ),
    Story(
        "staff", "a doubtful compartment settled by a look", _left_in_doubt, _settle, sensors=False
    ),
)
BY_NAME: Final = {story.name: story for story in STORIES}
