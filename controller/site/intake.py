"""A licence taken in by a machine that stores them: staff badge, label, into the intake."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from controller.codes import Label
from controller.entries import Holder, ItemState
from controller.ports import Outcome, Slot
from controller.refusals import Reason, Refused
from controller.rows import change_rows, first_row, one_row
from controller.site.badged import STAFF, Bearer
from controller.site.book import Act
from controller.site.items import item_of
from controller.site.machines import Machines
from controller.site.movements import Wanted
from controller.site.outlet import bring_out, follow
from controller.site.returning import claim_item, tell_not_taken
from controller.site.schema import items as table
from controller.site.texts import Button, Screen, Text

HERE: Final = (
    ItemState.LOADED.value,
    ItemState.RELEASING.value,
    ItemState.RETURN_REQUESTED.value,
)


@dataclass(frozen=True, slots=True)
class Licence:
    """One that a machine has taken in."""

    item_id: str
    machine: str


class Intake:
    """The licences that one person with a badge brings."""

    def __init__(self, bearer: Bearer) -> None:
        self._b = bearer
        self._p = bearer.p
        self._taken_in = 0

    def is_for(self, label: Label) -> bool:
        """It is a licence's, and whoever scanned it may load one where a machine stores them."""
        p = self._p
        with p.book.look() as connection:
            badge = self._b.badge_in(connection)
            item = first_row(connection, table, label=label.text)
        is_licence = item is not None and item.holder == Holder.MACHINE.value
        storing = any(p.machines.stores(each) is not False for each in p.machines)
        return badge.role == STAFF and is_licence and storing

    async def run(self, label: Label) -> Licence | None:
        """One licence lies in a slot, or the screen says why not. Refused where it cannot."""
        p = self._p
        p.desk.listen(on=False)
        if p.surroundings.power_low or p.holds:
            raise Refused(Reason.LOADING_RESTS)
        with p.book.look() as connection:
            item = _item(connection, label.text)
            machine, slot = choose(connection, p.machines)
        document = Slot(slot)
        with p.machines.awaited(machine):
            intent = await p.movements.let_in(
                machine, document, lambda act: self._decide(act, item, machine, slot)
            )
            if intent is None:
                raise Refused(Reason.NO_SLOT)
            p.desk.show(Screen.LOAD, Text.LAY_IN, machine=machine)
            p.desk.listen(on=True)  # the next label may be scanned while the machine works
            outcome = await follow(p, intent, document)
        self._say(outcome, machine)
        return Licence(item.item_id, machine) if outcome is Outcome.DONE else None

    async def undo(self, licence: Licence) -> None:
        """It is in the person's hands again and waits to be loaded, as if it had not been."""
        p, machine = self._p, licence.machine
        with p.book.look() as connection:
            item = item_of(connection, licence.item_id)
        if item.slot is None:
            raise Refused(Reason.STALE_DECISION)
        outcome = await bring_out(p, item, self._decide_undo)
        if outcome is Outcome.TAKEN:
            self._taken_in -= 1
            p.desk.show(Screen.LOAD, Text.MACHINE_UNDONE, Button.END, machine=machine)
        else:
            tell_not_taken(self._b, Screen.LOAD, outcome, machine)

    def _decide_undo(self, act: Act, item: Row[Any]) -> Wanted:
        badge = self._b.badge_in(act.db, STAFF)
        claim_item(act, item.item_id)
        return Wanted(
            kind="undo",
            reason="undo_load",
            order=item.order_no,
            item=item.item_id,
            badge=badge.badge_id,
        )

    def _decide(self, act: Act, item: Row[Any], machine: str, slot: int) -> Wanted:
        badge = self._b.badge_in(act.db, STAFF)
        _item(act.db, item.label)
        if slot in _promised(act.db, machine):
            raise Refused(Reason.STALE_DECISION)
        change_rows(act.db, table, {"item_id": item.item_id}, machine=machine, slot=slot)
        return Wanted(
            kind="load",
            reason="staff_load",
            order=item.order_no,
            item=item.item_id,
            badge=badge.badge_id,
            slot=slot,
        )

    def _say(self, outcome: Outcome, machine: str) -> None:
        p = self._p
        match outcome:
            case Outcome.DONE:
                self._taken_in += 1
                loaded = self._taken_in
                buttons = (Button.UNDO, Button.END)
                p.desk.show(Screen.LOAD, Text.TAKEN_IN, *buttons, machine=machine, loaded=loaded)
            case Outcome.FAILED_INSIDE:
                p.desk.show(Screen.LOAD, Text.NOTHING_TAKEN_IN, Button.END, machine=machine)
            case _:
                self._b.trouble(Screen.LOAD, Text.UNSURE, None, "unsure")


def choose(connection: Connection, machines: Machines) -> tuple[str, int]:
    """A machine that can take a licence in, and its first free slot. Refused if there is none."""
    for machine in machines:
        if machines.can_take_in(machine):
            promised = _promised(connection, machine)
            for slot in machines.free_slots(machine):
                if slot not in promised:
                    return machine, slot
    raise Refused(Reason.NO_SLOT)


def _promised(connection: Connection, machine: str) -> set[int]:
    """Slots in which something lies, or should, or is to, as the book says."""
    held = table.c.slot.is_not(None) & (table.c.machine == machine)
    return set(connection.scalars(select(table.c.slot).where(held)))


def _item(connection: Connection, label: str) -> Row[Any]:
    """The licence that waits for this label."""
    item = one_row(connection, table, label=label)
    if item.state in HERE:
        raise Refused(Reason.LABEL_LOADED)
    if item.state != ItemState.EXPECTED.value or item.slot is not None:
        raise Refused(Reason.LABEL_UNKNOWN)
    return item
