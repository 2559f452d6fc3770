"""The hash-chained journal: one table in both tiers, one chain for each site and direction.

A chain's hash is over the stored bytes as they are; nothing here parses and writes them again.
The body's form outlives a release: the chains of old databases are checked with this code.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from math import inf
from typing import Any

from sqlalchemy import (
    DDL,
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    event,
    func,
    select,
)

from controller.prepared import Prepared

GENESIS = "0" * 64  # `prev` of a chain's first entry
PART = 500  # entries read at once, of however many
WORDS = ("stream", "seq", "at", "kind", "data", "prev")  # of every entry


class Stream(StrEnum):
    UP = "up"  # from a site to its district
    DOWN = "down"  # from the district to one site


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as stored. `at` is RFC 3339 in UTC with milliseconds."""

    site: str
    stream: Stream
    seq: int
    at: str
    kind: str
    data: dict[str, Any]
    prev: str
    body: bytes
    hash: str
    after: int | None = None  # of a site's: how much of its district's journal it knew by then


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends; seq 0 and GENESIS where nothing is."""

    seq: int
    hash: str


EMPTY = Head(0, GENESIS)


class BrokenChain(Exception):
    """An entry does not follow the one before it; `seq` is the first bad one."""

    def __init__(self, site: str, stream: Stream, seq: int, what: str) -> None:
        super().__init__(f"journal {stream} of {site}: entry {seq}: {what}")
        self.seq = seq


def journal_table(metadata: MetaData) -> Table:
    """Declare the journal in a tier's schema, with the triggers that refuse change and removal."""
    table = Table(
        "journal",
        metadata,
        Column("site", String(32), primary_key=True),
        Column("stream", String(4), primary_key=True),
        Column("seq", Integer, primary_key=True, autoincrement=False),
        Column("at", String(24), nullable=False),
        Column("kind", String(40), nullable=False),
        Column("hash", String(64), nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
    for statement in APPEND_ONLY:
        event.listen(table, "after_create", DDL(statement).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves DDL untyped
    return table


_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

APPEND_ONLY = tuple(
    f"CREATE TRIGGER journal_no_{act.lower()} BEFORE {act} ON journal "
    f"BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
    for act in ("UPDATE", "DELETE")
)


def rfc3339(at: datetime) -> str:
    """UTC, milliseconds: 2026-11-24T06:33:38.123Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """The other way; always aware."""
    return datetime.fromisoformat(text)


def head(connection: Connection, journal: Table, site: str, stream: Stream) -> Head:
    """Where a chain ends now."""
    row = _last(journal).first(connection, site=site, stream=stream)
    return Head(row.seq, row.hash) if row else EMPTY


def head_at(connection: Connection, journal: Table, site: str, stream: Stream, seq: int) -> Head:
    """Where a chain ended with that entry. BrokenChain if it is not there."""
    known = known_at(connection, journal, site, stream, seq)
    if known is None:
        raise BrokenChain(site, stream, seq, "is missing or out of order")
    return known


def known_at(
    connection: Connection, journal: Table, site: str, stream: Stream, seq: int
) -> Head | None:
    """The same; None if it is not there."""
    if seq == EMPTY.seq:
        return EMPTY
    known = _hash_at(journal).scalar(connection, site=site, stream=stream, seq=seq)
    return None if known is None else Head(seq, known)


def append(
    connection: Connection,
    journal: Table,
    site: str,
    stream: Stream,
    kind: str,
    data: dict[str, Any],
    at: datetime,
    *,
    last: Head | None = None,
    after: int | None = None,
) -> Entry:
    """Write the next entry of a chain in the caller's transaction, after `last` if it is known."""
    last = last or head(connection, journal, site, stream)
    words: dict[str, Any] = {
        "stream": stream.value,
        "seq": last.seq + 1,
        "at": rfc3339(at),
        "kind": kind,
        "data": data,
        "prev": last.hash,
    }
    if after is not None:
        words["after"] = after
    body = _written(words).encode()
    entry = read_entry(site, body)
    _insert(connection, journal, entry)
    return entry


def receive(
    connection: Connection, journal: Table, entry: Entry, *, last: Head | None = None
) -> None:
    """Write a copied entry. BrokenChain unless it follows the copy's head exactly."""
    last = last or head(connection, journal, entry.site, entry.stream)
    if entry.seq != last.seq + 1:
        raise BrokenChain(entry.site, entry.stream, entry.seq, f"expected entry {last.seq + 1}")
    if entry.prev != last.hash:
        raise BrokenChain(entry.site, entry.stream, entry.seq, "does not follow the entry before")
    _insert(connection, journal, entry)


def _insert(connection: Connection, journal: Table, entry: Entry) -> None:
    _insertion(journal).run(
        connection,
        site=entry.site,
        stream=entry.stream.value,
        seq=entry.seq,
        at=entry.at,
        kind=entry.kind,
        hash=entry.hash,
        body=entry.body,
    )


@lru_cache(maxsize=8)
def _insertion(journal: Table) -> Prepared:
    return Prepared(journal.insert())


def _chain(journal: Table) -> ColumnElement[bool]:
    return (journal.c.site == bindparam("site")) & (journal.c.stream == bindparam("stream"))


@lru_cache(maxsize=8)
def _last(journal: Table) -> Prepared:
    return Prepared(
        select(journal.c.seq, journal.c.hash)
        .where(_chain(journal))
        .order_by(journal.c.seq.desc())
        .limit(1)
    )


@lru_cache(maxsize=8)
def _hash_at(journal: Table) -> Prepared:
    return Prepared(
        select(journal.c.hash).where(_chain(journal), journal.c.seq == bindparam("seq"))
    )


@lru_cache(maxsize=8)
def _following(journal: Table) -> Prepared:
    return Prepared(
        select(journal.c.seq, journal.c.hash, journal.c.body, journal.c.kind, journal.c.at)
        .where(_chain(journal), journal.c.seq > bindparam("after"))
        .order_by(journal.c.seq)
        .limit(bindparam("most"))
    )


def _stored(
    connection: Connection,
    journal: Table,
    site: str,
    stream: Stream,
    after: int,
    limit: int | None,
) -> Iterator[tuple[Any, ...]]:
    """What is stored with seq above `after`, in order; a part at a time, however long it is."""
    following, left = _following(journal), inf if limit is None else limit
    while left > 0:
        most = int(min(PART, left))
        rows = following.plain(connection, site=site, stream=stream, after=after, most=most)
        yield from rows
        if len(rows) < most:
            return
        after, left = rows[-1][0], left - most


def read_entry(site: str, body: bytes) -> Entry:
    """Parse stored or received bytes. ValueError where they are no entry."""
    words = json.loads(body.decode())
    if type(words) is not dict:
        raise ValueError("not a journal entry")
    stream, seq, at, kind, data, prev = map(words.get, WORDS)
    after = words.get("after")
    if (
        not type(stream) is type(at) is type(kind) is type(prev) is str
        or type(seq) is not int
        or type(data) is not dict
        or (after is not None and type(after) is not int)
        or seq <= 0
    ):
        raise ValueError("not a journal entry")
    digest = hashlib.sha256(body).hexdigest()
    return Entry(site, Stream(stream), seq, at, kind, data, prev, body, digest, after)


def entries(
    connection: Connection,
    journal: Table,
    site: str,
    stream: Stream,
    after: int = 0,
    limit: int | None = None,
) -> Iterator[Entry]:
    """Stored entries with seq above `after`, in order."""
    for _, _, body, _, _ in _stored(connection, journal, site, stream, after, limit):
        yield read_entry(site, body)


def chains(connection: Connection, journal: Table) -> list[tuple[str, Stream, int]]:
    """Every chain in a database, with its length."""
    rows = connection.execute(
        select(journal.c.site, journal.c.stream, func.count())
        .group_by(journal.c.site, journal.c.stream)
        .order_by(journal.c.site, journal.c.stream)
    )
    return [(site, Stream(stream), length) for site, stream, length in rows]


def verify(connection: Connection, journal: Table, site: str, stream: Stream) -> Head:
    """The head of a chain, checked whole from its stored bytes. BrokenChain at the first flaw."""
    return verify_part(connection, journal, site, stream, EMPTY, None)


def verify_part(
    connection: Connection,
    journal: Table,
    site: str,
    stream: Stream,
    last: Head,
    limit: int | None,
) -> Head:
    """The same from the entry after `last` on; where nothing follows, `last` itself."""
    for seq, digest, body, kind, at in _stored(connection, journal, site, stream, last.seq, limit):
        number = last.seq + 1
        try:
            entry = read_entry(site, body)
        except (ValueError, TypeError) as error:
            raise BrokenChain(site, stream, seq, "cannot be read") from error
        if not seq == entry.seq == number:
            raise BrokenChain(site, stream, number, "is missing or out of order")
        if entry.prev != last.hash:
            raise BrokenChain(site, stream, number, "does not follow the entry before")
        if (digest, kind, at) != (entry.hash, entry.kind, entry.at):
            raise BrokenChain(site, stream, number, "was changed")
        last = Head(entry.seq, entry.hash)
    return last
