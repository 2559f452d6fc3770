"""A stage whose power fails at a numbered step: of the disk, of the site, of door or machine."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from controller.journal import head
from controller.settings import SiteSettings
from controller.site import schema
from controller.store import Store, StoreBroken
from simulator.door import Door
from simulator.plan import Plan
from simulator.rehearsal.failing_disk import Driver
from simulator.rehearsal.power import Loss, Mains
from simulator.rehearsal.stage import PowerCut, Stage

OFF_S: Final = (0.05, 1.0, 15.0)  # how long the power stays away, in turn
DATABASE: Final = "site.db"
FILES: Final = ("", "-wal")  # beside each other; the index of the log is gone with its process


class Reach(StrEnum):
    """Whose power fails."""

    ALL = "all"  # boards and machines too
    BOX = "box"  # the site's alone


class CutStage(Stage):
    """`failing` is asked at each step while there is one; `cut_now` makes it the last."""

    def __init__(
        self, settings: SiteSettings, plan: Plan, folder: Path, *, seed: str, start: datetime
    ) -> None:
        super().__init__(settings, plan, folder, seed=seed, start=start)
        self.driver = self._driver
        self.failing: Callable[[str], None] | None = None
        self.fallen: Callable[[], object] = lambda: None  # told that the power fell
        self.awoken: Callable[[], None] = lambda: None  # told at the next start
        self.cuts = 0
        self.reach: Reach | None = None  # of the cut before
        self.flaws: list[str] = []
        self._folder = folder
        self._mains = Mains()

    def _driver(self) -> Driver:
        """A new life: nothing of the one before may touch its files."""
        self._mains = Mains(self._at_step)
        if self.cuts:
            awoken, self.awoken = self.awoken, lambda: None
            awoken()
        return Driver(self._mains)

    async def live(self) -> None:
        """As a stage lives; a database that fails under the link ends the process too."""
        while True:
            try:
                await super().live()
            except* (DBAPIError, StoreBroken) as failed:
                if self._mains.on:
                    raise
                del failed
            self._go_out()
            await self.clock.sleep(self._off_s)

    @property
    def unsynced(self) -> bool:
        return self._mains.unsynced

    def loses(self, loss: Loss, number: int) -> Path:
        """A folder with what is on the disk if the power fails now."""
        after = self._folder / f"{os.getpid()}-{number}-{loss}"
        after.mkdir()
        copies = {f"{self.database}{each}": after / f"{DATABASE}{each}" for each in FILES}
        for path, copy in copies.items():
            if Path(path).exists():
                shutil.copyfile(path, copy)
            else:
                copy.touch()
        self._mains.lose(loss, Random(f"{number}/{loss}"), copies.__getitem__)
        return after

    def cut_now(self, after: Path, reach: Reach) -> None:
        """The power is gone; the next start finds the files of that folder."""
        self.cuts += 1
        self.reach = reach
        self.failing = None
        self._mains.fail()
        self.database = after / DATABASE
        self._off_s = OFF_S[self.log.entries % len(OFF_S)]
        self.fallen()
        asyncio.get_running_loop().call_soon(self._go_dark, reach)

    def _go_dark(self, reach: Reach) -> None:
        self.cut(self._off_s, mains=reach is Reach.ALL)

    # steps

    def _at_step(self, what: str) -> None:
        if self.failing is None:
            return
        if self.cuts and self.site is not None and not self.site.problems():
            self.failing = None  # what follows a cut is over
            return
        self.failing(what)

    def _step(self, name: str) -> None:
        if self._dead or not self._mains.step(name):
            raise PowerCut

    def _door_changed(self, door: Door) -> None:
        before = self._doors[door.name]
        super()._door_changed(door)
        if self._doors[door.name] != before:
            self._mains.step(f"door {door.name} is {'open' if door.open else 'shut'}")

    def _machine_news(self, name: str) -> None:
        super()._machine_news(name)
        inside = self.world.machines[name].inside
        self._mains.step(f"{name} is {inside.state.name.lower()}")

    # what stands on the disk

    def _tell_unheard(self, store: Store) -> None:
        """Before it lives: what was said to be durable is there."""
        with store.read() as connection:
            for stream, seq in self._told.items():
                now = head(connection, schema.journal, self.settings.site.id, stream)
                if now.seq < seq:
                    self.flaws.append(
                        f"I10: {stream.value} {seq} was durable; after the cut it ends at {now.seq}"
                    )
        super()._tell_unheard(store)

    def sight(self) -> Iterable[object]:
        """All that makes what follows differ from what follows another cut, but for the disk."""
        loop: Any = asyncio.get_running_loop()
        yield from (self.cuts, self.clock.monotonic(), self.log.digest())
        yield from (len(loop._ready), len(loop._scheduled))  # noqa: SLF001 - nobody else tells
        yield from (repr(self.world.memory()), self.world.timeline.due())


def on_disk(folder: Path) -> tuple[int, str]:
    """The log's length, and a digest of all that is committed; empty where that is not whole."""
    look = folder / "look.db"
    for each in FILES:
        shutil.copyfile(folder / f"{DATABASE}{each}", f"{look}{each}")
    with closing(sqlite3.connect(look)) as connection:
        _, log, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        is_whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    digest = blake2b(look.read_bytes(), digest_size=16).hexdigest()
    for left in folder.glob("look.db*"):
        left.unlink()
    return log, digest if is_whole else ""
