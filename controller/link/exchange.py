"""Both journals of one site, at one end of the link: what is said, heard and done about it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random

import structlog
from sqlalchemy import Table

from controller.journal import Entry, Stream
from controller.link import topics
from controller.link.batches import Acknowledgement, LinkKeys, Untrusted
from controller.link.connection import Line
from controller.link.receiver import Apply, Gap, Receiver
from controller.link.sender import Sender
from controller.ports import Clock
from controller.store import Store

log = structlog.get_logger()

Heard = Callable[[Acknowledgement], None]  # what the other side sealed and told
Alarm = Callable[[str, str, str], None]  # kind, where, what

JOURNAL_BROKEN = "journal_broken"
TOGETHER = 10  # entries in one transaction: a few syncs for a batch, and some 10 ms of the loop


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
        heard: Heard = lambda _told: None,
    ) -> None:
        copies = Stream.DOWN if writes is Stream.UP else Stream.UP
        self.site = site
        self.writes = writes
        self.hears = (topics.journal(site, copies), topics.journal_ack(site, writes))
        self._batch_topic = topics.journal(site, writes)
        self._ack_topic = topics.journal_ack(site, copies)
        self._sender = Sender(site, writes, keys, store, acked, clock, chance)
        self._receiver = Receiver(site, copies, keys, store, apply, clock)
        self._alarm = alarm
        self._heard = heard
        self._clock = clock
        self._woken = asyncio.Event()
        self._told: str | None = None  # of the trouble that the last alarm was raised for

    def wake(self) -> None:
        """Something was committed that may have to be sent. Call on the loop only."""
        self._woken.set()

    async def run(self, line: Line) -> None:
        """Say where our copy ends, then send what is there to send as long as the line lasts."""
        self._sender.connected()
        await self._acknowledge(line)
        while True:
            self._woken.clear()
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
                self._heard(self._sender.acknowledged(payload))
                self._woken.set()
            elif topic == batches and payload:
                await self._copy(payload)
                await self._acknowledge(line)
                self._told = None
        except Gap as gap:
            self._trouble(topic, str(gap))
            await self._acknowledge(line)
        except Untrusted as flaw:
            self._trouble(topic, str(flaw))

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
