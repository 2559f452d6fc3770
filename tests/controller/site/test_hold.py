"""A site that cannot know what it did opens nothing before its district's copy was read whole."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from sqlalchemy import select

from controller.journal import Stream, verify
from controller.link import topics
from controller.link.batches import Untrusted
from controller.link.recall import open_answer, open_question
from controller.refusals import Refused
from controller.site.schema import alarms, codes, holds, items, journal
from controller.store import open_store
from tests.controller.site.linked import (
    KEYS,
    LinkedTown,
    collects,
    copy,
    linked,
    loaded_and_copied,
    lose,
)
from tests.controller.site.visit import begun, pulses, state_of
from tests.controller.site.world import SITE, START, Town, WallClock, badge_text, qr_of, run

ASK = topics.journal_ask(SITE)
DOWN = topics.journal(SITE, Stream.DOWN)


@pytest.fixture
def town(tmp_path):
    with linked(tmp_path) as town:
        yield town


def test_an_old_copy_opens_nothing_again_and_comes_up_to_what_the_district_has(town, tmp_path):
    async def story():
        async with town.at_work():
            await loaded_and_copied(town, tmp_path / "old.db")
            await collects(town)
            town.order("N2", number=2)
            await town.in_step()
        copy(tmp_path / "old.db", town.path)
        before = pulses(town)
        async with town.at_work():
            assert state_of(town) in ("loaded", "collected")
            await town.in_step()
            await town.shows("start")
            assert (state_of(town), code_state_of(town, "N1")) == ("collected", "spent")
            town.reader.hold(qr_of(1))
            await town.shows("code_unknown")
            assert pulses(town) == before
            assert [each["why"] for each in town.up("hold.ended")] == ["behind"]
            await town.badge()
            await town.load("OWL:N2-seal1")
            await town.in_step()
            check(town)
        assert not town.alarmed

    run(story)


def check(town: LinkedTown) -> None:
    for store in (town.store, town.district):
        with store.read() as connection:
            for stream in Stream:
                verify(connection, journal, SITE, stream)


def code_state_of(town: Town, order: str) -> str:
    return town.rows(select(codes.c.state).where(codes.c.order_no == order))[0][0]


def test_while_the_district_is_away_a_restored_site_holds_until_a_person_answers_for_it(
    town, tmp_path
):
    async def story():
        async with town.at_work():
            await loaded_and_copied(town, tmp_path / "old.db")
        restored(tmp_path / "old.db", town.path)
        town.wire.up = False
        before = pulses(town)
        async with town.at_work():
            assert (town.site.is_held, town.site.is_sure) == (True, False)
            assert town.view.text == "out_of_service"
            assert town.site.problems() == ["nothing is handed out: restored"]
            standing = town.rows(select(alarms.c.kind).where(alarms.c.cleared_at.is_(None)))
            assert [row.kind for row in standing] == ["journal_broken"]
            entries = town.heads()["up"]
            town.reader.hold(qr_of(1))
            await asyncio.sleep(600)
            assert pulses(town) == before
            assert town.heads()["up"] == entries
            town.reader.hold(badge_text(20))  # a vendor's
            await asyncio.sleep(5)
            assert town.view.text == "out_of_service"
            with pytest.raises(Refused):
                town.site.press("problem")
            town.reader.hold(badge_text(30))
            await town.shows("answer_for")
            assert town.heads()["up"] == entries
            town.site.press("confirm")
            await collects(town)
            assert town.up("hold.ended")[0]["badge"] == "badge30"
            assert not town.rows(select(alarms.c.kind).where(alarms.c.cleared_at.is_(None)))
        async with town.at_work():
            await town.shows("start")
            town.wire.up = True
            await town.in_step()

    run(story)


def restored(backup: Path, path: Path) -> None:
    """As `restore` leaves it."""
    copy(backup, path)
    with (
        open_store(path, journal, WallClock(START)) as store,
        store.write() as transaction,
    ):
        transaction.connection.execute(
            holds.insert().values(id=1, at="2026-11-24T01:00:00.000Z", why="restored")
        )


def test_a_restored_site_that_lost_nothing_goes_on_at_the_districts_word(town, tmp_path):
    async def story():
        async with town.at_work():
            await loaded_and_copied(town, tmp_path / "old.db")
        restored(town.path, town.path.with_name("same.db"))
        copy(town.path.with_name("same.db"), town.path)
        async with town.at_work():
            await collects(town)
            await town.in_step()
            assert state_of(town) == "collected"

    run(story)


def test_a_copy_that_went_its_own_way_is_out_of_service_as_soon_as_that_is_known(town, tmp_path):
    async def story():
        async with town.at_work():
            await loaded_and_copied(town, tmp_path / "old.db")
            await collects(town)
            await town.in_step()
        copy(tmp_path / "old.db", town.path)
        town.wire.up = False
        async with town.at_work():
            await town.shows("start")  # nobody could know
            town.wire.up = True
            await town.site_end._acknowledge(town.wire.site)
            await town.district_end._acknowledge(town.wire.district)
            await town.shows("out_of_service")
            assert town.site.problems() == ["nothing is handed out: parted"]
            before = pulses(town)
            town.reader.hold(qr_of(1))
            await asyncio.sleep(120)
            assert pulses(town) == before
            standing = town.rows(select(alarms.c.kind).where(alarms.c.cleared_at.is_(None)))
            assert [row.kind for row in standing] == ["cloned"]
        async with town.at_work():
            assert town.view.text == "out_of_service"

    run(story)


def test_staff_may_answer_for_a_site_whose_journal_parted_and_the_alarm_stands_on(town, tmp_path):
    async def story():
        async with town.at_work():
            town.order("N2", number=2)
            await loaded_and_copied(town, tmp_path / "old.db")
            await collects(town)
            await town.in_step()
        copy(tmp_path / "old.db", town.path)
        town.wire.up = False
        async with town.at_work():
            await town.shows("start")
            town.wire.up = True
            await town.site_end._acknowledge(town.wire.site)
            await town.district_end._acknowledge(town.wire.district)
            await town.shows("out_of_service")
            town.reader.hold(badge_text(30))
            await town.shows("answer_for")
            town.site.press("confirm")
            await town.shows("start")
            assert [each["badge"] for each in town.up("hold.ended")] == ["badge30"]
            await asyncio.sleep(60)
            assert town.view.text == "start"  # the district's word does not shut it again
            standing = town.rows(select(alarms.c.kind).where(alarms.c.cleared_at.is_(None)))
            assert {row.kind for row in standing} == {"cloned", "item_missing"}
            await asyncio.sleep(5)
            town.reader.hold(badge_text(20))
            await town.shows("load_next")
            await town.load("OWL:N2-seal1")
        async with town.at_work():
            assert town.view.text == "start"

    run(story)


def test_a_new_box_in_an_old_place_comes_up_from_nothing(town):
    async def story():
        async with town.at_work():
            await town.loaded(seals=2)
            await town.in_step()
            await begun(town)
            await town.take()
            town.reader.hold("nothing")
            await asyncio.sleep(300)
            await town.in_step()
            told = town.rows(select(items.c.item_id, items.c.state, items.c.no))
        lose(town.path)
        async with town.at_work():
            await town.in_step()
            await town.shows("start")
            assert town.rows(select(items.c.item_id, items.c.state, items.c.no)) == told
            await collects(town)

    run(story)


def test_only_the_answer_to_this_very_question_ends_the_hold(town, tmp_path):
    async def story():
        async with town.at_work():
            await loaded_and_copied(town, tmp_path / "old.db")
        restored(tmp_path / "old.db", town.path)
        async with town.at_work():
            await town.shows("start")
            answers = [said for topic, said in town.wire.district.said if b'"answer"' in said]
            assert answers
            await collects(town)
            await town.in_step()
        restored(tmp_path / "old.db", town.path)
        town.wire.up = False
        async with town.at_work():
            for _ in range(20):
                for answer in answers:
                    await town.site_end.hear(DOWN, answer, town.wire.site)
                await asyncio.sleep(1)
            assert town.site.is_held

    run(story)


@pytest.mark.parametrize("change", [b"nonce", b"seq", b"mac", b"hash", b"stream", b"entries"])
def test_questions_and_answers_that_were_changed_are_refused(town, change):
    async def story():
        async with town.at_work():
            await town.loaded()
            await town.in_step()
        lose(town.path)
        async with town.at_work():
            await town.in_step()
            said = [
                *(each for topic, each in town.wire.site.said if topic == ASK),
                *(each for _, each in town.wire.district.said if b'"answer"' in each),
            ]
            assert len(said) > 3
            for payload in said:
                at = payload.find(change)
                if at < 0:
                    continue
                spot = at + len(change) + 6
                forged = payload[:spot] + bytes([payload[spot] ^ 1]) + payload[spot + 1 :]
                with contextlib.suppress(Untrusted):
                    assert open_answer(forged, SITE, KEYS) is None
                    open_question(forged, SITE, KEYS)
                    raise AssertionError(forged)

    run(story)
