"""Compartments that a district takes out of use, and puts back."""

from sqlalchemy import select

from controller.site.schema import compartments
from tests.controller.site.from_afar import BLOCK, UNBLOCK, ended, tell
from tests.controller.site.visit import begun, place_state, pulses, state_of
from tests.controller.site.world import run


def test_a_blocked_compartment_is_not_chosen_not_opened_and_comes_back_as_it_was(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            blocks = [tell(town, BLOCK, no=each, reason="hinge") for each in range(1, 7)]
            assert {await ended(town, each) for each in blocks} == {"done"}
            assert {row.state for row in town.rows(select(compartments))} == {"blocked"}
            assert {row.blocked_for for row in town.rows(select(compartments))} == {"hinge"}
            opens = tell(town, no=door, approved_by="ops2")
            assert await ended(town, opens) == "refused door_out_of_use"
            before = pulses(town)
            await begun(town)
            await town.shows("door_out_of_use")
            town.site.press("end")
            await town.shows("start")
            town.order("N2", number=2)
            await town.badge()
            town.reader.hold("OWL:N2-seal1")
            await town.shows("no_compartment")
            assert (pulses(town), state_of(town)) == (before, "loaded")
            for each in range(1, 7):
                assert await ended(town, tell(town, UNBLOCK, no=each)) == "done"
            states = {row.no: row.state for row in town.rows(select(compartments))}
            assert states == {no: "occupied" if no == door else "free" for no in range(1, 7)}

    run(story)


def test_a_block_waits_until_what_goes_on_there_is_over(town):
    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await begun(town)
            assert await town.opened() == door
            command = tell(town, BLOCK, no=door)
            assert await ended(town, command) == "done"
            assert place_state(town, door) == "open"
            town.hands += town.cabinet.take(door)
            town.cabinet.close(door)
            await town.until(lambda: state_of(town) == "collected")
            assert place_state(town, door) == "blocked"
            assert await ended(town, tell(town, UNBLOCK, no=door)) == "done"
            assert place_state(town, door) == "free"

    run(story)


def test_a_fault_behind_a_block_is_there_again_when_the_block_ends(blind_town):
    town = blind_town

    async def story():
        async with town.at_work():
            (door,) = await town.loaded()
            await begun(town)
            await town.opened()
            await ended(town, tell(town, BLOCK, no=door))
            town.cabinet.close(door)
            await town.until(lambda: place_state(town, door) == "blocked")
            await ended(town, tell(town, UNBLOCK, no=door))
            assert place_state(town, door) == "fault"

    run(story)
