"""Every scheme of URLs on a real pty or port: our driver, and the simulator that serves it."""

import asyncio
from contextlib import aclosing, suppress

import pytest

from controller.clock import SystemClock
from controller.faults import OutcomeUnknown
from firmware_bridge.open import Bridge
from firmware_bridge.urls import SCHEMES, parse
from simulator.plan import CardReaderPlan, Plan, ScannerPlan
from tests.simulator.served import running
from tests.troubles.benches import BOARDS, opens
from tests.troubles.real_wires import WITHIN_S, Served

every_board = pytest.mark.parametrize("kind", BOARDS, ids=str)
CARD = {"name": "张三", "number": "11010519491231002X"}


def test_every_scheme_is_here():
    here = {kind.scheme for kind in BOARDS} | {"scanner+serial", "idcard+serial"}
    assert here == set(SCHEMES)


async def act(served: Served, no: int, what: str) -> bool:
    return (await served.http.post(f"/api/sim/doors/A/{no}/{what}")).is_success


async def until_open(served: Served, no: int) -> None:
    """Somebody pulls; where a spring pushes the door ajar it is open already."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            await act(served, no, "pull")
            doors = (await served.http.get("/api/sim")).json()["cabinets"]["A"]["doors"]
            if doors[str(no)]["open"]:
                return


@every_board
async def test_a_board_is_read_released_and_watched(kind, served):
    last = kind.doors
    async with aclosing(served.board.watch()) as sights, asyncio.timeout(WITHIN_S):
        assert opens(await anext(sights)) == []
        with suppress(OutcomeUnknown):  # a board that says nothing to an order
            await served.board.release(last)
        await until_open(served, last)
        assert await first(sights, [last])
        assert await act(served, 1, "force")
        assert await first(sights, [1, last])
        for no in (1, last):
            assert await act(served, no, "close")
        assert await first(sights, [])
    assert await served.moved() == {str(last): 1}


async def first(sights, doors):
    async for sight in sights:
        if opens(sight) == doors:
            return True
    return False


async def test_a_code_is_read_by_a_scanner(tmp_path):
    link = tmp_path / "S1"
    async with (
        running(Plan(scanners=(ScannerPlan("S1", link),)), tmp_path) as http,
        Bridge(SystemClock()) as bridge,
        asyncio.TaskGroup() as group,
        asyncio.timeout(WITHIN_S),
    ):
        reader = bridge.code_reader(f"scanner+serial://{link}?baud=9600", "S1")
        async with aclosing(reader.codes()) as codes:
            reading = group.create_task(anext(codes))
            while not reading.done():  # nothing is kept that came before the file was open
                await http.post("/api/sim/scanner/S1/scan", json={"text": "OW1:FT-0001"})
                await asyncio.wait({reading}, timeout=0.5)
            assert reading.result() == "OW1:FT-0001"


async def test_a_card_is_read_by_a_card_reader(tmp_path):
    link = tmp_path / "C1"
    async with (
        running(Plan(card_readers=(CardReaderPlan("C1", link),)), tmp_path) as http,
        Bridge(SystemClock()) as bridge,
        asyncio.timeout(WITHIN_S),
    ):
        url = f"idcard+serial://{link}?baud=115200"
        assert parse(url).place.baud == 115_200
        reader = bridge.id_card_reader(url, "C1")
        laid = await http.post("/api/sim/card/C1/lay", json=CARD)
        assert laid.is_success, laid.text
        async with aclosing(reader.cards()) as cards:
            card = await anext(cards)
            assert (card.name, card.number) == (CARD["name"], CARD["number"])
