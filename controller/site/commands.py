"""What the district wants, on record: each command once, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, update

from controller.entries import CommandEnded, Down, Up
from controller.entries_down import CompartmentCommand, DoubtCommand
from controller.journal import parse_time
from controller.prepared import Prepared
from controller.rows import add_row, first_row
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.doubts import Said
from controller.site.schema import commands as table
from controller.site.schema import intents

KINDS: Final = (
    Down.COMPARTMENT_OPEN,
    Down.COMPARTMENT_BLOCK,
    Down.COMPARTMENT_UNBLOCK,
    Down.DOUBT_SETTLE,
)
ENDS: Final = {
    "moved": Up.COMMAND_DONE,
    "not_moved": Up.COMMAND_FAILED,
    "unknown": Up.COMMAND_UNKNOWN,
}

_END: Final = Prepared(
    update(table).where(table.c.command_id == bindparam("of_command"), table.c.ended.is_(None)),
    "ended",
)


@dataclass(frozen=True, slots=True)
class Command:
    """One that nobody has tried yet. `by` is elapsed time, `expires_at` the site's."""

    id: str
    kind: Down
    place: Place | None  # None: it is about a doubt
    said: Said | None
    reason: str
    requested_by: str
    approved_by: str | None
    expires_at: datetime
    by: float

    @property
    def is_by_two(self) -> bool:
        return bool(self.approved_by) and self.approved_by != self.requested_by


def take_down(kind: Down, act: Act, data: CompartmentCommand | DoubtCommand) -> None:
    """It is on record, once."""
    if first_row(act.db, table, command_id=data["command"]) is not None:
        return
    said: dict[str, Any] = {**data}  # a place or a doubt
    add_row(
        act.db,
        table,
        command_id=data["command"],
        kind=kind.value,
        cabinet=said.get("cabinet"),
        no=said.get("no"),
        item_id=said.get("item"),
        intent_id=said.get("intent"),
        outcome=said.get("outcome"),
        reason=data["reason"],
        requested_by=data["requested_by"],
        approved_by=data["approved_by"],
        expires_at=data["expires_at"],
        received_at=act.now,
    )


def still_open(
    connection: Connection, command: str, received: float, age_max_s: float
) -> Command | None:
    """The command if it has no end yet; it came at `received` of elapsed time."""
    row = first_row(connection, table, command_id=command)
    if row is None or row.ended is not None:
        return None
    expires_at = parse_time(row.expires_at)
    lasts_s = (expires_at - parse_time(row.received_at)).total_seconds()
    return Command(
        id=row.command_id,
        kind=Down(row.kind),
        place=None if row.cabinet is None else Place(row.cabinet, row.no),
        said=None if row.intent_id is None else Said(row.item_id, row.intent_id, row.outcome),
        reason=row.reason,
        requested_by=row.requested_by,
        approved_by=row.approved_by,
        expires_at=expires_at,
        by=received + min(lasts_s, age_max_s),
    )


def end(act: Act, command: str, how: Up, why: str | None = None) -> None:
    """Write what became of it, once."""
    if _END.run(act.db, of_command=command, ended=how.value.removeprefix("command.")) != 1:
        return
    told = CommandEnded(command=command)
    if why is not None:
        told["reason"] = str(why)
    act.say(how, told)


def end_of(connection: Connection, command: str) -> Up:
    """What the movement came to, if there was one."""
    moved = first_row(connection, intents, command_id=command)
    return Up.COMMAND_EXPIRED if moved is None else ENDS[moved.outcome or "unknown"]
