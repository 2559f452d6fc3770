"""The building's fire alarm: nobody is kept at the kiosk, nothing opens, and then it goes on."""

import asyncio

import pytest

from controller.faults import NoReply
from tests.controller.site.sensors import Hall
from tests.controller.site.staffing import staff
from tests.controller.site.visit import bolts, code_state, scanned
from tests.controller.site.world import qr_of, run


@pytest.fixture
def hall(tmp_path):
    return Hall(tmp_path / "site.db", wired=("mains", "fire"))


async def burns(hall, *, on=True):
    hall.board.set(fire=not on)
    await hall.until(lambda: (hall.view.text == "fire") is on)


def test_a_fire_ends_a_visit_with_nothing_lost_and_nothing_opens_until_it_is_over(hall):
    async def story():
        async with hall.at_work():
            await hall.loaded(seals=2)
            await scanned(hall)
            await hall.opened()
            moved = bolts(hall)
            await burns(hall)
            assert hall.view.buttons == ("language",)
            hall.cabinet.close(int(hall.up("movement.intended")[-1]["where"][2:]))
            await hall.until(lambda: hall.count("pickup.ended") == 1)
            assert hall.alarms() == ["fire A critical"]
            hall.reader.hold(qr_of(1))
            await asyncio.sleep(300)
            assert (bolts(hall), code_state(hall)) == (moved, "open")
            await burns(hall, on=False)
            await hall.shows("start")
            assert not hall.standing()
            await scanned(hall)
            assert await hall.take()

    run(story)


def test_staff_too_open_nothing_in_a_fire(hall):
    async def story():
        async with hall.at_work():
            await staff(hall)
            hall.site.press("choose", "emergency")
            await hall.shows("which_door")
            hall.board.set(fire=False)
            hall.site.press("choose", "all")
            await hall.shows("fire")
            await asyncio.sleep(60)
            assert bolts(hall) == 0
            await burns(hall, on=False)
            await hall.shows("start")

    run(story)


def test_a_fire_goes_on_over_a_restart_and_over_a_silent_board(hall):
    async def story():
        async with hall.at_work():
            await burns(hall)
        hall.board.fault = NoReply("E2", "no answer")
        async with hall.at_work():
            await asyncio.sleep(60)
            assert hall.view.text == "fire"
        hall.board.fault, hall.board.contacts["fire"] = None, True
        async with hall.at_work():
            await hall.shows("start")
            assert hall.alarms().count("fire A critical") == 1

    run(story)
