"""A database that fails: the screen and /readyz say so, nothing is handed out that cannot be
recorded, nothing is lost, and the site goes on by itself once the trouble is over.
"""

import asyncio
import contextlib
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest
from structlog.testing import capture_logs

from api.site.figures import Figures
from controller.journal import Stream, verify
from controller.site.schema import journal, metadata
from controller.store import open_store
from onewindow.site_life import Opened, SiteLife
from simulator.rehearsal.failing_disk import Driver
from simulator.rehearsal.power import Mains, Write
from tests.controller.site.visit import pulses, state_of
from tests.controller.site.world import SITE, START, Town, WallClock, qr_of, run


class Disk(Mains):
    """A disk whose syncs fail so many times; -1: until it is mended."""

    fails = 0

    def step(self, what: str, write: Write | None = None) -> bool:
        if what == "sync" and self.fails:
            self.fails -= 1
            return False
        return super().step(what, write)


class LivingTown(Town):
    """A town whose site is opened anew whenever its database failed."""

    lives = 0
    pragma = ""  # said to the writer of each database that is opened
    life: SiteLife

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Opened]:
        with open_store(self.path, journal, self.clock, module=self.module) as self.store:
            self.lives += 1
            if self.pragma:
                self.say(self.pragma)
            self.site = self.build(self.clock)
            yield Opened(self.site, None, lambda: Figures(ready=True, doors={}))

    def say(self, pragma: str) -> None:
        with self.store.writer.connect() as connection:
            connection.connection.cursor().execute(f"PRAGMA {pragma}")

    def prepare(self) -> None:
        self.clock = WallClock(START)
        with (
            open_store(self.path, journal, self.clock) as store,
            store.write() as transaction,
        ):
            metadata.create_all(transaction.connection)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator["LivingTown"]:
        self.clock = WallClock(START)
        self.life = SiteLife(self.open, self.clock, "en")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.life.run())
            yield self
            task.cancel()

    async def ready(self, within_s: float = 120) -> None:
        await self.until(lambda: not self.life.problems(), within_s)
        await self.until(lambda: self.life.kiosk_view().text == "start", within_s)

    async def out_of_service(self) -> None:
        await self.until(lambda: self.life.kiosk_view().text == "out_of_service", 60)
        assert self.life.problems()


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", lambda _what: None)
    monkeypatch.setattr(sys, "excepthook", lambda *_what: None)
    with capture_logs():
        yield


@pytest.fixture
def town(tmp_path):
    town = LivingTown(tmp_path / "site.db", machine=False)
    town.prepare()
    return town


def check(town):
    with town.store.read() as connection:
        for stream in Stream:
            verify(connection, journal, SITE, stream)
        intended = list(town.up("movement.intended"))
    assert pulses(town) <= len(intended)


async def collect(town):
    await asyncio.sleep(5)  # a code that was shown a moment ago is the same presentation
    town.reader.hold(qr_of(1))
    await town.until(lambda: town.life.kiosk_view().text == "confirm")
    town.life.press("confirm")
    await town.take()
    await town.until(lambda: town.life.kiosk_view().text == "rate")


def full(town: LivingTown) -> None:
    """Every page of the file is in use, and there are no more."""
    with contextlib.closing(sqlite3.connect(town.path)) as raw:
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
    town.pragma = f"max_page_count={pages}"
    town.say(town.pragma)


def read_only(town: LivingTown) -> None:
    town.pragma = "query_only=ON"
    town.say(town.pragma)


def mended(town: LivingTown) -> None:
    town.pragma = ""


