"""The real district at the other end of the link, over a store in memory, and its messages."""

import asyncio
import sqlite3
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Any, Final

from sqlalchemy import select, update

from controller.codes import TYPED_DIGITS, mint_secret, mint_typed, qr_text
from controller.district import schema as s
from controller.district.district import District as RealDistrict
from controller.district.mint import Mint
from controller.district.notices import Outbox
from controller.district.plan import Plan, SitePlan
from controller.district.seal import Seal
from controller.entries import AlarmKind, Down, Up
from controller.entries_down import PlacedItem
from controller.journal import Entry, Head, Stream, entries, head
from controller.link.batches import LinkKeys
from controller.link.connection import Broker as Address
from controller.link.mqtt import DistrictMqtt
from controller.settings import SiteSettings
from controller.store import Store, memory_store
from simulator.rehearsal.broker import MemoryBroker
from simulator.rehearsal.district import Code, District, Order, quick_hash
from simulator.rehearsal.events import EventLog
from simulator.rehearsal.link_events import Alarmed, Kept, Rewound, Texted
from simulator.rehearsal.linked_people import People
from simulator.rehearsal.loop import StageClock
from simulator.rehearsal.shapes import VENDORS

WHO: Final = "district"
CLIENT: Final = "hall"
LOOKS_S: Final = 1_800.0  # what time alone changes is looked after so often
STARTS_S: Final = 2.0
_names = count(1)


