"""The district's connection: one for the journals and the status of all its sites."""

import asyncio
from collections.abc import Callable, Mapping
from random import Random

from sqlalchemy import Table

from controller.journal import Entry, Stream
from controller.link import topics
from controller.link.batches import LinkKeys
from controller.link.connection import Broker, Dial, Line, dial_tcp, stay_connected
from controller.link.exchange import Alarm, Exchange, Waker
from controller.link.receiver import Apply
from controller.ports import Clock
from controller.store import Store

ONLINE = b"online"

OnStatus = Callable[[str, bool], None]  # site, online


class DistrictMqtt:
    """Copies every site's journal up and sends each its own down. `run` never ends by itself."""

    def __init__(
        self,
        broker: Broker,
        keys: Mapping[str, LinkKeys],  # by site
        store: Store,
        acked: Table,
        apply: Apply,
        alarm: Alarm,
        on_status: OnStatus,
        *,
        clock: Clock,
        chance: Random,
        dial: Dial = dial_tcp,
    ) -> None:
        self.connected = False
        self._broker, self._dial = broker, dial
        self._on_status = on_status
        self._clock = clock
        self._chance = chance
        self._exchanges = {
            site: Exchange(
                site,
                Stream.DOWN,
                own,
                store,
                acked,
                apply=apply,
                alarm=alarm,
                clock=clock,
                chance=chance,
            )
            for site, own in keys.items()
        }
        self._waker = Waker(self._wake, Stream.DOWN)
        store.on_commit(self._waker.committed)

    async def run(self) -> None:
        with self._waker.awake():
            await stay_connected(
                self._broker, None, self._session, self._clock, self._chance, self._dial
            )

    async def _session(self, line: Line) -> None:
        await line.subscribe(
            topics.status("+"),
            topics.journal("+", Stream.UP),
            topics.journal_ack("+", Stream.DOWN),
            topics.journal_ask("+"),
        )
        self.connected = True
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hear(line))
                for exchange in self._exchanges.values():
                    group.create_task(exchange.run(line), name=f"link {exchange.site}")
        finally:
            self.connected = False

    async def _hear(self, line: Line) -> None:
        async for message in line.messages():
            topic, payload = message.topic.value, message.payload
            site = topics.site_of(topic)
            exchange = self._exchanges.get(site)
            if exchange is None:
                continue  # a site that was taken off the list and is still there
            if topic == topics.status(site):
                self._on_status(site, payload == ONLINE)
            else:
                await exchange.hear(topic, payload, line)

    def _wake(self, written: list[Entry]) -> None:
        for site in {entry.site for entry in written}:
            if exchange := self._exchanges.get(site):
                exchange.wake()
