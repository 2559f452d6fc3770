"""How a movement that was intended ends: moved, did not move, or nobody knows."""

from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, select

from controller.entries import MovementSettled, SeenBy, Up
from controller.prepared import Prepared
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.schema import intents as table

Outcome = Literal["moved", "not_moved", "unknown"]

_LAST_TWO = Prepared(
    select(table.c.intent_id, table.c.outcome)
    .where(table.c.cabinet == bindparam("cabinet"), table.c.no == bindparam("number"))
    .order_by(table.c.number.desc())
    .limit(2)
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


def settle_last(act: Act, place: Place, seen_by: SeenBy, *, unseen: bool) -> None:
    """The door stands open, so its last release moved the bolt.

    Unless nobody saw the door before (`unseen`), and the release before that may have moved it.
    """
    found = _LAST_TWO.rows(act.db, cabinet=place.cabinet, number=place.no)
    in_doubt = any(each.outcome in (None, "unknown") for each in found[1:])
    if found and not (unseen and in_doubt):
        settle(act, found[0].intent_id, "moved", seen_by)


def settle(act: Act, intent: str, outcome: Outcome, seen_by: SeenBy | None) -> bool:
    """Write an intent's end. What is known stays known; *unknown* may still become known."""
    end = {"outcome": outcome, "seen_by": seen_by, "settled_at": act.now}
    rule = _STILL_OPEN if outcome == "unknown" else _OPEN_OR_UNKNOWN
    if rule.run(act.db, of=intent, **end) != 1:
        return False
    act.say(Up.MOVEMENT_SETTLED, MovementSettled(intent=intent, outcome=outcome, seen_by=seen_by))
    return True
