"""After any start: what was unfinished is settled by looking, before the first scan is taken.

No pulse is given here, ever. What cannot be known now is *unknown*; a door that opens, a sensor,
the machine or a person may still settle it, and until then nothing of it is handed to anybody.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection

from controller.faults import DeviceFault
from controller.journal import Stream, head, head_at, verify_part
from controller.ports import Clock, LicenceMachine, LockBoard
from controller.site.book import Book
from controller.site.intents import settle, unsettled
from controller.site.orders import end_session, open_sessions
from controller.site.schema import journal
from controller.site.watch import Watch

TAIL: Final = 1_000  # entries of each chain that are checked at every start


async def recover(
    book: Book,
    watch: Watch,
    boards: Iterable[LockBoard],
    machines: Mapping[str, LicenceMachine],
    clock: Clock,
) -> None:
    """Every visit of before is over, every intent has an end or a machine that will say it."""
    for board in boards:
        try:
            watch.see_board(board.name, await board.look())
        except DeviceFault as fault:
            watch.lose_board(board.name, fault)
    for name, machine in machines.items():
        try:
            watch.see_machine(name, await machine.look())
        except DeviceFault:
            watch.lose_machine(name)
    with book.act() as act:
        for session in open_sessions(act.db):
            end_session(act, session)
        for intent in unsettled(act.db):
            if intent.machine is None:
                settle(act, intent.intent_id, "unknown", None)
    watch.look_after(clock.monotonic())


def check_tail(connection: Connection, site: str) -> None:
    """BrokenChain if the newest part of a chain does not hold together."""
    for stream in Stream:
        newest = head(connection, journal, site, stream).seq
        before = head_at(connection, journal, site, stream, max(0, newest - TAIL))
        verify_part(connection, journal, site, stream, before, None)
