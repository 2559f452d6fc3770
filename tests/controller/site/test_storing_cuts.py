"""A machine that stores, and a site that is cut at every step of loading and of taking back."""

import asyncio
import shutil
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select

from controller.entries import Down
from controller.site.schema import intents, items
from tests.controller.site.replaying import check
from tests.controller.site.staffing import staff
from tests.controller.site.test_storing_machine import LABEL, LICENCE, loaded
from tests.controller.site.visit import begun, standing, state_of
from tests.controller.site.world import Town, run

HANDS_S = 15.0  # so long a person tries, whatever the screen says

REPLAYED_EVERY = 3  # cuts


class Cut(BaseException):
    """The site's process is gone; the machine goes on."""


class Steps:
    """Cuts at one of them, once."""

    def __init__(self) -> None:
        self.at = 0
        self.so_far = 0

    def __call__(self, _step: str) -> None:
        self.so_far += 1
        if self.so_far == self.at:
            raise Cut


async def load(town):
    town.order(seals=0, licence=True)
    await staff(town)
    return lambda: town.reader.hold(LABEL)


async def take_back(town):
    town.tell(Down.ITEM_RETURN, {"order": "N1", "reason": "recalled"})
    await staff(town)
    town.site.press("choose", "returns")
    await town.shows("returns")
    return lambda: town.site.press("choose", LICENCE)


async def collect(town):
    await begun(town)
    return lambda: None


async def hands(town, carries):
    """What is asked for by the machine is laid in, and what comes out is taken."""
    until = asyncio.get_running_loop().time() + HANDS_S
    while asyncio.get_running_loop().time() < until:
        await asyncio.sleep(1)
        town.printer._pass_time()
        if town.printer.waits and LABEL in carries:
            carries.remove(LABEL)
            town.printer.lay_in(LABEL)
        carries += town.printer.take()


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """The database of a site whose machine has the licence: made once."""
    town = Town(tmp_path_factory.mktemp("ready") / "site.db", storing=True)

    async def story():
        async with town.at_work():
            await loaded(town)

    run(story)
    return town


async def cut_at(path, begin, step, ready):
    """The story until it is cut, and what is so afterwards; False if nothing was cut."""
    steps = Steps()
    town = Town(path, storing=True, step=steps)
    if begin is not load:
        shutil.copy(ready.path, path)
        town.wall_ahead = timedelta(hours=1)  # it is later by then
        town.printer.stored, town.printer.last = dict(ready.printer.stored), ready.printer.last
    carries = [LABEL] if begin is load else []
    cut = False
    try:
        async with town.at_work():
            act = await begin(town)
            steps.so_far, steps.at = 0, step
            act()
            await hands(town, carries)
    except BaseExceptionGroup as group:
        if group.subgroup(Cut) is None:
            raise
        cut = True
    steps.at = 0
    await hands(town, carries)
    async with town.at_work():
        await hands(town, carries)
        await settled(town, carries, f"{begin.__name__} cut at step {step}")
        if step % REPLAYED_EVERY == 0:
            check(town, path.with_suffix(".again"))
    return cut


async def settled(town, carries, where):
    """Every movement has its end, and the licence is where the site says, or known to be lost."""
    rows = town.rows(select(intents).order_by(intents.c.number))
    assert all(row.outcome for row in rows), where
    assert town.printer.moved < 2, where
    item = town.rows(select(items).where(items.c.item_id == LICENCE))[0]
    match state_of(town, LICENCE):
        case "expected" | "collected" | "returned":
            assert carries == [LABEL], where
            assert item.slot is None, where
        case "loaded" | "return_requested":
            assert town.printer.stored == {item.slot: LABEL}, where
        case doubtful:
            assert doubtful == "releasing", where
            assert set(standing(town)) & {"unexplained", "item_left"}, where


@pytest.mark.parametrize("begin", [load, collect, take_back])
def test_no_cut_loses_a_licence_or_moves_it_twice(tmp_path, ready, begin):
    for step in count(1):
        folder = tmp_path / str(step)
        folder.mkdir()
        if not run(lambda folder=folder, step=step: cut_at(folder / "site.db", begin, step, ready)):
            assert step > 3, "it was cut too seldom"
            return
