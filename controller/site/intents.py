"""How a movement that was intended ends: moved, did not move, or nobody knows."""

from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, select

from controller.entries import MovementSettled, SeenBy, Up
from controller.prepared import Prepared
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.schema import intents as table

Outcome = Literal["moved", "not_moved", "unknown"]

_LAST = Prepared(
    select(table.c.intent_id)
    .where(table.c.cabinet == bindparam("cabinet"), table.c.no == bindparam("number"))
    .order_by(table.c.number.desc())
    .limit(1)
)
_END = ("outcome", "seen_by", "settled_at")
_OF = table.update().where(table.c.intent_id == bindparam("of"))
_STILL_OPEN = Prepared(_OF.where(table.c.outcome.is_(None)), *_END)
_OPEN_OR_UNKNOWN = Prepared(
    _OF.where(table.c.outcome.is_(None) | (table.c.outcome == "unknown")), *_END
)
_UNSETTLED = Prepared(select(table).where(table.c.outcome.is_(None)).order_by(table.c.number))


def unsettled(connection: Connection) -> list[Row[Any]]:
    """Intents without an end, oldest first."""
    return _UNSETTLED.rows(connection)


def settle_last(act: Act, place: Place, seen_by: SeenBy) -> None:
    """The last release of this door is now known to have moved the bolt."""
    last = _LAST.scalar(act.db, cabinet=place.cabinet, number=place.no)
    if last is not None:
        settle(act, last, "moved", seen_by)


def settle(act: Act, intent: str, outcome: Outcome, seen_by: SeenBy | None) -> bool:
    """Write an intent's end. What is known stays known; *unknown* may still become known."""
    end = {"outcome": outcome, "seen_by": seen_by, "settled_at": act.now}
    rule = _STILL_OPEN if outcome == "unknown" else _OPEN_OR_UNKNOWN
    if rule.run(act.db, of=intent, **end) != 1:
        return False
    act.say(Up.MOVEMENT_SETTLED, MovementSettled(intent=intent, outcome=outcome, seen_by=seen_by))
    return True
