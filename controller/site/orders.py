"""Orders and their codes: who may have what, until when, and when it is over."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from controller.entries import (
    DeadlineExtended,
    Factor,
    ItemState,
    OrderState,
    PickupEnded,
    PickupOverdue,
    PickupReady,
    PickupStarted,
    Taken,
    Up,
)
from controller.journal import parse_time, rfc3339
from controller.prepared import Prepared
from controller.refusals import Reason, Refused
from controller.rows import add_row, change_rows, one_row
from controller.site.book import Act
from controller.site.retention import last_moment
from controller.site.schema import codes, hindrances, intents, items, sessions
from controller.site.schema import orders as table

GONE = (ItemState.COLLECTED.value, ItemState.RETURNED.value, ItemState.CANCELLED.value)
NOT_YET = (OrderState.PLACED.value, OrderState.PARTLY_LOADED.value)
COLLECTABLE = (
    OrderState.READY.value,
    OrderState.PARTLY_COLLECTED.value,
    OrderState.OVERDUE.value,
)

OrderRow = Row[Any]
_OPEN_SESSIONS = Prepared(select(sessions.c.session).where(sessions.c.ended_at.is_(None)))
_OPENED = Prepared(
    select(table)
    .join(codes, codes.c.order_no == table.c.order_no)
    .where(codes.c.code_id == bindparam("of"), codes.c.state == "open")
)
_BY_QR = Prepared(select(codes.c.code_id).where(codes.c.qr == bindparam("digest")))
_CODE_STATE = Prepared(select(codes.c.state).where(codes.c.code_id == bindparam("of")))
_CLAIM = Prepared(
    codes.update()
    .where(codes.c.code_id == bindparam("of"), codes.c.state == "open")
    .values(state="claimed")
)
_GIVE_BACK = Prepared(
    codes.update()
    .where(codes.c.code_id == bindparam("of"), codes.c.state == "claimed")
    .values(state="open")
)
_SPEND = Prepared(
    codes.update()
    .where(codes.c.order_no == bindparam("of"), codes.c.state.in_(("open", "claimed")))
    .values(state="spent")
)
_IN_VISIT = Prepared(
    select(sessions.c.session).where(
        sessions.c.order_no == bindparam("of"), sessions.c.ended_at.is_(None)
    )
)
_OPEN_SESSION = Prepared(
    select(sessions).where(sessions.c.session == bindparam("of"), sessions.c.ended_at.is_(None))
)
_END_SESSIONS = Prepared(
    sessions.update().where(sessions.c.order_no == bindparam("of"), sessions.c.ended_at.is_(None)),
    "ended_at",
)
_CODE = Prepared(select(sessions.c.code_id).where(sessions.c.session == bindparam("of")))
_SIGNED_FOR = Prepared(
    select(intents)
    .join(items, items.c.item_id == intents.c.item_id)
    .where(
        intents.c.session == bindparam("of"),
        intents.c.outcome == "moved",
        items.c.state == ItemState.COLLECTED.value,
    )
    .order_by(intents.c.number)
)
_LEFT = Prepared(
    select(items.c.item_id)
    .where(items.c.order_no == bindparam("of"), items.c.state.not_in(GONE))
    .order_by(items.c.item_id)
)
_ITEM_STATES = Prepared(
    select(items.c.state, func.count().label("number"))
    .where(items.c.order_no == bindparam("of"))
    .group_by(items.c.state)
)
_FORGET_HINDRANCES = Prepared(hindrances.delete().where(hindrances.c.order_no == bindparam("of")))


def order_of(connection: Connection, order_no: str) -> OrderRow:
    return one_row(connection, table, order_no=order_no)


def open_order(connection: Connection, code_id: str, now: datetime, valid_s: float) -> OrderRow:
    """The order that a code opens. One refusal for wrong, spent, replaced and expired alike."""
    row = _OPENED.first(connection, of=code_id)
    if row is not None and row.state in NOT_YET:
        raise Refused(Reason.CODE_NOT_READY)
    if row is None or row.state not in COLLECTABLE:
        raise Refused(Reason.CODE_UNKNOWN)
    refuse_expired(row, now, valid_s)
    return row


def refuse_expired(order: OrderRow, now: datetime, valid_s: float) -> None:
    """Refused from the moment on that the codes of a ready order are no longer good."""
    if now >= parse_time(order.ready_at) + timedelta(seconds=valid_s):
        raise Refused(Reason.CODE_UNKNOWN)


def code_by_qr(connection: Connection, digest: str) -> str | None:
    found: str | None = _BY_QR.scalar(connection, digest=digest)
    return found


def ready_if_loaded(act: Act, order_no: str) -> None:
    """With the last item in place the order is ready, and the recipient may be told."""
    states = _item_states(act.db, order_no)
    order = order_of(act.db, order_no)
    if order.state not in NOT_YET:
        return
    if ItemState.EXPECTED.value in states:
        _change(act, order_no, state=OrderState.PARTLY_LOADED.value)
        return
    expires_at = rfc3339(last_moment(act.at, order.retention_s))
    _change(
        act,
        order_no,
        state=OrderState.READY.value,
        ready_at=act.now,
        expires_at=expires_at,
        lost_days=0,
    )
    _FORGET_HINDRANCES.run(act.db, of=order_no)
    act.say(Up.PICKUP_READY, PickupReady(order=order_no, expires_at=expires_at))


def overdue(act: Act, order_no: str) -> None:
    """The time to collect is over; the code is good until what lies here is taken back."""
    _change(act, order_no, state=OrderState.OVERDUE.value)
    act.say(Up.PICKUP_OVERDUE, PickupOverdue(order=order_no))


def extend(act: Act, order_no: str, expires_at: datetime, reason: str) -> None:
    """There is more time to collect it; what was overdue is not any more."""
    until = rfc3339(expires_at)
    order = order_of(act.db, order_no)
    _change(act, order_no, expires_at=until)
    if order.state == OrderState.OVERDUE.value and expires_at > act.at:
        begun = ItemState.COLLECTED.value in _item_states(act.db, order_no)
        state = OrderState.PARTLY_COLLECTED if begun else OrderState.READY
        _change(act, order_no, state=state.value)
    act.say(Up.DEADLINE_EXTENDED, DeadlineExtended(order=order_no, expires_at=until, reason=reason))


def start_session(
    act: Act, order_no: str, code_id: str, factor: Factor = "none", badge: str | None = None
) -> str:
    """Claim the code for one visit. Refused if it is no longer open, or another visit goes on."""
    session = act.name("S")
    if _CLAIM.run(act.db, of=code_id) != 1:
        raise Refused(Reason.CODE_UNKNOWN)
    if _IN_VISIT.first(act.db, of=order_no):
        raise Refused(Reason.BUSY)
    visit = {"session": session, "order_no": order_no, "code_id": code_id, "started_at": act.now}
    add_row(act.db, sessions, **visit)
    told = PickupStarted(order=order_no, code=code_id, session=session)
    if factor != "none":
        told["factor"] = factor
    if badge is not None:
        told["badge"] = badge
    act.say(Up.PICKUP_STARTED, told)
    return session


def still_claimed(act: Act, code_id: str) -> None:
    """Refused where the code died in the middle of its visit."""
    if _CODE_STATE.scalar(act.db, of=code_id) != "claimed":
        raise Refused(Reason.CODE_UNKNOWN)


def complete_if_done(act: Act, order_no: str, session: str) -> None:
    """With the last item gone every code of the order is spent; a cancelled one stays so."""
    state = order_of(act.db, order_no).state
    if state == OrderState.CANCELLED.value:
        return
    if _left(act.db, order_no):
        if state != OrderState.OVERDUE.value:
            _change(act, order_no, state=OrderState.PARTLY_COLLECTED.value)
        return
    _change(act, order_no, state=OrderState.COLLECTED.value)
    _SPEND.run(act.db, of=order_no)
    _close_session(act, order_no)
    act.say(Up.PICKUP_COMPLETED, _receipt(act.db, order_no, session, []))


def withdraw_prints(act: Act, order_no: str) -> None:
    """Licences that are to be taken back and were never printed go with the last item."""
    left = set(_left(act.db, order_no))
    unprinted = set(
        act.db.scalars(
            select(items.c.item_id).where(
                items.c.order_no == order_no,
                items.c.job.is_not(None),
                items.c.state == ItemState.RETURN_REQUESTED.value,
            )
        )
    )
    if left == unprinted:
        act.db.execute(
            items.update()
            .where(items.c.item_id.in_(unprinted))
            .values(state=ItemState.CANCELLED.value)
        )


def close_if_returned(act: Act, order_no: str) -> None:
    """With the last item taken back every code of the order is dead; a cancelled one stays so."""
    done = (OrderState.CANCELLED.value, OrderState.COLLECTED.value)
    if _left(act.db, order_no) or order_of(act.db, order_no).state in done:
        return
    _change(act, order_no, state=OrderState.RETURNED.value)
    _SPEND.run(act.db, of=order_no)
    _close_session(act, order_no)


def wait_again(act: Act, order_no: str) -> None:
    """An item is expected anew: nobody is served before it is here, if nobody was yet."""
    if order_of(act.db, order_no).state not in (*NOT_YET, OrderState.READY.value):
        return
    here = set(_item_states(act.db, order_no)) - {ItemState.EXPECTED.value}
    state = OrderState.PARTLY_LOADED if here else OrderState.PLACED
    _change(act, order_no, state=state.value, ready_at=None, expires_at=None)


def end_session(act: Act, session: str) -> None:
    """The visit is over; its code is good for what is left."""
    row = _OPEN_SESSION.first(act.db, of=session)
    if row is None:
        return
    _close_session(act, row.order_no)
    _GIVE_BACK.run(act.db, of=row.code_id)
    left = _left(act.db, row.order_no)
    act.say(Up.PICKUP_ENDED, _receipt(act.db, row.order_no, session, left))


def _receipt(connection: Connection, order_no: str, session: str, left: list[str]) -> PickupEnded:
    """What is signed for: taken in this session, where, when, by which code."""
    last = {row.item_id: row for row in _SIGNED_FOR.rows(connection, of=session)}
    told = PickupEnded(
        order=order_no,
        session=session,
        left=left,
        taken=[
            Taken(item=item, where=row.machine or f"{row.cabinet}/{row.no}", at=row.settled_at)
            for item, row in last.items()
        ],
    )
    if (code := _CODE.scalar(connection, of=session)) is not None:
        told["code"] = code
    return told


def open_sessions(connection: Connection) -> list[str]:
    return _OPEN_SESSIONS.scalars(connection)


def _close_session(act: Act, order_no: str) -> None:
    _END_SESSIONS.run(act.db, of=order_no, ended_at=act.now)


def _left(connection: Connection, order_no: str) -> list[str]:
    return _LEFT.scalars(connection, of=order_no)


def _item_states(connection: Connection, order_no: str) -> dict[str, int]:
    return {row.state: row.number for row in _ITEM_STATES.rows(connection, of=order_no)}


def _change(act: Act, order_no: str, **values: str | int | None) -> None:
    change_rows(act.db, table, {"order_no": order_no}, **values)
