"""A shut door and its item sensor are read by two questions, and either answer may be missing."""

import asyncio
from contextlib import aclosing

import pytest

from controller.faults import NoReply
from controller.ports import DoorSight, Presence
from tests.firmware_bridge.jumping_loop import play


def opens(sight) -> list[int]:
    return [n for n, door in enumerate(sight.doors, start=1) if door is DoorSight.OPEN]


@pytest.mark.parametrize("missed", [0, 1, 2, 5])
def test_a_door_is_shut_only_together_with_what_lies_behind_it(rig, missed):
    """A box is put in and the door falls shut while reads of the item sensors go missing."""

    def far(frame):
        nonlocal missed
        if frame[0] == 3 and 5 in rig.cabinet.items and missed:
            missed -= 1
            return []
        return rig.cabinet(frame)

    async def story():
        async with aclosing(rig.board.watch()) as sights:
            rig.cabinet.open_doors = {5}
            sight = await anext(sights)
            while opens(sight) != [5]:
                sight = await anext(sights)
            rig.cabinet.items = {5}
            await asyncio.sleep(0.02)
            rig.cabinet.open_doors = set()
            while opens(sight):
                sight = await anext(sights)
            assert sight.items[4] is Presence.PRESENT
            assert not missed

    rig.plugs.far = far
    play(story())


def test_what_was_read_before_a_silence_counts_no_more(rig):
    async def story():
        rig.cabinet.items = {5}
        async with aclosing(rig.board.watch()) as sights:
            await anext(sights)
            rig.cabinet.silent = {1, 2, 3}
            with pytest.raises(NoReply):
                async for _ in sights:
                    pass
        rig.cabinet.items = set()  # somebody took it meanwhile
        rig.cabinet.silent = set()
        async with aclosing(rig.board.watch()) as sights:
            assert (await anext(sights)).items[4] is Presence.ABSENT

    play(story())
