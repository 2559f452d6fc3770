"""Something is wrong: a case with a number, what comes next, and an order whose time stops."""

from datetime import timedelta

import pytest

from controller.entries import Down
from controller.journal import parse_time
from controller.site.schema import cases, orders
from tests.controller.site.visit import at_first_door, begun
from tests.controller.site.world import Town, run


@pytest.mark.parametrize(
    ("what", "step"),
    [("damaged", "vendor_mends"), ("will_not_close", "staff_look"), (None, "staff_call")],
)
def test_a_press_opens_a_case_and_says_what_comes_next(town, what, step):
    async def story():
        async with town.at_work():
            await at_first_door(town)
            town.site.press("problem", what)
            (told,) = town.up("problem.reported")
            assert (town.view.case, town.view.step) == (told["case"], step)
            assert (told["order"], told["next"]) == ("N1", step)
            await town.take()
            await town.shows("rate")  # it stops no pickup

    run(story)


def test_pressing_on_and_on_is_one_case(town):
    async def story():
        async with town.at_work():
            for _ in range(500):
                town.site.press("problem", "damaged")
            assert len(town.up("problem.reported")) == 1

    run(story)


def test_nobody_opens_more_cases_than_a_person_can_mean(town):
    async def story():
        async with town.at_work():
            for n in range(100):
                town.site.press("problem", ("missing", "wrong", "damaged", None)[n % 4])
                await town.until(lambda: True)
            assert len(town.up("problem.reported")) == 4

    run(story)


def expires_at(town: Town):
    return parse_time(town.rows(orders.select())[0].expires_at)


def solve(town: Town, case: str) -> None:
    town.tell(Down.PROBLEM_SOLVED, {"case": case, "by": "ops"})


def test_the_days_of_an_open_case_do_not_count(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            before = expires_at(town)
            await begun(town)
            town.site.press("problem", "damaged")
            case = town.view.case
        town.wall_ahead = timedelta(days=2)
        async with town.at_work():
            town.confirm_time()
            await begun(town)
            town.site.press("problem", "missing")
            second = town.view.case
        town.wall_ahead = timedelta(days=3)
        async with town.at_work():
            town.confirm_time()
            solve(town, case)
            assert expires_at(town) == before  # the other one is still open
        town.wall_ahead = timedelta(days=5)
        async with town.at_work():
            town.confirm_time()
            solve(town, second)
            solve(town, second)
            assert expires_at(town) - before == timedelta(days=5)
            (told,) = town.up("deadline.extended")
            assert (told["order"], told["reason"]) == ("N1", "problem")
            assert len(town.up("problem.solved")) == 2
            assert all(row.closed_at for row in town.rows(cases.select()))

    run(story)


def test_a_case_that_is_put_right_on_its_day_changes_no_deadline(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            before = expires_at(town)
            await begun(town)
            town.site.press("problem")
            solve(town, town.view.case)
            assert (expires_at(town), town.up("deadline.extended")) == (before, [])

    run(story)


def test_at_the_end_it_is_written_what_was_taken_where_and_by_which_code(town):
    async def story():
        async with town.at_work():
            doors = await town.loaded(seals=2)
            await begun(town)
            await town.take()
            await town.opened()
            town.cabinet.close(town.door_shown())
            await town.shows("item_left")
            town.site.press("skip")
            await town.shows("some_left")
            (ended,) = town.up("pickup.ended")
            assert [each["item"] for each in ended["taken"]] == ["N1-seal1"]
            assert (ended["code"], ended["left"]) == ("N1-code0", ["N1-seal2"])
            await town.shows("start")
            await begun(town)
            await town.take()
            await town.shows("rate")
            (done,) = town.up("pickup.completed")
            assert [each["where"] for each in done["taken"]] == [f"A/{sorted(doors)[1]}"]
            assert (done["code"], done["left"]) == ("N1-code0", [])

    run(story)
