"""What a release is: decided, written down, asked for once, and named by what is known."""

import asyncio

import pytest
from sqlalchemy import select

from controller.entries import Down
from controller.site.schema import items
from controller.store import open_reader
from tests.controller.site.world import Town, code_of, qr_of, run


async def confirmed(town: Town) -> None:
    town.reader.hold(qr_of(1))
    await town.shows("confirm")
    town.site.press("confirm")


def pulses(town: Town) -> int:
    return sum(box.pulses for box in town.cabinet.boxes)


def state_of(town: Town) -> str:
    return town.rows(select(items.c.state))[0][0]


def test_an_intent_is_durable_before_its_pulse(town):
    durable: list[int] = []

    def look(_door: int) -> None:
        with open_reader(town.path) as connection:
            words = "SELECT count(*) FROM journal WHERE kind = 'movement.intended'"
            durable.append(connection.exec_driver_sql(words).scalar_one())

    async def story():
        town.cabinet.before_pulse = look
        async with town.at_work():
            await town.loaded()
            await confirmed(town)
            await town.take()
            await town.shows("rate")
        assert durable == [1, 2]

    run(story)


def test_a_lost_reply_is_never_answered_with_a_second_pulse(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.cabinet.lose_replies = 3
            await confirmed(town)
            await town.take()
            await town.shows("rate")
            assert pulses(town) == len(town.up("movement.intended")) == 2

    run(story)


def test_unknown_is_not_said_to_have_stayed(blind_town):
    """The bolt moved, the reply was lost, the switch saw nothing: the item is not 'still there'."""
    town = blind_town

    async def story():
        async with town.at_work():
            await town.loaded()
            town.cabinet.lose_replies = 1
            await confirmed(town)
            await town.shows("stuck", "door_out_of_use")
            assert town.view.text == "stuck"
            assert town.up("movement.settled")[-1]["outcome"] == "unknown"
            await town.shows("start", within_s=200)
            assert state_of(town) == "releasing"
            assert "unexplained" in [alarm["does"] for alarm in town.up("alarm.raised")]

    run(story)


def test_unknown_is_not_said_to_have_moved(town):
    """The reply was lost and the bolt did not move: the item still waits for its owner."""

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.cabinet.lose_replies = 1
            town.cabinet[door].jammed = True
            await confirmed(town)
            await asyncio.sleep(1)
            assert [entry["outcome"] for entry in town.up("movement.settled")] == ["moved"]
            await town.shows("stuck")
            assert [entry["outcome"] for entry in town.up("movement.settled")][1:] == ["unknown"]
            assert (state_of(town), town.up("item.collected")) == ("loaded", [])

    run(story)


def test_a_decision_that_has_grown_old_moves_nothing(town):
    """The machine slept between the commit and the pulse: nobody stands there any more."""

    async def story():
        async with town.at_work():
            await town.loaded()
            loop = asyncio.get_running_loop()

            def sleep_after_commit(step: str) -> None:
                if step == "committed" and len(town.up("movement.intended")) == 2:
                    loop._at += 2.5 if not town.up("movement.settled")[1:] else 0

            town.site._book.step = sleep_after_commit
            await confirmed(town)
            await town.shows("door_out_of_use", "push", "take")
            assert pulses(town) == 1
            assert town.up("movement.settled")[-1]["outcome"] == "not_moved"
            assert state_of(town) == "loaded"

    run(story)


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_a_code_that_dies_at_any_step_before_its_intent_opens_nothing(town, dies_at):
    """Claiming a code is one guarded change: there is no instant between looking and taking."""

    async def story():
        async with town.at_work():
            await town.loaded()
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            steps = 0
            was_intended: list[bool] = []

            def die(step: str) -> None:
                nonlocal steps
                steps += step == "committed"
                if step != "committed" or steps != dies_at:
                    return
                was_intended.append(len(town.up("movement.intended")) > 1)
                new = code_of("N1", 2, generation=1)
                town.tell(Down.CODE_REPLACED, {"order": "N1", "replaces": "N1-code0", "code": new})

            town.site._book.step = die
            town.site.press("confirm")
            await asyncio.sleep(15)
            assert len(was_intended) == 1
            assert pulses(town) == (2 if was_intended[0] else 1)

    run(story)


def test_two_visits_of_one_order_never_go_on_at_once(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            await confirmed(town)
            await town.until(lambda: bool(town.up("pickup.started")))
            started = town.up("pickup.started")
            town.tell(
                Down.CODE_REPLACED,
                {"order": "N1", "replaces": "none", "code": code_of("N1", 2, generation=1)},
            )
            town.reader.hold(qr_of(2))
            await town.take()
            await town.shows("rate")
            assert town.up("pickup.started") == started
            town.site.press("skip")
            await town.shows("start")
            await asyncio.sleep(3)
            town.reader.hold(qr_of(2))
            await town.shows("code_unknown")
            assert pulses(town) == 2

    run(story)


def test_a_decision_that_waits_too_long_for_the_line_moves_nothing(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.cabinet.line_busy_s = 2.5
            await confirmed(town)
            await town.until(lambda: town.up("movement.settled")[1:])
            assert town.up("movement.settled")[-1]["outcome"] == "not_moved"
            assert pulses(town) == 1
            assert state_of(town) == "loaded"

    run(story)
