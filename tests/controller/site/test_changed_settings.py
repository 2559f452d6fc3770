"""What a district may change of a site's policy, and what never."""

import asyncio

import pytest

from controller.entries import Down
from controller.settings import PolicyTable
from controller.site.rules import CHANGEABLE
from tests.controller.site.visit import pulses
from tests.controller.site.world import Town, qr_of, run

GUARDS = ("remote_", "guess_", "code_", "lock_", "emergency_", "second_factor", "reopen_", "door_")


def change(town: Town, **policy: object) -> None:
    town.tell(Down.SETTINGS_CHANGED, {"policy": policy})


def test_what_keeps_doors_shut_is_nobodys_but_the_sites():
    assert set(PolicyTable.model_fields) >= CHANGEABLE
    assert not [key for key in CHANGEABLE if key.startswith(GUARDS)]


def test_a_change_holds_at_once_and_after_a_restart_until_it_is_taken_back(town):
    async def opens_at_once() -> bool:
        before = pulses(town)
        town.reader.hold(qr_of(1))
        await town.until(lambda: pulses(town) > before or town.view.text == "confirm")
        return pulses(town) > before

    async def story():
        async with town.at_work():
            await town.loaded()
            change(town, confirm_pickup=False)
        async with town.at_work():
            assert town.up("settings.taken")[0]["taken"] == ["confirm_pickup"]
            change(town, confirm_pickup=None)
            assert not await opens_at_once()
            town.site.press("end")
            await town.shows("start")
            change(town, confirm_pickup=False)
            await asyncio.sleep(3)  # the code was away from the scanner
            assert await opens_at_once()

    run(story)


@pytest.mark.parametrize(
    "policy", [{"remote_opens_an_hour": 99}, {"no_such": 1}, {"rating_s": -1}, {"rating_s": "x"}]
)
def test_what_may_not_be_changed_is_refused_by_name(town, policy):
    async def story():
        async with town.at_work():
            change(town, **policy)
            (told,) = town.up("settings.taken")
            assert (told["taken"], told["refused"]) == ([], list(policy))

    run(story)
