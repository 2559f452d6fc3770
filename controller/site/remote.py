"""What the district wants of a compartment: opened, blocked, put back to use; of a doubt: settled.

Each command is tried once, never at or after its end, and never while somebody is served here.
How many doors an hour it may open is the site's own affair.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection, func, select

from controller.entries import (
    AlarmKind,
    CompartmentState,
    Down,
    ItemState,
    Up,
)
from controller.journal import Entry, rfc3339
from controller.ports import Presence
from controller.refusals import Reason, Refused
from controller.site import compartments
from controller.site.alarms import clear_alarm, raise_alarm, standing
from controller.site.book import Act
from controller.site.commands import KINDS, Command, end, end_of, still_open
from controller.site.compartments import PENDING
from controller.site.doors import Door, Place, Sight
from controller.site.doorway import lock_up, step_back, strays
from controller.site.doubts import Said, settle_from_afar
from controller.site.intents import settle
from controller.site.items import item_at, put
from controller.site.locks import CROSSWIRED
from controller.site.movements import Intent, Wanted
from controller.site.premises import Premises
from controller.site.schema import commands as table
from controller.site.schema import intents
from controller.steady import SteadyClock

IN_USE: Final = (CompartmentState.FREE, CompartmentState.OCCUPIED)
HOUR: Final = timedelta(hours=1)
LOOK_EVERY_S: Final = 1.0
CALM_EVERY_S: Final = 60.0
FRAME_S: Final = 0.5  # what a pulse needs on the wire: asked for by then, it is there in time
WHERE: Final = "site"
NOT_OPENED: Final = "door_not_opened"
STAFF_LOOK: Final = "staff_look"  # opened, and no sensor will say what was done there
COMES_TO_REST: Final = (Up.COMPARTMENT_FAULT, Up.ITEM_STAYED, Up.ITEM_RETURNED)


class Remote:
    """Carries out what the district wants, one door after the other."""

    def __init__(
        self,
        premises: Premises,
        clock: SteadyClock,
        *,
        in_service: Callable[[], bool],
        visited: Callable[[], bool],
        tell: Callable[[Place], None],
    ) -> None:
        self._p = premises
        self._tell = tell  # who stands there, that nobody knows what is left at a place
        self._opened_at: set[Place] = set()  # where that may turn out so
        self._time = clock
        self._in_service = in_service
        self._visited = visited  # somebody is served, at whichever kiosk
        self._heard: deque[tuple[str, float]] = deque()
        self._opened: deque[float] = deque()  # elapsed time of each release of the last hour
        self._under_way: set[str] = set()
        self._turn = asyncio.Lock()
        self._alarmed = False
        premises.book.store.on_commit(self._committed)

    def _committed(self, entries: list[Entry]) -> None:
        told = [entry.data["command"] for entry in entries if entry.kind in KINDS]
        if told:
            self._heard.extend((command, self._time.monotonic()) for command in told)
            self._p.bell.ring()
        for entry in entries if self._opened_at else ():
            where = Place.parse(entry.data["where"]) if entry.kind in COMES_TO_REST else None
            if where in self._opened_at:
                self._opened_at.discard(where)
                if entry.kind == Up.COMPARTMENT_FAULT:
                    self._tell(where)

    def forget(self) -> None:
        """What came up to now was asked of another time of this site."""
        self._heard.clear()

    def start(self) -> None:
        """Nothing that came before this start is done any more; what was begun has an end."""
        fresh = {command for command, _ in self._heard}
        self._under_way.clear()
        self._opened_at.clear()
        with self._p.book.act() as act:
            for row in act.db.execute(select(table).where(table.c.ended.is_(None))).all():
                if row.command_id not in fresh:
                    end(act, row.command_id, end_of(act.db, row.command_id))
        with self._p.book.look() as connection:
            self._alarmed = AlarmKind.REMOTE_CAP in standing(connection, WHERE)

    async def run(self) -> None:
        """Each command as it comes; who waits for a door does not hold up a block."""
        async with asyncio.TaskGroup() as group:
            while True:
                patience_s = CALM_EVERY_S if self._alarmed else None
                await self._p.bell.until(lambda: bool(self._heard), patience_s)
                self._calm()
                while self._heard:
                    command = self._next()
                    if command is not None and command.id not in self._under_way:
                        self._under_way.add(command.id)
                        group.create_task(self._carry_out(command), name=command.id)

    def _next(self) -> Command | None:
        name, received = self._heard.popleft()
        with self._p.book.look() as connection:
            return still_open(connection, name, received, self._p.policy.remote_age_s)

    async def _carry_out(self, command: Command) -> None:
        try:
            if command.kind is Down.COMPARTMENT_OPEN:
                async with self._turn:
                    ended, why = await self._open(command)
            elif command.said is not None:
                ended, why = await self._settle(command, command.said), None
            else:
                ended, why = self._block(command), None
        except Refused as refusal:
            is_late = refusal.reason is Reason.COMMAND_EXPIRED
            ended, why = (Up.COMMAND_EXPIRED if is_late else Up.COMMAND_REFUSED), refusal.reason
            self._alarmed |= refusal.reason is Reason.REMOTE_CAP
        with self._p.book.act() as act:
            end(act, command.id, ended, None if ended is Up.COMMAND_EXPIRED else why)
            if why is Reason.REMOTE_CAP:
                raise_alarm(act, AlarmKind.REMOTE_CAP, WHERE)
        self._under_way.discard(command.id)

    # opened

    async def _open(self, command: Command) -> tuple[Up, str | None]:
        place = self._check(command)
        while not self._is_quiet(place):
            await self._time.sleep(LOOK_EVERY_S)
            self._check(command)
        self._p.watch.attended.add(place)
        try:
            decide = partial(self._decide, command, place)
            intent = await self._p.movements.open_door(place, decide)
            if intent is None:
                late = not self._stands(command)
                return (Up.COMMAND_EXPIRED, None) if late else (Up.COMMAND_FAILED, NOT_OPENED)
            self._opened.append(intent.born)
            ended, why = await self._follow(place, intent)
            if ended is Up.COMMAND_DONE and self._is_unseen(place):
                self._opened_at.add(place)
                why = STAFF_LOOK
            return ended, why
        finally:
            step_back(self._p, place)

    def _is_unseen(self, place: Place) -> bool:
        """Something lay there, and no sensor says whether it still does."""
        with self._p.book.look() as connection:
            item = item_at(connection, place)
        return item is not None and self._p.doors[place].item is Presence.UNKNOWN

    def _is_quiet(self, place: Place) -> bool:
        """Nobody is served, nothing goes on behind this door, and its coil has rested."""
        p = self._p
        if self._visited() or place in p.watch.attended:
            return False
        with p.book.look() as connection:
            if compartments.state_of(connection, place) in PENDING:
                return False
        return p.movements.coil_rests_s(place) <= 0

    def _check(self, command: Command) -> Place:
        """Where it is to be done. Refused where it may not be, or not any more."""
        self._check_moment(command)
        if command.place is None or command.place not in self._p.doors:
            raise Refused(Reason.PLACE_UNKNOWN)
        return command.place

    def _check_moment(self, command: Command) -> None:
        if not self._in_service():
            raise Refused(Reason.OUT_OF_SERVICE)
        if self._time.doubted:
            raise Refused(Reason.TIME_DOUBTED)
        if not self._stands(command):
            raise Refused(Reason.COMMAND_EXPIRED)

    def _stands(self, command: Command) -> bool:
        """In time by the site's clock and by what has passed since it came."""
        by = command.by - FRAME_S
        return (
            self._time.now() < command.expires_at
            and self._time.monotonic() < by
            and not self._time.doubted
        )

    def _decide(self, command: Command, place: Place, act: Act) -> Wanted:
        self._check(command)
        doors = self._p.doors
        if self._p.maintenance.is_on(place.cabinet):
            raise Refused(Reason.MAINTENANCE)
        if doors.is_open(place):
            raise Refused(Reason.DOOR_OPEN)
        state, item = compartments.state_of(act.db, place), item_at(act.db, place)
        is_empty = state is CompartmentState.FREE and doors[place].item is not Presence.PRESENT
        if not is_empty and not command.is_by_two:
            raise Refused(Reason.NEEDS_TWO)
        if state is CompartmentState.FAULT:  # stays so until somebody here has looked
            item = None
        elif not compartments.change(act, place, IN_USE, CompartmentState.OPEN):
            raise Refused(Reason.DOOR_OUT_OF_USE)
        if item is not None:
            put(act, item.item_id, ItemState.RELEASING)
        if self._opened_lately(act) >= self._p.policy.remote_opens_an_hour:
            raise Refused(Reason.REMOTE_CAP)
        return Wanted(
            kind="remote",
            reason=command.reason,
            order=item.order_no if item is not None else None,
            item=item.item_id if item is not None else None,
            command=command.id,
            approved_by=command.approved_by,
            by=command.by - FRAME_S,
            stands=partial(self._stands, command),
        )

    def _opened_lately(self, act: Act) -> int:
        """Doors opened so within the last hour, by whichever clock counts more of them."""
        while self._opened and self._opened[0] <= self._time.monotonic() - HOUR.total_seconds():
            self._opened.popleft()
        return max(len(self._opened), opened_since(act.db, act.at - HOUR))

    def _calm(self) -> None:
        """The alarm is over once another door might be opened."""
        if not self._alarmed:
            return
        with self._p.book.act() as act:
            if self._opened_lately(act) < self._p.policy.remote_opens_an_hour:
                clear_alarm(act, AlarmKind.REMOTE_CAP, WHERE)
                self._alarmed = False

    async def _follow(self, place: Place, intent: Intent) -> tuple[Up, str | None]:
        """Look which door opens. Nobody need be there, so a door that stays shut is no jam."""
        p = self._p
        others: list[Place] = []

        def is_told() -> bool:
            others.extend(strays(p, place, intent))
            return p.doors[place].door is Door.OPEN or bool(others)

        await p.bell.until(is_told, p.policy.door_unseen_s + p.policy.door_jammed_s)
        if p.doors[place].door is Door.OPEN:
            return Up.COMMAND_DONE, None
        with p.book.act() as act:
            settle(act, intent.id, "unknown", None)
            if not others and not p.doors.is_seen(place):
                return Up.COMMAND_UNKNOWN, None
            if others:
                lock_up(act, place, others[0])
            p.doors.feed(act, place, Sight.BOLT_RESTED)
        return Up.COMMAND_FAILED, CROSSWIRED if others else NOT_OPENED

    # blocked

    def _block(self, command: Command) -> Up:
        place = self._check(command)
        with self._p.book.act() as act:
            if command.kind is Down.COMPARTMENT_BLOCK:
                compartments.block(act, place, command.reason)
            else:
                compartments.unblock(act, place)
        self._p.bell.ring()
        return Up.COMMAND_DONE

    # settled

    async def _settle(self, command: Command, said: Said) -> Up:
        """While nobody is served who may know better. Done and told in one."""
        self._check_moment(command)
        while self._visited():
            await self._time.sleep(LOOK_EVERY_S)
            self._check_moment(command)
        if not command.is_by_two:
            raise Refused(Reason.NEEDS_TWO)
        with self._p.book.act() as act:
            settle_from_afar(act, self._p.doors, self._p.machines, said)
            end(act, command.id, Up.COMMAND_DONE)
        self._p.bell.ring()
        return Up.COMMAND_DONE


def opened_since(connection: Connection, since: datetime) -> int:
    """Releases that the district wanted, of which none is known to have come to nothing."""
    found = connection.scalar(
        select(func.count())
        .select_from(intents)
        .where(
            intents.c.command_id.is_not(None),
            intents.c.at > rfc3339(since),
            intents.c.outcome.is_(None) | (intents.c.outcome != "not_moved"),
        )
    )
    return int(found or 0)
