"""A machine that was away in the middle of its work knows, once it is back, what became of it."""

import asyncio

import pytest

from controller.faults import OutcomeUnknown
from controller.ports import Command, Outcome
from controller.site.schema import machines
from tests.controller.site.replaying import check
from tests.controller.site.staffing import staff
from tests.controller.site.visit import begun, code_state, standing, state_of
from tests.controller.site.world import Town, run

LICENCE = "N1-licence"


async def given_up(town: Town) -> None:
    """The machine was asked for a licence and then fell silent; the person has left."""
    town.order(seals=0, licence=True)
    await begun(town)
    await town.until(lambda: town.printer.last.outcome is Outcome.RUNNING)
    town.printer.gone = True
    await town.shows("unsure", within_s=200)
    town.site.press("end")
    await town.shows("start", within_s=100)
    assert state_of(town, LICENCE) == "releasing"
    assert "unexplained" in standing(town)


async def back(town: Town) -> None:
    town.printer.gone = False
    await town.until(lambda: town.rows(machines.select())[0].state != "away")
    await asyncio.sleep(5)


def outcomes(town: Town) -> list[tuple[str, str]]:
    return [(each["outcome"], each["seen_by"]) for each in town.up("movement.settled")]


@pytest.mark.parametrize(
    ("remembers", "state", "end"),
    [
        (Outcome.TAKEN, "collected", "moved"),
        (Outcome.FAILED_INSIDE, "loaded", "not_moved"),
    ],
)
def test_what_it_remembers_ends_the_doubt(town, tmp_path, remembers, state, end):
    async def story():
        async with town.at_work():
            await given_up(town)
            town.printer.done_at = None
            town.printer._end(remembers)
            await back(town)
            assert state_of(town, LICENCE) == state
            assert outcomes(town) == [("unknown", None), (end, "machine")]
            assert standing(town) == []
            check(town, tmp_path / "again.db")

    run(story)


def test_what_never_reached_it_is_still_to_be_had(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            town.printer.lose_frames = 9
            await begun(town)
            await town.until(lambda: bool(town.up("movement.intended")))
            town.printer.gone = True
            await town.shows("unsure", within_s=200)
            town.site.press("end")
            await town.shows("start", within_s=100)
            town.printer.lose_frames = 0
            await back(town)
            assert (state_of(town, LICENCE), standing(town)) == ("loaded", [])
            await asyncio.sleep(60)
            await begun(town)
            await town.take_licence()
            await town.shows("rate")
            assert (state_of(town, LICENCE), town.printer.moved) == ("collected", 1)

    run(story)


@pytest.mark.parametrize("remembers", [Outcome.INTERRUPTED, None])
def test_what_it_does_not_know_either_stays_in_doubt(town, remembers):
    async def story():
        async with town.at_work():
            town.order("N0", number=2, seals=0, licence=True)
            await begun(town, 2)
            await town.take_licence()
            await town.shows("rate")
            town.site.press("skip")
            await given_up(town)
            town.printer.done_at = None
            if remembers is None:  # its memory was replaced
                town.printer.last = town.printer.previous = Command(0, None, Outcome.NONE, 0)
            else:
                town.printer._end(remembers)
            before = town.count("movement.settled")
            await back(town)
            assert state_of(town, LICENCE) == "releasing"
            assert "unexplained" in standing(town)
            assert town.count("movement.settled") == before

    run(story)


def test_what_staff_said_meanwhile_is_not_said_again_by_the_machine(town):
    async def story():
        async with town.at_work():
            await given_up(town)
            town.printer.done_at = None
            town.printer._end(Outcome.TAKEN)
            await staff(town)
            town.site.press("choose", f"item:{LICENCE}")
            await town.shows("where_is_it")
            town.site.press("choose", "to_window")
            await town.shows("settled")
            await back(town)
            assert (state_of(town, LICENCE), town.up("item.collected")) == ("returned", [])
            assert code_state(town) != "open"

    run(story)


def test_a_drawing_back_that_nobody_saw_is_no_riddle_once_staff_said_where_the_page_is(town):
    """An alarm about it could not be cleared: of a page that lies at the window nobody asks."""

    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await begun(town)
            await town.shows("take_licence", within_s=100)
            seq = []

            async def unheard(number: int) -> None:
                seq.append(number)
                town.printer.gone = True
                raise OutcomeUnknown("M1", "no reply")

            town.printer.retract = unheard
            await town.shows("unsure", within_s=400)
            town.site.press("end")
            await town.shows("start", within_s=100)
            await staff(town)
            town.site.press("choose", f"item:{LICENCE}")
            await town.shows("where_is_it")
            town.site.press("choose", "to_window")
            await town.shows("settled")
            assert "unexplained" not in standing(town)
            town.printer.last = Command(seq[0], None, Outcome.INTERRUPTED, 0)
            await back(town)
            assert outcomes(town) == [("unknown", None)] * 2
            assert "unexplained" not in standing(town)

    run(story)
