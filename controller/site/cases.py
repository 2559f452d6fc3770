"""Cases: something is wrong, and somebody takes it. The order's time stands still meanwhile."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from controller.entries import ProblemReported, ProblemSolved, Up
from controller.journal import parse_time
from controller.local_time import LOCAL
from controller.ports import Clock
from controller.site.book import Act, Book
from controller.site.orders import extend, order_of
from controller.site.schema import cases as table

SAME_S: Final = 600.0  # the same trouble told again within this time is the same case
AN_HOUR_S: Final = 3_600.0
CASES_AN_HOUR: Final = 30  # at one kiosk; who goes on pressing is shown the last one


class Step(StrEnum):
    """What comes next, and by whom."""

    STAFF_LOOK = "staff_look"  # staff come to the door
    STAFF_CALL = "staff_call"  # staff call the recipient
    STAFF_BRING = "staff_bring"  # staff see to the machine and bring the licence
    VENDOR_MENDS = "vendor_mends"  # whoever made it


STEPS: Final = {
    "missing": Step.VENDOR_MENDS,
    "wrong": Step.VENDOR_MENDS,
    "damaged": Step.VENDOR_MENDS,
    "will_not_open": Step.STAFF_LOOK,
    "will_not_close": Step.STAFF_LOOK,
    "wrong_door": Step.STAFF_LOOK,
    "unsure": Step.STAFF_LOOK,
    "machine_rests": Step.STAFF_BRING,
    "licence_retracted": Step.STAFF_BRING,
}


@dataclass(frozen=True, slots=True)
class Case:
    number: str
    step: Step
    opened_at: float  # Clock.monotonic()


class Cases:
    """Opens cases of one kiosk, each trouble once, and never more than a person can mean."""

    def __init__(self, book: Book, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._known: dict[tuple[str | None, str, str | None], Case] = {}

    def open(self, where: str | None, what: str, order: str | None) -> Case:
        """The case of this trouble: the one that was opened for it a moment ago, or a new one."""
        now = self._clock.monotonic()
        self._known = {
            key: case for key, case in self._known.items() if now - case.opened_at < AN_HOUR_S
        }
        known = self._known.get((where, what, order))
        if known is not None and now - known.opened_at < SAME_S:
            return known
        if len(self._known) >= CASES_AN_HOUR:
            return list(self._known.values())[-1]
        case = Case(self._write(where, what, order), _step(what), now)
        self._known.pop((where, what, order), None)
        self._known[where, what, order] = case
        return case

    def _write(self, where: str | None, what: str, order: str | None) -> str:
        with self._book.act() as act:
            case = act.name(f"{self._book.site}-")
            act.db.execute(
                table.insert().values(
                    case_id=case, order_no=order, place=where, what=what, opened_at=act.now
                )
            )
            act.say(
                Up.PROBLEM_REPORTED,
                ProblemReported(
                    case=case, where=where, order=order, what=what, next=_step(what).value
                ),
            )
        return case


def _step(what: str) -> Step:
    return STEPS.get(what, Step.STAFF_CALL)


def solve(act: Act, case: str, by: str) -> bool:
    """Put right, says `by`. The order gets back the days for which its time stood still."""
    row = act.db.execute(table.select().where(table.c.case_id == case)).first()
    if row is None or row.closed_at is not None:
        return False
    act.db.execute(table.update().where(table.c.case_id == case).values(closed_at=act.now))
    act.say(Up.PROBLEM_SOLVED, ProblemSolved(case=case, by=by))
    if row.order_no is not None and not stands_still(act, row.order_no):
        _extend(act, row.order_no, case)
    return True


def stands_still(act: Act, order_no: str) -> bool:
    """A case of this order is open: its time to collect does not run."""
    case = act.db.execute(
        table.select().where(table.c.order_no == order_no, table.c.closed_at.is_(None))
    )
    return case.first() is not None


def _extend(act: Act, order_no: str, case: str) -> None:
    """By every local day on which the case that ends now, or another one with it, was open."""
    order = order_of(act.db, order_no)
    if order.expires_at is None:
        return
    since = _still_since(act, order_no, case)
    days = (act.at.astimezone(LOCAL).date() - since.astimezone(LOCAL).date()).days
    if days <= 0:
        return
    extend(act, order_no, parse_time(order.expires_at) + timedelta(days=days), "problem")


def _still_since(act: Act, order_no: str, case: str) -> datetime:
    """When the unbroken run of open cases began that ends with this one."""
    rows = act.db.execute(
        table.select().where(table.c.order_no == order_no).order_by(table.c.opened_at.desc())
    ).all()
    since = next(parse_time(row.opened_at) for row in rows if row.case_id == case)
    for row in rows:
        if parse_time(row.closed_at) >= since > parse_time(row.opened_at):
            since = parse_time(row.opened_at)
    return since
