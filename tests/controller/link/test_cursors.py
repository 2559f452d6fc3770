"""Sender and receiver by the case: what moves the cursors, and what does not."""

import json

import pytest
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from controller.journal import GENESIS, Head, Stream
from controller.link.batches import Untrusted, seal_ack, seal_batch
from controller.link.receiver import Gap, Receiver
from controller.link.sender import RESEND_FIRST_S, RESEND_MAX_S
from tests.controller.link.two_ends import (
    FOREIGN_KEYS,
    KEYS,
    NOON,
    TwoEnds,
    count_effect,
    store_at,
)


def test_a_journal_arrives_whole_and_each_effect_once(ends):
    ends.write(250)
    ends.calm()
    assert ends.journal(ends.theirs) == ends.journal(ends.ours)
    assert ends.applied() == [(no, 1) for no in range(1, 251)]


def test_nothing_is_due_while_nothing_is_new(ends):
    assert ends.sender.wait_s() is None
    ends.write()
    assert ends.sender.wait_s() == 0


def test_only_a_sealed_acknowledgement_moves_the_cursor(ends):
    ends.write(3)
    batch = ends.sender.next_batch()
    assert ends.sender.cursor.seq == 0  # it is on the wire, and that says nothing
    answer = json.loads(ends.copy(batch))
    with pytest.raises(Untrusted):
        ends.sender.acknowledged(json.dumps(answer | {"mac": "0" * 64}).encode())
    assert ends.sender.cursor.seq == 0
    ends.sender.acknowledged(json.dumps(answer).encode())
    assert ends.sender.cursor.seq == 3


def test_the_cursor_survives_a_restart(ends):
    ends.write(3)
    ends.calm()
    ends.write()
    again = ends.new_sender()
    assert again.cursor == ends.sender.cursor
    assert json.loads(json.loads(again.next_batch())["entries"][0])["seq"] == 4


async def test_an_unanswered_batch_is_sent_again_more_and_more_slowly(ends):
    ends.write()
    first = ends.sender.next_batch()
    pauses = []
    for _ in range(8):
        pauses.append(ends.sender.wait_s())
        await ends.clock.advance(pauses[-1])
        assert ends.sender.wait_s() == 0
        assert ends.sender.next_batch() == first
    assert pauses[0] == RESEND_FIRST_S
    assert pauses == sorted(pauses[:4]) + pauses[4:]
    assert RESEND_MAX_S * 0.7 < pauses[-1] < RESEND_MAX_S * 1.3


def test_a_new_connection_sends_at_once_what_is_not_acknowledged(ends):
    ends.write()
    ends.sender.next_batch()
    ends.sender.connected()
    assert ends.sender.wait_s() == 0


def test_an_acknowledgement_said_twice_sends_nothing_twice(ends):
    ends.write()
    answer = ends.copy(ends.sender.next_batch())
    ends.sender.acknowledged(answer)
    ends.write()
    ends.sender.next_batch()
    ends.sender.acknowledged(answer)
    assert ends.sender.wait_s() == RESEND_FIRST_S


def test_a_lower_acknowledgement_moves_the_cursor_back(ends, tmp_path):
    ends.write(5)
    ends.calm()
    with store_at(tmp_path / "restored.db") as restored:  # as it was after the second entry
        older = TwoEnds(ends.ours, restored)
        older.copy(seal_batch(ends.site, Stream.UP, KEYS, ends.journal(ends.ours)[:2]))
        ends.sender.acknowledged(older.receiver.acknowledgement())
        assert ends.sender.cursor.seq == 2
        assert ends.new_sender().cursor.seq == 2
        older.sender.acknowledged(older.copy(ends.sender.next_batch()))
        assert older.journal(restored) == ends.journal(ends.ours)


def test_an_acknowledgement_of_what_is_not_ours_is_refused(ends):
    ends.write(2)
    for head in (Head(2, "ab" * 32), Head(3, "ab" * 32)):
        with pytest.raises(Untrusted, match="not ours"):
            ends.sender.acknowledged(seal_ack(ends.site, Stream.UP, KEYS, head, NOON))
    with pytest.raises(Untrusted):
        ends.sender.acknowledged(
            seal_ack(ends.site, Stream.UP, FOREIGN_KEYS, Head(0, GENESIS), NOON)
        )
    assert ends.sender.cursor.seq == 0


def test_a_batch_that_comes_again_changes_nothing(ends):
    ends.write(3)
    batch = ends.sender.next_batch()
    assert ends.copy(batch) == ends.copy(batch)
    assert ends.applied() == [(1, 1), (2, 1), (3, 1)]


