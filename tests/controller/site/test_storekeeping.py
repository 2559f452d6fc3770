"""A site looks after its database: room on its disk, and at night whether all of it is intact."""

import asyncio
import contextlib
import sqlite3
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from controller.local_time import LOCAL
from controller.site.schema import journal
from controller.site.storekeeping import NIGHTS, SLICE, old_parts
from tests.controller.site.visit import begun, pulses, standing, state_of
from tests.controller.site.world import Town, qr_of, run

SUNDAY = datetime(2026, 11, 29, 3, 1, tzinfo=LOCAL)


async def night(town: Town, at: datetime = SUNDAY - timedelta(days=3)) -> None:
    """It is that time, and the district agrees."""
    town.clock.ahead += at - town.clock.now()
    town.confirm_time()
    await asyncio.sleep(90)


class RoomyTown(Town):
    room = 1.0

    def build(self, clock):
        site = super().build(clock)
        site._storekeeper._room = lambda: self.room
        return site


def test_a_disk_that_fills_up_is_an_alarm_and_at_last_nothing_new_is_loaded(tmp_path):
    town = RoomyTown(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            await town.loaded()
            town.room = 0.09
            await asyncio.sleep(70)
            assert standing(town) == ["disk_low"]
            town.order("N2", number=2)
            await town.badge()
            await town.load("OWL:N2-seal1")
            town.site.press("end")
            await town.shows("start")
            town.room = 0.02
            await asyncio.sleep(70)
            town.order("N3", number=3)
            before = pulses(town)
            await town.badge()
            town.reader.hold("OWL:N3-seal1")
            await asyncio.sleep(5)
            assert pulses(town) == before
            town.site.press("end")
            await town.shows("start")
            await begun(town)
            await town.take()
            await town.shows("rate")
            assert state_of(town) == "collected"
            town.room = 0.5
            await asyncio.sleep(70)
            await town.shows("start")
            assert town.up("alarm.cleared")
            await town.badge()
            await town.load("OWL:N3-seal1")

    run(story)


def damage(town: Town, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(town.path)) as raw, raw:
        raw.execute("DROP TRIGGER journal_no_update")
        raw.execute(statement)


SECOND = select(journal.c.kind).where(journal.c.stream == "up", journal.c.seq == 2)
OLD_FLAW = "UPDATE journal SET kind = 'item.loadet' WHERE stream = 'up' AND seq = 2"
NEW_FLAW = "UPDATE journal SET kind = 'item.loadet' WHERE kind = 'item.loaded'"
MENDED = "UPDATE journal SET kind = '{}' WHERE stream = 'up' AND seq = 2"


@pytest.fixture
def old_flaw(tmp_path, monkeypatch):
    """A flaw so far back that a start does not come upon it, nor the night after one."""
    monkeypatch.setattr("controller.site.recovery.TAIL", 5)
    monkeypatch.setattr("controller.site.storekeeping.NEWEST", 5)
    return Town(tmp_path / "site.db", machine=False)


def test_a_flaw_of_long_ago_is_found_at_night_and_nothing_is_handed_out_any_more(old_flaw):
    town = old_flaw

    async def story():
        async with town.at_work():
            await town.loaded()
            kind = town.rows(SECOND)[0].kind
            damage(town, OLD_FLAW)
            assert not town.site.problems()
            for nights in range(NIGHTS):
                await night(town, SUNDAY + timedelta(days=nights))
            assert "journal up" in town.site.problems()[0]
            assert "entry 2: was changed" in town.site.problems()[0]
            assert town.view.text == "out_of_service"
            assert standing(town) == ["journal_broken"]
            before = pulses(town)
            town.reader.hold(qr_of(1))
            await asyncio.sleep(10)
            assert pulses(town) == before
        async with town.at_work():  # a start forgets nothing of it
            await asyncio.sleep(60)
            assert "entry 2: was changed" in town.site.problems()[0]
            assert town.view.text == "out_of_service"
        with contextlib.closing(sqlite3.connect(town.path)) as raw, raw:
            raw.execute(MENDED.format(kind))
        async with town.at_work():
            await town.shows("start")
            assert standing(town) == []
            await begun(town)
            await town.take()

    run(story)


@pytest.mark.parametrize("length", [1, 99, 100, 101, 2_800, 2_801, 195_000])
def test_within_four_weeks_each_entry_was_read_again_and_once_however_long_the_journal(length):
    first = SUNDAY.date()
    parts = [
        start
        for nights in range(NIGHTS)
        for start in old_parts(length, first + timedelta(days=nights))
    ]
    assert sorted(parts) == list(range(0, length, SLICE))


def test_what_is_new_is_read_the_next_night(tmp_path):
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            await night(town, SUNDAY + timedelta(days=1))
            await town.loaded()
            damage(town, NEW_FLAW)
            await night(town, SUNDAY + timedelta(days=2))
            assert "was changed" in town.site.problems()[0]

    run(story)


def test_a_damaged_page_is_found_within_a_week(tmp_path):
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            await town.loaded()
            with contextlib.closing(sqlite3.connect(town.path)) as raw, raw:
                raw.execute("PRAGMA writable_schema=ON")
                raw.execute(
                    "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema"
                    " WHERE name = 'ix_items_order_no') WHERE name = 'ix_codes_order_no'"
                )
                raw.execute("PRAGMA schema_version = 4711")  # whoever has it open reads it anew
            await night(town)
            assert not town.site.problems()
            await night(town, SUNDAY)
            assert "damaged" in town.site.problems()[0]
            assert town.view.text == "out_of_service"

    run(story)


def test_a_sound_database_is_read_every_night_and_nobody_notices(tmp_path):
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            await town.loaded()
            await night(town)
            await night(town, SUNDAY)
            await asyncio.sleep(90)
            assert standing(town) == []
            assert town.site._storekeeper._checked == SUNDAY.date()
            assert town.view.text == "start"

    run(story)
