"""A lock that jammed once, with its compartment still in use: staff look, and it is over."""

import asyncio

from tests.controller.site.staffing import (
    STAFF,
    emptied,
    looked,
    offered,
    restored,
    shut,
    staff,
    stuck,
)
from tests.controller.site.visit import begun, bolts, place_state, standing, state_of
from tests.controller.site.world import Town, run


async def jammed_load(town: Town) -> int:
    """The vendor's door did not open; the box went elsewhere, or home again."""
    town.order()
    town.grant()
    await town.badge()
    for box in town.cabinet.boxes:
        box.jammed = True
    town.reader.hold("OWL:N1-seal1")
    await town.shows("load_stuck")
    door = next(no for no, box in enumerate(town.cabinet.boxes, 1) if box.pulses)
    for box in town.cabinet.boxes:
        box.jammed = False
    town.site.press("end")
    await town.shows("start")
    assert (place_state(town, door), standing(town)) == ("free", ["lock_jammed"])
    return door


def test_a_lock_that_jammed_before_an_empty_compartment_is_tried_by_staff_and_in_use_again(town):
    async def story():
        async with town.at_work():
            door = await jammed_load(town)
            await staff(town)
            assert offered(town)[0] == f"place:A/{door}"
            assert town.view.choices[0].values["why"] == "lock_jammed"
            await looked(town, door)
            assert place_state(town, door) == "fault"  # nobody loads it meanwhile
            await emptied(town, door)
            await town.shows("settled")
            assert (place_state(town, door), standing(town)) == ("free", [])
            assert restored(town)["reason"] == "lock_jammed"
            assert f"place:A/{door}" not in offered(town)

    run(story)


def test_one_that_jams_before_staff_too_is_left_out_of_use(town):
    async def story():
        async with town.at_work():
            door = await jammed_load(town)
            await staff(town)
            await stuck(town, door)
            assert (place_state(town, door), standing(town)) == ("fault", ["lock_jammed"])
            assert f"place:A/{door}" in offered(town)
            town.site.press("end")
            await town.shows("start")
            await asyncio.sleep(3)
            await town.badge()
            assert await town.load("OWL:N1-seal1") != door

    run(story)


def test_what_lies_behind_a_lock_that_jammed_is_its_recipients_as_before(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            town.cabinet[door].jammed = True
            await begun(town)
            await town.shows("stuck")
            town.site.press("end")
            await town.shows("start", within_s=100)
            town.cabinet[door].jammed = False
            assert (place_state(town, door), standing(town)) == ("occupied", ["lock_jammed"])
            await staff(town)
            await looked(town, door)
            town.reader.hold("OWL:N1-seal1")
            await shut(town, door)
            await town.shows("settled")
            assert (place_state(town, door), state_of(town)) == ("occupied", "loaded")
            assert standing(town) == []
            assert town.count("item.loaded") == 1  # nobody had doubted where it was
            town.site.press("end")
            await begun(town)
            assert await town.take() == ["OWL:N1-seal1"]
            await town.until(lambda: state_of(town) == "collected")
            assert bolts(town) == 3

    run(story)


def test_who_takes_an_alarm_on_at_the_kiosk_is_named_in_it(town):
    async def story():
        async with town.at_work():
            door = await jammed_load(town)
            town.cabinet.force(6)
            await town.until(lambda: len(standing(town)) == 2)
            await staff(town)
            assert "alarms" in offered(town)
            town.site.press("choose", "alarms")
            shown = await town.shows("alarms")
            told = [dict(each.values) for each in shown.choices]
            assert told == [  # the worst first
                {"place": "A06", "why": "door_forced"},
                {"place": f"A{door:02d}", "why": "lock_jammed"},
            ]
            town.site.press("choose", shown.choices[1].value)
            await town.until(lambda: len(town.view.choices) == 1)
            town.site.press("skip")
            await town.shows("staff_menu")
            (entry,) = town.up("alarm.acknowledged")
            assert entry["by"] == f"badge{STAFF}"
            (row,) = (each for each in town.site.describe().alarms if each["acknowledged_by"])
            assert (row["kind"], row["acknowledged_by"]) == ("lock_jammed", f"badge{STAFF}")
            town.cabinet.close(6)
            await town.until(lambda: standing(town) == ["lock_jammed"])
            town.site.press("end")
            await town.shows("start")
            await staff(town)
            assert "alarms" not in offered(town)

    run(story)
