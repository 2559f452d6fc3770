"""A site's one connection: its journals to and from the district, and its state for everybody.

What is told is read from the tables after the commit, so it is never ahead of them; a broker that
was away is told everything again.
"""

import asyncio
from random import Random

from aiomqtt import Will
from sqlalchemy import Connection, Table

from controller.journal import Entry, Stream, rfc3339
from controller.link import topics as link_topics
from controller.link.batches import LinkKeys
from controller.link.connection import Broker, Dial, Line, dial_tcp, stay_connected
from controller.link.exchange import Alarm, Exchange, Waker, Witness
from controller.link.receiver import Apply
from controller.ports import Clock
from controller.store import Store
from controller.telemetry.discovery import Discovery
from controller.telemetry.doors import CompartmentReports, DoorReports
from controller.telemetry.health import (
    CabinetHealth,
    Health,
    MachineReports,
    alarm_reports,
    health_reports,
)

HEALTH_EVERY_S = 30.0
HEALTH_SOON_S = 3.0  # at first little is known: lines are only being opened
ONLINE = b"online"
OFFLINE = b"offline"
REST_KINDS = ("alarm.", "machine.", "site.")  # entries that change more than doors' reports


class SiteMqtt:
    """Journals both ways, and retained state. `run` never ends by itself."""

    def __init__(
        self,
        broker: Broker,
        site: str,
        keys: LinkKeys,
        store: Store,
        acked: Table,
        *,
        apply: Apply,
        alarm: Alarm,
        health: Health,
        witness: Witness,
        clock: Clock,
        chance: Random,
        dial: Dial = dial_tcp,
    ) -> None:
        self.connected = False
        self._broker, self._dial = broker, dial
        self._site = site
        self._store = store
        self._health = health
        self._witness = witness
        self._known: dict[str, CabinetHealth] = {}  # whatever was told of a cabinet at some time
        self._clock = clock
        self._chance = chance
        self._doors = DoorReports(site)
        self._compartments = CompartmentReports(site)
        self._machines = MachineReports(site, store.journal)
        self._discovery = Discovery(site, link_topics.status(site))
        self._changed = asyncio.Event()
        self._rest_changed = True  # more than doors and compartments
        self._exchange = Exchange(
            site,
            Stream.UP,
            keys,
            store,
            acked,
            apply=apply,
            alarm=alarm,
            clock=clock,
            chance=chance,
            witness=witness,
        )
        self._waker = Waker(self._wake, Stream.UP)
        store.on_commit(self._waker.committed)

    async def run(self) -> None:
        will = Will(link_topics.status(self._site), OFFLINE, qos=1, retain=True)
        with self._waker.awake():
            await stay_connected(
                self._broker, will, self._session, self._clock, self._chance, self._dial
            )

    async def _session(self, line: Line) -> None:
        await line.subscribe(*self._exchange.hears)
        self.connected = True
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hear(line))
                group.create_task(self._exchange.run(line))
                group.create_task(self._tell(line))
        finally:
            self.connected = False

    async def _hear(self, line: Line) -> None:
        async for message in line.messages():
            await self._exchange.hear(message.topic.value, message.payload, line)

    async def _tell(self, line: Line) -> None:
        """Publish all there is, say `online`, then publish what changes."""
        told: dict[str, bytes] = {}
        self._rest_changed = True
        await self._tell_changes(line, told)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_again(line))
            while True:
                await self._changed.wait()
                await self._tell_changes(line, told)

    async def _tell_changes(self, line: Line, told: dict[str, bytes]) -> None:
        self._changed.clear()
        with self._store.read() as connection:
            reports = self._reports(connection)
        for topic, payload in reports.items():
            if told.get(topic) != payload:
                await line.publish(topic, payload, retain=True)
                told[topic] = payload

    async def _tell_again(self, line: Line) -> None:
        """Health now and then; and `online`: an old connection's will may have come late."""
        pause_s = HEALTH_SOON_S
        while True:
            await line.publish(link_topics.status(self._site), ONLINE, retain=True)
            await self._clock.sleep(pause_s)
            pause_s = HEALTH_EVERY_S
            self._rest_changed = True
            self._changed.set()

    def _reports(self, connection: Connection) -> dict[str, bytes]:
        """Every retained message that may have changed, doors first."""
        now = rfc3339(self._clock.now())
        reports: dict[str, bytes] = {}
        if self._witness.is_sure:
            reports = self._doors.read(connection) | self._compartments.read(connection, now)
        if self._rest_changed:
            self._rest_changed = False
            reports |= alarm_reports(connection, self._site)
            if self._witness.is_sure:
                reports |= self._machines.read(connection)
            health = self._health()
            reports |= health_reports(health, self._site, now)
            for cabinet, words in health.items():
                self._known[cabinet] = {**self._known.get(cabinet, words), **words}
            reports |= self._discovery.read(connection, self._known)
        return reports

    def _wake(self, written: list[Entry]) -> None:
        self._exchange.wake()
        self._rest_changed |= any(entry.kind.startswith(REST_KINDS) for entry in written)
        self._changed.set()
