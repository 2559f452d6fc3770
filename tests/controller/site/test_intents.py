"""Which of two releases an open door speaks for."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from controller.clock import ManualClock
from controller.site.book import Book
from controller.site.doors import Place
from controller.site.intents import settle_last
from controller.site.schema import intents, journal
from controller.store import memory_store

DOOR = Place("A", 7)


@pytest.fixture
def book():
    clock = ManualClock(datetime(2026, 11, 24, tzinfo=UTC))
    with memory_store("intents", journal, clock) as store:
        intents.metadata.create_all(store.writer)
        yield Book(store, "FT-0001", clock, lambda _step: None)


def intend(book: Book, number: int, outcome: str | None) -> None:
    with book.act() as act:
        values = {"kind": "inspect", "cabinet": DOOR.cabinet, "no": DOOR.no, "at": act.now}
        row = {"intent_id": f"I{number}", "number": number, "outcome": outcome} | values
        act.db.execute(intents.insert().values(**row))


def seen_open(book: Book, *, unseen: bool) -> str | None:
    """The newest intent's outcome after the door was seen open."""
    with book.act() as act:
        settle_last(act, DOOR, "door", unseen=unseen)
    with book.look() as connection:
        last = select(intents.c.outcome).order_by(intents.c.number.desc()).limit(1)
        outcome: str | None = connection.scalar(last)
        return outcome


def test_a_door_that_was_seen_shut_before_was_moved_by_its_last_release(book):
    intend(book, 1, "unknown")
    intend(book, 2, None)
    assert seen_open(book, unseen=False) == "moved"


def test_of_two_releases_of_a_door_that_nobody_saw_neither_is_said_to_have_moved_it(book):
    intend(book, 1, "unknown")
    intend(book, 2, None)
    assert seen_open(book, unseen=True) is None


@pytest.mark.parametrize("before", ["moved", "not_moved", None])
def test_an_end_that_is_known_takes_no_part_in_the_next(book, before):
    if before is not None:
        intend(book, 1, before)
    intend(book, 2, "unknown")
    assert seen_open(book, unseen=True) == "moved"
