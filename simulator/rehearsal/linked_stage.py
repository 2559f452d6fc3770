"""A stage whose site and district talk as in earnest: the real link over a broker in memory."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import func, select

from controller.entries import Down
from controller.journal import GENESIS, Entry, Head, Stream, rfc3339
from controller.link.batches import LinkKeys, Untrusted, open_batch, seal_ack, seal_batch
from controller.link.connection import Broker as Address
from controller.ports import Clock
from controller.settings import SiteSettings
from controller.site import schema
from controller.site.holding import Why
from controller.site.site import Site
from controller.store import Store
from controller.telemetry.mqtt import HEALTH_EVERY_S, SiteMqtt
from simulator.plan import Plan
from simulator.rehearsal.broker import MemoryBroker, Mischief
from simulator.rehearsal.link import Wire
from simulator.rehearsal.link_events import Forged, Recalled, Rewound, Sealed, Sent, Shown
from simulator.rehearsal.linked_district import WHO, LinkedDistrict
from simulator.rehearsal.loop import StageClock
from simulator.rehearsal.stage import Stage
from simulator.rehearsal.tables import Found

HOSTILE: Final = Mischief(0.15, 0.2, 0.15, 0.15, 0.1, 0.15)
SELDOM_S: Final = 600.0
FOREIGN: Final = LinkKeys.of(b"a key that this site never had!!")


class Unhurried:
    """A site's clock, on which what is told twice a minute is told six times an hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds if seconds < HEALTH_EVERY_S else SELDOM_S)


class BrokerWire(Wire):
    """What the storm turns: the broker itself is hostile, or is not."""

    def __init__(self, settings: SiteSettings, broker: MemoryBroker) -> None:
        self._broker = broker
        super().__init__(settings)

    @property
    def hostile(self) -> bool:
        return self._broker.mischief is HOSTILE

    @hostile.setter
    def hostile(self, so: bool) -> None:
        self._broker.mischief = HOSTILE if so else Mischief()


