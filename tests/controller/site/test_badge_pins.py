"""A badge with a PIN: a found one opens nothing, and no number of tries makes it good."""

import asyncio

import pytest

from controller.codes import keyed_hash, pin_hash, read_pin
from controller.entries import Down
from controller.site.schema import badges, tries
from tests.controller.site.visit import bolts, state_of
from tests.controller.site.world import CODE_KEY, SALT, Town, badge_text, qr_of, run, secret

PIN = "4711"


def grant(town: Town, number: int = 21, role: str = "staff", vendor: str | None = None) -> None:
    words = {"badge": f"badge{number}", "hash": keyed_hash(CODE_KEY, secret(number))}
    words |= {"pin": pin_hash(SALT, secret(number), PIN), "role": role, "vendor_id": vendor}
    town.tell(Down.BADGE_GRANTED, words | {"valid_until": "2027-01-01T00:00:00.000Z"})


async def shown(town: Town, *pins: str, number: int = 21) -> None:
    town.reader.hold(badge_text(number))
    await town.shows("ask_pin")
    for at, pin in enumerate(pins):
        if at:
            await town.shows("pin_wrong")
        town.site.press("code", pin)
        await town.until(lambda: town.view.text != "ask_pin")


def test_the_menu_comes_after_the_pin_and_a_slip_is_no_harm(town):
    async def story():
        async with town.at_work():
            grant(town)
            await shown(town, "0000", PIN)
            await town.shows("staff_menu")
            (refused,) = town.up("pickup.refused")
            assert (refused["reason"], refused["how"]) == ("badge_unknown", "pin")
            bodies = str(town.up()) + str(town.rows(badges.select()))
            assert f"'{PIN}'" not in bodies

    run(story)


def test_a_vendor_with_a_pin_loads_after_it(town):
    async def story():
        async with town.at_work():
            town.order()
            grant(town, 20, "vendor", "V01")
            await shown(town, PIN, number=20)
            await town.shows("load_next")
            await town.load("OWL:N1-seal1")
            assert state_of(town) == "loaded"

    run(story)


def test_after_so_many_wrong_pins_the_right_one_rests_too_over_a_restart(town):
    async def story():
        async with town.at_work():
            grant(town)
            for _ in range(5):
                await shown(town, "0000")
                await town.shows("pin_wrong")
                town.site.press("end")
                await town.shows("start")
                await asyncio.sleep(60)
            assert len(town.rows(tries.select())) == 5
        async with town.at_work():
            await shown(town, PIN)
            await town.shows("too_many_tries")
            assert bolts(town) == 0

    run(story)


def test_a_clerk_vouches_with_badge_and_pin(tmp_path):
    town = Town(tmp_path / "site.db", second_factor="clerk")

    async def story():
        async with town.at_work():
            await town.loaded()
            grant(town)
            town.reader.hold(qr_of(1))
            await town.shows("ask_clerk")
            await shown(town, PIN)
            await town.shows("confirm")
            town.site.press("confirm")
            assert await town.take()

    run(story)


@pytest.mark.parametrize("text", ["123", "1234567", "12a4", "１２３４", ""])
def test_a_pin_has_four_to_six_digits(text):
    assert read_pin(text) is None
    assert read_pin("012345") == "012345"
