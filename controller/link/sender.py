"""Sends one journal: what to put on the wire next, and what an acknowledgement means.

Nothing is ever forgotten here: rows stay, only a cursor moves, and only on an acknowledgement
that the other side sealed. One batch is out at a time.
"""

from functools import lru_cache
from random import Random

from sqlalchemy import Table, bindparam, select

from controller.journal import EMPTY, Head, Stream, head, known_at, rfc3339
from controller.link.batches import (
    ENTRIES_MAX,
    Acknowledgement,
    LinkKeys,
    Untrusted,
    open_ack,
    seal_batch,
    take_batch,
)
from controller.ports import Clock
from controller.prepared import Prepared
from controller.rows import first_row, upsert
from controller.store import Store

RESEND_FIRST_S = 2.0  # an answer takes milliseconds; a busy district may take a second
RESEND_MAX_S = 30.0  # a district that is away is asked twice a minute


class Sender:
    """Our end of one journal that we write and the other side copies."""

    def __init__(
        self,
        site: str,
        stream: Stream,
        keys: LinkKeys,
        store: Store,
        acked: Table,
        clock: Clock,
        chance: Random,
    ) -> None:
        self._site = site
        self._stream = stream
        self._keys = keys
        self._store = store
        self._acked = acked
        self._clock = clock
        self._chance = chance
        self._sent_at: float | None = None  # of a batch that nobody has acknowledged yet
        self._pause = RESEND_FIRST_S
        self.cursor = self._stored_cursor()

    def connected(self) -> None:
        """A new connection: whatever was on the way may be lost."""
        self._sent_at = None
        self._pause = RESEND_FIRST_S

    def wait_s(self) -> float | None:
        """Seconds until `next_batch` is due; 0 is now, None until something happens."""
        with self._store.read() as connection:
            last = head(connection, self._store.journal, self._site, self._stream)
        if last.seq <= self.cursor.seq:
            return None
        if self._sent_at is None:
            return 0.0
        return max(0.0, self._sent_at + self._pause - self._clock.monotonic())

    def next_batch(self) -> bytes:
        """The entries after the cursor, sealed. Untrusted where an entry fits into no batch."""
        if self._sent_at is not None:
            self._pause = min(self._pause * 2, RESEND_MAX_S) * (0.75 + self._chance.random() / 2)
        self._sent_at = self._clock.monotonic()
        journal = self._store.journal
        with self._store.read() as connection:
            rows = _following(journal).scalars(
                connection, of=self._site, which=self._stream.value, number=self.cursor.seq
            )
        return seal_batch(self._site, self._stream, self._keys, take_batch(rows))

    def read(self, payload: bytes) -> Acknowledgement:
        """What the other side sealed; nothing of it is believed yet."""
        return open_ack(payload, self._site, self._stream, self._keys)

    def acknowledged(self, payload: bytes) -> None:
        """The same as `accept`, of what came on the wire."""
        self.accept(self.read(payload))

    def accept(self, told: Acknowledgement) -> None:
        """Move the cursor to where the other side says it is, forward or back.

        Untrusted, and nothing moved, unless it names our own entry.
        """
        if self._own(told.head.seq) != told.head:
            raise Untrusted(f"confirms an entry {told.head.seq} that is not ours")
        if told.head == self.cursor:
            # Said twice, or said by somebody who has just come back: never a reason to send at
            # once, or two copies of one message would chase each other for ever.
            self._pause = RESEND_FIRST_S
            return
        self._store_cursor(told)
        self.cursor = told.head
        self._sent_at = None
        self._pause = RESEND_FIRST_S

    def _own(self, seq: int) -> Head | None:
        with self._store.read() as connection:
            return known_at(connection, self._store.journal, self._site, self._stream, seq)

    def _stored_cursor(self) -> Head:
        with self._store.read() as connection:
            row = first_row(connection, self._acked, **self._row_key())
        return Head(row.seq, row.hash) if row else EMPTY

    def _store_cursor(self, told: Acknowledgement) -> None:
        with self._store.write() as transaction:
            upsert(
                transaction.connection,
                self._acked,
                self._row_key(),
                {"seq": told.head.seq, "hash": told.head.hash, "at": rfc3339(told.at)},
            )

    def _row_key(self) -> dict[str, str]:
        key = {"stream": self._stream.value}
        return key | {"site": self._site} if "site" in self._acked.c else key


@lru_cache(maxsize=8)
def _following(journal: Table) -> Prepared:
    return Prepared(
        select(journal.c.body)
        .where(
            journal.c.site == bindparam("of"),
            journal.c.stream == bindparam("which"),
            journal.c.seq > bindparam("number"),
        )
        .order_by(journal.c.seq)
        .limit(ENTRIES_MAX)
    )
