"""Each invariant of the link can fail: what keeps it, and one more event that breaks it."""

from dataclasses import replace

import pytest

from controller.journal import GENESIS, Entry, Stream
from simulator.rehearsal.events import Calm, Moved, Wrote
from simulator.rehearsal.link_events import (
    Agreed,
    Kept,
    Leaked,
    Recalled,
    Rewound,
    Sealed,
    Sent,
    Shown,
    Texted,
)
from simulator.rehearsal.reader import Reader
from tests.rehearsal.court import Court, Step, flaws_of

UP, DOWN = Stream.UP, Stream.DOWN
READY = {"order": "N1"}
CALM = Calm({}, (), ())


def entry(stream: Stream, seq: int, kind: str = "feedback.rated", **data: object) -> Entry:
    """The entry that follows the one before it; every number has one hash."""
    before = f"{stream.value}{seq - 1}" if seq > 1 else GENESIS
    name = f"{stream.value}{seq}"
    return Entry("S", stream, seq, "2026-01-05T00:00:00.000Z", kind, data, before, b"", name)


def in_step(court: Court) -> None:
    """Two entries up and one down, each at both ends."""
    court.says(Kept(entry(DOWN, 1)), Wrote(entry(DOWN, 1)))
    for seq in (1, 2):
        court.says(Wrote(entry(UP, seq)), Sent("site", seq, seq), Kept(entry(UP, seq)))
        court.says(Sealed("district", seq))


def went_back(court: Court) -> None:
    """The site's file is an old one, and nothing has come back yet."""
    in_step(court)
    court.says(Rewound("site", 1, 1))


def came_back(court: Court) -> None:
    went_back(court)
    court.intends("load")
    court.says(Recalled(entry(UP, 2)))


def lost_tail(court: Court) -> None:
    in_step(court)
    court.says(Rewound("district", 1, 1), Sent("site", 3, 3), Sealed("district", 1))
    court.says(Sent("site", 2, 2), Kept(entry(UP, 2)))


def told_once(court: Court) -> None:
    in_step(court)
    court.says(Wrote(entry(UP, 3, "pickup.ready", **READY)))
    court.says(Kept(entry(UP, 3, "pickup.ready", **READY)), Texted("N1", "m1"))


def cancelled(court: Court) -> None:
    in_step(court)
    ready = entry(UP, 3, "pickup.ready", **READY)
    court.says(Wrote(ready), Kept(ready), Kept(entry(DOWN, 2, "order.cancelled", **READY)))


def waits(court: Court) -> None:
    in_step(court)
    item = {"item_id": "N1-seals", "label": "OWL:N1", "holder": "cabinet"}
    order = entry(DOWN, 2, "order.placed", order="N1", items=[item], codes=[])
    loaded = entry(UP, 3, "item.loaded", item="N1-seals", order="N1", where="A/1")
    ready = entry(UP, 4, "pickup.ready", **READY)
    court.says(Kept(order), Wrote(order))
    court.judge.evidence.lies["OWL:N1"] = "A/1"
    court.says(Wrote(loaded), Kept(loaded), Wrote(ready), Kept(ready))
    court.now = 17 * 3_600.0


def agreed(court: Court, **but: object) -> None:
    stored = {
        f"{end} {way}": tuple(f"{way}{n}" for n in range(1, 1 + last))
        for end in ("site", "district")
        for way, last in (("up", 2), ("down", 1))
    }
    whole = Agreed(
        stored, {"up": 2, "down": 1}, {}, {"A/1": ("closed", "free")}, {"A/1": ("closed", "free")}
    )
    court.says(replace(whole, **but))


