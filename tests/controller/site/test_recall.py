"""A journal, played into an empty database, gives the state that it told of."""

import asyncio

import pytest
from sqlalchemy import select

from controller.entries import Down, Up
from controller.ports import DoorSight
from controller.site import recall
from controller.site.schema import doors
from tests.controller.site.replaying import check
from tests.controller.site.visit import begun, place_state, state_of
from tests.controller.site.world import Town, code_of, qr_of, run


def test_every_kind_of_entry_is_played_or_tells_of_no_table():
    assert set(Up) == set(recall.UP) | recall.TELLS_ONLY
    assert not set(recall.UP) & recall.TELLS_ONLY
    assert set(recall.DOWN) == set(Down)


async def collects(town: Town, number: int) -> None:
    await begun(town, number)
    await town.take()
    if town.settings.machine and town.view.text in ("printing", "take_licence"):
        await town.take_licence()
    await town.shows("rate", "some_left")
    await town.shows("start")


@pytest.mark.parametrize("sensors", [True, False], ids=["sensors", "blind"])
def test_a_day_of_loading_collecting_and_all_that_goes_wrong(tmp_path, sensors):
    town = Town(tmp_path / "site.db", sensors=sensors)

    async def story():
        async with town.at_work():
            await town.loaded("N1", seals=2, licence=True)
            await town.loaded("N2", number=2)
            await town.loaded("N3", number=3)
            town.order("N4", number=4, licence=True)
            town.tell(
                Down.CODE_REPLACED,
                {"order": "N3", "replaces": "N3-code0", "code": code_of("N3", 33, generation=1)},
            )
            await nothing_put_in(town)
            await left_inside(town)
            town.tell(Down.ORDER_CANCELLED, {"order": "N2", "reason": "asked"})
            town.tell(Down.ITEM_RETURN, {"order": "N3", "reason": "overdue"})
            check(town, tmp_path / "half.db")
            await begun(town)
            await town.take()
            if not sensors:
                await town.shows("did_you_take")
                town.site.press("taken")
            await asyncio.sleep(200)
            check(town, tmp_path / "most.db")
        town.cabinet[1].unlocked_until = -1
        async with town.at_work():
            await asyncio.sleep(200)
            check(town, tmp_path / "end.db")
            assert town.count("item.stayed") >= 1

    run(story)


async def nothing_put_in(town: Town) -> None:
    await town.badge()
    town.reader.hold("OWL:N4-seal1")
    door = await town.opened()
    town.cabinet.close(door)
    if not town.cabinet.sensors:
        await town.shows("load_confirm")
        town.site.press("skip")
    await town.until(lambda: town.count("item.stayed") > 0)
    town.site.press("end")
    await town.shows("start")


async def left_inside(town: Town) -> None:
    await begun(town, 33)
    door = await town.opened()
    await asyncio.sleep(1)
    town.cabinet.close(door)
    if town.cabinet.sensors:
        await town.shows("item_left")
        town.site.press("skip")
        await town.shows("start")
        assert (state_of(town, "N3-seal1"), place_state(town, door)) == ("loaded", "occupied")
    else:
        await town.shows("did_you_take")
        await town.shows("start")


def test_a_pulse_that_was_refused_leaves_all_as_it_was(tmp_path):
    town = Town(tmp_path / "site.db")

    async def story():
        async with town.at_work():
            await town.loaded()
            town.cabinet.refuse = 1
            await begun(town)
            await town.shows("door_out_of_use")
            check(town, tmp_path / "again.db")
            town.reader.hold(qr_of(1))

    run(story)


@pytest.mark.parametrize("ahead_s", [-7200, 7200], ids=["behind", "ahead"])
def test_both_journals_are_played_in_their_true_order_whatever_the_districts_clock_says(
    tmp_path, ahead_s
):
    town = Town(tmp_path / "site.db", machine=False, district_ahead_s=ahead_s)

    async def story():
        async with town.at_work():
            await town.loaded("N1")
            await collects(town, 1)
            town.tell(Down.ORDER_CANCELLED, {"order": "N1", "reason": "too late"})
            await town.loaded("N2", number=2)
            town.tell(Down.ORDER_CANCELLED, {"order": "N2", "reason": "asked"})
            town.order("N3", number=3)
            town.tell(Down.BADGE_REVOKED, {"badge": "badge20"})
            town.grant()
            town.tell(Down.CODE_REPLACED, replacement("N3"))
            await town.badge()
            await town.load("OWL:N3-seal1")
            town.tell(Down.ITEM_RETURN, {"order": "N3", "reason": "overdue"})
            check(town, tmp_path / "again.db")

    run(story)


def replacement(order: str):
    return {
        "order": order,
        "replaces": f"{order}-code0",
        "code": code_of(order, 33, generation=1),
    }


def test_what_is_counted_against_locks_and_switches_is_recalled(tmp_path):
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            (door,) = await town.loaded("N1")
            town.cabinet[door].jammed = True
            await begun(town)
            for n in range(1, 4):
                await town.shows("stuck", "lock_given_up")
                check(town, tmp_path / f"jam{n}.db")
                if "again" in town.view.buttons:
                    town.site.press("again")
                    await town.shows("opening", "push")
            await town.shows("start", within_s=200)
            check(town, tmp_path / "given-up.db")
            town.cabinet[door].jammed = False
            (other,) = await town.loaded("N2", number=2)
            town.cabinet[other].says = DoorSight.CLOSED
            town.reader.hold(qr_of(2))
            await town.shows("confirm")
            town.site.press("confirm")
            await town.until(lambda: town.cabinet.is_unlocked(other))
            town.cabinet.pull(other)
            town.cabinet.take(other)
            await town.until(lambda: state_of(town, "N2-seal1") == "collected")
            assert town.rows(select(doors.c.contradicted).where(doors.c.no == other)) == [(1,)]
            check(town, tmp_path / "contradicted.db")

    run(story)


def test_a_door_that_was_released_and_not_used_is_shut_again_in_the_journal(tmp_path):
    town = Town(tmp_path / "site.db", machine=False)

    async def story():
        async with town.at_work():
            await town.loaded("N1")
            await begun(town)
            await town.shows("push")
            check(town, tmp_path / "released.db")
        async with town.at_work():
            await asyncio.sleep(60)
            assert town.up("lock.rested")
            check(town, tmp_path / "rested.db")

    run(story)
