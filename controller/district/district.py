"""One city district: its orders, codes, sites and messages. What clients and pages talk to.

Its methods are plain and may be called from any thread; `run` belongs to the process's task group.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, select, text, update

from controller.district import fleet, pickup, queries
from controller.district import schema as s
from controller.district.alarms import end_own_alarms, raise_own_alarm, take_on
from controller.district.changes import Changes
from controller.district.doubts import Doubts
from controller.district.inbox import Inbox
from controller.district.messages import Messenger
from controller.district.mint import Mint
from controller.district.notices import Notices, Outbox, finished
from controller.district.opening import grant_badges, write_plan
from controller.district.orders import Orders
from controller.district.plan import Plan
from controller.district.seal import Seal, check_seal
from controller.district.views import (
    AlarmView,
    Figures,
    JournalPage,
    OrderFilter,
    OrdersPage,
    OrderView,
    PhoneText,
    PickupCodeView,
    PickupPage,
    SiteSummary,
    SiteView,
    VendorItem,
)
from controller.entries import AlarmKind, ItemState, OrderState
from controller.identifiers import NotAnIdentifier, phone
from controller.journal import Entry, Stream, rfc3339
from controller.ports import Clock
from controller.prepared import Prepared
from controller.refusals import Reason, Refused
from controller.rows import change_rows
from controller.store import Store, Transaction

TICK_S = 60.0
QUIET_S = 300.0  # an alarm about what a site sends ends after so long without another reason
LYING = (ItemState.LOADED, ItemState.RELEASING)

_END_TIMES: Final = Prepared(
    update(s.orders)
    .where(
        s.orders.c.state.in_((OrderState.READY, OrderState.PARTLY_COLLECTED)),
        s.orders.c.expires_at < bindparam("now"),
    )
    .values(state=OrderState.OVERDUE)
)


@dataclass(frozen=True, slots=True)
class Client:
    """A system that presented an API key."""

    name: str
    scopes: frozenset[str]


class District:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        seal: Seal,
        plan: Plan,
        mint: Mint | None = None,
    ) -> None:
        """The settings are in the database and the sites will hear of their badges."""
        mint = mint or Mint()
        self.store = store
        self.clock = clock
        self.plan = plan
        self.changes = Changes()
        self._began = clock.monotonic()
        self._refused_at: dict[str, float] = {}  # by site
        self._seal = seal
        self._mint = mint
        self._inbox = Inbox(Notices(clock, seal, plan))
        self._orders = Orders(store, clock, seal, mint, plan)
        self.doubts = Doubts(store, clock, seal, mint)
        check_seal(store, seal)
        write_plan(store, plan)
        grant_badges(store, clock, plan.badges)
        store.on_commit(lambda _: self.changes.ring())

    async def run(self, messenger: Messenger) -> None:
        """Send messages, renew badges, mark what is overdue; never returns."""
        async with asyncio.TaskGroup() as tasks:
            outbox = Outbox(self.store, self.clock, self._seal, messenger, self.changes)
            tasks.create_task(outbox.run(), name="outbox")
            tasks.create_task(self._tick(), name="tick")

    async def _tick(self) -> None:
        while True:
            await finished(self.tick)
            await self.clock.sleep(TICK_S)

    def tick(self) -> None:
        """What time alone changes: badges are renewed, orders become overdue, alarms end."""
        grant_badges(self.store, self.clock, self.plan.badges)
        now = self.clock.monotonic()
        heard = self._refused_at
        noisy = [site for site in heard if now - heard[site] < QUIET_S]
        with self.store.write() as tx:
            changed = _END_TIMES.run(tx.connection, now=rfc3339(self.clock.now()))
            ended = 0
            if now - self._began >= QUIET_S:
                ended = end_own_alarms(tx.connection, noisy, rfc3339(self.clock.now()))
        if changed or ended:
            self.changes.ring()

    # clients

    def client(self, key: str) -> Client | None:
        """Whose API key that is."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        with self.store.read() as connection:
            row = connection.execute(
                select(s.api_keys).where(s.api_keys.c.sha256 == digest)
            ).first()
        return Client(row.client, frozenset(row.scopes.split())) if row else None

    def place_order(self, body: Any, client: str, key: str | None = None) -> tuple[OrderView, bool]:
        """The order as it stands, and whether it is new; see `Orders.place` for what is refused."""
        number, new = self._orders.place(body, client, key)
        return self.order(number), new

    def order(self, order_no: str, client: str | None = None) -> OrderView:
        """NOT_FOUND where there is none, or it is another client's. No client: ops asks."""
        with self.store.read() as connection:
            found = queries.order(connection, order_no, client)
        if found is None:
            raise Refused(Reason.NOT_FOUND)
        return found

    def orders(self, wanted: OrderFilter, cursor: str | None = None, limit: int = 50) -> OrdersPage:
        with self.store.read() as connection:
            return queries.orders(connection, wanted, cursor, limit)

    def pickup_code(self, order_no: str, client: str | None = None) -> PickupCodeView:
        """NOT_FOUND as `order`; CONFLICT before the order is ready and after it is collected."""
        with self.store.read() as connection:
            return pickup.pickup_code(connection, self._seal, self.plan.url, order_no, client)

    def page(self, token: str) -> PickupPage | None:
        """What the recipient's link shows; None for a link that is none."""
        with self.store.read() as connection:
            return pickup.page(connection, self._seal, self.plan.url, token)

    # sites

    def sites(self) -> list[SiteSummary]:
        with self.store.read() as connection:
            return fleet.sites(connection)

    def site(self, site_id: str) -> SiteView:
        with self.store.read() as connection:
            found = fleet.site(connection, site_id)
        if found is None:
            raise Refused(Reason.NOT_FOUND)
        return found

    def alarms(self, site_id: str | None = None, *, standing: bool = True) -> list[AlarmView]:
        with self.store.read() as connection:
            return fleet.alarms(connection, site_id, standing=standing)

    def take_on(self, alarm_id: str, by: str, site_id: str | None = None) -> None:
        """Somebody looks after an alarm; see `alarms.take_on` for what is refused."""
        with self.store.write() as tx:
            take_on(tx, alarm_id, site_id, by, rfc3339(self.clock.now()))
        self.changes.ring()

    def alias(self, username: str) -> str:
        """How a journal names somebody who logs in here: opaque, and always the same."""
        return f"P{self._seal.key_of(username, 'login')[:12]}"

    def journal(
        self, site_id: str, after: int = 0, limit: int = 100, stream: Stream = Stream.UP
    ) -> JournalPage:
        with self.store.read() as connection:
            if fleet.site(connection, site_id) is None:
                raise Refused(Reason.NOT_FOUND)
            return queries.journal_page(connection, site_id, stream, after, limit)

    def apply(self, tx: Transaction, entry: Entry) -> None:
        """A site's entry takes effect in the transaction that stores it."""
        self._inbox.apply(tx, entry)

    def saw(self, site_id: str, at: datetime, *, online: bool) -> None:
        """The broker says that a site is there, or is not."""
        with self.store.write() as tx:
            change_rows(
                tx.connection,
                s.site_status,
                {"site_id": site_id},
                online=online,
                online_at=rfc3339(at),
            )
        self.changes.ring()

    def raise_alarm(self, site_id: str, kind: AlarmKind) -> None:
        """Something is wrong with what that site sends; one such alarm stands at a time."""
        self._refused_at[site_id] = self.clock.monotonic()
        with self.store.write() as tx:
            alarm_id, now = f"d-{self._mint.id()}", rfc3339(self.clock.now())
            raised = raise_own_alarm(tx.connection, alarm_id, site_id, kind, now)
        if raised:
            self.changes.ring()

    # vendors

    def to_load(self, vendor_id: str) -> list[VendorItem]:
        """Boxes that wait to be loaded; also the rows of the label sheet."""
        with self.store.read() as connection:
            return queries.vendor_items(connection, vendor_id, (ItemState.EXPECTED,))

    def where_is(self, vendor_id: str) -> list[VendorItem]:
        """Boxes that lie in a cabinet."""
        with self.store.read() as connection:
            return queries.vendor_items(connection, vendor_id, LYING)

    # the demo, and numbers

    def phone_messages(self, number: str) -> list[PhoneText]:
        """What reached that phone of the demo, newest first; nothing for what is no phone."""
        try:
            key = self._seal.key_of(phone(number), "phone")
        except NotAnIdentifier:
            return []
        with self.store.read() as connection:
            return queries.phone_texts(connection, self._seal, key)

    def order_messages(self, order_no: str) -> list[PhoneText]:
        """What reached the phones of one order's recipients in the demo."""
        with self.store.read() as connection:
            return queries.order_texts(connection, self._seal, order_no)

    def figures(self) -> Figures:
        with self.store.read() as connection:
            return queries.figures(connection)

    def ready(self) -> None:
        """The database answers; its own exception otherwise."""
        with self.store.read() as connection:
            connection.execute(text("SELECT 1"))
