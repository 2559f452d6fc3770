"""Licence machines: what each one last said, and what it can do now."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select

from controller.entries import (
    AlarmKind,
    ItemState,
    ItemStayed,
    MachineAdopted,
    MachineChanged,
    Up,
)
from controller.ports import Command, MachineSight, MachineState, Outcome
from controller.prepared import Prepared
from controller.rows import change_rows, one_row
from controller.site.alarms import clear_alarm, raise_alarm
from controller.site.book import Act
from controller.site.intents import settle, unsettled
from controller.site.items import (
    SHEETS_A_SET,
    doubtful,
    gone,
    item_of,
    last_intent,
    load_printed,
    loaded,
    put,
)
from controller.site.schema import intents
from controller.site.schema import machines as table
from controller.site.settling import clear_if_settled, is_lost_at

AWAY = "away"  # a machine's state while its line is down
SEQ_MAX: Final = 65_535  # a machine's sequence numbers go from 1 to this and around
IN_ITS_SLOT: Final = 0x21  # detail of an interrupted command: nothing left its place
SLOT_EMPTY: Final = 0x02  # and of a refused one
LATE: Final = 32_768  # numbers further apart than this are older ones
_IN_DOUBT: Final = Prepared(
    select(intents)
    .where(intents.c.outcome == "unknown", intents.c.machine == bindparam("of"))
    .order_by(intents.c.number)
)


class Machines:
    """The last sight of each machine; changes are written and said."""

    def __init__(self, names: Iterable[str], *, blanks_low: int) -> None:
        self._blanks_low = blanks_low
        self._sights: dict[str, MachineSight | None] = dict.fromkeys(names)
        self._held: set[str] = set()
        self._awaited: set[str] = set()
        self._numbered: dict[str, int] = {}  # the machine's last number that was checked
        self._left: set[str] = set()  # a visit is over: what it left unsettled is looked up

    def __getitem__(self, machine: str) -> MachineSight | None:
        return self._sights.get(machine)

    def __iter__(self) -> Iterator[str]:
        return iter(self._sights)

    def is_held(self, machine: str) -> bool:
        """Its numbers are not ours: nothing is asked of it until a person has looked."""
        return machine in self._held

    def is_awaited(self, machine: str) -> bool:
        """A visit follows its command itself."""
        return machine in self._awaited

    @contextmanager
    def awaited(self, machine: str) -> Iterator[None]:
        self._awaited.add(machine)
        try:
            yield
        finally:
            self._awaited.discard(machine)
            self._left.add(machine)

    def can_present(self, machine: str) -> bool:
        """It is idle, its outlet free, nothing is wrong with it, and it has blanks."""
        sight = self._sights.get(machine)
        return (
            sight is not None
            and machine not in self._held
            and sight.state is MachineState.IDLE
            and not sight.faults
            and not sight.at_outlet
            and (sight.blanks is None or sight.blanks >= SHEETS_A_SET)
        )

    def stores(self, machine: str) -> bool | None:
        """Whether it keeps printed licences, as it says itself; None while it does not answer."""
        sight = self._sights.get(machine)
        return None if sight is None else sight.slots > 0

    def can_take_in(self, machine: str) -> bool:
        """It stores licences, is idle, nothing is wrong with it, and nobody uses it."""
        return bool(
            self.stores(machine) and self.can_present(machine) and machine not in self._awaited
        )

    def free_slots(self, machine: str) -> list[int]:
        """Those in which nothing lies, as the machine says."""
        sight = self._sights.get(machine)
        if sight is None:
            return []
        return [slot for slot in range(1, sight.slots + 1) if slot not in sight.occupied]

    def is_new(self, machine: str, sight: MachineSight) -> bool:
        """Whether `see` would have anything to write."""
        last = self._sights.get(machine)
        return (
            last is None
            or machine in self._left
            or (_told(last), last.last) != (_told(sight), sight.last)
        )

    def glance(self, machine: str, sight: MachineSight) -> None:
        """Nothing new to write was seen."""
        self._sights[machine] = sight

    def see(self, act: Act, machine: str, sight: MachineSight) -> None:
        """Write and say what changed; what waits for a printer may be loaded now."""
        self._check_numbers(act, machine, sight)
        self._sights[machine] = sight
        state, blanks, faults = _told(sight)
        if _write(act, machine, state, blanks, faults):
            for stands, kind in (
                (bool(faults), AlarmKind.MACHINE_FAULT),
                (
                    blanks is not None and blanks < self._blanks_low * SHEETS_A_SET,
                    AlarmKind.BLANKS_LOW,
                ),
            ):
                (raise_alarm if stands else clear_alarm)(act, kind, machine)
            load_printed(act)
        if machine not in self._awaited and machine not in self._held:
            self._left.discard(machine)
            for intent in unsettled(act.db):
                if intent.machine == machine:
                    settle_command(act, intent, sight)
            self._end_doubts(act, machine, sight)

    def _end_doubts(self, act: Act, machine: str, sight: MachineSight) -> None:
        """It was away when a visit gave it up, and now remembers what it did with the command."""
        newest = one_row(act.db, table, machine=machine).next_seq - 1 or SEQ_MAX
        for intent in _IN_DOUBT.rows(act.db, of=machine):
            known = (sight.last.seq, sight.previous.seq, newest)
            if intent.seq in known and _is_told(act.db, intent, sight):
                settle_command(act, intent, sight)
                clear_if_settled(act, machine)

    def adopt(self, act: Act, machine: str, badge: str) -> bool:
        """Go on where the machine stands; what was open is settled by what it says.

        False if it does not answer now.
        """
        sight = self._sights.get(machine)
        if sight is None or machine not in self._held:
            return False
        self._held.discard(machine)
        self._left.add(machine)
        act.db.execute(
            table.update()
            .where(table.c.machine == machine)
            .values(next_seq=sight.last.seq % SEQ_MAX + 1)
        )
        act.say(
            Up.MACHINE_ADOPTED, MachineAdopted(machine=machine, seq=sight.last.seq, badge=badge)
        )
        return True

    def lose(self, act: Act, machine: str) -> None:
        """It does not answer."""
        self._sights[machine] = None
        _write(act, machine, AWAY, None, [])

    def _check_numbers(self, act: Act, machine: str, sight: MachineSight) -> None:
        theirs = sight.last.seq
        if self._numbered.get(machine) == theirs:
            return
        ours = one_row(act.db, table, machine=machine).next_seq
        self._numbered[machine] = theirs
        if theirs == 0 or (ours - 1 - theirs) % (SEQ_MAX + 1) < LATE:
            return
        asked = act.db.scalar(
            select(func.count()).select_from(intents).where(intents.c.machine == machine)
        )
        if asked:
            self._held.add(machine)
            raise_alarm(act, AlarmKind.UNEXPLAINED, machine)
        else:  # a machine that is new to us goes on where it stands
            act.db.execute(
                table.update()
                .where(table.c.machine == machine)
                .values(next_seq=theirs % SEQ_MAX + 1)
            )


def _told(sight: MachineSight) -> tuple[str, int | None, list[str]]:
    return sight.state.value, sight.blanks, sorted(sight.faults)


def _write(act: Act, machine: str, state: str, blanks: int | None, faults: list[str]) -> bool:
    joined = ",".join(faults)
    now, before = (state, blanks, joined), act.memory.get((table, machine))
    if before is None:
        row = one_row(act.db, table, machine=machine)
        before = (row.state, row.blanks, row.faults)
    act.memory[table, machine] = now
    if before == now:
        return False
    told = {"state": state, "blanks": blanks, "faults": joined, "at": act.now}
    change_rows(act.db, table, {"machine": machine}, **told)
    act.say(
        Up.MACHINE_CHANGED,
        MachineChanged(machine=machine, state=state, blanks=blanks, faults=faults),
    )
    return True


def command_of(sight: MachineSight, seq: int) -> Command | None:
    """What the machine remembers of our command, if it does."""
    return next((each for each in (sight.last, sight.previous) if each.seq == seq), None)


def is_older(sight: MachineSight, seq: int) -> bool:
    """The machine has not got as far as our command: it never arrived."""
    theirs = sight.last.seq
    if theirs == 0:  # it remembers nothing: new, or its memory was replaced
        return seq == 1
    return theirs != seq and (seq - theirs) % (SEQ_MAX + 1) < LATE


def settle_command(act: Act, intent: Row[Any], sight: MachineSight) -> Outcome | None:
    """What the machine says of a command, written down; None while it goes on.

    Nothing is asked of the machine again: what never arrived did not move.
    """
    command = command_of(sight, intent.seq)
    if command is not None and command.outcome in GOES_ON:
        return None
    if intent.kind == "load":
        return _settle_load(act, intent, sight, command)
    if _stayed(sight, command, intent.seq):
        settle(act, intent.intent_id, "not_moved", "machine")
        if intent.item_id:
            put(act, intent.item_id, ItemState.LOADED)
        return Outcome.FAILED_INSIDE
    if command is None or command.outcome in (Outcome.INTERRUPTED, Outcome.REFUSED):
        settle(act, intent.intent_id, "unknown", None)
        if intent.item_id is not None or is_lost_at(act.db, intent.machine):
            doubtful(act, intent.item_id, intent.machine, None)
        return Outcome.INTERRUPTED
    settle(act, intent.intent_id, "moved", "machine")
    if command.outcome is Outcome.FAILED_ON_THE_WAY:
        doubtful(act, intent.item_id, intent.machine, None)
    if command.outcome is Outcome.TAKEN and intent.item_id:
        gone(act, item_of(act.db, intent.item_id), intent, intent.machine, "machine")
    if command.outcome is Outcome.RETRACTED and not _is_back(act, intent, sight):
        raise_alarm(act, AlarmKind.ITEM_LEFT, intent.machine)
    return command.outcome


def _brought_into_doubt(connection: Connection, intent: Row[Any]) -> Row[Any] | None:
    """The item of which nobody has said since then where it is."""
    if intent.item_id is None:
        return None
    item = item_of(connection, intent.item_id)
    if item.state != ItemState.RELEASING.value or item.machine != intent.machine:
        return None
    is_last = last_intent(connection, item.item_id).intent_id == intent.intent_id
    return item if is_last else None


def _is_told(connection: Connection, intent: Row[Any], sight: MachineSight) -> bool:
    """An item is still in doubt by this command, and by now the machine surely knows."""
    item = _brought_into_doubt(connection, intent)
    if item is None:
        return False
    command = command_of(sight, intent.seq)
    if command is None:
        return is_older(sight, intent.seq)
    if command.outcome in GOES_ON:
        return False
    if intent.kind == "load":
        return command.outcome in STAYED or _lies_there(command, item.slot, sight)
    doubted = (Outcome.INTERRUPTED, Outcome.REFUSED)
    return _stayed(sight, command, intent.seq) or command.outcome not in doubted


def _is_back(act: Act, intent: Row[Any], sight: MachineSight) -> bool:
    """What nobody took lies in its slot again, as the machine says; else in its reject bin."""
    if intent.item_id is None:
        return False
    item = item_of(act.db, intent.item_id)
    if item.slot is None or item.slot not in sight.occupied:
        return False
    put(act, item.item_id, ItemState.LOADED)
    act.say(
        Up.ITEM_STAYED,
        ItemStayed(where=intent.machine, item=item.item_id, inside=True, by="machine"),
    )
    return True


def _settle_load(
    act: Act, intent: Row[Any], sight: MachineSight, command: Command | None
) -> Outcome:
    """A licence was to be taken in: it lies in its slot or is in a hand, or nobody knows."""
    item = item_of(act.db, intent.item_id)
    if command is not None and _lies_there(command, item.slot, sight):
        settle(act, intent.intent_id, "moved", "machine")
        loaded(act, item, intent.machine, "machine", intent.badge_id)
        return Outcome.DONE
    if command.outcome in STAYED if command is not None else is_older(sight, intent.seq):
        settle(act, intent.intent_id, "not_moved", "machine")
        put(act, item.item_id, ItemState.EXPECTED, keep_place=False)
        return Outcome.FAILED_INSIDE
    jammed = command is not None and command.outcome is Outcome.FAILED_ON_THE_WAY
    settle(act, intent.intent_id, *(("moved", "machine") if jammed else ("unknown", None)))
    doubtful(act, item.item_id, intent.machine, None)
    return Outcome.FAILED_ON_THE_WAY if jammed else Outcome.INTERRUPTED


def _lies_there(command: Command, slot: int, sight: MachineSight) -> bool:
    """Taken in, though the power may have gone before the machine could say so."""
    return command.outcome is Outcome.DONE or (
        command.outcome is Outcome.INTERRUPTED
        and (command.detail == IN_ITS_SLOT or slot in sight.occupied)
    )


GOES_ON: Final = (Outcome.NONE, Outcome.RUNNING, Outcome.PRESENTED)
STAYED: Final = (Outcome.REFUSED, Outcome.FAILED_INSIDE)


def _stayed(sight: MachineSight, command: Command | None, seq: int) -> bool:
    """Whether the document certainly left its place at no time."""
    if command is None:
        return is_older(sight, seq)
    if command.outcome is Outcome.REFUSED and command.detail == SLOT_EMPTY:
        return False  # it should lie there, and does not
    return command.outcome in STAYED or (
        command.outcome is Outcome.INTERRUPTED and command.detail == IN_ITS_SLOT
    )
