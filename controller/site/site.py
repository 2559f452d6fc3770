"""A site at work: its devices kept, its kiosk served, and what others may ask of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import structlog

from controller.entries import AlarmKind, Up
from controller.faults import NoReply
from controller.journal import BrokenChain, Entry, Head
from controller.keep import keep
from controller.ports import Clock, CodeReader, Environment, IdCardReader, LicenceMachine, LockBoard
from controller.refusals import Reason, Refused
from controller.settings import SiteSettings
from controller.site.alarms import clear_alarm, raise_alarm, standing
from controller.site.answering import answer_for
from controller.site.book import Act, Book
from controller.site.deadlines import Deadlines
from controller.site.doors import Place
from controller.site.forgeries import Forgeries
from controller.site.holding import Holding
from controller.site.inbox import Inbox
from controller.site.items import load_printed
from controller.site.kiosk import KioskView
from controller.site.plan import started, take_over_plan
from controller.site.premises import Premises, Slow, furnish, one_by_one
from controller.site.recall import finish, recall
from controller.site.reckoning import Reckoner
from controller.site.recovery import check_tail, recover
from controller.site.remote import Remote
from controller.site.site_state import SiteState, describe
from controller.site.storekeeping import Flawed, Storekeeper
from controller.site.surroundings import Air
from controller.site.texts import Button, Screen, Text
from controller.site.timekeeping import Timekeeper
from controller.site.tries import Calm
from controller.site.visits import serve
from controller.steady import SteadyClock
from controller.store import Store, StoreBroken, Transaction

log = structlog.get_logger()


HEAR_FIRST_S: Final = 2.0  # a district that is there says at once what it has of us


class _HoldBegan(Exception):
    """What goes on is broken off."""


def _unsaid(_name: str, _why: str) -> None:
    """Nothing is written during a hold."""


def _nothing(_step: str) -> None:
    """Nobody counts the steps."""


class Site:
    """Everything at one place. `run` is its life; the rest may be asked while it runs."""

    def __init__(
        self,
        settings: SiteSettings,
        store: Store,
        clock: Clock,
        *,
        boards: Mapping[str, Sequence[LockBoard]],
        machines: Mapping[str, LicenceMachine],
        readers: Mapping[str, CodeReader],
        card_readers: Mapping[str, IdCardReader] = MappingProxyType({}),
        environments: Mapping[str, Environment] = MappingProxyType({}),
        lines: Mapping[str, str] = MappingProxyType({}),
        step: Callable[[str], None] = _nothing,
        slow: Slow = asyncio.to_thread,
        linked: bool = False,
        room: Callable[[], float] = lambda: 1.0,  # of its disk, the share that is free
    ) -> None:
        self._settings = settings
        self.time = clock = SteadyClock(clock)  # nothing here asks another clock
        self._boards = [board for row in boards.values() for board in row]
        self._lives = dict(machines)
        self._readers = dict(readers)
        self._environments = dict(environments)
        self._problem: str | None = "settling"
        kiosks = furnish(
            settings, Book(store, settings.site.id, clock, step), clock, boards, machines, lines
        )
        own: dict[str, Any] = {"slow": one_by_one(slow), "card_readers": card_readers}
        self._kiosks = {name: replace(each, **own) for name, each in kiosks.items()}
        self._at = {each.name: each.kiosk for each in settings.scanner}
        self._at |= {each.name: each.kiosk for each in settings.card_reader}
        self._premises = p = next(iter(self._kiosks.values()))
        self._bell, self._book = p.bell, p.book
        self._doors, self._watch = p.doors, p.watch
        self._timekeeper = Timekeeper(p.book, clock)
        self._storekeeper = Storekeeper(p.book, clock, p.holds, room, slow)
        self._holding = Holding(p.book, self._come_up)
        self._linked, self._heard, self._started = linked, asyncio.Event(), False
        self._deadlines, self._forgeries = Deadlines(p), Forgeries(p.book, clock, self._holding)
        self._calm, self._reckoner = Calm(p.book, clock, p.policy), Reckoner(p.book, clock)
        self._remote = Remote(
            p,
            clock,
            in_service=lambda: self._problem is None,
            visited=self._is_visited,
            tell=self._tell_of,
        )
        self.inbox = Inbox(settings.site.id, clock)  # its `apply` is what the link wants
        self.link_refused = self._forgeries.refused  # and that is told of what it did not take

    # its life

    async def run(self) -> None:
        """Settle what was unfinished, then serve until cancelled.

        StoreBroken if the database fails: whoever runs the site opens it anew.
        """
        try:
            self._timekeeper.start()
            self._holding.start()
            await self._hear_first()
            while True:
                await self._wait_out_hold()
                try:
                    await self._live()
                except* _HoldBegan:
                    self._started = False
                except* Flawed as flaws:
                    log.warning("site.flawed", why=str(flaws.exceptions[0]))
        except asyncio.CancelledError:
            self._last_words()
            raise

    def _last_words(self) -> None:
        """Told to end in good order: the time is on record."""
        if not self._book.broken.is_set():
            with suppress(StoreBroken):
                self._timekeeper.mark()

    async def _hear_first(self) -> None:
        """The district may know of entries that this file has lost: nothing is written before."""
        if not self._linked:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(HEAR_FIRST_S):
                await self._heard.wait()

    async def _wait_out_hold(self) -> None:
        """While the hold is on, no door is moved and nothing is written."""
        while self._holding.is_on:
            self._problem = f"nothing is handed out: {self._holding.why}"
            self._close_all()
            self._holding.changed.clear()
            self._premises.fire.on = False  # nobody looks any more
            async with asyncio.TaskGroup() as group:
                asked = [
                    group.create_task(answer_for(each, self.release_hold))
                    for each in self._kiosks.values()
                ]
                asked += [
                    group.create_task(keep(name, partial(self._scans, name), self.time, _unsaid))
                    for name in self._readers
                ]
                await self._holding.changed.wait()
                for task in asked:
                    task.cancel()
            self._remote.forget()
        self._problem = "settling"

    async def _scans(self, name: str) -> None:
        async for text in self._readers[name].codes():
            self.scanned(text, self._at.get(name))

    async def _live(self) -> None:
        self._started = True
        self._prepare()
        await recover(self._book, self._watch, self._boards, self._lives, self.time)
        self._premises.rules.start()
        self._remote.start()
        self._deadlines.start(self._timekeeper.latest)
        self._reckoner.start(self._timekeeper.latest)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._break_off(), name="store")
            group.create_task(self._hold(), name="hold")
            for board in self._boards:
                self._keep(group, board.name, partial(self._watch.follow_board, board), self._blind)
            for name, machine in self._lives.items():
                follow = partial(self._watch.follow_machine, name, machine)
                self._keep(group, name, follow, lambda name, _why: self._watch.lose_machine(name))
            self._read(group)
            self._look_around(group)
            works: tuple[Callable[[], Coroutine[Any, Any, None]], ...]
            works = (self._watch.tick, self._timekeeper.run, self._remote.run)
            works += (self._storekeeper.run, self._deadlines.run, self._reckoner.run)
            works += (self._calm.run, self._forgeries.run, self._premises.maintenance.run)
            for work in works:
                group.create_task(work(), name=work.__qualname__)
            if self._problem == "settling":
                group.create_task(self._serve(group), name="kiosks")

    async def _serve(self, group: asyncio.TaskGroup) -> None:
        """Serve people; where the database is suspected, only after all of it was read."""
        if self._is_suspected():
            self._problem = "the database is being checked"
            self._close_all()
            self._problem = await self._storekeeper.flaw()
            if self._problem is not None:
                return
            with self._book.act() as act:
                clear_alarm(act, AlarmKind.JOURNAL_BROKEN, "site")
        self._problem = None
        for kiosk, premises in self._kiosks.items():
            group.create_task(serve(premises), name=kiosk)

    def _is_suspected(self) -> bool:
        with self._book.look() as connection:
            return AlarmKind.JOURNAL_BROKEN in standing(connection, "site")

    def _read(self, group: asyncio.TaskGroup) -> None:
        """Each kiosk has its own scanners and card readers."""
        for name, reader in self._readers.items():
            readers = self._kiosk(self._at.get(name)).readers
            self._keep(group, name, partial(readers.read, reader), readers.lose_sight)
        for name, cards in self._premises.card_readers.items():
            readers = self._kiosk(self._at.get(name)).readers
            self._keep(group, name, partial(readers.read_cards, cards), readers.lose_sight)
        for kiosk, premises in self._kiosks.items():
            group.create_task(premises.readers.tick(), name=f"readers at {kiosk}")

    def _kiosk(self, name: str | None) -> Premises:
        """By its name, or the first one. Refused if there is none of that name."""
        if name and name not in self._kiosks:
            raise Refused(Reason.NOT_FOUND)
        return self._kiosks[name] if name else self._premises

    def _is_visited(self) -> bool:
        return any(each.desk.is_visited for each in self._kiosks.values())

    def _tell_of(self, place: Place) -> None:
        for premises in self._kiosks.values():
            premises.desk.tell(place)

    def _close_all(self) -> None:
        for premises in self._kiosks.values():
            premises.desk.show(Screen.TROUBLE, Text.OUT_OF_SERVICE)

    def _look_around(self, group: asyncio.TaskGroup) -> None:
        around = self._premises.surroundings
        for name, device in self._environments.items():
            self._keep(group, name, partial(around.follow, device), around.lose_sight)
            if device.outputs:
                switch = partial(around.switch, device)
                self._keep(group, f"{name} outputs", switch, lambda _name, _why: None)
        if self._environments:
            group.create_task(around.tick(), name="surroundings")

    def _keep(
        self,
        group: asyncio.TaskGroup,
        name: str,
        session: Callable[[], Awaitable[None]],
        down: Callable[[str, str], None],
    ) -> None:
        group.create_task(keep(name, session, self.time, down), name=name)

    def _blind(self, board: str, why: str) -> None:
        """Whatever ended a session, a mistake of ours too: nobody sees the board's doors."""
        if board not in self._watch.silent():
            self._watch.lose_board(board, NoReply(board, why))

    async def _break_off(self) -> None:
        await self._book.broken.wait()
        self._problem = f"the database failed: {self._book.why}"
        self._close_all()
        raise StoreBroken(self._book.why)

    async def _hold(self) -> None:
        while not self._holding.is_on:
            self._holding.changed.clear()
            await self._holding.changed.wait()
        raise _HoldBegan

    def _prepare(self) -> None:
        """The tables name every compartment and machine of the settings; the chains are whole."""
        with self._book.act() as act:
            take_over_plan(act, self._settings)
            act.say(Up.SITE_STARTED, started(self._settings))
        with self._book.look() as connection:
            self._doors.load(connection)
            self._premises.maintenance.load()
            self._premises.surroundings.start()
            try:
                check_tail(connection, self._settings.site.id)
            except BrokenChain as broken:
                self._problem = str(broken)
        if self._problem != "settling":
            self._close_all()
            with self._book.act() as act:
                raise_alarm(act, AlarmKind.JOURNAL_BROKEN, "site")

    # what a person does

    @property
    def kiosks(self) -> list[str]:
        return list(self._kiosks)

    def press(self, button: str, value: str | None = None, kiosk: str | None = None) -> None:
        """A finger on a screen, the first one's if none is named. Refused where not offered."""
        if self.is_held and button == Button.PROBLEM:  # a case is an entry
            raise Refused(Reason.BUTTON_NOT_OFFERED, button=button)
        self._kiosk(kiosk).desk.press(button, value)

    def machines_tell(self) -> None:
        """From now on machines are read when `machine_changed` says so: for virtual time."""
        self._watch.machines_tell = True

    def machine_changed(self, name: str) -> None:
        """A machine is another than it was, or was asked for something."""
        self._watch.machine_changed(name)

    def scanned(self, text: str, kiosk: str | None = None) -> None:
        """A code before a scanner."""
        self._kiosk(kiosk).desk.scanned(text)

    # what others may ask

    def kiosk_view(self, kiosk: str | None = None) -> KioskView:
        return self._kiosk(kiosk).desk.view

    async def views(self, kiosk: str | None = None) -> AsyncIterator[KioskView]:
        """The view now, then each change; a slow listener misses what is no longer shown."""
        desk = self._kiosk(kiosk).desk
        yield (shown := desk.view)
        while True:
            await self._bell.until(partial(desk.differs, shown))
            yield (shown := desk.view)

    # what the district says of our journal

    @property
    def is_held(self) -> bool:
        """Nothing is handed out and nothing is written: the link asks for what is missing."""
        return self._holding.is_on

    @property
    def is_sure(self) -> bool:
        """The tables were compared with what the district has, or there was nobody to ask."""
        return self._started and not self.is_held

    def hear(self, copied: Head, at: datetime) -> None:
        """The district has sealed where its copy of our journal ended, and its own time."""
        self.time.hear(at)
        self._holding.compare(copied, at_start=not self._started)
        self._heard.set()

    def recall(self, transaction: Transaction, entry: Entry) -> None:
        """An entry that this file had lost: what it says holds again, and nothing is done."""
        recall(transaction, entry)

    def _come_up(self, act: Act) -> None:
        finish(act, self._settings.site.id)
        load_printed(act)

    def recalled(self, copied: Head) -> None:
        """There is no more: the hold ends if our journal is the one that the district has."""
        self._timekeeper.go_on()
        self._holding.recalled(copied)

    def release_hold(self, badge: str) -> None:
        """Somebody with a staff badge answers for what lies behind the doors."""
        self._holding.end(badge)

    @property
    def time_doubted(self) -> bool:
        """Nothing that may be too late is done at another's word; who is here is served."""
        return self.time.doubted

    def problems(self) -> list[str]:
        """Why the site is not ready; empty if it is. A silent board does not stop the others."""
        lost = [f"{board} does not answer" for board in self._watch.lost_boards()]
        return ([self._problem] if self._problem else []) + lost

    def silent(self) -> set[str]:
        """Boards and sensors that do not answer."""
        return self._watch.silent()

    def air(self, cabinet: str) -> Air:
        """What is known of a cabinet's surroundings."""
        return self._premises.surroundings.air(cabinet)

    def describe(self) -> SiteState:
        with self._book.look() as connection:
            return describe(connection, self._settings.site, self.problems())
