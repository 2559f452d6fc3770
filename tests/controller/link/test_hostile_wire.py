"""A wire that loses, doubles, reorders, delays, alters, splits, merges and forges."""

from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.journal import Head, Stream
from controller.link.batches import Untrusted, seal_ack, seal_batch
from tests.controller.link.two_ends import FOREIGN_KEYS, KEYS, NOON, TwoEnds, store_at

numbers = count(1)
storm = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "write",
                "send",
                "copy",
                "copy and keep",
                "copy altered",
                "answer",
                "answer and keep",
                "answer altered",
                "lose",
                "split or merge",
                "forge batch",
                "forge answer",
                "restart",
            ]
        ),
        st.integers(0, 2**16),
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wire")
    with store_at(folder / "ours.db") as ours, store_at(folder / "theirs.db") as theirs:
        yield ours, theirs


class Wire:
    """Holds every message until the storm decides what becomes of it."""

    def __init__(self, ends):
        self.ends = ends
        self.batches = []
        self.answers = []

    def act(self, act, dice):
        ends, batches, answers = self.ends, self.batches, self.answers
        match act:
            case "write":
                ends.write(dice % 5 + 1)
            case "send" if ends.sender.wait_s() is not None:
                batches.append(ends.sender.next_batch())
            case "copy" | "copy and keep" | "copy altered" if batches:
                self.copy(pick(batches, dice, keep="keep" in act), dice, "altered" in act)
            case "answer" | "answer and keep" | "answer altered" if answers:
                answer = pick(answers, dice, keep="keep" in act)
                self.hear(altered(answer, dice) if "altered" in act else answer)
            case "lose" if batches or answers:
                pick(batches or answers, dice)
            case "split or merge" if ours := ends.journal(ends.ours):
                first = dice % len(ours)
                some = ours[first : first + dice % 7 + 1]
                batches.append(seal_batch(ends.site, Stream.UP, KEYS, some))
            case "forge batch" if ours := ends.journal(ends.ours):
                batches.append(seal_batch(ends.site, Stream.UP, FOREIGN_KEYS, ours[-9:]))
            case "forge answer":
                head = Head(dice % 9 + 1, f"{dice:064x}")
                keys = KEYS if dice % 2 else FOREIGN_KEYS
                answers.append(seal_ack(ends.site, Stream.UP, keys, head, NOON))
            case "restart":
                ends.sender = ends.new_sender()

    def copy(self, batch, dice, spoilt):
        try:
            self.answers.append(self.ends.copy(altered(batch, dice) if spoilt else batch))
        except Untrusted:
            self.answers.append(self.ends.receiver.acknowledgement())

    def hear(self, answer):
        with suppress(Untrusted):
            self.ends.sender.acknowledged(answer)


def pick(messages, dice, *, keep=False):
    spot = dice % len(messages)
    return messages[spot] if keep else messages.pop(spot)


def altered(payload, dice):
    spot = dice % len(payload)
    return payload[:spot] + bytes([payload[spot] ^ (dice % 255 + 1)]) + payload[spot + 1 :]


def check(ends):
    ours, theirs = ends.journal(ends.ours), ends.journal(ends.theirs)
    assert theirs == ours[: len(theirs)], "the copy is no prefix"
    assert ends.applied() == [(no, 1) for no in range(1, len(theirs) + 1)]
    assert ends.sender.cursor.seq <= len(theirs), "counted as arrived and is not there"


@settings(max_examples=60)
@given(storm)
def test_the_copy_is_always_a_prefix_and_equal_after_calm(stores, acts):
    ends = TwoEnds(*stores, site=f"S-{next(numbers)}")
    wire = Wire(ends)
    for act, dice in acts:
        wire.act(act, dice)
        check(ends)
    ends.sender.connected()
    ends.calm()
    check(ends)
    assert ends.journal(ends.theirs) == ends.journal(ends.ours)


@settings(max_examples=2)
@given(st.randoms(use_true_random=False))
def test_two_copies_of_a_message_do_not_chase_each_other(stores, dice):
    """Every message doubled: the work stays in proportion to what there is to send."""
    ends = TwoEnds(*stores, site=f"S-{next(numbers)}")
    ends.write(150)
    sent, batches, answers = 0, [], []
    for _ in range(1000):
        if ends.sender.wait_s() == 0:
            batches += [ends.sender.next_batch()] * 2
            sent += 1
        if batches and (not answers or dice.random() < 0.5):
            answers += [ends.copy(batches.pop(dice.randrange(len(batches))))] * 2
        elif answers:
            ends.sender.acknowledged(answers.pop(dice.randrange(len(answers))))
        else:
            break
    assert ends.journal(ends.theirs) == ends.journal(ends.ours)
    assert sent < 20
