"""One site on virtual time: its machines, its process, its database, and the power to both.

The rules, drivers, codecs, database and journal are the product's own; only time, chance and the
far ends of the lines are played.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

from controller.journal import Entry, Stream, entries, head
from controller.settings import SiteSettings
from controller.site import schema
from controller.site.bell import Bell
from controller.site.site import Site
from controller.site.texts import Screen
from controller.store import Store, StoreBroken, open_store
from firmware_bridge.news import News
from firmware_bridge.open import Bridge
from simulator.devices.licence_registers import State
from simulator.door import Door
from simulator.plan import Plan
from simulator.rehearsal.building import built
from simulator.rehearsal.district import District
from simulator.rehearsal.drives import Drives
from simulator.rehearsal.events import (
    EventLog,
    Lies,
    Moved,
    Seeing,
    Started,
    Struck,
    Swung,
    Took,
    Wrote,
)
from simulator.rehearsal.kiosks import Kiosk, kiosks_of
from simulator.rehearsal.link import Wire
from simulator.rehearsal.loop import DrowsyClock, StageClock
from simulator.rehearsal.tables import Found, newest_items
from simulator.rehearsal.weak_disk import WeakDisk
from simulator.rehearsal.wires import boards_of, far_ends
from simulator.world import World

STARTS_AGAIN_S: Final = 5.0  # whoever keeps the process starts it so soon after its end
TELLS_TIME_S: Final = 300.0  # a district that is there says at least so often what time it is
DAY_NAP_S: Final = 5.0
TROUBLED_NAP_S: Final = 120.0
NIGHT_NAP_S: Final = 3600.0
FORGOTTEN_S: Final = 1200.0  # nothing comes any more of a door that stood open so long
RESTING: Final = (State.IDLE, State.FAULT)


class PowerCut(BaseException):
    """The site's process is gone, in the middle of whatever it did."""


