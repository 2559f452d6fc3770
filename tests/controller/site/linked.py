"""A site with its district at the other end of a wire that loses nothing."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from controller.district import schema as district_schema
from controller.entries import Down
from controller.journal import Stream, head
from controller.link.batches import LinkKeys
from controller.link.exchange import Exchange
from controller.ports import Clock
from controller.site.schema import acked, journal
from controller.site.site import Site
from controller.store import Store, open_store
from tests.controller.site.visit import begun
from tests.controller.site.world import SITE, START, Town, WallClock

KEYS = LinkKeys.of(b"k" * 32)


class End:
    """One end of a line that loses nothing; the other end hears what it publishes."""

    def __init__(self, wire: "Wire") -> None:
        self._wire = wire
        self.said: list[tuple[str, bytes]] = []

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        del retain
        self.said.append((topic, payload))
        self._wire.carry(self, topic, payload)


class Wire:
    def __init__(self) -> None:
        self.site, self.district = End(self), End(self)
        self.up = True
        self.late: asyncio.Queue[tuple[End, str, bytes]] = asyncio.Queue()

    def carry(self, end: End, topic: str, payload: bytes) -> None:
        if self.up:
            self.late.put_nowait((end, topic, payload))


class LinkedTown(Town):
    """A town with a district at the other end of a wire."""

    def __init__(self, path: Path, **what: Any) -> None:
        super().__init__(path, machine=False, **what)
        self.wire = Wire()
        self.starts = 0
        self.alarmed: list[str] = []
        self.district: Store

    def build(self, clock: Clock) -> Site:
        site = super().build(clock)
        site._linked = True
        return site

    def beside(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """The line between the two, and what each end does on it."""

        def alarm(_kind: str, where: str, what: str) -> None:
            self.alarmed.append(f"{where}: {what}")

        self.starts += 1
        chance = Random(self.starts)
        shared: dict[str, Any] = {"alarm": alarm, "clock": self.clock, "chance": chance}
        self.site_end = Exchange(
            SITE,
            Stream.UP,
            KEYS,
            self.store,
            acked,
            apply=self.site.inbox.apply,
            witness=self.site,
            **shared,
        )
        self.district_end = Exchange(
            SITE,
            Stream.DOWN,
            KEYS,
            self.district,
            district_schema.acked,
            apply=lambda _transaction, _entry: None,
            **shared,
        )
        self.wire.late = asyncio.Queue()
        self.store.on_commit(lambda _entries: self.site_end.wake())
        return [
            group.create_task(self._carry()),
            group.create_task(self.site_end.run(self.wire.site)),
            group.create_task(self.district_end.run(self.wire.district)),
        ]

    async def _carry(self) -> None:
        while True:
            end, topic, payload = await self.wire.late.get()
            await asyncio.sleep(0.01)
            if end is self.wire.site:
                await self.district_end.hear(topic, payload, self.wire.district)
            else:
                await self.site_end.hear(topic, payload, self.wire.site)

    def tell(self, kind: Down, data: dict[str, Any]) -> None:
        with self.district.write() as transaction:
            transaction.append(SITE, Stream.DOWN, kind.value, data)
        self.district_end.wake()

    async def badge(self, number: int = 20) -> None:
        await self.in_step()
        await super().badge(number)

    def heads(self) -> dict[str, set[int]]:
        found = {}
        for stream in Stream:
            found[stream.value] = set()
            for store in (self.store, self.district):
                with store.read() as connection:
                    found[stream.value].add(head(connection, journal, SITE, stream).seq)
        return found

    async def in_step(self) -> None:
        await self.until(lambda: all(len(each) == 1 for each in self.heads().values()), 120)


@contextmanager
def linked(folder: Path) -> Iterator[LinkedTown]:
    """The town and its district's database stand in the folder."""
    town = LinkedTown(folder / "site.db")
    with open_store(folder / "district.db", journal, WallClock(START)) as town.district:
        district_schema.metadata.create_all(town.district.writer)
        yield town


def copy(path: Path, to: Path) -> None:
    """The file as a careless copy takes it, its log with it; what lay there before is gone."""
    for end in ("", "-wal"):
        there, here = Path(f"{to}{end}"), Path(f"{path}{end}")
        there.unlink(missing_ok=True)
        if here.exists():
            shutil.copy(here, there)


def lose(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)


async def loaded_and_copied(town: LinkedTown, to: Path) -> None:
    """An order waits behind a door; a copy of the file is put by."""
    town.grant(30, "staff", None)
    town.grant()
    await town.loaded()
    await town.in_step()
    copy(town.path, to)


async def collects(town: LinkedTown) -> None:
    await town.shows("start")
    await asyncio.sleep(5)  # a code that was shown a moment ago is the same presentation
    await begun(town)
    await town.take()
    await town.shows("rate")
    await town.shows("start")
