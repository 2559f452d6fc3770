"""Receives one journal: a copy in order, and each entry's effect once.

An entry, its effect and the cursor (the copy's own head) are one transaction. Whatever is not the
very next entry of this chain, sealed by the other side, changes nothing.
"""

from collections.abc import Callable
from functools import lru_cache

from sqlalchemy import Table, bindparam, select
from sqlalchemy.exc import DatabaseError, InternalError, OperationalError, SQLAlchemyError

from controller.journal import BrokenChain, Entry, Head, Stream, head, read_entry
from controller.link.batches import LinkKeys, Untrusted, open_batch, seal_ack
from controller.ports import Clock
from controller.prepared import Prepared
from controller.store import Store, Transaction

Apply = Callable[[Transaction, Entry], None]

# What a rule raises over an entry that it cannot take: from another release, perhaps. Anything
# else is a mistake of ours and goes up, and so does a database that fails: the entry is none the
# worse for it, and whatever was not written or not synced must be read anew.
UNFIT = (LookupError, TypeError, ValueError, OverflowError, SQLAlchemyError)


def _failed(error: Exception) -> bool:
    """It was the database: its disk, its file or the way to it."""
    return isinstance(error, OperationalError | InternalError) or type(error) is DatabaseError


class Gap(Untrusted):
    """Entries are missing before these; the other side is told again where we are."""


class Receiver:
    """Our end of one journal that the other side writes and we copy."""

    def __init__(
        self,
        site: str,
        stream: Stream,
        keys: LinkKeys,
        store: Store,
        apply: Apply,
        clock: Clock,
    ) -> None:
        self._site = site
        self._stream = stream
        self._keys = keys
        self._store = store
        self._apply = apply
        self._clock = clock

    def open(self, payload: bytes) -> list[Entry]:
        """The entries of a batch that are new to us, checked against all that we have.

        Untrusted unless the batch is sealed and one chain with our copy; Gap where it begins
        after what comes next.
        """
        found = self._read(open_batch(payload, self._site, self._stream, self._keys))
        with self._store.read() as connection:
            last = head(connection, self._store.journal, self._site, self._stream)
        old = [entry for entry in found if entry.seq <= last.seq]
        new = [entry for entry in found if entry.seq > last.seq]
        if old and self._stored_hashes(old[0].seq, old[-1].seq) != [entry.hash for entry in old]:
            raise Untrusted(f"entries {old[0].seq} to {old[-1].seq} are not the ones that we have")
        if new and new[0].seq != last.seq + 1:
            raise Gap(f"entries {last.seq + 1} to {new[0].seq - 1} are missing")
        if new and new[0].prev != last.hash:
            raise Untrusted(f"entry {new[0].seq} does not follow the one that we have")
        return new

    def take(self, found: list[Entry]) -> None:
        """Copy entries and do what they say, in one transaction.

        Untrusted where one cannot be applied; those before it are then kept all the same.
        """
        try:
            self._take(found)
        except Untrusted:
            if len(found) == 1:
                raise
            for entry in found:
                self._take([entry])

    def _take(self, found: list[Entry]) -> None:
        entry = found[0]
        try:
            with self._store.write() as transaction:
                for entry in found:
                    transaction.receive(entry)
                    self._apply(transaction, entry)
        except BrokenChain as error:
            raise Untrusted(str(error)) from error
        except UNFIT as error:
            if _failed(error):
                raise
            why = f"entry {entry.seq} ({entry.kind}) cannot be applied: {type(error).__name__}"
            raise Untrusted(why) from error

    def acknowledgement(self) -> bytes:
        """Where our copy ends, sealed."""
        with self._store.read() as connection:
            last = head(connection, self._store.journal, self._site, self._stream)
        return seal_ack(self._site, self._stream, self._keys, last, self._clock.now())

    def _read(self, bodies: list[bytes]) -> list[Entry]:
        try:
            found = [read_entry(self._site, body) for body in bodies]
        except (ValueError, RecursionError):
            raise Untrusted("an entry that cannot be read") from None
        last = Head(found[0].seq - 1, found[0].prev)
        for entry in found:
            if entry.stream is not self._stream:
                raise Untrusted("an entry of another journal")
            if (entry.seq, entry.prev) != (last.seq + 1, last.hash):
                raise Untrusted(f"entry {entry.seq} does not follow the one before")
            last = Head(entry.seq, entry.hash)
        return found

    def _stored_hashes(self, first: int, last: int) -> list[str]:
        with self._store.read() as connection:
            return _hashes(self._store.journal).scalars(
                connection, of=self._site, which=self._stream.value, first=first, last=last
            )


@lru_cache(maxsize=8)
def _hashes(journal: Table) -> Prepared:
    return Prepared(
        select(journal.c.hash)
        .where(
            journal.c.site == bindparam("of"),
            journal.c.stream == bindparam("which"),
            journal.c.seq.between(bindparam("first"), bindparam("last")),
        )
        .order_by(journal.c.seq)
    )
