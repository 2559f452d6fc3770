"""What nobody at a site knows, and what two people here say of it: the site decides.

A settlement is a command: the site answers in its journal what became of it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from controller.district import schema as s
from controller.district.mint import Mint
from controller.district.queries import time
from controller.district.seal import Seal
from controller.district.views import CommandView, DoubtView
from controller.entries import Down, Holder, ItemState, Verdict
from controller.entries_down import DoubtCommand
from controller.journal import Stream, parse_time, rfc3339
from controller.ports import Clock
from controller.refusals import FieldsRefused, Reason, Refused
from controller.store import Store

LASTS: Final = timedelta(minutes=5)
REASONS: Final = ("phoned", "camera", "looked")  # no free words: a journal names nobody
HANDED_OUT: Final = ("collect", "present")


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where two people say that an item is, in the doubt that they were shown."""

    site_id: str
    item_id: str
    intent: str
    outcome: str  # entries.Verdict
    reason: str  # one of REASONS
    requested_by: str
    approved_by: str


class Doubts:
    def __init__(self, store: Store, clock: Clock, seal: Seal, mint: Mint) -> None:
        self._store = store
        self._clock = clock
        self._seal = seal
        self._mint = mint

    def standing(self, site_id: str) -> list[DoubtView]:
        with self._store.read() as connection:
            return doubts(connection, site_id)

    def settle(self, said: Settlement, client: str, key: str | None = None) -> CommandView:
        """The site is told. With a client's idempotency key, once.

        NEEDS_TWO, STALE_DECISION where that doubt does not stand, CONFLICT where the site has
        been told already and has not answered yet.
        """
        request = self._seal.key_of(repr(sorted(asdict(said).items())), "settlement")
        name = self._seal.key_of(f"{client}\n{key}", "command")[:16] if key else self._mint.id()
        with self._store.write() as tx:
            row = _command(tx.connection, name)
            if row is not None and row.request != request:
                raise Refused(Reason.KEY_REUSED)
            if row is None:
                self._check(tx.connection, said)
                now = self._clock.now()
                told = DoubtCommand(
                    command=name,
                    item=said.item_id,
                    intent=said.intent,
                    outcome=said.outcome,
                    reason=said.reason,
                    requested_by=said.requested_by,
                    approved_by=said.approved_by,
                    expires_at=rfc3339(now + LASTS),
                )
                entry = tx.append(said.site_id, Stream.DOWN, Down.DOUBT_SETTLE, dict(told), now)
                tx.connection.execute(
                    s.commands.insert().values(
                        command_id=name,
                        kind=Down.DOUBT_SETTLE.value,
                        client=client,
                        request=request,
                        seq=entry.seq,
                        at=rfc3339(now),
                        expires_at=told["expires_at"],
                        **asdict(said),
                    )
                )
        return self.command(name)

    def command(self, command_id: str) -> CommandView:
        with self._store.read() as connection:
            row = _command(connection, command_id)
            if row is None:
                raise Refused(Reason.NOT_FOUND)
            return _view(connection, row)

    def told(self, site_id: str, since: timedelta) -> list[CommandView]:
        """What the site was told lately, the newest first."""
        after = rfc3339(self._clock.now() - since)
        which = (s.commands.c.site_id == site_id) & (s.commands.c.at >= after)
        with self._store.read() as connection:
            found = connection.execute(
                select(s.commands).where(which).order_by(s.commands.c.seq.desc())
            ).all()
            return [_view(connection, row) for row in found]

    def _check(self, connection: Connection, said: Settlement) -> None:
        wrong = [
            (name, f"is one of {', '.join(known)}")
            for name, value, known in (
                ("outcome", said.outcome, tuple(Verdict)),
                ("reason", said.reason, REASONS),
            )
            if value not in known
        ]
        if wrong:
            raise FieldsRefused(wrong)
        if said.requested_by == said.approved_by:
            raise Refused(Reason.NEEDS_TWO)
        stands = {each.item_id: each for each in doubts(connection, said.site_id)}
        doubt = stands.get(said.item_id)
        if doubt is None or doubt.intent != said.intent or said.outcome not in doubt.may_be:
            raise Refused(Reason.STALE_DECISION)
        if _waits(connection, said.site_id, said.intent, rfc3339(self._clock.now())):
            raise Refused(Reason.CONFLICT)


