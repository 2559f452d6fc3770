"""Entries that a site has lost, fetched from its district and played again."""

import asyncio
from datetime import timedelta

import pytest

from controller.entries import Down
from tests.controller.site.linked import LinkedTown, collects, copy, linked, loaded_and_copied
from tests.controller.site.replaying import states
from tests.controller.site.visit import begun, moments
from tests.controller.site.world import qr_of, run


@pytest.fixture
def town(tmp_path):
    with linked(tmp_path) as town:
        yield town


@pytest.mark.parametrize("ahead_s", [-3600, 0, 3600])
def test_what_was_lost_is_played_again_in_the_order_in_which_it_happened(town, tmp_path, ahead_s):
    """The district's clock goes wrong by an hour; the tables are as they were all the same."""
    town.district._clock.ahead = timedelta(seconds=ahead_s)

    async def story():
        async with town.at_work():
            await loaded_and_copied(town, tmp_path / "old.db")
            await collects(town)
            await town.in_step()
            cancel = {"order": "N1", "reason": "too late"}
            town.tell(Down.ORDER_CANCELLED, cancel)  # it was collected before
            await town.loaded("N2", number=2)
            town.tell(Down.ORDER_CANCELLED, cancel | {"order": "N2"})
            await town.loaded("N3", number=3)
            await jams(town, 3)
            town.tell(Down.ITEM_RETURN, {"order": "N3", "reason": "overdue"})
            town.order("N4", number=4)  # nothing of the site's own follows it
            await town.in_step()
        there = tables(town)
        copy(tmp_path / "old.db", town.path)
        async with town.at_work():
            await town.until(lambda: bool(town.up("hold.ended")))
            again = tables(town)
            for name, rows in there.items():
                assert again[name] == rows, name
            await town.shows("start")
            town.reader.hold(qr_of(2))
            await town.shows("code_unknown")

    run(story)


def test_no_time_before_that_of_what_came_back_is_believed(town, tmp_path):
    async def story():
        async with town.at_work():
            await loaded_and_copied(town, tmp_path / "old.db")
            await asyncio.sleep(1_800)
            await collects(town)
            await town.in_step()
        copy(tmp_path / "old.db", town.path)
        back = timedelta(hours=-2)
        town.wall_ahead = town.district._clock.ahead = back
        async with town.at_work():
            await town.until(lambda: bool(town.up("hold.ended")))
            town.order("N2", number=2)
            await town.badge()
            await town.load("OWL:N2-seal1")
            told = moments(town)
            assert told == sorted(told)

    run(story)


async def jams(town: LinkedTown, number: int) -> None:
    """A lock does not open, and the person leaves it at that."""
    for box in town.cabinet.boxes:
        box.jammed = True
    await begun(town, number)
    await town.shows("stuck")
    town.site.press("end")
    await town.shows("start", within_s=60)
    for box in town.cabinet.boxes:
        box.jammed = False


def tables(town: LinkedTown) -> dict[str, list[str]]:
    """All that the journals tell of."""
    with town.store.read() as connection:
        return states(connection)
