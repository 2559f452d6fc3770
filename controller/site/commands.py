"""What the district wants, on record: each command once, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from controller.entries import CommandEnded, Down, Up
from controller.entries_down import CompartmentCommand, DoubtCommand
from controller.journal import parse_time
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
    if act.db.scalar(select(table.c.kind).where(table.c.command_id == data["command"])):
        return
    act.db.execute(
        table.insert().values(
            command_id=data["command"],
            kind=kind.value,
            cabinet=data.get("cabinet"),
            no=data.get("no"),
            item_id=data.get("item"),
            intent_id=data.get("intent"),
            outcome=data.get("outcome"),
            reason=data["reason"],
            requested_by=data["requested_by"],
            approved_by=data["approved_by"],
            expires_at=data["expires_at"],
            received_at=act.now,
        )
    )


def still_open(
    connection: Connection, command: str, received: float, age_max_s: float
) -> Command | None:
    """The command if it has no end yet; it came at `received` of elapsed time."""
    row = connection.execute(
        select(table).where(table.c.command_id == command, table.c.ended.is_(None))
    ).first()
    if row is None:
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
    done = act.db.execute(
        table.update()
        .where(table.c.command_id == command, table.c.ended.is_(None))
        .values(ended=how.value.removeprefix("command."))
    )
    if done.rowcount != 1:
        return
    told = CommandEnded(command=command)
    if why is not None:
        told["reason"] = str(why)
    act.say(how, told)


def end_of(connection: Connection, command: str) -> Up:
    """What the movement came to, if there was one."""
    moved: Row[Any] | None = connection.execute(
        select(intents.c.outcome).where(intents.c.command_id == command)
    ).first()
    return Up.COMMAND_EXPIRED if moved is None else ENDS[moved.outcome or "unknown"]
