"""How a movement that was intended ends: moved, did not move, or nobody knows."""

from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, select

from controller.entries import MovementSettled, SeenBy, Up
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.schema import intents as table

Outcome = Literal["moved", "not_moved", "unknown"]

_LAST = (
    select(table.c.intent_id)
    .where(table.c.cabinet == bindparam("cabinet"), table.c.no == bindparam("number"))
    .order_by(table.c.number.desc())
    .limit(1)
)
_OF = table.update().where(table.c.intent_id == bindparam("of"))
_STILL_OPEN = _OF.where(table.c.outcome.is_(None))
_OPEN_OR_UNKNOWN = _OF.where(table.c.outcome.is_(None) | (table.c.outcome == "unknown"))


def unsettled(connection: Connection) -> list[Row[Any]]:
    """Intents without an end, oldest first."""
    return list(
        connection.execute(select(table).where(table.c.outcome.is_(None)).order_by(table.c.number))
    )


def settle_last(act: Act, place: Place, seen_by: SeenBy) -> None:
    """The last release of this door is now known to have moved the bolt."""
    last = act.db.scalar(_LAST, {"cabinet": place.cabinet, "number": place.no})
    if last is not None:
        settle(act, last, "moved", seen_by)


def settle(act: Act, intent: str, outcome: Outcome, seen_by: SeenBy | None) -> bool:
    """Write an intent's end. What is known stays known; *unknown* may still become known."""
    done = act.db.execute(
        _STILL_OPEN if outcome == "unknown" else _OPEN_OR_UNKNOWN,
        {"of": intent, "outcome": outcome, "seen_by": seen_by, "settled_at": act.now},
    )
    if done.rowcount != 1:
        return False
    act.say(Up.MOVEMENT_SETTLED, MovementSettled(intent=intent, outcome=outcome, seen_by=seen_by))
    return True
