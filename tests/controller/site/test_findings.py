"""The grid of door, bolt, sensor and record, each cell; and what the watch makes of it."""

import asyncio
from itertools import product

import pytest
from sqlalchemy import select

from controller.entries import Up
from controller.ports import DoorSight, Presence
from controller.site.alarms import acknowledge
from controller.site.book import Act
from controller.site.doors import Door
from controller.site.findings import GRID, Finding, Kept
from controller.site.schema import alarms
from tests.controller.site.visit import begun, standing, state_of
from tests.controller.site.world import Town, run

ALL = list(product(DoorSight, Door, Presence, Kept))


def decided(switch: DoorSight, door: Door, item: Presence, kept: Kept) -> Finding:
    """The same in words: sight first, then the bolt, then what should be inside."""
    if switch is DoorSight.UNKNOWN:
        return Finding.UNSEEN
    if switch is DoorSight.OPEN:
        return Finding.OPENED if door in (Door.RELEASED, Door.OPEN) else Finding.FORCED
    if door is Door.RELEASED or kept is Kept.BUSY or item is Presence.UNKNOWN:
        return Finding.FINE
    if kept is Kept.FILLED and item is Presence.ABSENT:
        return Finding.MISSING
    if kept is Kept.EMPTY and item is Presence.PRESENT:
        return Finding.LEFT
    return Finding.FINE


def test_somebody_has_decided_every_cell():
    assert set(GRID) == set(ALL)


@pytest.mark.parametrize("cell", ALL, ids=lambda cell: "-".join(map(str, cell)))
def test_a_cell_says_what_the_words_say(cell):
    assert GRID[cell] is decided(*cell)


def test_an_item_that_is_gone_behind_a_shut_door_is_missing_and_still_its_owners(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            gone, town.cabinet[door].inside = town.cabinet[door].inside, []
            town.cabinet.stir()
            await town.until(lambda: standing(town) == ["item_missing"], 60)
            assert town.up("alarm.raised")[-1]["where"] == f"A/{door}"
            assert state_of(town) == "loaded"
            town.cabinet[door].inside = gone
            town.cabinet.stir()
            await town.until(lambda: standing(town) == [], 60)
            await begun(town)
            await town.take()
            await town.shows("rate")

    run(story)


def test_a_sensor_that_flickers_is_no_alarm(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            for _ in range(5):
                gone, town.cabinet[door].inside = town.cabinet[door].inside, []
                town.cabinet.stir()
                await asyncio.sleep(6)
                town.cabinet[door].inside = gone
                town.cabinet.stir()
                await asyncio.sleep(6)
            assert not town.up("alarm.raised")

    run(story)


def test_something_behind_a_door_that_nobody_loaded_is_told(town):
    async def story():
        async with town.at_work():
            town.cabinet[2].inside = ["somebody's bag"]
            town.cabinet.stir()
            await town.until(lambda: standing(town) == ["item_left"], 60)
        async with town.at_work():
            await asyncio.sleep(30)
            assert len(town.up("alarm.raised")) == 1
        town.cabinet[2].inside = []
        async with town.at_work():
            await town.until(lambda: standing(town) == [], 60)

    run(story)


def test_a_door_left_open_for_ten_minutes_is_a_severe_alarm_and_still_one(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await begun(town)
            door = await town.opened()
            await asyncio.sleep(120)
            severities = [each["severity"] for each in town.up("alarm.raised")]
            assert severities == ["warning"]
            await asyncio.sleep(600)
            told = town.up("alarm.raised")
            assert [each["severity"] for each in told] == ["warning", "critical"]
            assert len({each["alarm"] for each in told}) == 1
            town.cabinet.take(door)
            town.cabinet.close(door)
            await asyncio.sleep(2)
            assert len(town.up("alarm.cleared")) == 1

    run(story)


def test_an_alarm_remembers_who_looks_after_it(town):
    def acknowledged(alarm: str, by: str) -> bool:
        with town.store.write() as transaction:
            act = Act(transaction, "FT-0001", town.clock.now())
            return acknowledge(act, alarm, by)

    async def story():
        async with town.at_work():
            town.cabinet.force(2)
            await town.until(lambda: standing(town) == ["door_forced"])
            (alarm,) = [each["alarm"] for each in town.up("alarm.raised")]
            assert acknowledged(alarm, "badge21")
            assert not acknowledged(alarm, "badge22")  # the first one has it
            (row,) = town.rows(select(alarms))
            assert (row.acknowledged_by, row.cleared_at) == ("badge21", None)
            assert [each["by"] for each in town.up(Up.ALARM_ACKNOWLEDGED)] == ["badge21"]
            town.cabinet.close(2)
            await town.until(lambda: standing(town) == [])
            assert not acknowledged(alarm, "badge21")

    run(story)


def test_a_board_that_falls_silent_and_comes_back_is_one_entry_each_way(town: Town):
    async def story():
        async with town.at_work():
            before = len(town.up())
            town.cabinet.silent = True
            await town.until(lambda: bool(town.up("doors.unknown")))
            town.cabinet.silent = False
            await town.until(lambda: len(town.up("doors.closed")) == 2)
            _, lost, found = town.up("doors.unknown", "doors.closed")  # one at the start
            assert [each["where"] for each in lost["doors"]] == [f"A/{n}" for n in range(1, 7)]
            assert [each["n"] + 1 for each in lost["doors"]] == [e["n"] for e in found["doors"]]
            assert len(town.up()) == before + 2

    run(story)


def test_a_door_that_opened_while_its_board_was_silent_is_told_by_itself(town: Town):
    async def story():
        async with town.at_work():
            town.cabinet.silent = True
            await town.until(lambda: bool(town.up("doors.unknown")))
            town.cabinet.force(3)
            town.cabinet.silent = False
            await town.until(lambda: len(town.up("doors.closed")) == 2)
            assert [each["where"] for each in town.up("door.forced")] == ["A/3"]
            assert len(town.up("doors.closed")[1]["doors"]) == 5

    run(story)
