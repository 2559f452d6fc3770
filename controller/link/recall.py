"""A site that has lost entries asks for them: questions and answers as they are on the wire.

One question, one answer, bound together by a number used once, so that no old answer counts. The
answer holds entries of the down journal as long as the site misses any, then of the up journal;
none at all once there is nothing more. Both are sealed like batches.
"""

import re
from dataclasses import dataclass

from sqlalchemy import select

from controller.journal import EMPTY, Entry, Head, Stream, head, read_entry
from controller.link.batches import (
    ENTRIES_MAX,
    ENVELOPE_BYTES,
    LinkKeys,
    Untrusted,
    check_seal,
    entry_bytes,
    parse,
    seal,
    take_batch,
    to_json,
)
from controller.store import Store

QUESTION, ANSWER = "ask", "answer"
NONCE = re.compile(r"[0-9a-f]{16,64}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Question:
    """How far the site's own journal goes, and its copy of the district's."""

    nonce: str
    up: Head
    down: Head


@dataclass(frozen=True, slots=True)
class Answer:
    """Entries that follow, and where the district's copy of the site's journal ends."""

    nonce: str
    copied: Head
    stream: Stream
    entries: list[Entry]


def seal_question(site: str, keys: LinkKeys, question: Question) -> bytes:
    up, down = question.up, question.down
    words = [question.nonce, str(up.seq), up.hash, str(down.seq), down.hash]
    return to_json(
        {
            "nonce": question.nonce,
            "up": {"seq": up.seq, "hash": up.hash},
            "down": {"seq": down.seq, "hash": down.hash},
            "key": keys.current,
            "mac": seal(site, QUESTION, keys, [word.encode() for word in words]),
        }
    )


def open_question(payload: bytes, site: str, keys: LinkKeys) -> Question:
    match parse(payload):
        case {
            "nonce": str(nonce),
            "up": {"seq": int(up), "hash": str(up_hash)},
            "down": {"seq": int(down), "hash": str(down_hash)},
            "key": str(key_id),
            "mac": str(mac),
        } if NONCE.fullmatch(nonce) and _HASH.fullmatch(up_hash) and _HASH.fullmatch(down_hash):
            words = [nonce, str(up), up_hash, str(down), down_hash]
        case _:
            raise Untrusted("not a question for entries")
    check_seal(site, QUESTION, keys, key_id, [word.encode() for word in words], mac)
    return Question(nonce, Head(up, up_hash), Head(down, down_hash))


def answer(site: str, keys: LinkKeys, store: Store, question: Question) -> bytes:
    """What the district has for a site that has lost entries."""
    table = store.journal
    with store.read() as connection:
        copied = head(connection, table, site, Stream.UP)
        told = head(connection, table, site, Stream.DOWN)
        stream, after = Stream.UP, question.up.seq
        if question.down.seq < told.seq:
            stream, after = Stream.DOWN, question.down.seq
        bodies = connection.scalars(
            select(table.c.body)
            .where(table.c.site == site, table.c.stream == stream.value, table.c.seq > after)
            .order_by(table.c.seq)
            .limit(ENTRIES_MAX)
        ).all()
    taken = take_batch(bodies, room_for=ENVELOPE_BYTES) if bodies else []
    words = [question.nonce, str(copied.seq), copied.hash, stream.value]
    return to_json(
        {
            "site": site,
            "answer": question.nonce,
            "copied": {"seq": copied.seq, "hash": copied.hash},
            "stream": stream.value,
            "key": keys.current,
            "entries": [body.decode() for body in taken],
            "mac": seal(site, ANSWER, keys, [*(word.encode() for word in words), *taken]),
        }
    )


def open_answer(payload: bytes, site: str, keys: LinkKeys) -> Answer | None:
    """None where it is no answer but a batch."""
    match parse(payload):
        case {
            "site": str(told_site),
            "answer": str(nonce),
            "copied": {"seq": int(seq), "hash": str(digest)},
            "stream": str(stream),
            "key": str(key_id),
            "entries": [*texts],
            "mac": str(mac),
        }:
            bodies = list(entry_bytes(texts)) if texts else []
        case _:
            return None
    if told_site != site:
        raise Untrusted("an answer to another site")
    words = [nonce, str(seq), digest, stream]
    check_seal(site, ANSWER, keys, key_id, [*(word.encode() for word in words), *bodies], mac)
    try:
        found = [read_entry(site, body) for body in bodies]
        asked = Stream(stream)
    except (ValueError, RecursionError):
        raise Untrusted("an answer that cannot be read") from None
    copied = Head(seq, digest) if seq else EMPTY
    return Answer(nonce, copied, asked, found)
