"""Each invariant can fail: a story that keeps it, and one more event that breaks it."""

import pytest

from controller.journal import rfc3339
from controller.settings import PolicyTable
from simulator.rehearsal.events import (
    Answered,
    Calm,
    ClockSet,
    Driven,
    Flipped,
    Grown,
    Held,
    Lies,
    Moved,
)
from tests.rehearsal.court import START, Court, Step, flaws_of


def opened(court: Court, name: str = "C1", intent: str = "I1") -> None:
    court.intends("remote", intent, command=name)


def late(court: Court) -> None:
    court.command(lasts_s=10.0)
    court.now = 9.0
    opened(court)
    court.now = 10.0


def old(court: Court) -> None:
    court.command(lasts_s=9_000.0)
    court.now = 300.0
    opened(court)
    court.now = 300.5


def denied(court: Court) -> None:
    court.command()
    opened(court)
    court.says(Moved("A/1", 1))


def two_moved(court: Court) -> None:
    for number in (1, 2, 3):
        court.command()
        opened(court, intent=f"I{number}")
        if number < 3:
            court.says(Moved("A/1", number))


def full(court: Court) -> None:
    court.order()
    court.says(Lies("OWL:N1", "A/1"))
    court.writes("item.loaded", item="N1-seals", where="A/1", by="sensor")
    court.command()
    opened(court)


def noon(court: Court) -> None:
    court.writes("site.started", of_s=100.0)
    court.now = 99.0


def doubted(court: Court) -> None:
    court.command()
    court.says(ClockSet(-400.0))


def blocked_in_doubt(court: Court) -> None:
    court.command(kind="block")
    court.says(ClockSet(400.0))


def answered(
    court: Court,
    text: str,
    *,
    how: str = "qr",
    what: str = "code",
    of: str = "N1-a",
    bare: bool = True,
    after_s: float = 0.0,
) -> None:
    court.says(Held(what, of), Answered(how, of, what, text, bare, after_s))


def ready(court: Court) -> None:
    court.order(holder="machine")
    court.writes("item.loaded", item="N1-seals", where="M1", by="machine")
    court.writes("pickup.ready", order="N1", expires_at="")
    answered(court, "confirm")


def spent(court: Court) -> None:
    ready(court)
    court.writes("pickup.completed", order="N1", session="S1", left=[])
    answered(court, "code_unknown")
    answered(court, "code_unknown", what="other")


def ten_wrong(court: Court) -> None:
    for _ in range(10):
        court.now += 5.0
        answered(court, "code_unknown", how="typed", what="other", of="none")
    answered(court, "too_many_tries", how="typed", what="other", of="none", bare=False)


def five_phones(court: Court) -> None:
    ready(court)
    for _ in range(5):
        answered(court, "code_unknown", how="typed", what="digits")
    answered(court, "code_unknown", how="typed")


def two_of_staff(court: Court) -> None:
    court.judge.evidence.policy = PolicyTable(emergency_two_badges=True)
    for badge in ("staff", "staff2"):
        until = "2026-12-24T00:00:00.000Z"
        court.writes("badge.granted", badge=badge, role="staff", valid_until=until)
        court.says(Held("badge", badge))
    court.intends("emergency", badge="staff", approved_by="staff2")


CALM = Calm({}, (), ())


def opened_at_rest(court: Court) -> None:
    opened(court)
    court.says(CALM)


