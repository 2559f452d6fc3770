"""All doors of an order at once, where the policy says so."""

import asyncio

import pytest

from controller.entries import Down
from tests.controller.site.visit import begun, bolts, place_state, standing, state_of
from tests.controller.site.world import Town, run


@pytest.fixture
def town(tmp_path) -> Town:
    return Town(tmp_path / "site.db", doors_together=True)


async def pull(town: Town, door: int) -> None:
    await town.until(lambda: town.cabinet.is_unlocked(door))
    await asyncio.sleep(1)
    assert town.cabinet.pull(door)


async def empty(town: Town, *doors: int) -> None:
    for door in doors:
        town.hands += town.cabinet.take(door)
        await asyncio.sleep(1)
    for door in doors:
        await asyncio.sleep(1)
        town.cabinet.close(door)


def test_every_door_opens_before_the_first_is_shut(town):
    async def story():
        async with town.at_work():
            doors = sorted(await town.loaded(seals=3))
            await begun(town)
            for door in doors:
                await pull(town, door)
            view = await town.shows("take_all")
            assert view.doors == tuple(f"A/{door}" for door in doors)
            assert all(town.cabinet[door].open for door in doors)
            await empty(town, *doors)
            await town.shows("rate")
            assert sorted(town.hands) == [f"OWL:N1-seal{n}" for n in (1, 2, 3)]
            assert (bolts(town), len(town.up("movement.intended"))) == (6, 6)
            assert len(town.up("pickup.completed")[0]["taken"]) == 3

    run(story)


def test_one_of_them_that_is_stuck_is_seen_to_after_the_others(town):
    async def story():
        async with town.at_work():
            first, second = sorted(await town.loaded(seals=2))
            town.cabinet[first].jammed = True
            await begun(town)
            await pull(town, second)
            await town.shows("take_all")
            await empty(town, second)
            await town.shows("stuck")
            town.cabinet[first].jammed = False
            town.site.press("again")
            await town.take()
            await town.shows("rate")
            assert len(town.hands) == 2
            assert standing(town) == []

    run(story)


def test_something_left_behind_one_of_them_may_be_had(town):
    async def story():
        async with town.at_work():
            first, second = sorted(await town.loaded(seals=2))
            await begun(town)
            await pull(town, first)
            await pull(town, second)
            await town.shows("take_all")
            town.hands += town.cabinet.take(second)
            town.cabinet.close(first)
            town.cabinet.close(second)
            await town.shows("item_left")
            town.site.press("again")
            await town.take()
            await town.shows("rate")
            assert len(town.hands) == 2

    run(story)


def test_who_leaves_them_all_open_keeps_nobody_waiting(town):
    async def story():
        async with town.at_work():
            first, second = sorted(await town.loaded(seals=2))
            await town.loaded("N2", number=2)
            await begun(town)
            await pull(town, first)
            await pull(town, second)
            town.hands += town.cabinet.take(first) + town.cabinet.take(second)
            await town.shows("close_all")
            await town.shows("still_open", within_s=200)
            await begun(town, 2)
            await town.take()
            await town.shows("rate")
            town.cabinet.close(first)
            town.cabinet.close(second)
            await town.until(lambda: place_state(town, second) == "free")
            assert {state_of(town, f"N1-seal{n}") for n in (1, 2)} == {"collected"}

    run(story)


def test_a_code_that_dies_between_two_doors_opens_no_further_one(town):
    async def story():
        async with town.at_work():
            first, second = sorted(await town.loaded(seals=2))
            await begun(town)
            await town.until(lambda: town.cabinet.is_unlocked(first))
            town.tell(Down.ORDER_CANCELLED, {"order": "N1", "reason": "asked"})
            await pull(town, first)
            await empty(town, first)
            await town.shows("code_unknown")
            assert (town.cabinet[second].pulses, state_of(town, "N1-seal1")) == (1, "collected")

    run(story)
