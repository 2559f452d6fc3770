"""A busy time with trouble on the line: two hundred orders on a clock that jumps."""

import asyncio
from random import Random

from sqlalchemy import select

from controller.journal import Stream, verify
from controller.site.schema import items, journal
from tests.controller.site.world import SITE, Town, badge_text, qr_of, run

ORDERS = 200
LOST = 0.1  # of the answers to a release, and of the machine's


async def load(town: Town, order: str) -> None:
    town.reader.hold(badge_text(20))
    await town.shows("load_next")
    await town.load(f"OWL:{order}-seal1")
    town.site.press("end")
    await town.shows("start")


async def collect(town: Town, number: int) -> None:
    town.reader.hold(qr_of(number))
    await town.take()
    await town.take_licence()
    await town.shows("rate")
    town.site.press("skip")
    await town.shows("start")


async def be_troubled(town: Town, dice: Random, troubles: list[int]) -> None:
    """One answer in ten gets lost, for ever."""
    while True:
        await asyncio.sleep(0.5)
        town.cabinet.lose_replies = int(dice.random() < LOST)
        town.printer.lose_replies = int(dice.random() < LOST)
        troubles.append(town.cabinet.lose_replies)


def test_two_hundred_pickups_with_lost_answers_are_all_collected_with_a_bolt_for_each_intent(
    tmp_path,
):
    town = Town(tmp_path / "site.db", confirm_pickup=False, refused_s=1)
    town.printer.print_s = 1.0
    troubles: list[int] = []

    async def story() -> None:
        async with town.at_work(), asyncio.TaskGroup() as group:
            trouble = group.create_task(be_troubled(town, Random(11), troubles))
            town.grant()
            for number in range(1, ORDERS + 1):
                town.printer.blanks = 200
                town.order(f"N{number}", licence=True, number=number, typed=False)
                await load(town, f"N{number}")
                await collect(town, number)
            trouble.cancel()
            check(town)

    run(story)
    assert sum(troubles) > ORDERS / 20


def check(town: Town) -> None:
    assert len(town.hands) == 2 * ORDERS
    assert {row.state for row in town.rows(select(items.c.state))} == {"collected"}
    asked = [entry["where"] for entry in town.up("movement.intended")]
    for door, box in enumerate(town.cabinet.boxes, 1):
        assert box.bolts == box.pulses == asked.count(f"A/{door}")
    assert town.printer.moved == asked.count("M1") == ORDERS
    with town.store.read() as connection:
        for stream in Stream:
            verify(connection, journal, SITE, stream)
