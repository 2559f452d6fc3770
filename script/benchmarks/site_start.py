"""How soon a site with a long journal is ready, what it weighs, and how long its acts take.

The journal is written by hand, chained as the product's own, with the rows that belong to it: an
order of one box for every thirteen entries, all but the last few collected. It is started twice:
as the real process, on a line, beside the same with an empty journal; and over hand-made doors,
where its rules can be asked.
"""

import asyncio
import hashlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from controller.clock import SystemClock
from controller.codes import keyed_hash
from controller.entries import Down
from controller.journal import Stream, head
from controller.site.schema import codes, intents, journal
from controller.store import open_store
from onewindow.migrate import upgrade
from script.benchmarks.far_end import Cabinet, FarEnd
from script.benchmarks.rows import Progress, Row
from script.benchmarks.running_site import RunningSite, write_settings
from tests.controller.site.world import CODE_KEY, SITE, Town, placed, secret

SHORT: Final = 500_000  # entries
LONG: Final = 5_000_000
AN_ORDER: Final = 13  # entries for each, as a year of a hall has them
READY_S: Final = 2.0
MIB: Final = 120
AT: Final = "2026-11-24T00:59:00.000Z"
DOOR: Final = 3
STARTS: Final = 3  # of the real process; the quickest is what it takes
CHUNK: Final = 1_000  # orders in one transaction


def write_long(path: Path, entries: int, progress: Progress) -> None:
    """A site's database with so many entries in its up journal."""
    with open_store(path, journal, SystemClock()) as store:
        upgrade(store, "site")
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        prev, seq = "0" * 64, 0
        orders = entries // AN_ORDER
        for first in range(0, orders, CHUNK):
            progress(f"{seq:,} of {entries:,} entries written")
            numbers = range(first, min(first + CHUNK, orders))
            chained: list[tuple[Any, ...]] = []
            for kind, data in _said(numbers):
                seq += 1
                words = {"stream": "up", "seq": seq, "at": AT, "kind": kind, "data": data}
                body = json.dumps({**words, "prev": prev}, separators=(",", ":")).encode()
                prev = hashlib.sha256(body).hexdigest()
                chained.append((SITE, "up", seq, AT, kind, prev, body))
            with raw:
                raw.executemany("INSERT INTO journal VALUES (?,?,?,?,?,?,?)", chained)
                _write_rows(raw, numbers)


