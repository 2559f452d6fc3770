"""Licences handed out by the machine, and what may get in their way."""

import asyncio

import pytest

from controller.ports import Outcome
from tests.controller.site.visit import alarms, scanned, state_of
from tests.controller.site.world import qr_of, run

MACHINE_ENDS = [
    (Outcome.FAILED_INSIDE, "machine_rests", "loaded", []),
    (Outcome.REFUSED, "machine_rests", "loaded", []),
    (Outcome.FAILED_ON_THE_WAY, "unsure", "releasing", ["unexplained"]),
]


@pytest.mark.parametrize(("fails", "text", "state", "raised"), MACHINE_ENDS)
def test_what_the_machine_says_is_what_is_written(town, fails, text, state, raised):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            town.printer.fails = fails
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            assert (await town.shows(text)).screen == "trouble"
            assert (state_of(town, "N1-licence"), alarms(town)) == (state, raised)
            assert not town.up("item.collected")

    run(story)


def test_a_licence_that_nobody_takes_goes_back_into_the_machine(town):
    async def story():
        async with town.at_work():
            await town.loaded(licence=True)
            await scanned(town)
            await town.take()
            await town.shows("licence_waits", within_s=100)
            await town.shows("licence_retracted", within_s=200)
            assert town.printer.reject == ["JOB:1"]
            assert (state_of(town, "N1-licence"), alarms(town)) == ("releasing", ["item_left"])
            assert state_of(town) == "collected"
            await asyncio.sleep(5)
            assert not [each for each in town.up("movement.settled") if each["outcome"] != "moved"]

    run(story)


@pytest.mark.parametrize("lost", ["lose_frames", "lose_replies"])
def test_a_machines_lost_answer_costs_no_second_blank(town, lost):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            setattr(town.printer, lost, 1)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take_licence()
            await town.shows("rate")
            assert (town.printer.moved, town.printer.blanks) == (1, 198)

    run(story)


def test_without_blanks_the_seals_are_had_and_the_licence_waits(town):
    async def story():
        async with town.at_work():
            await town.loaded(licence=True)
            town.printer.blanks = 0
            await asyncio.sleep(3)
            assert alarms(town) == ["blanks_low"]
            await scanned(town)
            await town.take()
            await town.shows("machine_rests")
            town.site.press("skip")
            await town.shows("some_left")
            assert (state_of(town), state_of(town, "N1-licence")) == ("collected", "loaded")
            town.printer.blanks = 100
            await town.shows("start")
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take_licence()
            await town.shows("rate")

    run(story)


def test_a_licence_placed_while_the_machine_is_away_is_loaded_when_it_is_back(town):
    async def story():
        town.printer.gone = True
        async with town.at_work():
            town.order(seals=0, licence=True)
            assert not town.up("item.loaded")
            town.printer.gone = False
            await town.until(lambda: bool(town.up("pickup.ready")), 30)

    run(story)