def stored_but(**but: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    whole = {"site_up": ("up1", "up2"), "district_up": ("up1", "up2")}
    whole |= {"site_down": ("down1",), "district_down": ("down1",)}
    return {name.replace("_", " "): hashes for name, hashes in (whole | but).items()}


def both(court: Court) -> None:
    in_step(court)
    agreed(court)


def shown(court: Court) -> None:
    court.says(Shown("A/1", "open", 3), Shown("A/1", "closed", 4))


CASES: list[tuple[str, Step, Step]] = [
    (
        "A journal's numbers have no gap, and each entry names the one before.",
        in_step,
        lambda c: c.says(Wrote(entry(UP, 4))),
    ),
    (
        "A journal's numbers have no gap, and each entry names the one before.",
        in_step,
        lambda c: c.says(Wrote(replace(entry(UP, 3), prev="up1"))),
    ),
    (
        "What once stood under a number stands there for ever.",
        went_back,
        lambda c: c.says(Recalled(replace(entry(UP, 2), hash="another"))),
    ),
    (
        "What once stood under a number stands there for ever.",
        both,
        lambda c: agreed(c, stored=stored_but(site_up=("up1", "changed"))),
    ),
    (
        "A copy is a beginning of its journal.",
        in_step,
        lambda c: c.says(Wrote(entry(UP, 3)), Wrote(entry(UP, 4)), Kept(entry(UP, 4))),
    ),
    (
        "A copy is a beginning of its journal.",
        in_step,
        lambda c: c.says(Kept(entry(UP, 2))),
    ),
    (
        "After calm both copies are whole.",
        both,
        lambda c: agreed(c, stored=stored_but(district_up=("up1",))),
    ),
    ("After calm both copies are whole.", both, lambda c: agreed(c, acked={"up": 1, "down": 1})),
    (
        "After calm the district's items are where the site's are.",
        waits,
        lambda c: agreed(c, items={"N1-seals": ("expected", None)}),
    ),
    (
        "No entry is passed over that the other end has not confirmed.",
        in_step,
        lambda c: c.says(Sent("site", 4, 4)),
    ),
    (
        "What the other end did not write is copied by nobody.",
        in_step,
        lambda c: c.says(Wrote(entry(DOWN, 2, "item.return"))),
    ),
    (
        "What the other end did not write is copied by nobody.",
        lost_tail,
        lambda c: c.says(Kept(entry(UP, 3))),
    ),
    (
        "A site that knows less of its past than its district moves nothing.",
        went_back,
        lambda c: c.says(Moved("A/1", 1)),
    ),
    (
        "No person, code, token or key is in a journal, message or log.",
        in_step,
        lambda c: c.says(Leaked("a name", "a log")),
    ),
    (
        "A recipient is told once of one order, after it is ready for good.",
        told_once,
        lambda c: c.says(Texted("N1", "m2")),
    ),
    (
        "A recipient is told once of one order, after it is ready for good.",
        in_step,
        lambda c: c.says(Texted("N1", "m1")),
    ),
    (
        "A recipient is told once of one order, after it is ready for good.",
        cancelled,
        lambda c: c.says(Texted("N1", "m1")),
    ),
    (
        "After calm the recipient of every order that waits has been told.",
        waits,
        lambda c: c.says(CALM),
    ),
    (
        "A door's count of changes never goes back.",
        shown,
        lambda c: c.says(Shown("A/1", "open", 3)),
    ),
    (
        "After calm everybody is told of doors and compartments what is so.",
        both,
        lambda c: agreed(c, told={"A/1": ("open", "free")}),
    ),
    (
        "After calm everybody is told of doors and compartments what is so.",
        both,
        lambda c: agreed(c, told={"A/1": ("closed", "occupied")}),
    ),
]


@pytest.mark.parametrize(
    ("sentence", "keeps", "breaks"), CASES, ids=[f"{n} {each[0]}" for n, each in enumerate(CASES)]
)
def test_a_breach_is_seen_and_nothing_before_it(sentence: str, keeps: Step, breaks: Step) -> None:
    assert sentence in flaws_of(keeps, breaks)


def test_two_alarms_about_forged_messages_are_one_too_many() -> None:
    court = Court()
    for name in ("L1", "L2"):
        assert court.flaws == []
        court.writes("alarm.raised", alarm=name, kind="journal_broken", where="S")
    assert court.flaws == ["Of messages that nobody sealed one alarm stands at most."]


def test_a_copy_that_lost_its_tail_is_sent_it_again() -> None:
    court = Court()
    lost_tail(court)
    assert court.flaws == []


SECRETS = {"李安博", "13912345678", "440304199001011234", "24681357", "ABCDEFGHJKMNPQRSTVWXYZ0123"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"holder":"收件人李安博先生"}', "a name"),
        ("call +8613912345678", "a secret of 11 digits"),
        ("id=440304199001011234", "a secret of 18 digits"),
        ("typed 246813575678", "a secret of 8 digits"),
        ("OW1:FT-0001:ABCDEFGHJKMNPQRSTVWXYZ0123", "a secret of 26 signs"),
        ("OWB:XABCDEFGHJKMNPQRSTVWXYZ0123", "a secret of 26 signs"),
    ],
)
def test_a_secret_is_found_wherever_it_stands(text: str, found: str) -> None:
    reader = Reader(SECRETS)
    assert list(reader.read("a log", text)) == []
    assert list(reader.search()) == [(found, "a log")]
    assert list(reader.search()) == []


def test_a_hash_and_a_word_are_no_secret() -> None:
    reader = Reader(SECRETS)
    assert list(reader.read("a log", f"{'a24681357' * 7}b door.opened 李安 1234567 A/12")) == []
    assert list(reader.search()) == []
