"""Licences that a machine keeps: taken in from staff, handed out from their slots, taken back."""

import asyncio

import pytest
from sqlalchemy import select

from controller.entries import Down
from controller.ports import Outcome
from controller.site.schema import intents, items
from tests.controller.site.replaying import check
from tests.controller.site.staffing import STAFF, offered, staff
from tests.controller.site.visit import begun, standing, state_of
from tests.controller.site.world import Town, qr_of, run

LICENCE, LABEL = "N1-licence", "OWL:N1-licence"


@pytest.fixture
def town(tmp_path):
    return Town(tmp_path / "site.db", storing=True)


def slot_of(town, item=LICENCE):
    return town.rows(select(items.c.machine, items.c.slot).where(items.c.item_id == item))[0]


def outcomes(town):
    return [row.outcome for row in town.rows(select(intents).order_by(intents.c.number))]


async def asked(town, order="N1"):
    """Staff scanned the licence's label, and the machine waits for it."""
    await staff(town)
    town.reader.hold(f"OWL:{order}-licence")
    await town.shows("lay_in")


async def taken_in(town, order="N1"):
    await asked(town, order)
    await asyncio.sleep(3)
    town.printer.lay_in(f"OWL:{order}-licence")
    await town.shows("taken_in")
    town.site.press("end")
    await town.shows("staff_menu")
    town.site.press("end")
    await town.shows("start")


async def loaded(town, order="N1", number=1):
    town.order(order, seals=0, licence=True, number=number)
    await taken_in(town, order)


