"""A journal, played into an empty database, gives the state that it told of."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from controller.clock import ManualClock
from controller.entries import Down, Up
from controller.journal import Stream, entries
from controller.site import recall
from controller.site.schema import codes, compartments, items, journal, metadata, orders
from controller.store import open_store
from tests.controller.site.visit import begun, place_state, state_of
from tests.controller.site.world import SITE, START, Town, code_of, qr_of, run

STATES = {
    "orders": select(orders.c.order_no, orders.c.state, orders.c.ready_at, orders.c.expires_at),
    "items": select(
        items.c.item_id, items.c.state, items.c.cabinet, items.c.no, items.c.machine, items.c.job
    ),
    "compartments": select(compartments.c.cabinet, compartments.c.no, compartments.c.state),
    "codes": select(codes.c.code_id, codes.c.state),
}


def states(connection):
    return {name: sorted(map(tuple, connection.execute(query))) for name, query in STATES.items()}


def replayed(town: Town, path: Path):
    """What the town's journals say when they are all that is left."""
    with open_store(path, journal, ManualClock(START)) as store:
        with store.write() as transaction:
            metadata.create_all(transaction.connection)
        with town.store.read() as old, store.write() as transaction:
            up, down = (list(entries(old, journal, SITE, stream)) for stream in Stream)
            recall.replay(transaction, up, down)
        with store.read() as connection:
            return states(connection)


def check(town: Town, path: Path) -> None:
    with town.store.read() as connection:
        assert replayed(town, path) == states(connection)


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
