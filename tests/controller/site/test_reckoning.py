"""Each day is reckoned: what was decided, what moved, what was seen."""

import asyncio
from datetime import timedelta

import pytest

from tests.controller.site.visit import begun
from tests.controller.site.world import Town, run

EVENING = timedelta(hours=14, minutes=58)  # after START: two minutes to midnight


@pytest.fixture
def town(tmp_path):
    town = Town(tmp_path / "site.db", machine=False)
    town.wall_ahead = EVENING
    return town


async def reckoned(town: Town) -> dict[str, object]:
    await asyncio.sleep(130)
    (told,) = town.up("day.reckoned")
    return told


def test_a_day_on_which_all_agrees_says_so_and_each_movement_counts_once(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await begun(town)
            await town.take()
            told = await reckoned(town)
            assert (told["day"], told["decided"], told["moved"]) == ("2026-11-24", 2, 2)
            assert (told["unknown"], told["forced"], told["disagree"]) == (0, 0, [])
            await asyncio.sleep(60)
            assert town.count("day.reckoned") == 1

    run(story)


async def jam(town: Town) -> str:
    (door,) = await town.loaded()
    town.cabinet[door].jammed = True
    await begun(town)
    await town.shows("stuck")
    town.site.press("end")
    return f"A/{door}"


async def force(town: Town) -> str:
    town.cabinet.force(4)
    await asyncio.sleep(2)
    town.cabinet.close(4)
    return "A/4"


async def refused(town: Town) -> str | None:
    """A pulse that was certainly not given explains itself."""
    await town.loaded()
    town.cabinet.refuse = 1
    await begun(town)
    await town.shows("door_out_of_use")
    town.site.press("end")
    return None


@pytest.mark.parametrize("what", [jam, force, refused])
def test_what_does_not_agree_is_named(town, what):
    async def story():
        async with town.at_work():
            where = await what(town)
            told = await reckoned(town)
            assert told["disagree"] == ([where] if where else [])
            assert told["stayed"] == (what is refused)

    run(story)


def test_a_day_whose_end_found_the_site_without_power_is_reckoned_at_the_start(town):
    async def story():
        async with town.at_work():
            await town.loaded()
        town.wall_ahead += timedelta(hours=1)
        async with town.at_work():
            town.confirm_time()
            told = await reckoned(town)
            assert (told["day"], told["decided"]) == ("2026-11-24", 1)

    run(story)
