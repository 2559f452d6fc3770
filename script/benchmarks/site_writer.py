"""Why one writer on the loop is enough for a site: what it does, and what a site needs.

An act is one transaction: an entry and the door that it tells of, durable before the next begins.
The peer is what an asynchronous engine does over SQLite: the same statements, each handed to the
connection's thread and waited for, by sixteen tasks that take turns. Writing in groups would do
more acts a second than either, and nobody would notice: see the headroom.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from sqlalchemy import Connection, create_engine, event, select

from controller.clock import SystemClock
from controller.entries import Up
from controller.journal import EMPTY, Head, Stream, append
from controller.site import schema
from controller.site.book import Book
from controller.store import Store, open_store
from onewindow.migrate import upgrade
from script.benchmarks.rows import Progress, Row
from script.benchmarks.running_site import DISK, Disk

SITE: Final = "FT-0001"
TASKS: Final = 16
EACH: Final = 10  # acts of each task in one round
ROUNDS: Final = 7
YEAR_ENTRIES: Final = 195_000  # of the hall, which is the busiest site
WORKING_DAYS: Final = 250
PEAK_DAY: Final = 3  # times the mean
PEAK_HOUR: Final = 0.1  # of a day
CARD_SYNC_S: Final = 0.020  # of a slow memory card


def peak_acts_a_second() -> float:
    """What the hall writes in its peak hour, were each entry an act of its own."""
    return YEAR_ENTRIES / WORKING_DAYS * PEAK_DAY * PEAK_HOUR / 3600


def _door(connection: Connection, number: int) -> None:
    connection.execute(
        schema.doors.update()
        .where(schema.doors.c.cabinet == "A", schema.doors.c.no == number % TASKS + 1)
        .values(n=number)
    )


def _told(number: int) -> dict[str, Any]:
    return {"where": f"A/{number % TASKS + 1}", "n": number}


class OneWriter:
    """As the site does it."""

    def __init__(self, store: Store) -> None:
        self._book = Book(store, SITE, SystemClock(), lambda _step: None)

    async def act(self, number: int) -> None:
        with self._book.act() as act:
            act.say(Up.DOOR_CLOSED, _told(number))
            _door(act.db, number)


class ByThread:
    """The same statements through a thread: what a task waits for, it waits for there."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._turn = asyncio.Lock()
        engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _full)
        self._connection = self._thread.submit(engine.connect).result()
        self._last: Head = EMPTY

    async def _there(self, work: Callable[..., Any], *words: Any, **named: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(work, *words, **named))

    async def act(self, number: int) -> None:
        async with self._turn:
            await self._there(self._connection.exec_driver_sql, "BEGIN IMMEDIATE")
            entry = await self._there(
                append,
                self._connection,
                schema.journal,
                SITE,
                Stream.UP,
                Up.DOOR_CLOSED.value,
                _told(number),
                SystemClock().now(),
                last=self._last,
            )
            await self._there(_door, self._connection, number)
            await self._there(self._connection.commit)
            self._last = Head(entry.seq, entry.hash)

    def close(self) -> None:
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()


def _full(raw: Any, _record: object) -> None:
    raw.isolation_level = None
    raw.execute("PRAGMA journal_mode=WAL").fetchall()
    raw.execute("PRAGMA synchronous=FULL")


async def _round(act: Callable[[int], Any]) -> tuple[float, float]:
    """Acts per second of sixteen tasks, and how long the last waited for its first."""
    began = time.perf_counter()
    first: list[float] = []

    async def task(number: int) -> None:
        for turn in range(EACH):
            await act(number + turn * TASKS)
            if turn == 0:
                first.append(time.perf_counter() - began)
            await asyncio.sleep(0)  # the others' turn

    async with asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(task(number))
    return TASKS * EACH / (time.perf_counter() - began), max(first)


def _doors(store: Store) -> None:
    upgrade(store, "site")
    with store.write() as transaction:
        for no in range(1, TASKS + 1):
            where = {"cabinet": "A", "no": no}
            transaction.connection.execute(
                schema.compartments.insert().values(
                    size="S", height_cm=100, reach="mid", state="free", **where
                )
            )
            transaction.connection.execute(
                schema.doors.insert().values(door="shut", state="ok", n=0, at="", **where)
            )


async def measure(folder: Path, progress: Progress, rounds: int = ROUNDS) -> list[Row]:
    """Both in turn; every act of ours is in the journal afterwards."""
    disk = Disk(folder)
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    with open_store(folder / "peer.db", schema.journal, SystemClock()) as store:
        _doors(store)
    with open_store(folder / "site.db", schema.journal, SystemClock()) as store:
        _doors(store)
        one, peer = OneWriter(store), ByThread(folder / "peer.db")
        for number in range(rounds + 1):  # what is done for the first time takes longer
            progress(f"round {number} of {rounds}")
            ours.append(await _round(one.act))
            theirs.append(await _round(peer.act))
            for _ in range(TASKS):
                disk.sample()
        peer.close()
        _whole(store, (rounds + 1) * TASKS * EACH)
    return rows(ours[1:], theirs[1:], disk.taken)


def _whole(store: Store, acts: int) -> None:
    with store.read() as connection:
        written = connection.execute(select(schema.journal.c.seq)).all()
    assert len(written) == acts, "an act was not written"


def rows(
    ours: list[tuple[float, float]], theirs: list[tuple[float, float]], syncs: list[float]
) -> list[Row]:
    """From acts per second and the longest wait of each round.

    The best rounds are compared, since others use the disk as well; the wait is the usual one.
    """
    rate, peer = max(acts for acts, _ in ours), max(acts for acts, _ in theirs)
    own_s = max(0.0, 1 / rate - min(syncs))  # of an act, beside its sync
    need = peak_acts_a_second()
    detail = {
        "acts_a_second": round(rate),
        "through_a_thread": round(peer),
        "sync_ms": round(median(syncs) * 1000, 3),
        "peak_hour_needs_a_second": round(need, 3),
        "acts_a_second_on_a_slow_card": round(1 / (own_s + CARD_SYNC_S)),
    }
    slow_card = 1 / (own_s + CARD_SYNC_S) / need
    last_ms = median(wait for _, wait in ours) * 1000
    return [
        Row("site_writer.of_thread", rate / peer, "x statements by a thread", "", detail),
        Row("site_writer.headroom", rate / need, "x the hall's peak hour", ">= 1000", detail),
        Row("site_writer.headroom_on_a_slow_card", slow_card, "x the same", ">= 100", detail),
        Row("site_writer.last_of_sixteen", last_ms, "ms until its act is durable", "<= 100"),
    ]


def run(progress: Progress) -> list[Row]:
    """Rows of site_writer."""
    with tempfile.TemporaryDirectory(prefix="onewindow-", dir=DISK) as name:
        return asyncio.run(measure(Path(name), progress))
