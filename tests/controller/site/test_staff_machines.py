"""Staff at the kiosk: what a licence machine had, and whose numbers it counts by."""

import pytest
from sqlalchemy import select

from controller.site.schema import compartments
from tests.controller.site.staffing import STAFF, licence_astray, offered, staff
from tests.controller.site.visit import begun, standing, state_of
from tests.controller.site.world import run

NOTHING_WRONG = ["maintenance", "emergency"]  # what staff may do all the same


@pytest.mark.parametrize(
    ("said", "state"), [("inside", "loaded"), ("to_window", "returned"), ("missing", "releasing")]
)
def test_a_licence_that_went_astray_in_its_machine_is_settled(town, said, state):
    async def story():
        async with town.at_work():
            await licence_astray(town)
            assert standing(town) == ["unexplained"]
            await staff(town)
            town.site.press("choose", "item:N1-licence")
            await town.shows("where_is_it")
            town.site.press("choose", said)
            await town.shows("settled")
            assert state_of(town, "N1-licence") == state
            assert standing(town) == (["item_missing"] if said == "missing" else [])

    run(story)


def test_a_held_machine_works_again_once_staff_took_over_its_numbers(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await begun(town)
            await town.take_licence()
            await town.shows("rate")
        last = town.printer.last
        town.printer.last = last.__class__(40, None, last.outcome, 0)
        async with town.at_work():
            assert standing(town) == ["unexplained"]
            await staff(town)
            town.site.press("choose", "machine:M1")
            await town.shows("adopt")
            town.site.press("confirm")
            await town.shows("settled")
            assert town.up("machine.adopted")[0]["badge"] == f"badge{STAFF}"
            assert (standing(town), offered(town)) == ([], NOTHING_WRONG)
            town.site.press("end")
            town.order("N2", seals=0, licence=True, number=2)
            await begun(town, 2)
            await town.take_licence()
            assert town.printer.last.seq == 41

    run(story)


def test_nothing_in_doubt_leaves_every_compartment_in_use(town):
    async def story():
        async with town.at_work():
            await staff(town)
            assert offered(town) == NOTHING_WRONG
            assert {row.state for row in town.rows(select(compartments))} == {"free"}

    run(story)