def doubts(connection: Connection, site_id: str) -> list[DoubtView]:
    """Items of a site of which nobody knows where they are, the oldest first."""
    rows = connection.execute(
        select(s.items)
        .join(s.orders, s.orders.c.order_no == s.items.c.order_no)
        .where(s.orders.c.site_id == site_id, s.items.c.state == ItemState.RELEASING)
    ).all()
    found = (_doubt(connection, site_id, row) for row in rows)
    return sorted((each for each in found if each is not None), key=lambda each: each.since)


def last_movement(connection: Connection, site_id: str, **of: str) -> Row[Any] | None:
    """The newest one with an item in it, of that item or at that place."""
    table = s.site_movements
    which = (table.c[name] == value for name, value in of.items())
    rows: Iterable[Row[Any]] = connection.execute(
        select(table).where(table.c.site_id == site_id, table.c.item_id.is_not(None), *which)
    )
    return max(rows, key=lambda row: (row.at, len(row.intent), row.intent), default=None)


def _doubt(connection: Connection, site_id: str, item: Row[Any]) -> DoubtView | None:
    """None where somebody or something at the site may still tell by itself."""
    last = last_movement(connection, site_id, item_id=item.item_id)
    if last is None:
        return None
    if item.cabinet is None:
        if last.outcome is None:
            return None
    elif not _is_out_of_use(connection, site_id, item.cabinet, item.no):
        return None
    return DoubtView(
        item_id=item.item_id,
        order_no=item.order_no,
        kind=item.kind,
        label=item.label,
        where=last.place,
        intent=last.intent,
        since=parse_time(last.at),
        may_be=_may_be(item, last.kind),
    )


def _may_be(item: Row[Any], kind: str) -> tuple[str, ...]:
    is_missing = item.cabinet is None and item.machine is None
    found = [Verdict.TO_WINDOW]
    if item.holder == Holder.CABINET.value:  # a page that was printed is not loaded anew
        found = [Verdict.IN_HAND, *found]
    if is_missing:
        return tuple(found)
    if kind in HANDED_OUT:
        found = [Verdict.WITH_RECIPIENT, *found]
    return (Verdict.INSIDE, *found, Verdict.MISSING)


def _is_out_of_use(connection: Connection, site_id: str, cabinet: str, no: int) -> bool:
    box = s.site_compartments.c
    return bool(
        connection.scalar(
            select(box.fault).where(box.site_id == site_id, box.cabinet == cabinet, box.no == no)
        )
    )


def _waits(connection: Connection, site_id: str, intent: str, now: str) -> bool:
    command = s.commands.c
    return bool(
        connection.scalar(
            select(command.command_id).where(
                command.site_id == site_id,
                command.intent == intent,
                command.ended.is_(None),
                command.expires_at > now,
            )
        )
    )


def _command(connection: Connection, command_id: str) -> Row[Any] | None:
    return connection.execute(
        select(s.commands).where(s.commands.c.command_id == command_id)
    ).first()


def _view(connection: Connection, row: Row[Any]) -> CommandView:
    state = row.ended
    if state is None:
        down = s.acked.c
        heard = connection.scalar(
            select(down.seq).where(down.site == row.site_id, down.stream == Stream.DOWN.value)
        )
        state = "delivered" if (heard or 0) >= row.seq else "accepted"
    return CommandView(
        command_id=row.command_id,
        kind=row.kind,
        site_id=row.site_id,
        state=state,
        why=row.why,
        item_id=row.item_id,
        intent=row.intent,
        outcome=row.outcome,
        reason=row.reason,
        requested_by=row.requested_by,
        approved_by=row.approved_by,
        at=parse_time(row.at),
        expires_at=parse_time(row.expires_at),
        ended_at=time(row.ended_at),
    )