@pytest.mark.parametrize("fail", [full, read_only])
def test_a_disk_that_takes_no_more_opens_nothing_and_the_site_comes_back_with_it(
    town: LivingTown, fail: Callable[[LivingTown], None]
):
    async def story():
        async with town.alive():
            await town.ready()
            await town.loaded()
            before = pulses(town)
            fail(town)
            for _ in range(60):  # until there is no room left in the last page either
                if town.life.problems():
                    break
                town.reader.hold(qr_of(9))
                await asyncio.sleep(12)
            await town.out_of_service()
            town.reader.hold(qr_of(1))
            await asyncio.sleep(100)
            assert town.life.problems()
            assert pulses(town) == before
            town.life.press("language")
            assert town.life.kiosk_view().lang == "zh-CN"
            assert not town.life.figures().ready or town.lives
            mended(town)
            await town.ready()
            await collect(town)
            assert state_of(town) == "collected"
            check(town)

    run(story)


@pytest.mark.parametrize("times", [1, 2, -1])
@pytest.mark.parametrize("when", ["code", "confirm", "open"])
def test_a_sync_that_fails_is_never_believed(town, times, when):
    disk = Disk()
    town.module = Driver(disk)

    async def story():
        async with town.alive():
            await town.ready()
            await town.loaded()
            before = pulses(town)
            town.reader.hold(qr_of(1))
            await town.until(lambda: town.life.kiosk_view().text == "confirm")
            disk.fails = times if when == "code" else 0
            town.life.press("confirm")
            if when != "code":
                await town.until(lambda: pulses(town) > before)
                disk.fails = times
                if when == "open":
                    assert town.cabinet.pull(town.door_shown())
            await town.out_of_service()
            opened = pulses(town)
            assert opened == before + (when != "code")
            await asyncio.sleep(70)
            assert pulses(town) == opened
            disk.fails = 0
            town.cabinet.close(1)
            await town.ready()
            await asyncio.sleep(20)
            assert state_of(town) == "loaded"
            await collect(town)
            check(town)

    run(story)


def story_of_damage(town, damage):
    """The site's file is damaged while it is off; then it starts and somebody comes."""

    async def story():
        async with town.alive():
            with contextlib.suppress(TimeoutError):
                await town.ready(within_s=20)
            served = not town.life.problems()
            if served:
                town.reader.hold(qr_of(1))
                await asyncio.sleep(20)
            return served

    damage(town.path)
    return run(story)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A site's file with a loaded order in it."""
    town = LivingTown(tmp_path_factory.mktemp("loaded") / "site.db", machine=False)
    town.prepare()

    async def story():
        async with town.alive():
            await town.ready()
            await town.loaded()

    run(story)
    return town.path


@pytest.fixture
def damaged(tmp_path, loaded):
    path = tmp_path / "site.db"
    shutil.copy(loaded, path)
    town = LivingTown(path, machine=False)
    town.cabinet[1].inside.append("OWL:N1-seal1")
    return town


def test_a_file_that_is_no_database_is_out_of_service_until_it_is_replaced(damaged, loaded):
    whole = damaged.path.read_bytes()
    damaged.path.write_bytes(b"nothing of the kind" * 1000)

    async def story():
        async with damaged.alive():
            await damaged.out_of_service()
            assert "not a database" in damaged.life.problems()[0]
            await asyncio.sleep(60)
            damaged.path.write_bytes(whole)
            await damaged.ready()

    run(story)


@pytest.mark.parametrize("part", range(4))
def test_a_truncated_file_ends_nothing_but_its_service(damaged, part):
    whole = damaged.path.read_bytes()
    for tenth in range(part, 12, 4):
        length = len(whole) * tenth // 12
        served = story_of_damage(damaged, lambda path, n=length: path.write_bytes(whole[:n]))
        assert not served, length
        assert pulses(damaged) == 0


@pytest.mark.parametrize("seed", range(20))
def test_bytes_that_changed_on_the_disk_never_open_a_door_unrecorded(damaged, seed):
    dice = Random(seed)

    def flip(path):
        raw = bytearray(path.read_bytes())
        for _ in range(40):
            raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
        path.write_bytes(raw)

    story_of_damage(damaged, flip)
    if pulses(damaged):
        with contextlib.closing(sqlite3.connect(damaged.path)) as raw:
            intended = raw.execute(
                "SELECT count(*) FROM journal WHERE kind = 'movement.intended'"
            ).fetchone()[0]
        assert intended >= pulses(damaged)
