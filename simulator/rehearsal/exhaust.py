"""The release rule in every order of events: scan, pulse, answer lost, door, cut, restart.

The site's own rules and database run; a state is told from another by what database, doors, hands
and screen show, and by what may still happen. Every reachable state is visited once.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, func, select

from controller.entries import ItemState
from controller.site import schema
from controller.site.kiosk import KioskView
from controller.site.site import Site
from controller.site.texts import Button, Screen
from controller.store import Store, Transaction, memory_store
from simulator.rehearsal import small_setting as setting
from simulator.rehearsal.forks import Ended, Forks, Seen
from simulator.rehearsal.small_world import Budget, Doors, PowerCut
from simulator.rehearsal.still_loop import StillClock, StillLoop

SMALL: Final = {  # each finite, and seen whole
    "one door, a scan, a cut": Budget(1, cuts=1, lost=0, again=0, codes=("N2",)),
    "one door, two scans, a lost answer": Budget(2, cuts=0, lost=1, again=0, codes=("N2",)),
    "two doors, a scan": Budget(1, cuts=0, lost=0, again=0, codes=("N1",)),
    "two doors, a scan, a cut, a lost answer": Budget(1, cuts=1, lost=1, again=0, codes=("N1",)),
    "two orders, two scans": Budget(2, cuts=0, lost=0, again=1),
}
INSTANT_S: Final = 0.4  # what a person takes for at once: debounce and the coil's answer
PATIENCE_S: Final = 200.0  # longer than any wait of the rules
PRACTICE: Final = 8  # ways gone first, so that forks find every statement compiled
PRESSES: Final = (Button.CONFIRM, Button.TAKEN, Button.AGAIN, Button.SKIP, Button.END)

Event = tuple[str, Callable[[], None]]


def explore(budget: Budget, *, sensors: bool = True, workers: int = 1) -> Seen:
    """Visit every state that can be reached; stops at the first violation."""
    loop = StillLoop()
    clock = StillClock(loop, setting.MORNING)
    asyncio.set_event_loop(loop)  # for what is made outside of any callback
    try:
        with memory_store("exhaust", schema.journal, clock) as store:
            for seed in range(PRACTICE):
                _play(Forks(Random(seed)), budget, store, loop, clock, sensors=sensors)
            forks = Forks(workers=workers)
            _play(forks, budget, store, loop, clock, sensors=sensors)
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return forks.seen()


def _play(
    forks: Forks,
    budget: Budget,
    store: Store,
    loop: StillLoop,
    clock: StillClock,
    *,
    sensors: bool,
) -> None:
    """Begin anew; go every way, or one where the dice are thrown."""
    mortal = _MortalStore(store.writer, store.reader, store.journal, clock)
    with mortal.write() as transaction:
        schema.metadata.drop_all(transaction.connection)
        schema.metadata.create_all(transaction.connection)
    try:
        _Explorer(forks, replace(budget), mortal, loop, clock, sensors=sensors).explore()
    except Ended:
        pass
    finally:
        mortal.dead = True
        lives = asyncio.all_tasks(loop)
        for task in lives:
            task.cancel()
        loop.settle()
        for task in lives:
            if not task.cancelled():
                task.exception()  # of a site that died in the dark
        mortal.close()


class _MortalStore(Store):
    """Takes nothing more once the power is gone."""

    dead = False
    writes = 0

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        if self.dead:
            raise PowerCut
        self.writes += 1
        with super().write() as transaction:
            yield transaction


class _Explorer:
    def __init__(
        self,
        forks: Forks,
        budget: Budget,
        store: _MortalStore,
        loop: StillLoop,
        clock: StillClock,
        *,
        sensors: bool,
    ) -> None:
        self._forks = forks
        self._budget = budget
        self._store = store
        self._loop = loop
        self._clock = clock
        self._sensors = sensors
        self._doors = Doors(forks, budget, loop, sensors=sensors)
        self._doors.moving = self._judge
        self._scanned: set[str] = set()  # orders whose code somebody showed
        self._out: dict[int, str] = {}  # doors shut after their box was taken: by which visit
        self._vouched: set[str] = set()  # places that a person calls shut, whatever the switch says
        self._behind: dict[int, str] = {}  # door: the item that was put in
        self._site: Site
        self._life: asyncio.Task[None]

    def explore(self) -> None:
        """Go every way from here."""
        self._start()
        self._behind = setting.load(self._site, self._store, self._doors, self._pass)
        self._doors.exploring = True
        self._forks.way.clear()
        events = 0
        while True:
            self._check()
            if not self._forks.reach(self._fingerprint(), events):
                self._forks.end()
            ways = list(self._events())
            if not ways:
                self._forks.end()
            self._forks.choose(ways)()
            events += 1

    # the site's life

    def _start(self) -> None:
        self._store.dead = False
        self._site = Site(
            setting.settings(),
            self._store,
            self._clock,
            boards={"A": [self._doors]},
            machines={},
            readers={},
            step=self._step,
            slow=setting.at_once,
        )
        self._life = self._loop.create_task(self._site.run())
        self._pass(INSTANT_S)

    def _pass(self, seconds: float) -> None:
        self._loop.pass_to(self._loop.time() + seconds)
        if self._life.done():
            self._rise()

    def _step(self, step: str) -> None:
        """Between any two steps the power may go."""
        if self._store.dead:
            raise PowerCut
        if not self._doors.exploring or not self._budget.cuts:
            return
        if self._forks.choose([(f"the power fails before: {step}", True), ("", False)]):
            self._go_dark()
            raise PowerCut
        self._forks.way.pop()

    def _go_dark(self) -> None:
        self._budget.cuts -= 1
        self._forks.count("cuts")
        self._store.dead = True

    def _rise(self) -> None:
        """The site has died of a power cut, or of a mistake."""
        error = self._life.exception() if not self._life.cancelled() else None
        if not self._store.dead:
            self._forks.accuse(f"the site died by itself: {error!r}")
            self._forks.end()
        self._start()

    # what can happen

    def _events(self) -> Iterator[Event]:
        if self._budget.cuts:
            yield "the power fails", self._cut
        if self._budget.again:
            yield "the order comes once more", self._again
        if self._budget.scans:
            for order in self._budget.codes:
                yield f"somebody shows the code of {order}", self._scan(order)
        for button in PRESSES:
            if button in self._site.kiosk_view().buttons:
                yield f"somebody presses {button}", self._press(button)
        yield from self._at_doors()
        if not self._rests():
            yield "time passes", self._wait

    def _rests(self) -> bool:
        """Nobody is there and nothing is under way: time alone changes nothing."""
        return self._site.kiosk_view().screen is Screen.IDLE and not any(
            box.open or box.unlocked for box in self._doors.boxes
        )

    def _at_doors(self) -> Iterator[Event]:
        for door, box in enumerate(self._doors.boxes, 1):
            if box.open:
                if box.inside:
                    yield f"somebody takes what is in {door}", self._hand(self._doors.take, door)
                yield f"somebody shuts {door}", self._hand(self._doors.close, door)
            elif box.unlocked:
                yield f"somebody pulls {door}", self._hand(self._doors.pull, door)

    def _cut(self) -> None:
        self._go_dark()
        self._life.cancel()
        self._pass(INSTANT_S)

    def _again(self) -> None:
        self._budget.again -= 1
        setting.place(self._site, self._store, setting.ORDERS[0])
        self._pass(INSTANT_S)

    def _scan(self, order: str) -> Callable[[], None]:
        def scan() -> None:
            self._budget.scans -= 1
            self._scanned.add(order)
            self._site.scanned(setting.qr(order))
            self._pass(INSTANT_S)

        return scan

    def _press(self, button: Button) -> Callable[[], None]:
        def press() -> None:
            view = self._site.kiosk_view()
            if (view.screen, button) == (Screen.CLOSE, Button.CONFIRM):
                self._vouched |= set(view.doors)
            self._site.press(button)
            self._pass(INSTANT_S)

        return press

    def _hand(self, act: Callable[[int], None], door: int) -> Callable[[], None]:
        def move() -> None:
            act(door)
            if act == self._doors.close and not self._doors.boxes[door - 1].inside:
                with self._store.read() as connection:
                    self._out.setdefault(door, _intents_at(connection, door)[-1].session)
            self._pass(INSTANT_S)

        return move

    def _wait(self) -> None:
        """Nobody does anything until something changes, or nothing will."""
        before, until = self._stirred(), self._loop.time() + PATIENCE_S
        while self._stirred() == before and self._loop.time() < until:
            self._pass(max(self._loop.next_at() - self._loop.time(), 0.001))

    def _stirred(self) -> tuple[Any, ...]:
        """Differs once anything else may differ."""
        return (self._store.writes, self._doors.shown(), _face(self._site.kiosk_view()))

    # what must hold

    def _judge(self, door: int) -> None:
        """A bolt moves: with a durable intent, for whom it is, once, and alone."""
        owner = setting.BOXES.get(self._behind.get(door, ""), "")
        with self._store.read() as connection:
            intents = _intents_at(connection, door)
        last = intents[-1] if intents else None
        if last is None or last.outcome is not None:
            self._accuse(f"I1: door {door} moved without an open intent")
        elif self._doors.boxes[door - 1].bolts > len(intents):
            self._accuse(f"I2: door {door} moved more often than was intended")
        elif not self._doors.exploring:
            return
        elif last.order_no != owner or owner not in self._scanned:
            self._accuse(f"I5: door {door} of {owner} moved for {last.order_no}")
        elif self._sensors and self._out.get(door, last.session) != last.session:
            self._accuse(f"I3: door {door} was released again for what was taken from it")
        elif other := self._other_of(last.session, door):
            self._accuse(f"I5: door {door} moved while {other} of the same visit stood open")

    def _other_of(self, session: str, door: int) -> int | None:
        """Another door that the same visit released, and that is not shut."""
        with self._store.read() as connection:
            for other, box in enumerate(self._doors.boxes, 1):
                mine = _intents_at(connection, other)
                open_ = box.open and f"A/{other}" not in self._vouched
                if other != door and open_ and mine and mine[-1].session == session:
                    return other
        return None

    def _check(self) -> None:
        """Judge what stands still now."""
        with self._store.read() as connection:
            rows = connection.execute(select(schema.items)).all()
            pending = connection.scalar(
                select(func.count())
                .select_from(schema.intents)
                .where(schema.intents.c.outcome.is_(None))
            )
        doors = {item: door for door, item in self._behind.items()}
        for item in rows if self._sensors else ():
            door = doors[item.item_id]
            inside = bool(self._doors.boxes[door - 1].inside)
            excused = f"A/{door}" in self._vouched  # what a liar left open: it becomes an alarm
            if item.state == ItemState.LOADED.value and not inside and not excused:
                self._accuse(f"I8: {item.item_id} is said to lie in {door}, which is empty")
            if item.state == ItemState.COLLECTED.value and inside:
                self._accuse(f"I8: {item.item_id} is said to be collected and lies in {door}")
        if pending and self._rests():
            self._accuse("I4: nobody is there, and an intent has no end")

    def _accuse(self, what: str) -> None:
        self._forks.accuse(what)
        self._forks.end()

    # one state and another

    def _fingerprint(self) -> int:
        digest = hashlib.blake2b(repr(self._shown()).encode(), digest_size=8).digest()
        return int.from_bytes(digest) or 1

    def _shown(self) -> tuple[Any, ...]:
        with self._store.read() as connection:
            book = tuple(_book(connection))
        hidden = [tuple(sorted(each)) for each in (self._scanned, self._out, self._vouched)]
        return (
            book,
            self._doors.shown(),
            _face(self._site.kiosk_view()),
            astuple(self._budget),
            hidden,
        )


def _face(view: KioskView) -> tuple[Any, ...]:
    return (view.screen, view.text, view.buttons, view.doors, view.order)


def _intents_at(connection: Connection, door: int) -> list[Any]:
    table = schema.intents
    return list(
        connection.execute(select(table).where(table.c.no == door).order_by(table.c.number))
    )


def _book(connection: Connection) -> Iterator[Any]:
    """The site's tables without names and times, which differ from way to way."""
    s = schema
    for columns in (
        (s.compartments.c.no, s.compartments.c.state),
        (s.doors.c.no, s.doors.c.door, s.doors.c.state),
        (s.orders.c.order_no, s.orders.c.state),
        (s.items.c.item_id, s.items.c.state, s.items.c.no),
        (s.codes.c.code_id, s.codes.c.state),
    ):
        yield tuple(map(tuple, connection.execute(select(*columns).order_by(columns[0]))))
    intents = s.intents.c
    yield tuple(
        map(
            tuple,
            connection.execute(
                select(intents.no, intents.kind, intents.outcome, func.count())
                .group_by(intents.no, intents.kind, intents.outcome)
                .order_by(intents.no, intents.kind, intents.outcome)
            ),
        )
    )
    sessions = select(func.count()).where(s.sessions.c.ended_at.is_(None))
    alarms = s.alarms.c
    standing = select(alarms.kind, alarms.place).where(alarms.cleared_at.is_(None))
    yield connection.scalar(sessions)
    yield tuple(map(tuple, connection.execute(standing.order_by(alarms.kind, alarms.place))))