def _said(numbers: range) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is told of one box that was loaded and collected."""
    for number in numbers:
        order, item, where = f"N{number}", f"N{number}-seal1", f"A/{number % 6 + 1}"
        for act in ("load", "collect"):
            intent = f"I{number}{act}"
            yield (
                "movement.intended",
                {"intent": intent, "kind": act, "where": where, "reason": act, "order": order},
            )
            yield "door.opened", {"where": where, "n": 4 * number + 1}
            yield "movement.settled", {"intent": intent, "outcome": "moved", "seen_by": "door"}
            yield "door.closed", {"where": where, "n": 4 * number + 2}
        yield "item.loaded", {"item": item, "order": order, "where": where, "by": "sensor"}
        yield "pickup.ready", {"order": order, "expires_at": AT}
        yield "pickup.started", {"order": order, "code": f"{order}-code", "session": f"S{number}"}
        yield "item.collected", {"item": item, "order": order, "where": where, "by": "sensor"}
        yield "pickup.completed", {"order": order, "session": f"S{number}", "left": []}


def _write_rows(raw: sqlite3.Connection, numbers: range) -> None:
    raw.executemany(
        "INSERT INTO orders (order_no, company, state, retention_s, ready_at, expires_at)"
        " VALUES (?, 'Company', 'collected', 1296000, ?, ?)",
        ((f"N{n}", AT, AT) for n in numbers),
    )
    raw.executemany(
        "INSERT INTO items (item_id, order_no, kind, holder, vendor_id, label, size, state)"
        " VALUES (?, ?, 'seal_set', 'cabinet', 'V01', ?, 'S', 'collected')",
        ((f"N{n}-seal1", f"N{n}", f"OWL:N{n}-seal1") for n in numbers),
    )
    raw.executemany(
        "INSERT INTO codes (code_id, order_no, qr, state) VALUES (?, ?, ?, 'spent')",
        ((f"N{n}-code", f"N{n}", f"{n:064x}") for n in numbers),
    )
    raw.executemany(
        "INSERT INTO intents (intent_id, number, kind, cabinet, no, order_no, item_id, at,"
        " outcome, seen_by, settled_at) VALUES (?, ?, ?, 'A', ?, ?, ?, ?, 'moved', 'door', ?)",
        (
            (f"I{n}{act}", 13 * n + k, act, n % 6 + 1, f"N{n}", f"N{n}-seal1", AT, AT)
            for n in numbers
            for k, act in ((1, "load"), (5, "collect"))
        ),
    )
    raw.executemany(
        "INSERT INTO sessions (session, order_no, code_id, started_at, ended_at)"
        " VALUES (?, ?, ?, ?, ?)",
        ((f"S{n}", f"N{n}", f"N{n}-code", AT, AT) for n in numbers),
    )


def start(path: Path, told: Connection) -> None:
    """Start a site there; say how long it took, and how long its acts take."""
    asyncio.run(_start(path, told))


async def _start(path: Path, told: Connection) -> None:
    town = Town(path, machine=False)
    began = time.perf_counter()
    async with town.at_work():
        ready_s = time.perf_counter() - began
        order = placed("X1", number=7)
        acts: dict[str, Callable[[], object]] = {
            "an order is placed": lambda: town.tell(Down.ORDER_PLACED, order),
            "the last release of a door is looked up": lambda: town.rows(_last_release()),
            "the site is described": town.site.describe,
            "a code is looked up": lambda: town.rows(_code()),
        }
        took = {}
        for name, act in acts.items():
            began = time.perf_counter()
            act()
            took[name] = 1000 * (time.perf_counter() - began)
        await town.loaded("X2", number=8)
        slowest = max(took, key=lambda name: took[name])
        with town.store.read() as connection:
            length = head(connection, journal, SITE, Stream.UP).seq
        told.send((ready_s, took[slowest], slowest, length))


def _last_release() -> Any:
    return (
        select(intents.c.intent_id)
        .where(intents.c.cabinet == "A", intents.c.no == DOOR)
        .order_by(intents.c.number.desc())
        .limit(1)
    )


def _code() -> Any:
    return select(codes).where(codes.c.qr == keyed_hash(CODE_KEY, secret(7)))


@dataclass(frozen=True, slots=True)
class Started:
    """The quickest of a few starts of the real process, until it was ready."""

    seconds: float
    cpu_s: float
    mib: float


def start_process(folder: Path) -> Started:
    """Start the real process with this folder's database."""
    starts = []
    with FarEnd([Cabinet(1)]) as far_end:
        config, port = write_settings(folder, far_end, {"A": 1})
        for _ in range(STARTS):
            began = time.perf_counter()
            with RunningSite(config, port) as site:
                taken = time.perf_counter() - began
                starts.append(Started(taken, site.cpu_s(), site.resident_mib()))
    return min(starts, key=lambda each: each.cpu_s)


def run(progress: Progress, *, entries: int = SHORT) -> list[Row]:
    """Rows of site_start."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        empty, path = folder / "empty", folder / "site.db"
        empty.mkdir()
        progress("the process starts with an empty journal")
        short = start_process(empty)
        write_long(path, entries, progress)
        progress("the process starts with a long one")
        long = start_process(folder)
        progress("the site starts")
        ours, theirs = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=start, args=(path, theirs))
        process.start()
        ready_s, act_ms, slowest, length = ours.recv()
        process.join()
        detail = {
            "entries": length,
            "bytes": path.stat().st_size,
            "slowest": slowest,
            "process_s": round(long.seconds, 2),
            "process_with_an_empty_journal_s": round(short.seconds, 2),
        }
    return rows(ready_s, act_ms, short, long, detail)


def rows(
    ready_s: float, act_ms: float, short: Started, long: Started, detail: dict[str, Any]
) -> list[Row]:
    """What is asked of each. Processes are compared by what a busy machine does not change."""
    grown = (long.cpu_s - short.cpu_s) / detail["entries"]
    own = {"cpu_s": long.cpu_s, "empty_cpu_s": short.cpu_s, "ns_an_entry": round(grown * 1e9)}
    return [
        Row("site_start.ready", ready_s, "s", f"<= {READY_S:g}", detail),
        Row(
            "site_start.process",
            long.cpu_s / short.cpu_s,
            "x with an empty journal",
            "<= 1.25",
            own,
        ),
        Row("site_start.memory", long.mib, "MiB", f"<= {MIB}", detail),
        Row("site_start.slowest_act", act_ms, "ms", "<= 50", detail),
    ]


def run_long(progress: Progress) -> list[Row]:
    """The same with five million entries."""
    return run(progress, entries=LONG)
