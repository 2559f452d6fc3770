"""Somebody who guesses: opens nothing, learns nothing, and keeps nobody from their door."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from controller.codes import keyed_hash, typed_hash
from controller.entries import Down
from controller.journal import rfc3339
from controller.settings import PolicyTable
from controller.site.premises import one_by_one
from controller.site.schema import codes, orders, tries
from controller.site.tries import standing
from tests.controller.site.test_strangers import try_typed
from tests.controller.site.visit import bolts
from tests.controller.site.visit import standing as alarms_that_stand
from tests.controller.site.world import (
    CODE_KEY,
    START,
    Town,
    code_of,
    qr_of,
    qr_text,
    run,
    secret,
    typed_of,
)

TRIES = 10_000
POLICY = PolicyTable()
VALUE = re.compile(r"'[^']*'|\b\d+\b")  # in a statement as SQLite traces it
LEARNT_FROM = ("typed_codes", "codes", "tries", "orders", "INTO journal")


def taken(pauses: list[float]) -> list[datetime]:
    """Tries that are looked at, each of them wrong, of one who pauses so between two."""
    at, wrong = START, []
    for pause_s in pauses:
        at += timedelta(seconds=pause_s)
        free_at = standing(
            [each for each in wrong if at - each < timedelta(days=1)], POLICY
        ).free_at
        if free_at is None or free_at <= at:
            wrong.append(at)
    return wrong


@given(st.lists(st.floats(0.1, 300), min_size=20, max_size=80))
def test_at_no_pace_are_more_than_ten_tries_of_ten_minutes_looked_at(pauses):
    looked_at = taken(pauses)
    for at in looked_at:
        assert sum(at <= each < at + timedelta(minutes=10) for each in looked_at) <= 10


def test_of_a_year_of_tries_so_few_are_looked_at_that_none_of_two_hundred_codes_is_found():
    a_day = len(taken([60.0] * (2 * 1_440))) / 2
    assert a_day * 365 * 200 / 10**12 < 1e-5


def test_ten_thousand_tries_open_nothing_and_an_honest_person_has_the_door_at_once(town):
    async def guesses(first: int) -> None:
        for n in range(first, first + TRIES // 2):
            town.site.press("code", typed_of(50_000 + n) + f"{n % 10_000:04d}")
            while town.view.text not in ("code_unknown", "too_many_tries"):  # noqa: ASYNC110 - time jumps
                await asyncio.sleep(0.01)

    async def story():
        async with town.at_work():
            for n in (1, 2):
                await town.loaded(f"N{n}", number=n)
                before = bolts(town)
                await guesses(n * TRIES)
                assert bolts(town) == before
                town.reader.hold(qr_of(n))  # the guesser's refusal still stands on the screen
                began = town.clock.monotonic()
                await town.shows("confirm")
                town.site.press("confirm")
                await town.until(lambda before=before: bolts(town) == before + 1)
                assert town.clock.monotonic() - began < 5
                await town.take()
                await town.shows("start")
            assert town.hands == ["OWL:N1-seal1", "OWL:N2-seal1"]

    run(story)


def test_the_alarm_for_a_guesser_ends_when_nobody_has_guessed_for_a_while(town):
    async def story():
        async with town.at_work():
            wrong = 0
            while not town.up("alarm.raised"):
                wrong += await try_typed(town, 1000 + wrong) == "code_unknown"
                await asyncio.sleep(41)
            assert wrong == 20
            await asyncio.sleep(1_500)
            assert alarms_that_stand(town) == ["guessing"]
        async with town.at_work():  # a restart makes no lock-out shorter
            assert await try_typed(town, 5_000) == "too_many_tries"
            assert alarms_that_stand(town) == ["guessing"]
            await asyncio.sleep(400)
            assert alarms_that_stand(town) == []
            assert await try_typed(town, 5_001) == "code_unknown"
            assert alarms_that_stand(town) == []

    run(story)


def test_what_is_no_code_of_ours_gets_a_hint_and_is_no_try(town):
    async def story():
        async with town.at_work():
            for text in ("https://pay.example/1", "WIFI:S:hall;;", qr_text("FT-0002", secret(1))):
                for _ in range(5):
                    town.reader.hold(text)
                    await town.shows("not_a_code", "code_other_site")
                    await town.shows("start")
            assert town.rows(select(tries)) == []
            assert await try_typed(town, 5) == "code_unknown"

    run(story)


def test_a_right_qr_is_served_at_once_in_the_middle_of_a_lock_out(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            while len(town.rows(select(tries))) < POLICY.guess_lockout_tries:
                await try_typed(town, 100)
                await asyncio.sleep(41)
            assert await try_typed(town, 100) == "too_many_tries"
            town.reader.hold(qr_of(1))
            assert (await town.shows("confirm", within_s=1)).order == "N1"

    run(story)


# what a refusal costs the site: a stranger must not tell one from another by the time it takes


async def spent(town: Town) -> int:
    with town.store.write() as transaction:
        transaction.connection.execute(codes.update().values(state="spent"))
        transaction.connection.execute(orders.update().values(state="collected"))
    return 1


async def expired(town: Town) -> int:
    with town.store.write() as transaction:
        transaction.connection.execute(orders.update().values(ready_at="2026-01-01T00:00:00.000Z"))
    return 1


async def replaced(town: Town) -> int:
    new = code_of("N1", 2, generation=1)
    town.tell(Down.CODE_REPLACED, {"order": "N1", "replaces": "N1-code0", "code": new})
    return 1


async def cancelled(town: Town) -> int:
    town.tell(Down.ORDER_CANCELLED, {"order": "N1", "reason": "x"})
    return 1


async def moved(town: Town) -> int:
    town.tell(Down.ORDER_UPDATED, {"order": "N1", "moved_to": "FT-0002"})
    return 1


async def resting(town: Town) -> int:
    """Its digits were guessed at, at another kiosk; the right phone is typed now."""
    digits = keyed_hash(CODE_KEY, typed_of(1))
    at = rfc3339(town.site.time.now())
    with town.store.write() as transaction:
        for _ in range(town.settings.policy.code_tries):
            row = tries.insert().values(at=at, digits=digits, kiosk="K9")
            transaction.connection.execute(row)
    return 1


async def never_was(_town: Town) -> int:
    return 77


DEAD = (never_was, spent, expired, replaced, cancelled, moved)


@contextmanager
def costs(town: Town) -> Iterator[list[str]]:
    """The statements that a refusal needs, in order, without their values."""
    seen: list[str] = []

    def note(statement: str) -> None:
        if any(word in statement for word in LEARNT_FROM):
            seen.append(VALUE.sub("?", statement))

    with town.store.write() as transaction, town.store.read() as reader:
        drivers = [each.connection.driver_connection for each in (transaction.connection, reader)]
    for driver in drivers:
        driver.set_trace_callback(note)
    try:
        yield seen
    finally:
        for driver in drivers:
            driver.set_trace_callback(None)


def of_all(tmp_path, refuse: Callable[[Town, int], object], *more) -> dict[str, list[str]]:
    """What each kind of refusal costs."""
    found = {}
    for dead in (*DEAD, *more):
        town = Town(tmp_path / f"{dead.__name__}.db", machine=False)

        async def story(town=town, dead=dead):
            async with town.at_work():
                await town.loaded()
                number = await dead(town)
                with costs(town) as statements:
                    await refuse(town, number)
                found[dead.__name__] = list(statements)

        run(story)
    return found


def test_every_refused_qr_costs_the_same(tmp_path):
    async def refuse(town: Town, number: int) -> None:
        town.reader.hold(qr_of(number))
        await town.shows("code_unknown")

    found = of_all(tmp_path, refuse)
    assert len(found["never_was"]) >= 3
    assert all(each == found["never_was"] for each in found.values())


@pytest.mark.parametrize("phone", ["0000", "9999"])
def test_every_refused_typed_code_costs_the_same_and_one_slow_hash(tmp_path, monkeypatch, phone):
    hashed = []

    def counted(*what: object) -> str:
        hashed.append(what)
        return typed_hash(*what)

    monkeypatch.setattr("controller.site.visits.typed_hash", counted)

    async def refuse(town: Town, number: int) -> None:
        town.site.press("code", typed_of(number) + phone)
        await town.shows("code_unknown")

    found = of_all(tmp_path, refuse, resting)
    assert len(found["never_was"]) >= 5
    assert all(each == found["never_was"] for each in found.values())
    assert len(hashed) == len(DEAD) + 1


async def test_slow_hashes_are_made_off_the_loop_and_one_at_a_time():
    at_work, most = 0, 0
    go = threading.Event()

    def work() -> str:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        go.wait(5)
        at_work -= 1
        return threading.current_thread().name

    hashing = one_by_one(asyncio.to_thread)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hashing(work)) for _ in range(3)]
        while not at_work:  # noqa: ASYNC110 - a thread rings no bell
            await asyncio.sleep(0)
        go.set()
    assert most == 1
    assert threading.current_thread().name not in {task.result() for task in tasks}
