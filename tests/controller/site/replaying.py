"""What a town's journals say when they are all that is left of it."""

from pathlib import Path

from controller.clock import ManualClock
from controller.journal import Stream, entries
from controller.site import recall
from controller.site.schema import journal, metadata
from controller.store import open_store
from tests.controller.site.world import SITE, START, Town

# What no journal tells, and why nobody misses it.
UNTOLD = {
    "journal": None,
    "acked": None,  # how far the other side has it
    "marks": None,  # the latest moment on record: the journal's own is one
    "holds": None,
    "recalls": None,
    "tries": None,  # of digits that no journal may hold, for a day
    "hindrances": None,  # days that were lost by them are told at their end
}


def states(connection):
    return {
        table.name: sorted(map(str, connection.execute(table.select())))
        for table in metadata.sorted_tables
        if table.name not in UNTOLD
    }


def replayed(town: Town, path: Path):
    """What the town's journals say when they are all that is left."""
    with open_store(path, journal, ManualClock(START)) as store:
        with store.write() as transaction:
            metadata.create_all(transaction.connection)
        with town.store.read() as old, store.write() as transaction:
            up, down = (list(entries(old, journal, SITE, stream)) for stream in Stream)
            recall.replay(transaction, up, down)
        with store.read() as connection:
            return states(connection)


def check(town: Town, path: Path) -> None:
    with town.store.read() as connection:
        there = states(connection)
    again = replayed(town, path)
    for name, rows in there.items():
        assert again[name] == rows, name