def unchanged(ends, payload, error, match):
    before = ends.journal(ends.theirs)
    with pytest.raises(error, match=match):
        ends.copy(payload)
    assert ends.journal(ends.theirs) == before
    assert ends.applied() == [(no, 1) for no in range(1, len(before) + 1)]


def sealed(ends, bodies, keys=KEYS):
    return seal_batch(ends.site, Stream.UP, keys, bodies)


def test_a_gap_changes_nothing(ends):
    ends.write(5)
    ours = ends.journal(ends.ours)
    ends.copy(sealed(ends, ours[:2]))
    unchanged(ends, sealed(ends, ours[3:]), Gap, "entries 3 to 3 are missing")


def test_a_hole_within_a_batch_changes_nothing(ends):
    ends.write(5)
    ours = ends.journal(ends.ours)
    unchanged(ends, sealed(ends, [ours[0], ours[2]]), Untrusted, "does not follow")


def test_a_foreign_seal_changes_nothing(ends):
    ends.write(2)
    unchanged(ends, sealed(ends, ends.journal(ends.ours), FOREIGN_KEYS), Untrusted, "key")


def another(body, **changes):
    return json.dumps(json.loads(body) | changes, separators=(",", ":")).encode()


def test_a_broken_chain_changes_nothing(ends):
    ends.write(3)
    ours = ends.journal(ends.ours)
    ends.copy(sealed(ends, ours[:1]))
    unchanged(
        ends,
        sealed(ends, [another(ours[1], prev="ab" * 32)]),
        Untrusted,
        "does not follow the one that we have",
    )
    changed = [another(ours[1], at="2026-11-24T12:00:00.001Z"), ours[2]]
    unchanged(ends, sealed(ends, changed), Untrusted, "does not follow")


def test_another_entry_under_a_number_that_we_have_is_refused(ends):
    ends.write(3)
    ours = ends.journal(ends.ours)
    ends.copy(sealed(ends, ours))
    rewritten = another(ours[1], kind="door.closed")
    unchanged(ends, sealed(ends, [rewritten]), Untrusted, "are not the ones that we have")


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"1", b'{"stream":"sideways"}', b"[" * 20_000, b"\xc3\xa9"]
)
def test_sealed_nonsense_changes_nothing(ends, body):
    unchanged(ends, sealed(ends, [body]), Untrusted, "cannot be read")


def test_an_entry_of_the_other_direction_is_refused(ends):
    with ends.ours.write() as transaction:
        down = transaction.append(ends.site, Stream.DOWN, "order.placed", {"no": 1})
    unchanged(ends, sealed(ends, [down.body]), Untrusted, "another journal")


def test_a_rule_that_cannot_take_an_entry_stops_before_it_and_keeps_the_rest(ends):
    def not_the_third(transaction, entry):
        count_effect(transaction, entry)
        if entry.seq == 3:
            raise KeyError("field")

    ends.receiver = Receiver(ends.site, Stream.UP, KEYS, ends.theirs, not_the_third, ends.clock)
    ends.write(5)
    with pytest.raises(Untrusted, match=r"entry 3 .* cannot be applied: KeyError"):
        ends.copy(ends.sender.next_batch())
    assert ends.applied() == [(1, 1), (2, 1)]
    assert ends.journal(ends.theirs) == ends.journal(ends.ours)[:2]
    ends.receiver = Receiver(ends.site, Stream.UP, KEYS, ends.theirs, count_effect, ends.clock)
    ends.calm()
    assert ends.applied() == [(no, 1) for no in range(1, 6)]


@pytest.mark.parametrize(
    ("error", "goes_up"),
    [
        (OperationalError("INSERT", None, Exception("database or disk is full")), True),
        (DatabaseError("INSERT", None, Exception("database disk image is malformed")), True),
        (IntegrityError("INSERT", None, Exception("NOT NULL constraint failed")), False),
        (OverflowError("Python int too large to convert to SQLite INTEGER"), False),
    ],
)
def test_a_database_that_fails_is_no_flaw_of_the_entry(ends, error, goes_up):
    def apply(_transaction, _entry):
        raise error

    ends.receiver = Receiver(ends.site, Stream.UP, KEYS, ends.theirs, apply, ends.clock)
    ends.write(1)
    with pytest.raises(type(error) if goes_up else Untrusted):
        ends.copy(ends.sender.next_batch())
    assert ends.journal(ends.theirs) == []


def test_an_entry_that_fits_into_no_batch_does_not_send_at_full_speed(ends):
    ends.write(text="x" * 70_000)
    with pytest.raises(Untrusted, match="larger than a batch"):
        ends.sender.next_batch()
    assert ends.sender.wait_s() == RESEND_FIRST_S
