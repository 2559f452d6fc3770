"""Locks and switches that do not do what they say: what is told, and what is never used again."""

import asyncio

import pytest

from controller.ports import DoorSight
from tests.controller.site.visit import begun, place_state, pulses, standing, state_of
from tests.controller.site.world import Town, qr_of, run


async def opened(town: Town, door: int) -> None:
    await town.until(lambda: town.cabinet.is_unlocked(door))
    await asyncio.sleep(1)
    assert town.cabinet.pull(door)
    await asyncio.sleep(1)


@pytest.mark.parametrize("takes", [True, False])
def test_where_another_door_opens_neither_is_used_again_and_the_next_item_goes_on(town, takes):
    async def story():
        async with town.at_work():
            first, second = sorted(await town.loaded(seals=2))
            town.order("N2", number=2)
            await town.badge()
            third = await town.load("OWL:N2-seal1")
            town.site.press("end")
            await town.shows("start")
            town.cabinet.crossed = {first: third, third: first}
            await begun(town)
            await opened(town, first)
            view = await town.shows("wrong_door")
            assert (view.doors, view.screen) == ((f"A/{third}",), "trouble")
            assert {"crosswired", "door_forced"} <= set(standing(town))
            if takes:
                town.hands += town.cabinet.take(first)
            town.cabinet.close(first)
            if not takes:
                await town.shows("door_out_of_use")
                town.site.press("skip")
            await town.shows("opening")
            assert town.door_shown() == second
            await town.take()
            await town.shows("some_left" if not takes else "rate")
            assert (place_state(town, first), place_state(town, third)) == ("fault", "fault")
            assert state_of(town, "N2-seal1") == "loaded"
            states = {state_of(town, f"N1-seal{n}") for n in (1, 2)}
            assert states == ({"collected"} if takes else {"collected", "loaded"})
            assert standing(town) == ["crosswired"]
            before = pulses(town)
            await town.shows("start")
            await begun(town, 2)
            await town.shows("door_out_of_use")
            assert pulses(town) == before

    run(story)