def test_a_licence_is_expected_until_staff_have_laid_it_into_the_machine(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await asyncio.sleep(20)
            assert not town.up("item.loaded")
            await taken_in(town)
            (told,) = town.up("item.loaded")
            assert (told["where"], told["slot"], told["by"]) == ("M1", 1, "machine")
            assert told["badge"] == f"badge{STAFF}"
            (intent,) = town.up("movement.intended")
            assert (intent["does"], intent["where"], intent["slot"]) == ("load", "M1", 1)
            assert town.printer.stored == {1: LABEL}
            assert len(town.up("pickup.ready")) == 1

    run(story)


def test_its_recipient_gets_it_from_its_slot_which_is_free_again(town, tmp_path):
    async def story():
        async with town.at_work():
            await loaded(town)
            await begun(town)
            await town.shows("bringing")
            await town.take_licence()
            await town.shows("rate")
            assert town.hands == [LABEL]
            assert (state_of(town, LICENCE), slot_of(town).slot) == ("collected", None)
            await town.shows("start")
            await loaded(town, "N2", 2)
            assert town.printer.stored == {1: "OWL:N2-licence"}
            check(town, tmp_path / "again.db")

    run(story)


def test_nothing_laid_in_leaves_the_licence_expected(town, tmp_path):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await asked(town)
            await town.shows("nothing_taken_in", within_s=70)
            assert (state_of(town, LICENCE), slot_of(town)) == ("expected", (None, None))
            assert (outcomes(town), standing(town)) == (["not_moved"], [])
            check(town, tmp_path / "again.db")
            town.reader.hold(LABEL)
            await town.shows("lay_in")
            town.printer.lay_in(LABEL)
            await town.shows("taken_in")
            check(town, tmp_path / "loaded.db")

    run(story)


@pytest.mark.parametrize("lost", ["lose_frames", "lose_replies"])
def test_a_lost_answer_never_loads_under_a_second_number(town, lost):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await staff(town)
            setattr(town.printer, lost, 1)
            town.reader.hold(LABEL)
            await town.until(lambda: town.printer.waits)
            town.printer.lay_in(LABEL)
            await town.shows("taken_in")
            assert list(town.printer.loads.values()) == [1]
            assert (town.printer.moved, outcomes(town)) == (1, ["moved"])

    run(story)


def test_labels_that_are_no_licence_here_are_refused(town):
    async def story():
        async with town.at_work():
            await loaded(town)
            await staff(town)
            town.reader.hold(LABEL)
            await town.shows("label_loaded")
            town.reader.hold("OWL:never-heard-of")
            await town.shows("label_unknown")
            town.site.press("end")
            await town.shows("staff_menu")
            town.site.press("end")
            await town.shows("start")
            town.grant()
            town.order("N2", seals=0, licence=True, number=2)
            await town.badge()
            town.reader.hold("OWL:N2-licence")  # a vendor brings seals, never licences
            await town.shows("label_unknown")
            assert len(town.printer.loads) == 1

    run(story)


@pytest.mark.parametrize("why", ["full", "fault", "away"])
def test_a_machine_that_cannot_take_it_in_is_asked_for_nothing(town, why):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            match why:
                case "full":
                    town.printer.stored = {slot: f"other{slot}" for slot in range(1, 5)}
                case "fault":
                    town.printer.faults.add("jam")
                case "away":
                    town.printer.gone = True
            await asyncio.sleep(10)
            await staff(town)
            town.reader.hold(LABEL)
            await town.shows("no_slot")
            assert (state_of(town, LICENCE), town.up("movement.intended")) == ("expected", [])

    run(story)


def test_a_slot_that_is_filled_with_nobody_knows_what_is_passed_over(town):
    async def story():
        async with town.at_work():
            town.printer.stored = {1: "found there"}
            await asyncio.sleep(3)
            await loaded(town)
            assert town.printer.stored[2] == LABEL

    run(story)


@pytest.mark.parametrize(
    ("said", "state", "slot"),
    [("in_hand", "expected", None), ("to_window", "returned", None)],
)
def test_a_licence_that_jams_on_its_way_in_is_doubtful_until_staff_say(
    town, tmp_path, said, state, slot
):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await asked(town)
            town.printer.fails = Outcome.FAILED_ON_THE_WAY
            town.printer.lay_in(LABEL)
            await town.shows("unsure")
            assert (state_of(town, LICENCE), standing(town)) == ("releasing", ["unexplained"])
            check(town, tmp_path / "doubtful.db")
            town.site.press("end")
            await town.shows("staff_menu")
            town.site.press("choose", f"item:{LICENCE}")
            await town.shows("where_is_it")
            assert "inside" not in offered(town)  # the machine says that its slot is empty
            town.site.press("choose", said)
            await town.shows("settled")
            assert (state_of(town, LICENCE), slot_of(town).slot) == (state, slot)
            assert standing(town) == []
            check(town, tmp_path / "settled.db")

    run(story)


@pytest.mark.parametrize(
    ("finished", "state", "alarm"),
    [(True, "loaded", []), (False, "releasing", ["unexplained"])],
)
def test_a_machine_whose_power_went_says_by_its_slots_where_the_licence_is(
    town, finished, state, alarm
):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await asked(town)
            town.printer.lay_in(LABEL)
            town.printer.interrupt(finished=finished)
            await town.shows("taken_in" if finished else "unsure")
            assert (state_of(town, LICENCE), standing(town)) == (state, alarm)

    run(story)


def lay_in(town):
    town.printer.lay_in(LABEL)


@pytest.mark.parametrize(
    ("meanwhile", "state"), [(lay_in, "loaded"), (lambda _town: None, "expected")]
)
def test_a_site_that_was_cut_while_the_machine_waited_settles_by_its_registers(
    town, tmp_path, meanwhile, state
):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await asked(town)
        meanwhile(town)
        await asyncio.sleep(70)
        async with town.at_work():
            await town.until(lambda: outcomes(town) != [None])
            assert (state_of(town, LICENCE), standing(town)) == (state, [])
            assert len(town.printer.loads) == 1
            check(town, tmp_path / "again.db")

    run(story)


def test_a_command_that_never_arrived_before_a_cut_moved_nothing(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await staff(town)
            town.printer.lose_frames = 9
            town.reader.hold(LABEL)
            await town.until(lambda: len(outcomes(town)) == 1)
        async with town.at_work():
            assert (state_of(town, LICENCE), outcomes(town)) == ("expected", ["not_moved"])
            assert slot_of(town) == (None, None)

    run(story)


@pytest.mark.parametrize("goes_back", [True, False], ids=["slot", "reject bin"])
def test_what_nobody_takes_is_where_the_machine_put_it(town, tmp_path, goes_back):
    async def story():
        async with town.at_work():
            await loaded(town)
            town.printer.goes_back = goes_back
            await begun(town)
            await town.shows("licence_retracted", within_s=400)
            await town.shows("start", within_s=400)
            check(town, tmp_path / "again.db")
            if goes_back:
                assert (state_of(town, LICENCE), standing(town)) == ("loaded", [])
                await begun(town)
                await town.take_licence()
                await town.shows("rate")
                return
            assert (state_of(town, LICENCE), standing(town)) == ("releasing", ["item_left"])
            await staff(town)
            town.site.press("choose", f"item:{LICENCE}")
            await town.shows("where_is_it")
            assert offered(town) == ["in_hand", "with_recipient", "to_window", "missing"]
            town.site.press("choose", "in_hand")
            await town.shows("settled")
            town.reader.hold(LABEL)
            await town.shows("lay_in")
            town.printer.lay_in(LABEL)
            await town.shows("taken_in")
            assert (state_of(town, LICENCE), standing(town)) == ("loaded", [])

    run(story)


def test_a_slot_that_turns_out_empty_is_nobody_s_licence_and_staff_look(town):
    async def story():
        async with town.at_work():
            await loaded(town)
            town.printer.stored.clear()
            await begun(town)
            await town.shows("unsure")
            assert (state_of(town, LICENCE), standing(town)) == ("releasing", ["unexplained"])

    run(story)


def test_staff_take_a_cancelled_licence_out_again(town, tmp_path):
    async def story():
        async with town.at_work():
            await loaded(town)
            town.tell(Down.ORDER_CANCELLED, {"order": "N1", "reason": "asked"})
            town.reader.hold(qr_of(1))
            await town.shows("code_unknown")
            await town.shows("start")
            await staff(town)
            town.site.press("choose", "returns")
            await town.shows("returns")
            town.site.press("choose", LICENCE)
            await town.take_licence()
            await town.shows("no_returns")
            (told,) = town.up("item.returned")
            assert (told["where"], told["by"], told["badge"]) == ("M1", "machine", "badge21")
            assert (town.hands, slot_of(town).slot) == ([LABEL], None)
            check(town, tmp_path / "again.db")

    run(story)


def test_a_machine_that_does_not_hand_out_keeps_what_was_to_be_taken_back(town):
    async def story():
        async with town.at_work():
            await loaded(town)
            town.tell(Down.ITEM_RETURN, {"order": "N1", "reason": "recalled"})
            town.printer.fails = Outcome.FAILED_INSIDE
            await staff(town)
            town.site.press("choose", "returns")
            await town.shows("returns")
            town.site.press("choose", LICENCE)
            await town.shows("machine_keeps")
            assert (state_of(town, LICENCE), slot_of(town).slot) == ("return_requested", 1)

    run(story)


def test_an_order_cancelled_while_its_licence_goes_in_waits_to_be_taken_back(town):
    async def story():
        async with town.at_work():
            town.order(seals=0, licence=True)
            await asked(town)
            town.tell(Down.ORDER_UPDATED, {"order": "N1", "moved_to": "FT-0002"})
            town.printer.lay_in(LABEL)
            await town.shows("taken_in")
            assert (state_of(town, LICENCE), slot_of(town).slot) == ("return_requested", 1)
            assert not town.up("pickup.ready")

    run(story)
