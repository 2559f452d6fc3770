"""Batches of journal entries and their acknowledgements, as they are on the wire.

Sites and districts of different releases talk in these forms; a change here is a new form.
A chain proves order and not origin, so both carry an HMAC under a key that no broker knows.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from controller.journal import GENESIS, Head, Stream, parse_time, rfc3339

ENTRIES_MAX = 100
BYTES_MAX = 64 * 1024  # of a whole message
ENVELOPE_BYTES = 256  # site, stream, key id, MAC and the words around them take less
KEY_ID_DIGITS = 8

_HEX = re.compile(r"[0-9a-f]{64}")


class Untrusted(Exception):
    """What came cannot be accepted, and nothing was changed; the text says why."""


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """The keys that one site shares with its district: one to seal with, all to open with."""

    current: str
    by_id: Mapping[str, bytes]

    @classmethod
    def of(cls, *keys: bytes) -> Self:
        """Keys named by a digest of their own; the first is the one to seal with."""
        by_id = {hashlib.sha256(key).hexdigest()[:KEY_ID_DIGITS]: key for key in keys}
        return cls(next(iter(by_id)), by_id)

    def __repr__(self) -> str:
        return f"LinkKeys({', '.join(self.by_id)})"  # never the keys


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """How far the receiver's copy goes, and the receiver's time when it said so."""

    head: Head
    at: datetime


def take_batch(bodies: Iterable[bytes], *, room_for: int = 0) -> list[bytes]:
    """As many of the first entries as one batch holds. Untrusted where not even one fits.

    `room_for` more bytes are wanted in the message.
    """
    taken: list[bytes] = []
    room = BYTES_MAX - ENVELOPE_BYTES - room_for
    for body in bodies:
        room -= len(to_json(body.decode())) + 1
        if room < 0 or len(taken) == ENTRIES_MAX:
            break
        taken.append(body)
    if not taken:
        raise Untrusted("an entry is larger than a batch may be")
    return taken


def seal_batch(site: str, stream: Stream, keys: LinkKeys, bodies: list[bytes]) -> bytes:
    return to_json(
        {
            "site": site,
            "stream": stream.value,
            "key": keys.current,
            "entries": [body.decode() for body in bodies],
            "mac": seal(site, stream.value, keys, bodies),
        }
    )


def open_batch(payload: bytes, site: str, stream: Stream, keys: LinkKeys) -> list[bytes]:
    """The entries' bytes, exactly as they were sealed for this site and stream."""
    match parse(payload):
        case {
            "site": str(told_site),
            "stream": str(told_stream),
            "key": str(key_id),
            "entries": [*texts],
            "mac": str(mac),
        }:
            bodies = list(entry_bytes(texts))
        case _:
            raise Untrusted("not a batch of entries")
    if (told_site, told_stream) != (site, stream.value):
        raise Untrusted("a batch of another journal")
    check_seal(site, stream.value, keys, key_id, bodies, mac)
    return bodies


def seal_ack(site: str, stream: Stream, keys: LinkKeys, head: Head, at: datetime) -> bytes:
    told_at = rfc3339(at)
    words = [str(head.seq).encode(), head.hash.encode(), told_at.encode()]
    return to_json(
        {
            "seq": head.seq,
            "hash": head.hash,
            "at": told_at,
            "key": keys.current,
            "mac": seal(site, stream.value, keys, words),
        }
    )


def open_ack(payload: bytes, site: str, stream: Stream, keys: LinkKeys) -> Acknowledgement:
    match parse(payload):
        case {
            "seq": int(seq),
            "hash": str(digest),
            "at": str(at),
            "key": str(key_id),
            "mac": str(mac),
        } if not isinstance(seq, bool) and seq >= 0 and _HEX.fullmatch(digest) and at.isascii():
            words = [str(seq).encode(), digest.encode(), at.encode()]
        case _:
            raise Untrusted("not an acknowledgement")
    check_seal(site, stream.value, keys, key_id, words, mac)
    try:
        told_at = parse_time(at)
    except ValueError:
        raise Untrusted("an acknowledgement without a time") from None
    if seq == 0 and digest != GENESIS:
        raise Untrusted("an acknowledgement of nothing, with a hash")
    return Acknowledgement(Head(seq, digest), told_at)


def entry_bytes(texts: list[Any]) -> Iterator[bytes]:
    if not 0 < len(texts) <= ENTRIES_MAX:
        raise Untrusted(f"a batch of {len(texts)} entries")
    for text in texts:
        # The MAC is over the entries joined by line feeds: one inside an entry would let two
        # batches have the same MAC.
        if not isinstance(text, str) or "\n" in text:
            raise Untrusted("an entry that is not one line of text")
        try:
            yield text.encode()
        except UnicodeEncodeError:
            raise Untrusted("an entry that is not UTF-8") from None


def parse(payload: bytes) -> object:
    if len(payload) > BYTES_MAX:
        raise Untrusted(f"a message of {len(payload)} bytes, {BYTES_MAX} are allowed")
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        raise Untrusted("not JSON") from None


def check_seal(
    site: str, what: str, keys: LinkKeys, key_id: str, lines: list[bytes], mac: str
) -> None:
    key = keys.by_id.get(key_id)
    if key is None:
        raise Untrusted("sealed with a key that is not this site's")
    if not _HEX.fullmatch(mac) or not hmac.compare_digest(
        mac, _mac(site, what, key_id, key, lines)
    ):
        raise Untrusted("the seal (MAC) does not fit")


def seal(site: str, what: str, keys: LinkKeys, lines: list[bytes]) -> str:
    """The MAC of what we say, under the key that we seal with."""
    return _mac(site, what, keys.current, keys.by_id[keys.current], lines)


def _mac(site: str, what: str, key_id: str, key: bytes, lines: list[bytes]) -> str:
    words = f"{site}\n{what}\n{key_id}\n".encode() + b"\n".join(lines)
    return hmac.new(key, words, hashlib.sha256).hexdigest()


def to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
