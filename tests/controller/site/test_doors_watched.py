"""Doors with nobody at the kiosk: seen, said, alarmed once and cleared once."""

import asyncio

from sqlalchemy import select

from controller.site.schema import doors
from tests.controller.site.world import Town, qr_of, run


def alarms(town: Town) -> list[tuple[str, str]]:
    return [(alarm["does"], alarm["where"]) for alarm in town.up("alarm.raised")]


def test_a_forced_door_is_an_alarm_until_it_is_shut(town):
    async def story():
        async with town.at_work():
            town.cabinet.force(2)
            await asyncio.sleep(3)
            assert alarms(town) == [("door_forced", "A/2")]
            assert [entry["where"] for entry in town.up("door.forced")] == ["A/2"]
            town.cabinet.close(2)
            await asyncio.sleep(1)
            assert len(town.up("alarm.cleared")) == 1

    run(story)


def test_a_door_forced_while_the_site_was_off_is_found_at_start(town):
    async def story():
        async with town.at_work():
            pass
        town.cabinet.force(4)
        async with town.at_work():
            assert alarms(town) == [("door_forced", "A/4")]

    run(story)


def test_n_counts_each_change_once_and_over_a_restart(town):
    async def story():
        async with town.at_work():
            before = town.rows(select(doors.c.n).where(doors.c.no == 2))[0][0]
            for _ in range(3):
                town.cabinet.force(2)
                await asyncio.sleep(1)
                town.cabinet.close(2)
                await asyncio.sleep(1)
        async with town.at_work():
            assert town.rows(select(doors.c.n).where(doors.c.no == 2))[0][0] == before + 6
            town.cabinet.force(2)
            await asyncio.sleep(1)
            assert town.up("door.forced")[-1]["n"] == before + 7

    run(story)


def test_doors_of_a_silent_board_are_unknown_then_alarmed_and_nothing_is_tried(town):
    async def story():
        async with town.at_work():
            await town.loaded()
            town.cabinet.silent = True
            await asyncio.sleep(3)
            states = {row.state for row in town.rows(select(doors))}
            assert states == {"unknown"}
            assert town.site.problems() == ["A-1 does not answer"]
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.shows("door_out_of_use")
            await asyncio.sleep(12)
            assert alarms(town) == [("board_silent", "A-1")]
            assert sum(box.pulses for box in town.cabinet.boxes) == 1
            town.cabinet.silent = False
            await town.until(lambda: not town.site.problems(), 60)
            assert len(town.up("alarm.cleared")) == 1
            await town.shows("start", within_s=200)
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.take()

    run(story)


def test_a_driver_that_hangs_is_told_of_as_a_silent_board_and_forgiven_when_it_goes_on(town):
    async def story():
        async with town.at_work():
            await asyncio.sleep(60)
            assert not town.site.problems()
            town.cabinet.follows.clear()
            await asyncio.sleep(45)
            assert town.site.problems() == ["A-1 does not answer"]
            assert {row.state for row in town.rows(select(doors))} == {"unknown"}
            town.cabinet.follows.set()
            await town.until(lambda: not town.site.problems(), 10)

    run(story)


def test_a_sensor_that_cannot_be_read_does_not_say_that_the_box_is_still_there(town):
    """The board falls silent with the pulse; the box is taken while nobody can see it."""

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.reader.hold(qr_of(1))
            await town.shows("confirm")
            town.cabinet.lose_replies = 1
            town.site.press("confirm")
            await town.until(lambda: town.cabinet.is_unlocked(door))
            town.cabinet.silent = True
            town.cabinet.pull(door)
            town.hands += town.cabinet.take(door)
            town.cabinet.close(door)
            view = await town.shows("stuck")
            assert "taken" in view.buttons
            town.site.press("taken")
            await town.shows("rate")
            assert [entry["by"] for entry in town.up("item.collected")] == ["person"]

    run(story)


def test_a_line_that_is_gone_has_its_own_alarm(town):
    async def story():
        async with town.at_work():
            town.cabinet.gone = True
            await asyncio.sleep(30)
            assert alarms(town) == [("bus_down", "A-1")]

    run(story)


def test_a_machine_fault_is_raised_once_and_cleared_once(town):
    async def story():
        async with town.at_work():
            town.printer.faults = {"jam"}
            await asyncio.sleep(30)
            town.printer.faults = set()
            await asyncio.sleep(10)
            assert alarms(town) == [("machine_fault", "M1")]
            assert len(town.up("alarm.cleared")) == 1

    run(story)


def test_a_site_without_anything_to_do_writes_nothing(town):
    async def story():
        async with town.at_work():
            before = len(town.up())
            await asyncio.sleep(600)
            assert len(town.up()) == before

    run(story)