CASES: list[tuple[str, Step, Step]] = [
    ("No door moves for a command at or after its end.", late, lambda c: c.says(Moved("A/1", 1))),
    (
        "No door moves for a command that came too long ago.",
        old,
        lambda c: c.says(Moved("A/1", 1)),
    ),
    (
        "A command has one end at most, and a door that moved for it is not denied.",
        denied,
        lambda c: c.writes("command.expired", command="C1"),
    ),
    ("At rest every command has an end.", Court.command, lambda c: c.says(CALM)),
    (
        "Nothing is released but for a visit, a badge or a command for that place.",
        Court.command,
        lambda c: c.intends("remote", where="A/2", command="C1"),
    ),
    (
        "Nothing is released but for a visit, a badge or a command for that place.",
        lambda c: c.writes(
            "badge.granted", badge="V01", role="vendor", valid_until="2026-12-24T00:00:00.000Z"
        ),
        lambda c: c.intends("emergency", badge="V01"),
    ),
    (
        "The district opens no more doors in an hour than the site allows.",
        two_moved,
        lambda c: c.says(Moved("A/1", 3)),
    ),
    (
        "The district opens no door before something that one person alone wants.",
        full,
        lambda c: c.says(Moved("A/1", 1)),
    ),
    (
        "The site's time never goes back, over no restart and with no clock.",
        noon,
        lambda c: c.writes("site.started"),
    ),
    (
        "The site's time runs ahead of the sun by no more than it follows a clock.",
        lambda c: c.writes("site.started", of_s=299.0),
        lambda c: c.writes("site.started", of_s=301.0),
    ),
    (
        "While its clock is doubted the site does nothing that the district wants.",
        doubted,
        opened,
    ),
    (
        "While its clock is doubted the site does nothing that the district wants.",
        blocked_in_doubt,
        lambda c: c.writes("command.done", command="C1"),
    ),
    (
        "A good code is good at once, with the district and without it.",
        ready,
        lambda c: answered(c, "code_unknown"),
    ),
    (
        "A good code is good at once, with the district and without it.",
        ready,
        lambda c: answered(c, "confirm", after_s=1.5),
    ),
    (
        "To a stranger every code that is not good is refused alike.",
        spent,
        lambda c: answered(c, "code_not_ready"),
    ),
    (
        "To a stranger every code that is not good is refused alike.",
        spent,
        lambda c: answered(c, "code_unknown", what="other", bare=False),
    ),
    (
        "To a stranger every code that is not good is refused alike.",
        spent,
        lambda c: answered(c, "code_unknown", how="typed", after_s=0.2),
    ),
    (
        "A kiosk looks up so many wrong codes and no more, over every restart.",
        ten_wrong,
        lambda c: answered(c, "code_unknown", how="typed", what="other", of="none"),
    ),
    (
        "Whoever knows a code and not the phone has few tries.",
        five_phones,
        lambda c: answered(c, "confirm", how="typed"),
    ),
    (
        "No visit begins without the proof that the policy asks for.",
        ready,
        lambda c: c.writes(
            "pickup.started", order="N1", code="N1-a", session="S1", factor="id_card"
        ),
    ),
    (
        "Where two badges are asked for, no emergency begins with one.",
        two_of_staff,
        lambda c: c.intends("emergency", "I2", badge="staff", approved_by="staff"),
    ),
    (
        "Nothing is seen to be taken back while it still lies there.",
        full,
        lambda c: c.writes("item.returned", item="N1-seals", where="A/1", by="sensor"),
    ),
    (
        "Nobody is served while an entry is another than it was.",
        lambda c: c.says(Flipped(7, so=True), Flipped(7, so=False)),
        lambda c: c.says(Flipped(7, so=True), Driven("A/1", 1)),
    ),
    (
        "Whatever a person opens or says here has a name and a reason beside it.",
        Court.order,
        lambda c: c.writes("item.missing", item="N1-seals", where="A/1", by="person"),
    ),
    (
        "At rest each thing that somebody opened has its end on record.",
        Court.command,
        opened_at_rest,
    ),
    (
        "After calm a process holds no more than one that has just started.",
        lambda c: c.says(Grown(0, 0, 20)),
        lambda c: c.says(Grown(1, 0, 20)),
    ),
    (
        "No number of wrong tries keeps a scanned code out.",
        ten_wrong,
        lambda c: answered(c, "too_many_tries"),
    ),
]


@pytest.mark.parametrize(
    ("sentence", "keeps", "breaks"), CASES, ids=[f"{n} {each[0]}" for n, each in enumerate(CASES)]
)
def test_a_breach_is_seen_and_nothing_before_it(sentence: str, keeps: Step, breaks: Step) -> None:
    assert sentence in flaws_of(keeps, breaks)


def test_a_command_by_two_and_in_time_opens_what_is_full() -> None:
    court = Court()
    court.order()
    court.says(Lies("OWL:N1", "A/1"))
    court.writes("item.loaded", item="N1-seals", where="A/1", by="sensor")
    court.command(by="ops2")
    opened(court)
    court.says(Moved("A/1", 1))
    court.writes("command.done", command="C1")
    court.says(ClockSet(-200.0))
    assert court.flaws == []
    assert rfc3339(court.judge.evidence.wall) < rfc3339(START)


def test_a_code_that_was_ready_too_long_ago_is_good_no_more() -> None:
    court = Court()
    ready(court)
    court.now += PolicyTable().code_valid_s
    answered(court, "code_unknown")
    assert not court.flaws
