"""Follows boards and machines: doors through the grid, alarms raised and cleared, late ends."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import select

from controller.entries import AlarmKind, Severity, Up
from controller.entries_doors import DoorChanged
from controller.faults import DeviceFault, NoReply
from controller.ports import (
    BoardSight,
    Clock,
    DoorSight,
    LicenceMachine,
    LockBoard,
    MachineSight,
    MachineState,
    Presence,
)
from controller.prepared import Prepared
from controller.settings import PolicyTable
from controller.site import locks
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.bell import Bell
from controller.site.book import Act, Book
from controller.site.compartments import PENDING
from controller.site.contents import Contents
from controller.site.doors import SIGHTS, Door, Doors, Place, Sight
from controller.site.intents import settle_last
from controller.site.items import settle_shut
from controller.site.machines import Machines
from controller.site.schema import compartments
from controller.site.silences import Silences

TICK_S = 1.0
SIGHTLESS_MAX = 30  # ticks without a sign of life from one who follows a board: it hangs
MACHINE_IDLE_S = 2.0  # how often an idle machine is read; its maker's advice
MACHINE_BUSY_S = 0.5
MACHINE_TOLD_S = 3600.0  # how often one is read that tells by itself when it changes
ALIVE_S = 5.0  # it shows "out of service" after 30 s without our sign of life
UNDECIDED = Prepared(
    select(compartments.c.cabinet, compartments.c.no).where(compartments.c.state.in_(PENDING))
)


class Watch:
    """What the site knows of its doors and machines, and what it makes of it."""

    def __init__(
        self,
        book: Book,
        doors: Doors,
        machines: Machines,
        boards: Mapping[str, Sequence[tuple[Place, int]]],
        silences: Silences,
        *,
        policy: PolicyTable,
        clock: Clock,
        bell: Bell,
        maintained: Callable[[str], bool],  # whether staff are at that cabinet with the key
    ) -> None:
        self.attended: set[Place] = set()  # places that a visit cares for itself
        self.instead: dict[Place, list[Place]] = {}  # of those: the door that opened in its place
        self.machines_tell = False  # somebody calls `machine_changed` whenever one is another
        self._changed: set[str] = set()  # machines to be read now
        self._book = book
        self._doors = doors
        self._machines = machines
        self._boards = boards  # name: its places, each with the board's own door number
        self._policy = policy
        self._clock = clock
        self._bell = bell
        self._maintained = maintained
        self._silences = silences
        self._sightless: dict[str, int] = {}  # boards that were seen: ticks since then
        self._away: dict[str, float] = {}  # machines: since when
        self._contents = Contents(book, doors, after_s=policy.item_alarm_s)
        self._ajar: dict[Place, Severity] = {}
        self._released_at: dict[Place, float] = {}
        self._pending: list[Place] = []  # shut or not, something behind them is undecided
        self._pending_at = -1  # the book's changes of custody when this was looked up

    # boards

    async def follow_board(self, board: LockBoard) -> None:
        """One session with a board; its doors are unknown when this ends."""
        try:
            async for sight in board.watch():
                self.see_board(board.name, sight)
        except DeviceFault as fault:
            self.lose_board(board.name, fault)
            raise

    def see_board(self, board: str, sight: BoardSight) -> None:
        """Take over one look at a board."""
        self._sightless[board] = 0
        news: list[tuple[Place, Sight]] = []
        items = False
        for place, door in self._boards[board]:
            state, item = sight.doors[door - 1], sight.items[door - 1]
            if self._doors.is_calm(place, state, item):
                continue
            seen = SIGHTS[state]
            items |= self._doors.notice_item(place, item)
            if self._doors.changes(place, seen):
                news.append((place, seen))
            else:
                items |= not self._doors[place].seen
                self._doors.glance(place, seen)
        back = self._silences.answers(board)
        if news or back:
            with self._book.act() as act:
                if back:
                    self._silences.clear(act, board)
                with self._doors.in_one_entry(act):
                    for place, seen in news:
                        self._see_door(act, place, seen)
        if news or back or items:
            self._bell.ring()

    def _see_door(self, act: Act, place: Place, seen: Sight) -> None:
        unseen = self._doors[place].state is DoorSight.UNKNOWN
        maintained = self._maintained(place.cabinet)
        after = self._doors.feed(act, place, seen, maintenance=maintained)
        if after.door is Door.FORCED and after.state is DoorSight.OPEN and not maintained:
            raise_alarm(act, AlarmKind.DOOR_FORCED, str(place))
        if after.door is Door.OPEN:
            locks.works(act, place)
            settle_last(act, place, "door", unseen=unseen)
        if after.state is DoorSight.CLOSED:
            self._ajar.pop(place, None)
            clear_alarm(act, AlarmKind.DOOR_FORCED, str(place))
            clear_alarm(act, AlarmKind.DOOR_AJAR, str(place))

    def lose_board(self, board: str, fault: DeviceFault) -> None:
        """Nobody knows its doors any more."""
        self._sightless.pop(board, None)
        self._silences.lose(board, fault)
        places = [place for place, _ in self._boards[board]]
        news = [place for place in places if self._doors.changes(place, Sight.UNSEEN)]
        if news:
            with self._book.act() as act, self._doors.in_one_entry(act):
                for place in news:
                    self._doors.feed(act, place, Sight.UNSEEN)
        for place in places:
            self._doors.glance(place, Sight.UNSEEN)
            self._doors.notice_item(place, Presence.UNKNOWN)
        self._bell.ring()

    def silent(self) -> set[str]:
        """Boards and sensors that do not answer."""
        return self._silences.lost()

    def lost_boards(self) -> list[str]:
        return sorted(self._silences.lost() & self._boards.keys())

    def lost_places(self) -> set[Place]:
        """Those whose doors nobody can release or see."""
        return {place for board in self.lost_boards() for place, _ in self._boards[board]}

    # machines

    async def follow_machine(self, name: str, machine: LicenceMachine) -> None:
        """One session with a machine: read it, and give our sign of life."""
        alive_at = self._clock.monotonic() - ALIVE_S
        try:
            while True:
                if self._clock.monotonic() - alive_at >= ALIVE_S:
                    alive_at = self._clock.monotonic()
                    await machine.alive()
                self._changed.discard(name)
                sight = await machine.look()
                self.see_machine(name, sight)
                await self._until_next_look(name, sight)
        except DeviceFault:
            self.lose_machine(name)
            raise

    async def _until_next_look(self, name: str, sight: MachineSight) -> None:
        """An idle machine is read seldom, until somebody wants something of it."""
        if self.machines_tell:
            await self._bell.until(lambda: name in self._changed, MACHINE_TOLD_S)
        elif sight.state is MachineState.IDLE and not self._machines.is_awaited(name):
            await self._bell.until(lambda: self._machines.is_awaited(name), MACHINE_IDLE_S)
        else:
            await self._clock.sleep(MACHINE_BUSY_S)

    def machine_changed(self, name: str) -> None:
        """It is another than when it was read last, or was asked for something."""
        self._changed.add(name)
        self._bell.ring()

    def see_machine(self, name: str, sight: MachineSight) -> None:
        """Take over one look at a machine."""
        self._away.pop(name, None)
        if self._machines.is_new(name, sight):
            with self._book.act() as act:
                self._machines.see(act, name, sight)
        else:
            self._machines.glance(name, sight)
        self._bell.ring()

    def lose_machine(self, name: str) -> None:
        """It does not answer: nothing is asked of it."""
        self._away.setdefault(name, self._clock.monotonic())
        with self._book.act() as act:
            self._machines.lose(act, name)
        self._bell.ring()

    # what time brings

    async def tick(self) -> None:
        """Once a second: doors left open, devices away for long, doors shut with nobody there."""
        while True:
            now = self._clock.monotonic()
            self._miss_signs_of_life()
            self._silences.tell()
            for name, since in self._away.items():
                if now - since >= self._policy.board_silent_s:
                    with self._book.act() as act:
                        raise_alarm(act, AlarmKind.MACHINE_FAULT, name)
            self.look_after(now)
            self._contents.look(now)
            await self._clock.sleep(TICK_S)

    def _miss_signs_of_life(self) -> None:
        """A driver that neither answers nor fails is as good as none.

        Where everything tells of itself, nothing owes a sign of life.
        """
        if self.machines_tell:
            return
        for board in self._sightless:
            self._sightless[board] += 1
        for board in [each for each, ticks in self._sightless.items() if ticks > SIGHTLESS_MAX]:
            self.lose_board(board, NoReply(board, "its driver says nothing any more"))

    def look_after(self, now: float) -> None:
        """Doors left open; doors shut, with nobody there, behind which something is undecided."""
        for place in self._doors.restless():
            self._look_after_open(place, now)
        if self._pending_at != self._book.custody:
            self._pending = self._look_up_pending()
            self._pending_at = self._book.custody
        for place in self._pending:
            if place not in self.attended and self._doors.is_seen(place):
                self._look_after_shut(place, now)

    def _look_up_pending(self) -> list[Place]:
        with self._book.look() as connection:
            places = [Place(row.cabinet, row.no) for row in UNDECIDED.rows(connection)]
        return [place for place in places if place in self._doors]

    def _look_after_open(self, place: Place, now: float) -> None:
        door = self._doors[place]
        if door.door is not Door.OPEN or not self._doors.is_open(place):
            return
        open_s = now - door.since
        severity: Severity = "critical" if open_s >= self._policy.ajar_severe_s else "warning"
        if open_s < self._policy.ajar_alarm_s or self._ajar.get(place) == severity:
            return
        with self._book.act() as act:
            if raise_alarm(act, AlarmKind.DOOR_AJAR, str(place), severity):
                act.say(Up.DOOR_AJAR, DoorChanged(where=str(place), n=door.n))
        self._ajar[place] = severity

    def _look_after_shut(self, place: Place, now: float) -> None:
        door = self._doors[place]
        if door.door is not Door.RELEASED:
            self._released_at.pop(place, None)
        else:
            since = self._released_at.setdefault(place, now)
            if now - since < self._policy.door_unseen_s + self._policy.door_jammed_s:
                return
            with self._book.act() as act:
                self._doors.feed(act, place, Sight.BOLT_RESTED)
        if self._doors.is_shut(place):
            with self._book.act() as act:
                settle_shut(act, place, self._doors[place].item, said=None)
            self._bell.ring()