def test_without_sensors_the_person_says_what_came_of_a_crossed_wire(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.cabinet.crossed = {door: 5, 5: door}
            await begun(town)
            await opened(town, door)
            await town.shows("wrong_door")
            town.cabinet.close(door)
            await town.shows("did_you_take")
            town.site.press("again")  # it is still inside: nobody releases that door once more
            await town.shows("door_out_of_use")
            assert (state_of(town), place_state(town, door), pulses(town)) == ("loaded", "fault", 2)

    run(story)


def test_a_box_is_not_loaded_behind_a_crossed_wire_a_second_time(town):
    async def story():
        async with town.at_work():
            town.order()
            town.grant()
            await town.badge()
            town.cabinet.crossed = {1: 2, 2: 1}
            town.reader.hold("OWL:N1-seal1")
            await opened(town, 1)
            town.cabinet.close(1)
            await town.shows("load_stuck")
            assert (place_state(town, 1), place_state(town, 2)) == ("fault", "fault")
            assert await town.load("OWL:N1-seal1") not in (1, 2)

    run(story)


def test_a_weak_lock_gets_one_longer_pulse_and_only_from_a_press(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.cabinet[door].weak = True
            await begun(town)
            await town.shows("stuck")
            await asyncio.sleep(30)
            assert (town.cabinet[door].pulses, town.cabinet[door].longer_pulses) == (2, 0)
            town.site.press("again")
            await town.take()
            await town.shows("rate")
            assert (town.cabinet[door].pulses, town.cabinet[door].longer_pulses) == (3, 1)
            assert standing(town) == []

    run(story)


def test_a_press_waits_as_long_as_the_board_rests_its_coil(town):
    """As where pulse_ms=1000: ten seconds, of which the site's own rule knows five."""

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.cabinet.coil_rest_s = 30.0
            town.cabinet[door].jammed = True
            await begun(town)
            await town.shows("stuck")
            pulses = town.cabinet[door].pulses
            town.cabinet[door].jammed = False
            town.site.press("again")
            await town.take()
            await town.shows("rate")
            assert town.cabinet[door].pulses == pulses + 1
            assert standing(town) == []

    run(story)


async def collect_unshown(town: Town, number: int) -> int:
    """Everything is taken, and the door's switch says the same all the time."""
    await begun(town, number)
    await town.shows("opening", "door_out_of_use")
    door = town.door_shown()
    if town.view.text == "door_out_of_use":
        town.site.press("again")
    await opened(town, door)
    town.hands += town.cabinet.take(door)
    town.cabinet.close(door)
    await town.shows("rate")
    town.site.press("skip")
    await town.shows("start")
    return door


def test_a_switch_that_contradicts_two_releases_takes_its_compartment_out_of_use(town):
    async def story():
        async with town.at_work():
            town.order(size="L")
            town.grant()
            await town.badge()
            town.cabinet[6].says = DoorSight.CLOSED
            town.reader.hold("OWL:N1-seal1")
            await opened(town, 6)
            town.cabinet.put(6, "OWL:N1-seal1")
            town.cabinet.close(6)
            await town.shows("loaded")
            town.site.press("end")
            await town.shows("start")
            assert place_state(town, 6) == "occupied"
            assert await collect_unshown(town, 1) == 6
            told = [(each["where"], each["says"], each["by"]) for each in contradictions(town)]
            assert told == [("A/6", "closed", "sensor")] * 2
            assert standing(town) == ["switch_fault"]
            assert [row["reason"] for row in town.up("compartment.fault")] == ["switch_fault"]

    run(story)


def test_a_switch_that_says_open_all_the_time_is_found_out_too(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.cabinet[door].says = DoorSight.OPEN
            await asyncio.sleep(3)
            assert await collect_unshown(town, 1) == door
            assert [each["says"] for each in contradictions(town)] == ["open"]
            assert place_state(town, door) == "free"  # and nobody loads what is not seen shut
            town.order("N2", number=2)
            await town.badge()
            assert await town.load("OWL:N2-seal1") != door

    run(story)


def contradictions(town: Town) -> list[dict[str, str]]:
    return town.up("door.contradicted")


def test_a_switch_that_shows_the_next_opening_is_trusted_again(town):
    async def story():
        async with town.at_work():
            for number in (1, 2, 3):
                await town.loaded(f"N{number}", number=number, size="L")
                town.cabinet[6].says = DoorSight.CLOSED if number != 2 else None
                await asyncio.sleep(3)
                await collect_unshown(town, number)
                town.cabinet[6].says = None
                await asyncio.sleep(3)
            assert len(contradictions(town)) == 2
            assert place_state(town, 6) == "free"

    run(story)


def test_a_door_left_open_stops_nobody_else(town):
    async def story():
        async with town.at_work():
            (mine,) = await town.loaded()
            (theirs,) = await town.loaded("N2", number=2)
            await begun(town)
            assert await town.opened() == mine
            town.hands += town.cabinet.take(mine)
            await town.shows("still_open", within_s=100)
            assert town.up("problem.reported")[-1]["what"] == "will_not_close"
            await begun(town, 2)
            assert state_of(town) == "collected"
            assert await town.opened() == theirs
            town.hands += town.cabinet.take(theirs)
            town.cabinet.close(theirs)
            await town.shows("rate")
            assert standing(town) == ["door_ajar"]
            town.cabinet.close(mine)
            await asyncio.sleep(2)
            assert standing(town) == []
            assert (place_state(town, mine), place_state(town, theirs)) == ("free", "free")

    run(story)


def test_who_leaves_a_full_compartment_open_may_come_again_once_it_is_shut(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await begun(town)
            await town.opened()
            await town.shows("still_open", within_s=100)
            town.site.press("end")
            await town.shows("some_left")
            await town.shows("start")
            assert (state_of(town), place_state(town, door)) == ("releasing", "open")
            town.cabinet.close(door)
            await town.until(lambda: state_of(town) == "loaded")
            await begun(town)
            await town.take()
            await town.shows("rate")
            assert len(town.up("item.collected")) == 1

    run(story)


def test_a_person_may_say_that_a_door_is_shut_whose_switch_says_otherwise(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await begun(town)
            await town.opened()
            town.site.press("taken")
            town.cabinet[door].says = DoorSight.OPEN
            town.hands += town.cabinet.take(door)
            town.cabinet.close(door)
            await town.shows("still_open", within_s=100)
            town.site.press("confirm")
            await town.shows("rate")
            assert [(each["says"], each["by"]) for each in contradictions(town)] == [
                ("open", "person")
            ]
            assert town.up("item.collected")[0]["by"] == "person"
            town.reader.hold(qr_of(1))
            await town.shows("code_unknown")

    run(story)
