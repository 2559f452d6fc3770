"""A site's and a district's real connections, on real schemas, beside a real broker."""

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager
from random import Random

from controller.clock import SystemClock
from controller.district import schema as district_schema
from controller.journal import Stream, entries
from controller.link.batches import LinkKeys
from controller.link.connection import Broker
from controller.link.mqtt import DistrictMqtt
from controller.site import schema as site_schema
from controller.store import open_store
from controller.telemetry.mqtt import SiteMqtt
from tests.brokers import DISTRICT, password
from tests.listener import Listener

CLOCK = SystemClock()
PATIENCE_S = 30
AT = "2026-11-24T07:00:00.000Z"


def keys_of(site):
    return LinkKeys.of(f"the link key of {site}".encode())


async def until(true, what):
    """Wait for a condition on the loop's own thread."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"never seen: {what}"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def running(*parts):
    """Run each part's `run` until the block ends."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part.run()) for part in parts]
        yield
        for task in tasks:
            task.cancel()


class End:
    """One end's store and what it was told to do."""

    def __init__(self, store, reads):
        self.store = store
        self.applied = []
        self.alarms = []
        self.heard = []
        self.is_held, self.is_sure = False, True
        self._reads = reads

    def apply(self, _transaction, entry):
        self.applied.append((entry.site, entry.seq))

    def alarm(self, kind, where, what):
        self.alarms.append((kind, where, what))

    def hear(self, copied, at):
        self.heard.append((copied, at))

    def journal(self, site, stream):
        with self.store.read() as connection:
            return [entry.body for entry in entries(connection, self.store.journal, site, stream)]


def address(broker, username):
    return Broker(
        broker.host, broker.port, username, password(username), f"onewindow-{username}", 10
    )


class SiteEnd(End):
    """A site with doors A/1 to A/3 and machine M1."""

    def __init__(self, store, site="FT-0001"):
        super().__init__(store, Stream.DOWN)
        self.site = site
        self.health = {"A": {"boards": {"A1": "ok"}, "lines": {}}}
        with store.write() as transaction:
            rows = transaction.connection
            for no in (1, 2, 3):
                rows.execute(
                    site_schema.compartments.insert().values(
                        cabinet="A", no=no, size="S", height_cm=90, reach="mid", state="free"
                    )
                )
                rows.execute(
                    site_schema.doors.insert().values(
                        cabinet="A", no=no, door="shut", state="closed", n=0, at=AT
                    )
                )
            rows.execute(
                site_schema.machines.insert().values(
                    machine="M1", next_seq=1, next_job=1, state="idle", blanks=90, faults="", at=AT
                )
            )

    def mqtt(self, broker):
        return SiteMqtt(
            address(broker, self.site),
            self.site,
            keys_of(self.site),
            self.store,
            site_schema.acked,
            apply=self.apply,
            alarm=self.alarm,
            health=lambda: self.health,
            witness=self,
            clock=CLOCK,
            chance=Random(7),
        )

    def write(self, count=1):
        with self.store.write() as transaction:
            for _ in range(count):
                transaction.append(self.site, Stream.UP, "feedback.rated", {"stars": 5})

    def move_door(self, no, state, *, fail=False):
        """A door changes, as the rules would write it."""
        with self.store.write() as transaction:
            transaction.connection.execute(
                site_schema.doors.update()
                .where(site_schema.doors.c.no == no)
                .values(state=state, n=site_schema.doors.c.n + 1)
            )
            transaction.append(self.site, Stream.UP, "door.opened", {"where": f"A/{no}", "n": 1})
            if fail:
                raise LookupError("the power went")

    def change(self, table, **values):
        with self.store.write() as transaction:
            transaction.connection.execute(table.update().values(**values))
            transaction.append(self.site, Stream.UP, "machine.changed", {"faults": []})


class DistrictEnd(End):
    def __init__(self, store, sites=("FT-0001", "FT-0002")):
        super().__init__(store, Stream.UP)
        self.sites = sites
        self.statuses = []

    def mqtt(self, broker):
        return DistrictMqtt(
            address(broker, DISTRICT),
            {site: keys_of(site) for site in self.sites},
            self.store,
            district_schema.acked,
            apply=self.apply,
            alarm=self.alarm,
            on_status=lambda site, online: self.statuses.append((site, online)),
            clock=CLOCK,
            chance=Random(8),
        )

    def write(self, site="FT-0001", count=1):
        with self.store.write() as transaction:
            for _ in range(count):
                transaction.append(site, Stream.DOWN, "badge.revoked", {"badge": "b"})


@contextmanager
def site_end(folder, site="FT-0001"):
    with open_store(folder / f"{site}.db", site_schema.journal, CLOCK) as store:
        site_schema.metadata.create_all(store.writer)
        yield SiteEnd(store, site)


@contextmanager
def district_end(folder):
    with open_store(folder / "district.db", district_schema.journal, CLOCK) as store:
        district_schema.metadata.create_all(store.writer)
        yield DistrictEnd(store)


def same(site, district):
    """Whether both copies are equal to their originals."""
    return all(
        site.journal(site.site, stream) == district.journal(site.site, stream) for stream in Stream
    )


@contextmanager
def listening(broker, username="viewer"):
    listener = Listener()
    listener.connect(broker.host, broker.port, username, password(username))
    try:
        yield listener
    finally:
        listener.close()
