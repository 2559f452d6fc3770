"""Licences that a machine keeps: undone, named when it is full, settled after a silence."""

import asyncio

import pytest
from sqlalchemy import select

from controller.entries import Down
from controller.site.schema import orders
from tests.controller.site.replaying import check
from tests.controller.site.staffing import STAFF, offered, staff
from tests.controller.site.test_storing_machine import (
    LABEL,
    LICENCE,
    asked,
    loaded,
    outcomes,
    slot_of,
)
from tests.controller.site.visit import begun, standing, state_of
from tests.controller.site.world import Town, placed, run


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path / "site.db", storing=True)


async def laid_in(town: Town) -> None:
    """Staff laid an order's licence into the machine, which keeps it."""
    town.order(seals=0, licence=True)
    await asked(town)
    town.printer.lay_in(LABEL)
    await town.shows("taken_in")


def test_the_licence_taken_in_last_is_undone_with_one_press(town, tmp_path):
    async def story():
        async with town.at_work():
            await laid_in(town)
            town.site.press("undo")
            await town.take_licence()
            await town.shows("machine_undone")
            assert "undo" not in town.view.buttons
            assert (state_of(town, LICENCE), slot_of(town)) == ("expected", (None, None))
            assert town.rows(select(orders.c.state))[0][0] == "placed"
            assert town.up("item.expected")[0]["badge"] == f"badge{STAFF}"
            assert [each["does"] for each in town.up("movement.intended")] == ["load", "undo"]
            check(town, tmp_path / "undone.db")
            await asyncio.sleep(3)
            town.reader.hold(LABEL)
            await town.shows("lay_in")
            town.printer.lay_in(LABEL)
            await town.shows("taken_in")
            assert len(town.up("pickup.ready")) == 2

    run(story)


@pytest.mark.parametrize("goes_back", [True, False], ids=["slot", "reject bin"])
def test_an_undo_that_nobody_takes_is_where_the_machine_put_it(town, goes_back):
    async def story():
        async with town.at_work():
            await laid_in(town)
            town.printer.goes_back = goes_back
            town.site.press("undo")
            await town.shows("licence_retracted", within_s=400)
            assert state_of(town, LICENCE) == ("loaded" if goes_back else "releasing")
            town.site.press("end")
            await town.shows("staff_menu")
            assert (f"item:{LICENCE}" in offered(town)) is not goes_back

    run(story)


def test_an_undo_cut_short_by_the_power_is_settled_by_the_machine(town):
    async def story():
        async with town.at_work():
            await laid_in(town)
            town.site.press("undo")
            await town.until(lambda: bool(town.printer.outlet))
        town.hands += town.printer.take()
        async with town.at_work():
            await town.until(lambda: state_of(town, LICENCE) == "expected")
            assert (town.hands, standing(town)) == ([LABEL], [])

    run(story)


def test_a_full_machine_names_the_licences_that_could_be_taken_back_first(town):
    async def story():
        town.printer.slots = 1
        async with town.at_work():
            await loaded(town)
            town.tell(Down.ITEM_RETURN, {"order": "N1", "reason": "overdue"})
            town.order("N2", seals=0, licence=True, number=2)
            await staff(town)
            town.reader.hold("OWL:N2-licence")
            shown = await town.shows("machine_full")
            assert shown.values == {"places": "M1-1"}
            assert offered(town) == ["returns"]
            town.printer.faults.add("jam")
            await asyncio.sleep(3)
            town.reader.hold("OWL:N2-licence")
            await town.shows("no_slot")  # it could not be taken back now

    run(story)


def test_a_licence_that_staff_laid_into_a_compartment_is_undone_too(tmp_path):
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            told = placed("N1", seals=0, licence=True)
            told["items"][0]["holder"] = "cabinet"
            town.tell(Down.ORDER_PLACED, told)
            await staff(town)
            door = await town.load(LABEL)
            await town.shows("loaded")
            town.site.press("undo")
            assert await town.opened() == door
            town.hands += town.cabinet.take(door)
            town.cabinet.close(door)
            await town.shows("undone")
            assert (town.hands, state_of(town, LICENCE)) == ([LABEL], "expected")

    run(story)


def test_a_machine_that_falls_silent_while_it_takes_in_is_settled_by_staff(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await asked(town)
            town.printer.lay_in(LABEL)
            town.printer.gone = True
            await town.shows("unsure", within_s=200)
            assert (state_of(town, LICENCE), outcomes(town)) == ("releasing", ["unknown"])
            assert "unexplained" in standing(town)
            town.site.press("end")
            await town.shows("staff_menu")
            assert offered(town)[0] == f"item:{LICENCE}"
            town.printer.gone = False
            await town.until(lambda: town.printer.stored == {1: LABEL})
            await asyncio.sleep(3)
            town.site.press("choose", f"item:{LICENCE}")
            await town.shows("where_is_it")
            assert "inside" in offered(town)
            town.site.press("choose", "inside")
            await town.shows("settled")
            assert (state_of(town, LICENCE), slot_of(town), standing(town)) == (
                "loaded",
                ("M1", 1),
                [],
            )
            town.site.press("end")
            await town.shows("start")
            await begun(town)
            await town.take_licence()
            await town.shows("rate")
            assert town.hands == [LABEL]

    run(story)
