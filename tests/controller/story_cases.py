"""Twenty-two short lives of orders and doors, as journals; and a clock that goes on by seconds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from controller.journal import Entry, Stream, rfc3339

ORDER, OTHER = "N0001", "N0002"
SEALS, LICENCE = "N0001-seals", "N0001-licence"
CODE = "N0001-code"
MORNING = datetime(2026, 11, 24, 1, tzinfo=UTC)  # 09:00 in Shenzhen


@dataclass
class Life:
    """What is told of: an order unless `door` is given."""

    door: str = ""
    now: datetime = MORNING
    up_entries: list[Entry] = field(default_factory=list)
    down_entries: list[Entry] = field(default_factory=list)

    def up(self, kind: str, after_s: float = 1, /, **data: Any) -> Self:
        return self._write(self.up_entries, Stream.UP, kind, after_s, data)

    def down(self, kind: str, after_s: float = 1, /, **data: Any) -> Self:
        return self._write(self.down_entries, Stream.DOWN, kind, after_s, data)

    def _write(
        self, entries: list[Entry], stream: Stream, kind: str, after_s: float, data: dict[str, Any]
    ) -> Self:
        self.now += timedelta(seconds=after_s)
        seq = len(entries) + 1
        entries.append(
            Entry("FT-0001", stream, seq, rfc3339(self.now), kind, data, "", b"", str(seq))
        )
        return self

    # what happens often

    def placed(self, order: str = ORDER, *, licence: bool = False) -> Self:
        items = [{"item_id": f"{order}-seals", "kind": "seal_set"}]
        if licence:
            items.append({"item_id": f"{order}-licence", "kind": "business_licence"})
        return self.down("order.placed", order=order, company="某某科技有限公司", items=items)

    def intended(self, intent: str, kind: str, where: str = "A/7", **data: Any) -> Self:
        data = {"kind": kind, "order": ORDER, "item": SEALS} | data
        told = {key: value for key, value in data.items() if value is not None}
        return self.up("movement.intended", intent=intent, where=where, reason="checking", **told)

    def settled(self, intent: str, outcome: str = "moved", seen_by: str | None = "door") -> Self:
        return self.up("movement.settled", intent=intent, outcome=outcome, seen_by=seen_by)

    def door_is(self, seen: str, where: str = "A/7", after_s: float = 1) -> Self:
        return self.up(f"door.{seen}", after_s, where=where, n=1)

    def loaded(self, order: str = ORDER) -> Self:
        item = f"{order}-seals"
        self.intended("I1", "load", order=order, item=item, badge="b1")
        self.door_is("opened").settled("I1").door_is("closed")
        return self.up("item.loaded", order=order, item=item, where="A/7", by="sensor", badge="b1")

    def ready(self) -> Self:
        return self.up("pickup.ready", order=ORDER, expires_at="2026-12-09T16:00:00.000Z")

    def visit(self, session: str = "S9") -> Self:
        return self.up("pickup.started", 3_600, order=ORDER, code=CODE, session=session)

    def taken(self, by: str = "sensor") -> Self:
        self.up("item.collected", order=ORDER, item=SEALS, where="A/7", by=by, code=CODE)
        return self.up("pickup.completed", order=ORDER, session="S9", left=[])

    def left(self) -> Self:
        return self.up("pickup.ended", order=ORDER, session="S9", left=[SEALS])


def _collected(by: str = "sensor") -> Life:
    life = Life().placed().loaded().ready().visit().intended("I9", "collect")
    return life.door_is("opened").settled("I9").door_is("closed").taken(by)


def _jammed() -> Life:
    life = Life().placed().loaded().ready().visit().intended("I9", "collect")
    life.settled("I9", "unknown", None)
    life.up("alarm.raised", alarm="L1", kind="lock_jammed", where="A/7")
    return life


def _cut() -> Life:
    """The power failed between pulse and answer; a clerk looked the next morning."""
    life = Life().placed().loaded().ready().visit().intended("I9", "collect")
    life.settled("I9", "unknown", None)
    life.up("compartment.fault", 60, where="A/7", reason="unexplained")
    return life.up("alarm.raised", alarm="L1", kind="unexplained", where="A/7")


def _machine() -> Life:
    life = Life().placed(licence=True)
    return life.up("item.loaded", order=ORDER, item=LICENCE, where="M1", by="machine")


def _presented() -> Life:
    return _machine().visit().intended("I9", "present", "M1", item=LICENCE, seq=4)


def _remote(**told: Any) -> Life:
    life = Life(door="A/7").door_is("closed")
    return life.down("compartment.open", command="C1", cabinet="A", no=7, reason="检查", **told)


def _door_of_two() -> Life:
    life = _collected()
    life.door = "A/7"
    life.placed(OTHER).intended("I30", "load", order=OTHER, item=f"{OTHER}-seals", badge="b2")
    return life.door_is("opened").settled("I30").door_is("closed")


CASES: dict[str, Callable[[], Life]] = {
    "placed and not yet brought": lambda: Life().placed(licence=True),
    "loaded by a vendor": lambda: Life().placed().loaded().ready(),
    "collected, as the sensor says": _collected,
    "collected, as the person says": lambda: _collected("person"),
    "nothing was put in": lambda: (
        Life().placed().intended("I1", "load", badge="b1").door_is("opened").settled("I1")
    ).door_is("closed"),
    "the lock was jammed, and opened at the second try": lambda: (
        (_jammed().intended("I14", "collect").door_is("opened").settled("I14"))
        .up("alarm.cleared", alarm="L1")
        .door_is("closed")
        .taken()
    ),
    "the lock was jammed, and the person went home": lambda: _jammed().left(),
    "certainly not moved": lambda: (
        (Life().placed().loaded().ready().visit().intended("I9", "collect"))
        .settled("I9", "not_moved", None)
        .left()
    ),
    "a power cut, and nobody knows": _cut,
    "a power cut, and a clerk found it inside": lambda: (
        _cut()
        .up("item.loaded", 40_000, order=ORDER, item=SEALS, where="A/7", by="person")
        .up("compartment.restored", where="A/7", reason="settled")
        .up("alarm.cleared", alarm="L1")
    ),
    "left behind and found at the second look": lambda: (
        _collected()
        .intended("I20", "reopen", item=None)
        .door_is("opened")
        .settled("I20")
        .door_is("closed")
        .up("feedback.rated", order=ORDER, stars=5)
    ),
    "a problem was reported": lambda: _collected().up(
        "problem.reported", where="A/7", order=ORDER, case="F-1", what="damaged"
    ),
    "the licence came out of the machine": lambda: (
        _presented()
        .settled("I9", "moved", "machine")
        .up("item.collected", order=ORDER, item=LICENCE, where="M1", by="machine", code=CODE)
    ),
    "nobody took the licence": lambda: (
        _presented()
        .settled("I9", "moved", "machine")
        .intended("I12", "retract", "M1", item=LICENCE)
        .settled("I12", "moved", "machine")
        .up("alarm.raised", alarm="L2", kind="item_left", where="M1")
    ),
    "cancelled before it was brought": lambda: (
        Life().placed().down("order.cancelled", order=ORDER, reason="client_request")
    ),
    "cancelled when it lay there, and taken back": lambda: (
        Life()
        .placed()
        .loaded()
        .ready()
        .down("order.cancelled", order=ORDER, reason="client_request")
        .intended("I15", "return", badge="b1")
        .door_is("opened")
        .settled("I15")
        .door_is("closed")
        .up("item.returned", order=ORDER, item=SEALS, where="A/7", by="sensor")
    ),
    "a new code and more days": lambda: (
        Life()
        .placed()
        .loaded()
        .ready()
        .down("code.replaced", order=ORDER, replaces=CODE, code={"code_id": "N0001-new"})
        .up("deadline.extended", order=ORDER, expires_at="2026-12-16T16:00:00.000Z")
    ),
    "another order's door is another story": lambda: (
        Life().placed().loaded(OTHER).door_is("forced").placed(OTHER)
    ),
    "a door of two orders": _door_of_two,
    "a door left open and forced": lambda: (
        Life(door="A/7")
        .door_is("closed")
        .door_is("forced", after_s=7_200)
        .up("alarm.raised", alarm="L1", kind="door_forced", where="A/7")
        .door_is("ajar", after_s=60)
        .up("alarm.raised", alarm="L2", kind="door_ajar", where="A/7")
        .up("alarm.acknowledged", 600, alarm="L1", by="ops1")
        .door_is("unknown")
        .door_is("closed")
        .up("alarm.cleared", alarm="L1")
        .up("alarm.cleared", alarm="L2")
    ),
    "opened from afar": lambda: (
        _remote()
        .intended("I3", "remote", order=None, item=None, command="C1")
        .door_is("opened")
        .settled("I3")
        .up("command.done", command="C1")
    ),
    "asked for from afar, too late; blocked and freed": lambda: (
        _remote()
        .up("command.expired", 90, command="C1")
        .down("compartment.block", command="C2", cabinet="A", no=7, reason="门轴松动")
        .up("command.done", command="C2")
        .down("compartment.unblock", command="C3", cabinet="A", no=7, reason="已修")
        .up("command.refused", command="C3", reason="time_doubted")
    ),
    "a kind of a later release": lambda: Life(door="A/7").up("door.polished", where="A/7", n=3),
}
