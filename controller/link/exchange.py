"""Both journals of one site, at one end of the link: what is said, heard and done about it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from random import Random
from typing import Protocol

import structlog
from sqlalchemy import Table

from controller.journal import BrokenChain, Entry, Head, Stream, head
from controller.link import topics
from controller.link.batches import LinkKeys, Untrusted
from controller.link.connection import Line
from controller.link.recall import Question, answer, open_answer, open_question, seal_question
from controller.link.receiver import Apply, Gap, Receiver
from controller.link.sender import Sender
from controller.ports import Clock
from controller.store import Store, Transaction

log = structlog.get_logger()

Alarm = Callable[[str, str, str], None]  # kind, where, what

JOURNAL_BROKEN = "journal_broken"
ASK_AGAIN_S = 2.0
TOGETHER = 10  # entries in one transaction: a few syncs for a batch, and some 10 ms of the loop


class Witness(Protocol):
    """A site that may have lost entries which the other side has."""

    @property
    def is_held(self) -> bool:
        """It writes nothing of its own: what it has lost is asked for."""
        ...

    @property
    def is_sure(self) -> bool:
        """What its tables say is so; a database that may be an old one says nothing to others."""
        ...

    def hear(self, copied: Head, at: datetime) -> None:
        """The other side has sealed where its copy of our journal ends, and its time."""
        ...

    def recall(self, transaction: Transaction, entry: Entry) -> None:
        """An entry that was lost is there again: what it says holds, and nothing is done."""
        ...

    def recalled(self, copied: Head) -> None:
        """Nothing follows what we have; the other side's copy of our journal ends here."""
        ...


class Exchange:
    """Sends one journal of a site and copies the other."""

    def __init__(
        self,
        site: str,
        writes: Stream,
        keys: LinkKeys,
        store: Store,
        acked: Table,
        *,
        apply: Apply,
        alarm: Alarm,
        clock: Clock,
        chance: Random,
        witness: Witness | None = None,
    ) -> None:
        copies = Stream.DOWN if writes is Stream.UP else Stream.UP
        self.site = site
        self.writes = writes
        self.hears = (topics.journal(site, copies), topics.journal_ack(site, writes))
        self.asks = topics.journal_ask(site)
        self._batch_topic = topics.journal(site, writes)
        self._ack_topic = topics.journal_ack(site, copies)
        self._sender = Sender(site, writes, keys, store, acked, clock, chance)
        self._receiver = Receiver(site, copies, keys, store, apply, clock)
        self._alarm = alarm
        self._witness = witness
        self._asked: str | None = None  # the number of the question that waits for its answer
        self._keys, self._store, self._chance = keys, store, chance
        self._clock = clock
        self._woken = asyncio.Event()
        self._told: str | None = None  # of the trouble that the last alarm was raised for

    def wake(self) -> None:
        """Something was committed that may have to be sent. Call on the loop only."""
        self._woken.set()

    async def run(self, line: Line) -> None:
        """Say where our copy ends, then send what is there to send as long as the line lasts."""
        self._sender.connected()
        self._asked = None
        was_held = True
        while True:
            self._woken.clear()
            if self._is_held():
                was_held = True
                await self._ask(line)
                continue
            if was_held:
                was_held = False
                await self._acknowledge(line)
            wait_s = self._sender.wait_s()
            if wait_s == 0:
                await self._send(line)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()

    async def hear(self, topic: str, payload: bytes, line: Line) -> None:
        """Do what a message asks for. An untrusted one changes nothing and raises one alarm."""
        batches, acks = self.hears
        try:
            if topic == acks and payload:
                self._hear_ack(payload)
                self._woken.set()
            elif topic == self.asks and payload:
                question = open_question(payload, self.site, self._keys)
                found = answer(self.site, self._keys, self._store, question)
                await line.publish(self._batch_topic, found)
            elif topic == batches and payload and self._is_held():
                await self._recall(payload)
            elif topic == batches and payload:
                await self._copy(payload)
                await self._acknowledge(line)
                self._told = None
        except Gap as gap:
            self._trouble(topic, str(gap))
            await self._acknowledge(line)
        except Untrusted as flaw:
            self._trouble(topic, str(flaw))

    def _is_held(self) -> bool:
        return self._witness is not None and self._witness.is_held

    def _hear_ack(self, payload: bytes) -> None:
        told = self._sender.read(payload)
        if self._witness is not None:
            self._witness.hear(told.head, told.at)
        if not self._is_held():
            self._sender.accept(told)

    async def _ask(self, line: Line) -> None:
        """Ask once, and wait for the answer; without one the next question is another."""
        with self._store.read() as connection:
            up, down = (
                head(connection, self._store.journal, self.site, stream)
                for stream in (Stream.UP, Stream.DOWN)
            )
        self._asked = f"{self._chance.getrandbits(128):032x}"
        question = seal_question(self.site, self._keys, Question(self._asked, up, down))
        await line.publish(self.asks, question)
        with suppress(TimeoutError):
            async with asyncio.timeout(ASK_AGAIN_S):
                await self._woken.wait()

    async def _recall(self, payload: bytes) -> None:
        """Take what the answer holds, each entry with what it says in one transaction."""
        assert self._witness is not None
        told = open_answer(payload, self.site, self._keys)
        if told is None or told.nonce != self._asked:
            return
        self._asked = None
        try:
            for first in range(0, len(told.entries), TOGETHER):
                with self._store.write() as transaction:
                    for entry in told.entries[first : first + TOGETHER]:
                        transaction.receive(entry)
                        self._witness.recall(transaction, entry)
                await self._clock.sleep(0)
        except BrokenChain as broken:
            self._witness.recalled(told.copied)
            raise Untrusted(str(broken)) from broken
        if not told.entries:
            self._witness.recalled(told.copied)
        self._woken.set()

    async def _copy(self, payload: bytes) -> None:
        found = self._receiver.open(payload)
        for first in range(0, len(found), TOGETHER):
            self._receiver.take(found[first : first + TOGETHER])
            await self._clock.sleep(0)  # others have the loop between two transactions

    async def _acknowledge(self, line: Line) -> None:
        await line.publish(self._ack_topic, self._receiver.acknowledgement(), retain=True)

    async def _send(self, line: Line) -> None:
        try:
            batch = self._sender.next_batch()
        except Untrusted as flaw:
            self._trouble(self._batch_topic, str(flaw))
        else:
            await line.publish(self._batch_topic, batch)

    def _trouble(self, topic: str, what: str) -> None:
        """One alarm for one trouble, however often it comes again."""
        if what != self._told:
            self._told = what
            log.warning("link.refused", site=self.site, topic=topic, why=what)
            self._alarm(JOURNAL_BROKEN, self.site, what)


class Waker:
    """Carries news of commits to the loop, from whichever thread made them."""

    def __init__(self, wake: Callable[[list[Entry]], None], writes: Stream) -> None:
        self._wake = wake
        self._writes = writes
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def awake(self) -> Iterator[None]:
        """As long as this lasts, `wake` is called on this loop with the entries that we wrote."""
        self._loop = asyncio.get_running_loop()
        try:
            yield
        finally:
            self._loop = None

    def committed(self, entries: list[Entry]) -> None:
        """A listener for `Store.on_commit`."""
        loop = self._loop
        written = [entry for entry in entries if entry.stream is self._writes]
        if loop is not None and written:
            with suppress(RuntimeError):  # a thread's last commit while the loop is closing
                loop.call_soon_threadsafe(self._wake, written)