class TrueClock:
    """A clock that nobody sets wrong."""

    def __init__(self, clock: StageClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.true_now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


@dataclass(frozen=True)
class OwnMint(Mint):
    """Labels are the ones that people of the rehearsal know things by."""

    labels: deque[str] = field(default_factory=deque)

    def label(self) -> str:
        return self.labels.popleft()


class Phones:
    """The gateway: the same message again reaches nobody."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._taken: set[str] = set()
        self.of: dict[str, str] = {}  # a phone's order

    def send(self, message_id: str, to: str, text: str) -> None:
        del text
        if message_id not in self._taken:
            self._taken.add(message_id)
            self._log.note(Texted(self.of[to], message_id))


class LinkedDistrict(District):
    """Orders are placed as clients place them; whatever it says goes by the link."""

    def __init__(
        self,
        settings: SiteSettings,
        seed: str,
        clock: StageClock,
        log: EventLog,
        broker: MemoryBroker,
    ) -> None:
        self.dice = Random(f"{seed}/linked")
        self._settings = settings
        self._dice = self.dice
        self._now = clock.true_now
        self.clock = TrueClock(clock)
        self.people = People(self.dice)
        self.phones = Phones(log)
        self.orders: dict[str, Order] = {}
        self.badges: dict[str, str] = {}
        self.said = 0
        self.told = lambda _entry: None
        self._log, self._broker = log, broker
        self._site = settings.site.id
        self._keys = LinkKeys.of(settings.link.key.get_secret_value())
        self._mint = OwnMint(self.dice.getrandbits, self.dice.randrange, quick_hash)
        self._seal = Seal(self.dice.randbytes(32), self.dice.randbytes)
        self._stored = memory_store(f"rehearsal{next(_names)}", s.journal, self.clock)
        self.store: Store = self._stored.__enter__()
        with self.store.write() as transaction:
            s.metadata.create_all(transaction.connection)
        self._kept: sqlite3.Connection | None = None  # a copy that may be put back
        self._ready = asyncio.Event()  # somebody may have to be told
        self._ends = asyncio.Event()
        self._off_s = STARTS_S
        self._rewinds = False
        self._plan = self._first_plan()
        self.real = self._begun()
        self.store.on_commit(self._committed)

    def close(self) -> None:
        self._stored.__exit__(None, None, None)
        if self._kept is not None:
            self._kept.close()

    def _first_plan(self) -> Plan:
        site, link = self._settings.site, self._settings.link
        own = SitePlan(
            site.id,
            site.name,
            site.address,
            code_key=link.code_key.get_secret_value(),
            typed_salt=link.typed_salt.get_secret_value(),
        )
        return Plan(
            "https://pickup.example",
            (own,),
            vendors={name: name for name in VENDORS},
            retention_s=self._retention_s,
        )

    def _committed(self, written: list[Entry]) -> None:
        for entry in written:
            self._log.note(Kept(entry))
            if entry.stream is Stream.DOWN:
                self.said = entry.seq
                self.told(entry)
            elif entry.kind == Up.PICKUP_READY:
                self._ready.set()
        if self._kept is not None and any(each.stream is Stream.DOWN for each in written):
            self._driver().backup(self._kept)  # what it said is never lost, only what it heard

    # its process

    async def live(self) -> None:
        """Its link and its messages, started again whenever they end; until cancelled."""
        while True:
            self._ends.clear()
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._link().run()),
                    group.create_task(self._send_messages()),
                ]
                await self._ends.wait()
                for task in tasks:
                    task.cancel()
            if self._rewinds:
                self._put_back()
            await self.clock.sleep(self._off_s)
            self.real = self._begun()

    def _begun(self) -> RealDistrict:
        return RealDistrict(self.store, self.clock, self._seal, self._plan, self._mint)

    def _put_back(self) -> None:
        assert self._kept is not None
        self._kept.backup(self._driver())
        self._kept.close()
        self._kept, self._rewinds = None, False
        self.store = Store(self.store.writer, self.store.reader, s.journal, self.clock)
        self.store.on_commit(self._committed)
        self._log.note(Rewound("district", self.head(Stream.UP).seq, self.head(Stream.DOWN).seq))

    def _link(self) -> DistrictMqtt:
        return DistrictMqtt(
            Address("broker", 1, WHO, "", WHO),
            {self._site: self._keys},
            self.store,
            s.acked,
            self.real.apply,
            self._alarm,
            lambda site, online: self.real.saw(site, self.clock.now(), online=online),
            clock=self.clock,
            chance=Random(self.dice.getrandbits(64)),
            dial=self._broker.dial,
        )

    def _alarm(self, kind: str, site: str, _what: str) -> None:
        self._log.note(Alarmed("district", kind))
        self.real.raise_alarm(site, AlarmKind(kind))

    async def _send_messages(self) -> None:
        outbox = Outbox(self.store, self.clock, self._seal, self.phones, self.real.changes)
        while True:
            self.real.tick()
            outbox.send_due()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKS_S):
                    while True:
                        self._ready.clear()
                        await self._ready.wait()
                        outbox.send_due()

    # what befalls it

    def kill(self, off_s: float) -> None:
        """Its process ends and is started again."""
        self._off_s = off_s
        self._ends.set()

    def keep_copy(self) -> None:
        """From now on `lose_tail` brings back what was heard up to now."""
        if self._kept is None:
            self._kept = sqlite3.connect(":memory:", check_same_thread=False)
        self._driver().backup(self._kept)

    def lose_tail(self, off_s: float) -> None:
        """The newest of what was heard is gone, as after a failover to a copy that was behind."""
        self._rewinds = self._kept is not None
        self.kill(off_s)

    def _driver(self) -> sqlite3.Connection:
        with self.store.writer.connect() as connection:
            found = connection.connection.driver_connection
        assert isinstance(found, sqlite3.Connection)
        return found

    def head(self, stream: Stream) -> Head:
        """How far a journal goes here."""
        with self.store.read() as connection:
            return head(connection, s.journal, self._site, stream)

    # what is said to the site

    def tell(self, kind: Down, data: dict[str, Any]) -> None:
        with self.store.write() as transaction:
            transaction.append(self._site, Stream.DOWN, kind.value, data)

    def after(self, seq: int) -> list[Entry]:
        with self.store.read() as connection:
            return list(entries(connection, s.journal, self._site, Stream.DOWN, after=seq))

    def grant(self, badge: str, role: str, vendor: str | None, until: datetime) -> None:
        super().grant(badge, role, vendor, until)
        self.people.secrets.add(self.badges[badge].removeprefix("OWB:"))

    def replace(self, order: Order, *, types: bool = False) -> Code:
        """As clients will be able to: from now on the new code is the one to be shown."""
        old, code = order.codes[-1], super().replace(order, types=types)
        secret, token = code.qr.rpartition(":")[2], mint_secret(self.dice.getrandbits)
        typed = code.typed[:TYPED_DIGITS] or mint_typed(self.dice.randrange)
        self.people.secrets |= {secret, typed, token, *filter(None, [code.card])}
        with self.store.write() as transaction:
            change = transaction.connection.execute
            change(update(s.codes).where(s.codes.c.code_id == old.code_id).values(state="replaced"))
            values = {"secret": secret, "typed": typed, "token": token}
            sealed = {
                name: self._seal.close(text, f"{name} {code.code_id}")
                for name, text in values.items()
            }
            change(
                s.codes.insert().values(
                    code_id=code.code_id,
                    order_no=order.number,
                    site_id=self._site,
                    typed_key=self._seal.key_of(typed, "typed"),
                    token_key=self._seal.key_of(token, "token"),
                    state="open",
                    **sealed,
                )
            )
        return code

    def _take_on(
        self, order: Order, items: list[PlacedItem], needs: dict[str, str], *, types: bool
    ) -> None:
        """As a client places it; labels and codes are minted here."""
        self._mint.labels.extend(each["label"] for each in items)
        card = bool(self._settings.card_reader)
        person = self.people.recipient(carries_card=types or card)
        self.phones.of[person["phone"]] = order.number
        self.real.place_order(
            {
                "order_no": order.number,
                "site_id": self._site,
                "company": self.people.company(order.number),
                "recipients": [person],
                "items": [_as_asked(each) for each in items],
                "needs": needs,
            },
            CLIENT,
        )
        code = self._code_of(order.number, person["phone"], types=types)
        code.card = person["id_number"] if card else ""
        order.codes.append(code)

    def _code_of(self, number: str, phone: str, *, types: bool) -> Code:
        """What the recipient will be shown."""
        with self.store.read() as connection:
            row = connection.execute(
                select(s.codes).where(s.codes.c.order_no == number, s.codes.c.state == "open")
            ).one()
        secret, typed, token = (
            self._seal.open(getattr(row, name), f"{name} {row.code_id}")
            for name in ("secret", "typed", "token")
        )
        self.people.secrets |= {secret, typed, token}
        qr = qr_text(self._site, secret)
        return Code(row.code_id, number, qr, phone[-4:], typed + phone[-4:] if types else "")

    def cancel(self, order: Order) -> None:
        """As clients will be able to: the order is over here, and the site is told."""
        order.cancelled = True
        with self.store.write() as transaction:
            transaction.connection.execute(
                update(s.orders)
                .where(s.orders.c.order_no == order.number)
                .values(state="cancelled")
            )
            data = {"order": order.number, "reason": "withdrawn"}
            transaction.append(self._site, Stream.DOWN, Down.ORDER_CANCELLED.value, data)


def _as_asked(item: PlacedItem) -> dict[str, str]:
    """What a client says of it."""
    asked = {"item_id": item["item_id"], "kind": item["kind"], "holder": item["holder"]}
    return asked | ({"vendor_id": item["vendor_id"]} if item["vendor_id"] else {})
