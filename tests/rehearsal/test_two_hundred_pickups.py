"""Pickup after pickup in one process on virtual time, on lines that lose and garble frames.

A line without check sums of its own (RS-485) loses and garbles; on TCP, where a garbled frame does
not arrive, the same share is lost.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.typing import EventDict

from controller.site import schema
from simulator.faults import Trouble
from tests.rehearsal.oracle import flaws, head_hash
from tests.rehearsal.rig import LINE, MACHINE, Order, Rig, play
from tests.rehearsal.visits import Recipient, Vendor

BATCH = 8  # orders that are loaded in one round
CALM_S = 130.0  # longer than a machine's paper waits at its outlet
BLANKS_LOW = 100
ROUNDS_MAX = 5
COLLECTED_MIN = 0.95  # doubts are exceptions

USUAL = {LINE: Trouble(lost=0.05, garbled=0.05), MACHINE: Trouble(lost=0.10)}
STRONG = {
    LINE: Trouble(lost=0.08, garbled=0.05, late=0.08, doubled=0.08, split=0.08),
    MACHINE: Trouble(lost=0.05, late=0.08, doubled=0.08, split=0.08),
}


async def day(
    folder: Path, seed: int, pickups: int, trouble: dict[str, Trouble], *, speed: float = 1.0
) -> str:
    """Orders are placed, loaded and collected; then the lines are good again for a while.

    The hash at the head of the up journal.
    """
    rig = Rig(folder, seed, speed=speed)
    async with rig.at_work():
        for line, share in trouble.items():
            rig.world.set_trouble(line, share)
        orders = [order for size in batches(pickups) for order in await batch(rig, size)]
        for line in trouble:
            rig.world.set_trouble(line, Trouble())
        await rig.clock.sleep(CALM_S)
        for order in orders:  # whoever went home without something comes again
            if waits(rig, order):
                await Recipient(rig, order, types=False).collect()
        check(rig, trouble)
        return head_hash(rig)


def batches(pickups: int) -> Iterator[int]:
    while pickups:
        size = min(BATCH, pickups)
        pickups -= size
        yield size


async def batch(rig: Rig, size: int) -> list[Order]:
    """Placed, loaded by vendors until each box has found its place, collected in any order."""
    orders = [rig.place(may_type=number == 0) for number in range(size)]
    boxes = [label for order in orders for label in order.labels]
    for _ in range(ROUNDS_MAX):
        if boxes:
            vendor = Vendor(rig, boxes)
            await vendor.load()
            boxes = vendor.left
    assert not boxes, f"found no place in {ROUNDS_MAX} rounds: {boxes}"
    machine = rig.world.machine(MACHINE).inside
    if machine.blanks < BLANKS_LOW:
        machine.refill()
    rig.dice.shuffle(orders)
    for order in orders:
        await Recipient(rig, order, types=may_type(rig, order)).collect()
    return orders


def waits(rig: Rig, order: Order) -> bool:
    """Something of the order can still be handed out."""
    table = schema.items
    of_order = table.c.order_no == order.number
    return bool(rig.rows(table.select().where(of_order, table.c.state == "loaded")))


def may_type(rig: Rig, order: Order) -> bool:
    """The first of each batch has a code to type: its slow hash costs as much as a pickup."""
    table = schema.typed_codes
    return bool(rig.rows(table.select().where(table.c.code_id == f"{order.number}-code")))


def check(rig: Rig, trouble: dict[str, Trouble]) -> None:
    assert not (found := flaws(rig)), "\n".join(found)
    states = [row.state for row in rig.rows(schema.items.select())]
    assert set(states) <= {"collected", "releasing"}, states
    items = sum(state == "collected" for state in states)
    assert items >= COLLECTED_MIN * len(states), f"{items} of {len(states)} collected"
    for line, share in trouble.items():
        counted = rig.world.faults(line).counted
        for kind in ("lost", "garbled", "late", "doubled", "split"):
            meant = getattr(share, kind)
            assert (getattr(counted, kind) > 0) == (meant > 0), f"{line}: {kind} {counted}"


@pytest.mark.timeout(300)  # half a minute of work where nobody else wants the processor
def test_two_hundred_pickups_on_a_bad_line(tmp_path: Path, logged: list[EventDict]) -> None:
    play(lambda: day(tmp_path, 20261124, 200, USUAL, speed=5.0))
    assert "device.out_of_use" not in {entry["event"] for entry in logged}


@pytest.mark.parametrize("seed", range(1, 5))
def test_what_comes_late_twice_or_in_pieces_breaks_nothing(
    tmp_path: Path, logged: list[EventDict], seed: int
) -> None:
    play(lambda: day(tmp_path, seed, 8, STRONG))
    assert "device.out_of_use" not in {entry["event"] for entry in logged}


def test_one_seed_is_one_day(tmp_path: Path) -> None:
    def played(folder: str, seed: int, pickups: int = 20) -> str:
        return str(play(lambda: day(tmp_path / folder, seed, pickups, USUAL, speed=4.0)))

    assert played("first", 7) == played("second", 7)
    assert played("third", 8, 2) != played("fourth", 9, 2)
