"""The one door to danger: nothing else at a site may ask a device to move anything.

An intent is durable before its movement is asked for; it is asked for once; what is known
afterwards is written down under one of three names. Where nobody knows, a door switch, a sensor,
the machine or a person decides, never another pulse.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final, cast

from controller.entries import ItemState, MovementIntended, MovementKind, Up
from controller.faults import DeviceFault, NotMoved
from controller.ports import Clock, Job, LicenceMachine, LockBoard, Slot
from controller.refusals import Reason, Refused
from controller.rows import add_row, change_rows, one_row
from controller.site.book import Act, Book
from controller.site.doors import Doors, Place, Sight
from controller.site.fire import Fire
from controller.site.intents import settle
from controller.site.items import put, put_back
from controller.site.machines import SEQ_MAX
from controller.site.schema import intents as table
from controller.site.schema import machines

INTENT_AGE_MAX_S: Final = 2.0  # a decision older than this is nobody's wish any more


@dataclass(frozen=True, slots=True)
class Wanted:
    """A movement that somebody decided, and why."""

    kind: MovementKind
    reason: str
    order: str | None = None
    item: str | None = None
    badge: str | None = None
    approved_by: str | None = None
    code: str | None = None
    session: str | None = None
    command: str | None = None
    slot: int | None = None  # into which a machine is to take something
    by: float = inf  # elapsed time from which on nobody wants it any more
    stands: Callable[[], bool] = lambda: True  # asked once more, right before the pulse


@dataclass(frozen=True, slots=True)
class Intent:
    """A movement that the book knows of. `born` is elapsed time, before it was written.

    After `by` nothing may be asked for any more, nor where it no longer `stands`.
    """

    id: str
    kind: MovementKind
    where: str
    born: float
    by: float = inf
    seq: int = 0
    stands: Callable[[], bool] = lambda: True


class Movements:
    """Releases doors and has machines present documents."""

    def __init__(
        self,
        book: Book,
        doors: Doors,
        boards: Mapping[Place, tuple[LockBoard, int]],
        machines: Mapping[str, LicenceMachine],
        *,
        clock: Clock,
        fire: Fire,
        rest_s: float,
    ) -> None:
        self._book = book
        self._doors = doors
        self._boards = boards
        self._machines = machines
        self._clock = clock
        self._fire = fire
        self._step = book.step
        self._rest_s = rest_s
        self._rests_until: dict[Place, float] = {}  # coils that had a pulse a moment ago

    async def open_door(
        self, place: Place, decide: Callable[[Act], Wanted], *, longer: bool = False
    ) -> Intent | None:
        """One pulse for one intent. None if certainly nothing moved; else the door will tell.

        `decide` works in the intent's own transaction: it changes what the rules want changed,
        and may refuse. Nothing opens while there is a fire alarm.
        """
        self._refuse_in_fire()
        born = self._clock.monotonic()
        with self._book.act() as act:
            intent = self._intend(act, str(place), decide(act), born, place=place)
            self._doors.feed(act, place, Sight.BOLT_RELEASED)
        if self._is_stale(intent) or not await self._pulse(place, intent, longer=longer):
            with self._book.act() as act:
                self._doors.feed(act, place, Sight.BOLT_RESTED)
                put_back(act, place)
                settle(act, intent.id, "not_moved", None)
            return None
        return intent

    def coil_rests_s(self, place: Place) -> float:
        """How long a lock's coil must still rest, by our rule and by its board's.

        By ours twice as long after a longer pulse.
        """
        board, door = self._boards[place]
        ours_s = self._rests_until.get(place, -inf) - self._clock.monotonic()
        return max(ours_s, board.rests_s(door))

    async def _pulse(self, place: Place, intent: Intent, *, longer: bool) -> bool:
        """False if the pulse certainly was not given."""
        board, door = self._boards[place]
        self._step("send")
        try:
            await board.release(door, by=intent.by, longer=longer)
        except NotMoved:
            return False
        except DeviceFault:
            pass  # it may have moved: the door's switch decides
        finally:
            self._rests(place, longer=longer)
        self._step("answer")
        return True

    def _rests(self, place: Place, *, longer: bool) -> None:
        now = self._clock.monotonic()
        others = {each: until for each, until in self._rests_until.items() if until > now}
        self._rests_until = others | {place: now + (2 if longer else 1) * self._rest_s}

    async def hand_out(
        self, machine: str, document: Job | Slot, decide: Callable[[Act], Wanted]
    ) -> Intent | None:
        """Have a document presented. None if nothing moved for certain; else the machine tells."""
        self._refuse_in_fire()
        born = self._clock.monotonic()
        with self._book.act() as act:
            wanted = decide(act)
            intent = self._intend_machine(act, machine, wanted, born)
        if self._is_stale(intent) or not await self._ask(intent, document):
            with self._book.act() as act:
                if wanted.item:
                    put(act, wanted.item, ItemState.LOADED)
                settle(act, intent.id, "not_moved", None)
            return None
        return intent

    async def let_in(
        self, machine: str, slot: Slot, decide: Callable[[Act], Wanted]
    ) -> Intent | None:
        """Have a machine that stores wait for a document. None if nothing moved for certain."""
        self._refuse_in_fire()
        born = self._clock.monotonic()
        with self._book.act() as act:
            wanted = decide(act)
            intent = self._intend_machine(act, machine, wanted, born)
        if self._is_stale(intent) or not await self._ask(intent, slot):
            with self._book.act() as act:
                if wanted.item:
                    put(act, wanted.item, ItemState.EXPECTED, keep_place=False)
                settle(act, intent.id, "not_moved", None)
            return None
        return intent

    async def repeat(self, intent: Intent, document: Job | Slot) -> bool:
        """Send the same command again: the machine moves nothing twice for one number.

        False if the decision is too old by now, or the machine refused.
        """
        return not self._is_stale(intent) and await self._ask(intent, document)

    async def take_back(self, machine: str, wanted: Wanted) -> Intent | None:
        """Have the machine take back what lies at its outlet."""
        born = self._clock.monotonic()
        with self._book.act() as act:
            intent = self._intend_machine(act, machine, wanted, born)
        if not self._is_stale(intent):
            try:
                await self._machines[machine].retract(intent.seq)
            except NotMoved:
                pass
            except DeviceFault:
                return intent
            else:
                return intent
        with self._book.act() as act:
            settle(act, intent.id, "not_moved", None)
        return None

    async def _ask(self, intent: Intent, document: Job | Slot) -> bool:
        self._step("send")
        machine = self._machines[intent.where]
        try:
            if intent.kind == "load":
                assert isinstance(document, Slot)
                await machine.take_in(intent.seq, document)
            else:
                await machine.present(intent.seq, document)
        except NotMoved:
            return False
        except DeviceFault:
            pass  # the machine remembers what it accepted: its numbers decide
        self._step("answer")
        return True

    def _is_stale(self, intent: Intent) -> bool:
        late = self._clock.monotonic() > intent.by or not intent.stands()
        return late or (self._fire.on and intent.kind != "retract")

    def _refuse_in_fire(self) -> None:
        if self._fire.on:
            raise Refused(Reason.FIRE)

    def _intend_machine(self, act: Act, machine: str, wanted: Wanted, born: float) -> Intent:
        seq: int = one_row(act.db, machines, machine=machine).next_seq
        change_rows(act.db, machines, {"machine": machine}, next_seq=seq % SEQ_MAX + 1)
        return self._intend(act, machine, wanted, born, seq)

    def _intend(
        self,
        act: Act,
        where: str,
        wanted: Wanted,
        born: float,
        seq: int = 0,
        place: Place | None = None,
    ) -> Intent:
        by = min(born + INTENT_AGE_MAX_S, wanted.by)
        intent = Intent(act.name("I"), wanted.kind, where, born, by, seq, wanted.stands)
        add_row(
            act.db,
            table,
            intent_id=intent.id,
            number=int(intent.id[1:]),
            kind=wanted.kind,
            cabinet=place.cabinet if place else None,
            no=place.no if place else None,
            machine=where if seq else None,
            seq=seq or None,
            order_no=wanted.order,
            item_id=wanted.item,
            badge_id=wanted.badge,
            code_id=wanted.code,
            command_id=wanted.command,
            session=wanted.session,
            at=act.now,
        )
        act.say(Up.MOVEMENT_INTENDED, _told(intent, wanted))
        return intent


def _told(intent: Intent, wanted: Wanted) -> MovementIntended:
    """Who wants it of what, as far as there is somebody and something."""
    about = {
        "order": wanted.order,
        "item": wanted.item,
        "badge": wanted.badge,
        "code": wanted.code,
        "session": wanted.session,
        "command": wanted.command,
        "approved_by": wanted.approved_by,
        "seq": intent.seq,
        "slot": wanted.slot,
    }
    told = {"intent": intent.id, "kind": wanted.kind, "where": intent.where}
    told["reason"] = wanted.reason
    return cast("MovementIntended", told | {name: of for name, of in about.items() if of})
