"""Messages on their way: queued with the fact that they tell, sent once it is durable."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, bindparam, select

from controller.district import pickup, queries
from controller.district import schema as s
from controller.district.changes import Changes
from controller.district.messages import Event, Messenger, NotSent, due, write_ready
from controller.district.plan import Plan
from controller.district.seal import Seal
from controller.entries import OrderState
from controller.journal import rfc3339
from controller.ports import Clock
from controller.prepared import Prepared
from controller.rows import add_row, change_rows
from controller.store import Store

log = structlog.get_logger()

LOOK_S = 0.5
BATCH = 50
ID_DIGITS = 32  # of a message: 128 bits
STILL_TRUE = frozenset({OrderState.READY, OrderState.PARTLY_COLLECTED, OrderState.OVERDUE})

_told = select(s.messages.c.recipient_id).where(
    s.messages.c.order_no == bindparam("order"), s.messages.c.event == bindparam("of_event")
)
_UNTOLD: Final = Prepared(
    select(s.recipients.c.recipient_id).where(
        s.recipients.c.order_no == bindparam("order"), s.recipients.c.recipient_id.not_in(_told)
    )
)
_DUE: Final = Prepared(
    select(s.messages, s.recipients.c.phone, s.orders.c.state.label("order_state"))
    .join(s.recipients, s.recipients.c.recipient_id == s.messages.c.recipient_id)
    .join(s.orders, s.orders.c.order_no == s.messages.c.order_no)
    .where(s.messages.c.state == "queued", s.messages.c.due_at <= bindparam("now"))
    .order_by(s.messages.c.due_at, s.messages.c.message_id)
    .limit(BATCH)
)


async def finished(work: Callable[[], object]) -> None:
    """`work` was done in a thread, whole even if we are told to stop: the store closes after us."""
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await running
        raise


class Notices:
    def __init__(self, clock: Clock, seal: Seal, plan: Plan) -> None:
        self._clock = clock
        self._seal = seal
        self._plan = plan

    def queue_ready(self, connection: Connection, order_no: str) -> None:
        """Every recipient will be told, once, in the caller's transaction."""
        order = queries.order(connection, order_no)
        code = pickup.open_code(connection, self._seal, self._plan.url, order_no)
        if order is None or code is None or order.expires_at is None:
            return
        site = next(site.name for site in self._plan.sites if site.site_id == order.site_id)
        text = write_ready(
            self._plan.lang,
            company=order.company,
            kinds=[item.kind for item in order.items],
            site=site,
            expires_at=order.expires_at,
            url=code.url,
            code=code.typed_code,
        )
        self._queue(connection, order_no, Event.READY, text)

    def _queue(self, connection: Connection, order_no: str, event: Event, text: str) -> None:
        at = due(self._clock.now(), at_night=self._plan.notify_at_night)
        for recipient_id in _UNTOLD.scalars(connection, order=order_no, of_event=event):
            # The same event always has the same id: a district that went back to an earlier state
            # may queue it once more, and the gateway then reaches nobody twice.
            words = f"{order_no}\n{recipient_id}\n{event}"
            message_id = self._seal.key_of(words, "message")[:ID_DIGITS]
            add_row(
                connection,
                s.messages,
                message_id=message_id,
                order_no=order_no,
                recipient_id=recipient_id,
                event=event,
                text=self._seal.close(text, f"message {message_id}"),
                state="queued",
                due_at=rfc3339(at),
            )


class Outbox:
    """Sends what is due. A message that is no longer true is dropped."""

    def __init__(
        self, store: Store, clock: Clock, seal: Seal, messenger: Messenger, changes: Changes
    ) -> None:
        self._store = store
        self._clock = clock
        self._seal = seal
        self._messenger = messenger
        self._changes = changes

    async def run(self) -> None:
        while True:
            await finished(self.send_due)
            await self._clock.sleep(LOOK_S)

    def send_due(self) -> int:
        """How many messages were settled."""
        with self._store.read() as connection:
            rows = _DUE.rows(connection, now=rfc3339(self._clock.now()))
        return sum(self._settle(row) for row in rows)

    def _settle(self, row: Row[Any]) -> bool:
        state = "sent" if row.order_state in STILL_TRUE else "dropped"
        if state == "sent":
            to = self._seal.open(row.phone, f"phone {row.recipient_id}")
            text = self._seal.open(row.text, f"message {row.message_id}")
            try:
                self._messenger.send(row.message_id, to, text)
            except NotSent:
                log.warning("message.not_sent", message=row.message_id)
                return False
        with self._store.write() as tx:
            message = {"message_id": row.message_id}
            sent_at = rfc3339(self._clock.now())
            change_rows(tx.connection, s.messages, message, state=state, sent_at=sent_at)
        log.info("message.settled", message=row.message_id, state=state)
        self._changes.ring()
        return True


class DemoPhone:
    """A messenger whose phone is a table; the demo's page shows it."""

    def __init__(self, store: Store, clock: Clock, seal: Seal) -> None:
        self._store = store
        self._clock = clock
        self._seal = seal

    def send(self, message_id: str, to: str, text: str) -> None:
        with self._store.write() as tx:
            known = select(s.phone_texts.c.message_id).where(
                s.phone_texts.c.message_id == message_id
            )
            if tx.connection.execute(known).first() is None:
                tx.connection.execute(
                    s.phone_texts.insert().values(
                        message_id=message_id,
                        phone_key=self._seal.key_of(to, "phone"),
                        text=self._seal.close(text, f"text {message_id}"),
                        at=rfc3339(self._clock.now()),
                    )
                )
