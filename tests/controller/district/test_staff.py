from datetime import UTC, datetime, timedelta

import argon2
import pytest
from sqlalchemy import select

from controller.clock import ManualClock
from controller.district.schema import journal, login_sessions, login_tries, metadata
from controller.district.staff import Staff
from controller.refusals import Reason, Refused
from controller.settings import LoginTable
from controller.store import open_store

HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HERE = "192.0.2.1"


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 11, 24, 9, 0, tzinfo=UTC))


@pytest.fixture
def store(tmp_path, clock):
    with open_store(tmp_path / "district.db", journal, clock) as opened:
        with opened.write() as transaction:
            metadata.create_all(transaction.connection)
        yield opened


@pytest.fixture
def staff(store, clock):
    return Staff(
        store,
        clock,
        [
            LoginTable(username="ops", password_hash=HASHER.hash("right"), role="ops"),
            LoginTable(
                username="wu", password_hash=HASHER.hash("seals"), role="vendor", vendor_id="V01"
            ),
        ],
    )


async def test_a_person_logs_in_and_out(staff):
    token = await staff.log_in("wu", "seals", HERE)
    person = staff.who(token)
    assert (person.username, person.role, person.vendor_id) == ("wu", "vendor", "V01")
    staff.log_out(token)
    assert staff.who(token) is None


async def test_the_database_holds_no_token_and_no_password(staff, store, tmp_path):
    token = await staff.log_in("ops", "right", HERE)
    assert len(token) * 6 >= 128
    with store.read() as connection:
        assert token not in str(connection.execute(select(login_sessions)).all())
    assert token.encode() not in (tmp_path / "district.db-wal").read_bytes()


async def test_each_log_in_gets_a_token_of_its_own(staff):
    tokens = {await staff.log_in("ops", "right", HERE) for _ in range(3)}
    assert len(tokens) == 3


@pytest.mark.parametrize(
    ("name", "password"), [("ops", "wrong"), ("nobody", "right"), ("ops", "seals"), ("", "")]
)
async def test_a_wrong_name_and_a_wrong_password_are_answered_alike(staff, name, password):
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            await staff.log_in(name, password, HERE)
        assert (refused.value.reason, refused.value.values) == (Reason.UNAUTHENTICATED, {})
    with pytest.raises(Refused) as refused:
        await staff.log_in(name, password, HERE)
    assert refused.value.reason is Reason.TOO_MANY_TRIES
    assert refused.value.values == {"seconds": 5}


async def test_waits_double_up_to_forty_seconds_and_a_wait_checks_no_password(staff, clock):
    waits = []
    for _ in range(8):
        try:
            await staff.log_in("ops", "wrong", HERE)
        except Refused as refused:
            if refused.reason is Reason.TOO_MANY_TRIES:
                waits.append(refused.values["seconds"])
                with pytest.raises(Refused, match="too_many_tries"):
                    await staff.log_in("ops", "right", HERE)
                await clock.advance(waits[-1])
    assert waits == [5, 10, 20][: len(waits)]
    assert waits


async def test_trying_from_elsewhere_does_not_lock_a_person_out(staff):
    for _ in range(3):
        with pytest.raises(Refused):
            await staff.log_in("ops", "wrong", "203.0.113.9")
    assert await staff.log_in("ops", "right", HERE)


async def test_many_addresses_together_are_slowed_too(staff):
    for number in range(50):
        with pytest.raises(Refused, match="unauthenticated"):
            await staff.log_in("ops", "wrong", f"203.0.113.{number}")
    with pytest.raises(Refused, match="too_many_tries"):
        await staff.log_in("ops", "wrong", "203.0.113.99")


async def test_wrong_tries_are_forgotten_after_ten_minutes_and_with_a_right_one(
    staff, clock, store
):
    for _ in range(3):
        with pytest.raises(Refused):
            await staff.log_in("ops", "wrong", HERE)
    await clock.advance(601)
    await staff.log_in("ops", "right", HERE)
    with store.read() as connection:
        assert connection.execute(select(login_tries)).all() == []


async def test_a_session_ends_after_half_an_hour_of_nothing(staff, clock):
    token = await staff.log_in("ops", "right", HERE)
    await clock.advance(29 * 60)
    assert staff.who(token)
    await clock.advance(29 * 60)
    assert staff.who(token)
    await clock.advance(31 * 60)
    assert staff.who(token) is None


async def test_a_page_that_asks_by_itself_keeps_nobody_logged_in(staff, clock):
    token = await staff.log_in("ops", "right", HERE)
    for _ in range(3):
        await clock.advance(9 * 60)
        assert staff.who(token, active=False)
    await clock.advance(4 * 60)
    assert staff.who(token, active=False) is None


async def test_a_session_ends_after_twelve_hours_whatever_happens(staff, clock):
    token = await staff.log_in("ops", "right", HERE)
    until = clock.now() + timedelta(hours=12)
    while clock.now() < until:
        assert staff.who(token)
        await clock.advance(20 * 60)
    await clock.advance(1)
    assert staff.who(token) is None


async def test_a_log_in_that_is_no_longer_in_the_settings_ends_its_sessions(staff, store, clock):
    token = await staff.log_in("ops", "right", HERE)
    assert Staff(store, clock, []).who(token) is None


async def test_a_password_of_a_megabyte_is_simply_wrong(staff):
    with pytest.raises(Refused, match="unauthenticated"):
        await staff.log_in("ops", "x" * 2**20, HERE)