class Stage:
    """A site's things live for the whole rehearsal; its process ends and starts again."""

    linked = False  # it waits at a start for what its district says by the link

    def __init__(
        self, settings: SiteSettings, plan: Plan, folder: Path, *, seed: str, start: datetime
    ) -> None:
        self.settings = settings
        self.clock = StageClock(start)
        self.drowsy = DrowsyClock(self.clock)
        self.log = EventLog(self.clock.monotonic)
        self.world = World(plan, self.clock, seed=Random(f"{seed}/world").getrandbits(32))
        self.district = self._new_district(seed)
        self.bell = Bell()  # rings when a screen or a door is another
        self.online = True  # the network to the district
        self.wire = Wire(settings)
        self.troubled = False  # something is wrong that only polling finds out
        self.steps = 0  # commits and movements so far, over all starts
        self.cut_at_step: int | None = None
        self.cut_again_after: int | None = None  # steps of the next start
        self.next_off_s = STARTS_AGAIN_S  # after the cut at that step
        self.whims: set[str] = set()  # what the next visitors will do wrong
        self.starts = 0
        self.over = False  # the process is not started again
        self.driver: Callable[[], Any] = lambda: None  # SQLite's, of each start; None: the usual
        self.site: Site | None = None
        self.store: Store | None = None
        self.mistaken: set[str] = set()  # boards whose driver has a mistake
        self.disk = WeakDisk(lambda weakness: self.log.note(Struck(weakness.value, "disk")))
        self._told: dict[Stream, int] = {}  # the newest entry of each that the log has
        self._news = News()
        self.boards = boards_of(plan)
        self.database = folder / "site.db"
        self._exchange = far_ends(settings, self.world)
        self.kiosks = kiosks_of(settings, self._exchange.scanners, self.world)
        self._bridge: Bridge | None = None
        self._dead = False
        self._off = asyncio.Event()
        self._off_s = STARTS_AGAIN_S
        self._sees = False
        self._alarm: asyncio.TimerHandle | None = None
        self._swung_at = 0.0  # some door, or its bolt
        self._loose: set[str] = set()  # doors that are open, or whose bolt is back
        self._doors = {door.name: (0, False) for door in self.world.doors.values()}
        self._seen = {door.name: door.looks() for door in self.world.doors.values()}
        self._papers = dict.fromkeys(self.world.machines, 0)
        self._looks: dict[str, object] = dict.fromkeys(self.world.machines)
        self._hands = 0
        self.district.told = lambda _entry: self.bell.ring()

    def _new_district(self, seed: str) -> District:
        return District(self.settings, Random(f"{seed}/district"), self.clock.true_now)

    # time of the physical world

    def wind_up(self) -> None:
        """The world's time passes with the loop's from now on."""
        world = self.world
        world.timeline.sooner = self._wind
        Drives(world, self.log)
        world.door_listeners.append(self._door_changed)
        world.listeners.append(self._something_changed)
        world.power_up()
        self._wind()

    def _wind(self) -> None:
        due = self.world.timeline.due()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if due is not None:
            self._alarm = asyncio.get_running_loop().call_at(due, self._happen)

    def _happen(self) -> None:
        self.world.catch_up()
        self._wind()

    def _door_changed(self, door: Door) -> None:
        looks = door.looks()
        if looks != (seen := self._seen[door.name]):
            self._seen[door.name] = looks
            self._news.tell(self.boards[door.name], doors_only=looks[1] == seen[1])
        (self._loose.add if door.open or door.unlocked else self._loose.discard)(door.name)
        released, is_open = self._doors[door.name]
        if (door.released, door.open) == (released, is_open):
            return
        self._doors[door.name], self._swung_at = (door.released, door.open), self.clock.monotonic()
        if door.released != released:
            self.log.note(Moved(door.name, door.released))
        if door.open != is_open:
            self.log.note(Swung(door.name, door.open, door.forced))
        self.bell.ring()

    def _something_changed(self) -> None:
        for name, machine in self.world.machines.items():
            inside = machine.inside
            looks = (inside.state, inside.last.outcome, inside.previous.outcome, inside.blanks)
            if looks != self._looks[name]:
                self._looks[name] = looks
                self._machine_news(name)
            moved = inside.moved
            if moved != self._papers[name]:
                self._papers[name] = moved
                self.log.note(Moved(name, moved))
                self.bell.ring()
        while self._hands < len(self.world.hands):
            taken = self.world.hands[self._hands]
            self._hands += 1
            self.log.note(Took(taken["took"], taken["from"]))

    def _machine_news(self, name: str) -> None:
        if self.site is not None:
            self.site.machine_changed(name)

    def doze(self) -> None:
        """As long as it may be where nobody is."""
        whole = self.site is not None and not self.troubled and not self.site.problems()
        self.drowsy.doze(NIGHT_NAP_S if whole and self.at_rest() else TROUBLED_NAP_S)

    def rouse(self) -> None:
        """Somebody is here, or something is otherwise."""
        self.drowsy.doze(DAY_NAP_S)

    def at_rest(self) -> bool:
        """Nobody is here, no door has just been open, no paper is under way: nothing can happen."""
        machines = [machine.inside for machine in self.world.machines.values()]
        return (
            all(each.view and each.view.screen is Screen.IDLE for each in self.kiosks)
            and self.site is not None
            and not (self.clock.monotonic() < self._swung_at + FORGOTTEN_S and self._loose)
            and all(each.state in RESTING and not each.outlet for each in machines)
        )

    def put(self, where: str, thing: str) -> None:
        """Somebody puts a thing in."""
        cabinet, _, no = where.partition("/")
        self.world.catch_up()
        self.world.put(cabinet, int(no), thing)
        self._hands = len(self.world.hands)
        self.log.note(Lies(thing, where))

    def feed(self, machine: str, thing: str) -> None:
        """Somebody lays a document into a machine's intake."""
        self.world.catch_up()
        self.world.machine_put(machine, thing)
        self._hands = len(self.world.hands)
        self.log.note(Lies(thing, machine))

    # the site's process

    async def live(self) -> None:
        """Start the process, and start it again whenever it ended; until cancelled."""
        while True:
            try:
                await self._process()
            except* (PowerCut, StoreBroken):
                pass
            except* DBAPIError:
                if not self.disk.struck:
                    raise
            self.disk.struck = False
            if self.over:
                raise asyncio.CancelledError  # which came together with the end of the process
            self._go_out()
            self.sees_no_more()
            await self.clock.sleep(self._off_s)

    def _go_out(self) -> None:
        """No process is there, and every screen is dark."""
        self.site = self.store = self._bridge = None
        for kiosk in self.kiosks:
            kiosk.view = None
        self.bell.ring()

    async def _process(self) -> None:
        with ExitStack() as standing:
            opened = open_store(self.database, schema.journal, self.drowsy, module=self.driver())
            store = standing.enter_context(opened)
            if not self.starts:
                with store.write() as transaction:
                    schema.metadata.create_all(transaction.connection)
            store.on_commit(self._committed)
            self._dead, self._off_s = False, STARTS_AGAIN_S
            self._off.clear()
            self._exchange.alive = True
            bridge = Bridge(self.clock, opener=self._exchange, news=self._news)
            standing.callback(bridge.close)
            self.store, self._bridge = store, bridge
            self._tell_unheard(store)
            self.site = self._site(store, bridge)
            self.site.machines_tell()
            self.starts += 1
            self.log.note(Started(self.starts, self.newest_items()))
            if self.cut_again_after is not None:
                self.log.note(Struck("twice", f"{self.cut_again_after} steps after the start"))
                self.cut_at_step = self.steps + self.cut_again_after
                self.cut_again_after = None
            async with asyncio.TaskGroup() as group:
                group.create_task(self._end_with_power())
                group.create_task(self.site.run())
                for kiosk in self.kiosks:
                    group.create_task(self._show(self.site, kiosk))
                self._neighbours(group, self.site, store)

    def _tell_unheard(self, store: Store) -> None:
        """What is durable and was not said to be: its commit failed, or the power."""
        site = self.settings.site.id
        with store.read() as connection:
            for stream in (Stream.DOWN, Stream.UP):  # what was wanted, then what came of it
                seq = self._told.get(stream, 0)
                self._committed(list(entries(connection, schema.journal, site, stream, after=seq)))

    def _neighbours(self, group: asyncio.TaskGroup, site: Site, store: Store) -> None:
        """Whoever else the process talks to."""
        group.create_task(self._hear_district(site, store))

    def _site(self, store: Store, bridge: Bridge) -> Site:
        return built(
            self.settings,
            store,
            bridge,
            self.drowsy,
            self.kiosks,
            mistaken=self.mistaken,
            machine_news=self._machine_news,
            step=self._step,
            linked=self.linked,
        )

    async def _show(self, site: Site, kiosk: Kiosk) -> None:
        async for view in site.views(kiosk.name):
            kiosk.view = view
            self.bell.ring()

    async def _hear_district(self, site: Site, store: Store) -> None:
        """Take over what the district said, each entry with its effect in one transaction."""
        receiver = self.wire.receiver(site, store, self.drowsy)
        with store.read() as connection:
            known = head(connection, schema.journal, self.settings.site.id, Stream.DOWN).seq
        while True:
            if self.online and self.district.said > known:
                told = self.district.after(known)
                self.wire.carry(told, receiver)
                known = told[-1].seq
            heard = known
            if self.online:
                site.time.hear(self.clock.true_now())
                await self.bell.until(partial(self._has_news, heard), TELLS_TIME_S)
            else:
                await self.bell.until(lambda: self.online)

    def _has_news(self, heard: int) -> bool:
        return not self.online or self.district.said > heard

    # the power

    def cut(self, off_s: float, *, mains: bool) -> None:
        """The process is gone now; with the mains the boards and machines too."""
        self.log.note(Struck("power" if mains else "kill", "site"))
        if mains:
            for line in self.world.boards:
                self.world.restart(line, (), off_s)
            for machine in self.world.machines.values():
                machine.faults.cut(off_s)
        self._off_s = off_s
        self._die()
        self._off.set()

    def poll_again(self) -> None:
        """Whether boards and machines answer may be otherwise now."""
        self._news.tell_all(sorted(set(self.boards.values())))
        for name in self.world.machines:
            self._machine_news(name)

    def unplug(self, line: str, *, out: bool) -> None:
        """An adapter or cable is pulled, or plugged again."""
        key = self._exchange.keys[line]
        self._exchange.gone.discard(key)
        if out:
            self._exchange.gone.add(key)
            self._exchange.hang_up(key)

    def sent_at(self, line: str) -> float:
        """When the site last sent something on that line."""
        return self._exchange.sent_at(self._exchange.keys[line])

    def _die(self) -> None:
        """Nothing is written any more and nothing sent."""
        self._dead = True
        self._exchange.alive = False
        if self._bridge is not None:
            self._bridge.close()

    async def _end_with_power(self) -> None:
        await self._off.wait()
        raise PowerCut

    def _step(self, name: str) -> None:
        if self._dead:
            raise PowerCut
        self.steps += 1
        if self.steps == self.cut_at_step:
            self.log.note(Struck("step", name))
            self._off_s = self.next_off_s
            self._die()
            raise PowerCut

    def _committed(self, written: list[Entry]) -> None:
        for entry in written:
            self._told[entry.stream] = entry.seq
            self.log.note(Wrote(entry, ends=entry is written[-1]))
        sees = self.site is not None and not self.troubled and not self.site.problems()
        if sees is not self._sees:
            self._sees = sees
            self.log.note(Seeing(sees))

    def sees_no_more(self) -> None:
        """Something happened that the site need not have noticed yet."""
        self._sees = False
        self.log.note(Seeing(so=False))

    # what can be asked

    def rows(self, statement: Any) -> list[Any]:
        """Of the site's database, for whoever checks; nobody else may look."""
        assert self.store is not None, "the site runs"
        with self.store.read() as connection:
            return list(connection.execute(statement))

    def newest_items(self) -> Found:
        return newest_items(self.store)

    def close(self) -> None:
        self.district.close()
