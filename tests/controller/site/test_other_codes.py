"""Codes of delegates, codes that were replaced, orders that moved: scanned and typed."""

import asyncio

import pytest

from controller.codes import keyed_hash, typed_hash
from controller.entries import Down
from tests.controller.site.staffing import offered
from tests.controller.site.test_updates import refused, update
from tests.controller.site.visit import pulses, state_of
from tests.controller.site.world import (
    CODE_KEY,
    PHONE,
    SALT,
    Town,
    code_of,
    qr_of,
    run,
    secret,
    typed_of,
)

THEIR_PHONE = "7788"


def theirs(number: int) -> dict[str, object]:
    """A delegate's code: good with the delegate's phone."""
    return code_of("N1", number, generation=number) | {
        "typed": [typed_hash(SALT, typed_of(number), THEIR_PHONE)],
        "tails": [keyed_hash(CODE_KEY, f"{secret(number)}{THEIR_PHONE}")],
    }


async def type_in(town: Town, number: int, phone: str) -> str:
    await town.shows("start")
    town.site.press("code", typed_of(number) + phone)
    text = str((await town.shows("confirm", "code_unknown", "too_many_tries")).text)
    town.site.press("end")
    await town.shows("start")
    return text


def test_a_delegates_typed_code_is_good_with_the_delegates_phone_and_no_other(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            update(town, codes=[theirs(2)])
            assert await type_in(town, 2, PHONE) == "code_unknown"
            assert await type_in(town, 1, THEIR_PHONE) == "code_unknown"
            assert await type_in(town, 1, PHONE) == "confirm"
            town.site.press("code", typed_of(2) + THEIR_PHONE)
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take()
            await town.until(lambda: state_of(town) == "collected")
            assert town.up("item.collected")[0]["code"] == "N1-code2"
            assert town.up("pickup.completed")[0]["code"] == "N1-code2"
            await town.shows("start", within_s=100)
            for number, phone in ((1, PHONE), (2, THEIR_PHONE)):
                assert await type_in(town, number, phone) == "code_unknown"

    run(story)


def test_with_a_phone_asked_for_a_delegate_shows_their_own(tmp_path):
    town = Town(tmp_path / "site.db", machine=False, second_factor="phone4")

    async def story():
        async with town.at_work():
            await town.loaded()
            update(town, codes=[theirs(2)])
            town.reader.hold(qr_of(2))
            await town.shows("ask_phone4")
            town.site.press("code", PHONE)
            await town.shows("phone4_wrong")
            town.site.press("code", THEIR_PHONE)
            await town.shows("confirm")

    run(story)


def test_the_typed_digits_of_a_code_that_was_replaced_are_dead_at_once(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            new = code_of("N1", 5, generation=1)
            town.tell(Down.CODE_REPLACED, {"order": "N1", "replaces": "N1-code0", "code": new})
            assert await type_in(town, 1, PHONE) == "code_unknown"
            await refused(town, 1)
            assert await type_in(town, 5, PHONE) == "confirm"

    run(story)


def test_a_code_that_is_replaced_before_all_is_here_waits_like_the_old_one(town):
    async def story():
        async with town.at_work():
            town.order(seals=2)
            town.grant()
            new = code_of("N1", 5, generation=1)
            town.tell(Down.CODE_REPLACED, {"order": "N1", "replaces": "N1-code0", "code": new})
            await town.badge()
            await town.load("OWL:N1-seal1")
            town.site.press("end")
            await town.shows("start")
            town.reader.hold(qr_of(5))
            await town.shows("code_not_ready")
            await town.shows("start")
            await refused(town, 1)
            await asyncio.sleep(5)
            await town.badge()
            await town.load("OWL:N1-seal2")
            town.site.press("end")
            assert await type_in(town, 5, PHONE) == "confirm"

    run(story)


@pytest.mark.parametrize("how", ["scanned", "typed"])
def test_an_order_that_moved_away_opens_nothing_here_however_its_code_is_shown(town, how):
    async def story():
        async with town.at_work():
            await town.loaded()
            update(town, moved_to="FT-0002")
            before = pulses(town)
            if how == "scanned":
                await refused(town, 1)
            else:
                assert await type_in(town, 1, PHONE) == "code_unknown"
            assert pulses(town) == before

    run(story)


def test_what_lay_here_when_its_order_moved_is_fetched_and_may_come_back_with_it(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            update(town, moved_to="FT-0002")
            await asyncio.sleep(3)
            await town.badge()
            town.site.press("choose", "returns")
            await town.shows("returns")
            assert offered(town) == ["N1-seal1"]
            town.site.press("choose", "N1-seal1")
            await town.take()
            await town.until(lambda: state_of(town) == "returned")
            town.site.press("end")
            await town.shows("start")
            town.order(number=6)  # back again, with a code of its own
            await refused(town, 1)
            await asyncio.sleep(3)
            await town.badge()
            await town.load("OWL:N1-seal1")
            town.site.press("end")
            assert await type_in(town, 6, PHONE) == "confirm"

    run(story)


def test_an_order_that_is_told_twice_is_one(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.order(number=6)
            await refused(town, 6)
            assert state_of(town) == "loaded"

    run(story)