class LinkedStage(Stage):
    """`broker` is what stands between; `district` is the real one."""

    linked = True
    district: LinkedDistrict

    def __init__(
        self, settings: SiteSettings, plan: Plan, folder: Path, *, seed: str, start: datetime
    ) -> None:
        self.broker = MemoryBroker(Random(f"{seed}/broker"), StageClock(start))
        self.published: list[Callable[[str, bytes], None]] = []  # told of all that is published
        super().__init__(settings, plan, folder, seed=seed, start=start)
        self.wire = BrokerWire(settings, self.broker)
        self._id = settings.site.id
        self._link_keys = LinkKeys.of(settings.link.key.get_secret_value())
        self._dice = Random(f"{seed}/link")
        self._durable: dict[Stream, int] = {}  # the newest that was told of
        self.restored_from: Path | None = None  # what the site starts from the next time
        self._shown: dict[str, tuple[str, int]] = {}
        self._cut_before: dict[str, list[bytes]] = {}
        self.broker.taps.append(self._overhear)
        self.broker.forge, self.broker.recut = self._forge, self._recut

    def _new_district(self, seed: str) -> LinkedDistrict:
        return LinkedDistrict(self.settings, seed, self.clock, self.log, self.broker)

    @property
    def online(self) -> bool:
        return self.broker.net(self.settings.site.id).up

    @online.setter
    def online(self, so: bool) -> None:
        (self.broker.mend if so else self.broker.cut)(self.settings.site.id)

    async def live(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.district.live())
            group.create_task(super().live())

    async def _process(self) -> None:
        if self.restored_from is not None:
            self._put_back(self.restored_from)
            self.restored_from = None
        await super()._process()

    def _put_back(self, copy: Path) -> None:
        """The file is an old one when the site starts."""
        for end in ("-wal", "-shm"):
            Path(f"{self.database}{end}").unlink(missing_ok=True)
        shutil.move(copy, self.database)
        with closing(sqlite3.connect(self.database)) as here:
            seqs = dict(here.execute("SELECT stream, max(seq) FROM journal GROUP BY stream"))
        self.log.note(Rewound("site", seqs.get("up", 0), seqs.get("down", 0)))

    def newest_items(self) -> Found:
        """Nothing of an old database is said before it knows what it did."""
        own = schema.journal.c.stream == Stream.UP.value
        ((newest,),) = self.rows(select(func.max(schema.journal.c.seq)).where(own))
        behind = (newest or 0) < self._durable.get(Stream.UP, 0)
        if behind or any(row.why != Why.RELEASED for row in self.rows(select(schema.holds))):
            return {}
        return super().newest_items()

    def _neighbours(self, group: asyncio.TaskGroup, site: Site, store: Store) -> None:
        mqtt = SiteMqtt(
            Address("broker", 1, self._id, "", self._id),
            self._id,
            self._link_keys,
            store,
            schema.acked,
            apply=site.inbox.apply,
            alarm=site.link_refused,
            health=dict,
            witness=site,
            clock=Unhurried(site.time),
            chance=Random(self._dice.getrandbits(64)),
            dial=self.broker.dial,
        )
        group.create_task(mqtt.run())

    def _committed(self, entries: list[Entry]) -> None:
        """What a restored database takes over again is no news of the world."""
        told: list[Entry] = []
        for entry in entries:
            if entry.seq <= self._durable.get(entry.stream, 0):
                self.log.note(Recalled(entry))
                continue
            self._durable[entry.stream] = entry.seq
            told.append(entry)
        super()._committed(told)

    # what passes the broker

    def _overhear(self, who: str, topic: str, payload: bytes) -> None:
        for told in self.published:
            told(topic, payload)
        words = topic.split("/")
        by = "district" if who == WHO else "site"
        if words[-1] == "door":
            self._saw_door(f"{words[3]}/{words[4]}", json.loads(payload))
        elif words[-1] == "ack":
            self.log.note(Sealed(by, json.loads(payload)["seq"]))
        elif words[-1] in ("up", "down") and "answer" not in (batch := json.loads(payload)):
            first, last = (json.loads(batch["entries"][each])["seq"] for each in (0, -1))
            self.log.note(Sent(by, first, last))

    def _saw_door(self, where: str, told: dict[str, Any]) -> None:
        now = (told["state"], told["n"])
        if self._shown.get(where) != now:
            self._shown[where] = now
            self.log.note(Shown(where, *now))

    # what a hostile broker makes of it

    def _forge(self, topic: str, payload: bytes) -> bytes | None:
        """Something that the other end never sealed, as near to it as can be."""
        *_, before, last = topic.split("/")
        if last not in ("up", "down", "ack"):
            return None
        stream = Stream(before if last == "ack" else last)
        self.log.note(Forged(self._hears(stream, ack=last == "ack"), topic))
        if self._dice.random() < 1 / 2:
            spot = self._dice.randrange(len(payload))
            return payload[:spot] + bytes([payload[spot] ^ 1]) + payload[spot + 1 :]
        if last == "ack":
            nothing = Head(0, GENESIS)
            return seal_ack(self._id, stream, FOREIGN, nothing, self.clock.true_now())
        return seal_batch(self._id, stream, FOREIGN, [self._opens_a_door(stream)])

    def _hears(self, stream: Stream, *, ack: bool) -> str:
        return "site" if (stream is Stream.DOWN) is not ack else "district"

    def _opens_a_door(self, stream: Stream) -> bytes:
        """The next entry of the chain, which is no secret."""
        last = self.district.head(stream)
        words = {
            "stream": stream.value,
            "seq": last.seq + 1,
            "at": rfc3339(self.clock.true_now()),
            "kind": Down.COMPARTMENT_OPEN.value,
            "data": {"command": "c1", "where": "A/1", "reason": "x", "expires_at": "2030-01-01"},
            "prev": last.hash,
        }
        return json.dumps(words, separators=(",", ":")).encode()

    def _recut(self, topic: str, payload: bytes) -> list[bytes]:
        """The same entries in other batches, as another release might send them."""
        _, _, word = topic.rpartition("/")
        if word not in ("up", "down"):
            return [payload]
        stream = Stream(word)
        try:
            bodies = open_batch(payload, self._id, stream, self._link_keys)
        except Untrusted:  # the answer to a question
            return [payload]
        before, self._cut_before[word] = self._cut_before.get(word, []), bodies
        middle = len(bodies) // 2
        parts = [bodies[:middle], bodies[middle:]]
        if self._dice.random() < 1 / 2 and len(before) + len(bodies) <= len(bodies) + 20:
            parts = [[*before, *bodies] if _follows(before, bodies) else bodies]
        return [seal_batch(self._id, stream, self._link_keys, each) for each in parts if each]


def _follows(before: list[bytes], bodies: list[bytes]) -> bool:
    if not before:
        return False
    return bool(json.loads(before[-1])["seq"] + 1 == json.loads(bodies[0])["seq"])
