"""A store with a link's tables at each end, and the wire between them."""

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from sqlalchemy import Column, Integer, MetaData, String, Table, select

from controller.clock import ManualClock
from controller.journal import Stream, entries, journal_table
from controller.link.batches import LinkKeys
from controller.link.receiver import Receiver
from controller.link.sender import Sender
from controller.store import open_store

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEYS = LinkKeys.of(b"a key of thirty-two bytes, or so")
FOREIGN_KEYS = LinkKeys.of(b"somebody else's key of some bytes")

metadata = MetaData()
journal = journal_table(metadata)
acked = Table(
    "acked",
    metadata,
    Column("site", String, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String, nullable=False),
    Column("at", String, nullable=False),
)
effects = Table(
    "effects",
    metadata,
    Column("site", String, primary_key=True),
    Column("entry", Integer, primary_key=True, autoincrement=False),
    Column("times", Integer, nullable=False),
)


def count_effect(transaction, entry):
    """What each entry does here: its row counts how often it was applied."""
    mine = (effects.c.site == entry.site) & (effects.c.entry == entry.data["no"])
    again = effects.update().where(mine).values(times=effects.c.times + 1)
    if not transaction.connection.execute(again).rowcount:
        row = {"site": entry.site, "entry": entry.data["no"], "times": 1}
        transaction.connection.execute(effects.insert().values(row))


@contextmanager
def store_at(path: Path, clock=None):
    with open_store(path, journal, clock or ManualClock(NOON)) as store:
        metadata.create_all(store.writer)
        yield store


class TwoEnds:
    """A site's journal going up: who writes it, who copies it, and both stores."""

    def __init__(self, ours, theirs, site="FT-0001"):
        self.site = site
        self.ours = ours
        self.theirs = theirs
        self.clock = ManualClock(NOON)
        self.sender = self.new_sender()
        self.receiver = Receiver(site, Stream.UP, KEYS, theirs, count_effect, self.clock)
        self.written = len(self.journal(ours))

    def new_sender(self):
        return Sender(self.site, Stream.UP, KEYS, self.ours, acked, self.clock, Random(1))

    def write(self, count=1, text="门"):
        with self.ours.write() as transaction:
            for _ in range(count):
                self.written += 1
                what = {"no": self.written, "text": text, "ratio": 1.0}
                transaction.append(self.site, Stream.UP, "door.opened", what)

    def copy(self, payload):
        """What the other end does with a batch, and its answer."""
        if found := self.receiver.open(payload):
            self.receiver.take(found)
        return self.receiver.acknowledgement()

    def calm(self, rounds=200):
        """Deliver everything until nothing is left to send."""
        for _ in range(rounds):
            if self.sender.wait_s() is None:
                return
            self.sender.acknowledged(self.copy(self.sender.next_batch()))
        raise AssertionError("they never agree")

    def journal(self, store):
        with store.read() as connection:
            return [entry.body for entry in entries(connection, journal, self.site, Stream.UP)]

    def applied(self):
        """How often each entry was applied at the other end."""
        with self.theirs.read() as connection:
            rows = connection.execute(
                select(effects.c.entry, effects.c.times)
                .where(effects.c.site == self.site)
                .order_by(effects.c.entry)
            )
            return [tuple(row) for row in rows]
