"""What happens to real ptys and sockets: adapters that are pulled, device servers that hang."""

import asyncio
from contextlib import aclosing, suppress

import pytest

from controller.clock import SystemClock
from controller.faults import DeviceFault, LineDown, NoReply, NotMoved, OutcomeUnknown
from controller.ports import Job
from firmware_bridge.open import Bridge
from simulator.plan import CardReaderPlan, LinePlan, MachinePlan, Plan, ScannerPlan
from tests.simulator.served import free_port, running
from tests.troubles.benches import BOARDS, HOST, LINE
from tests.troubles.real_wires import WITHIN_S

ON_TTYS = [kind for kind in BOARDS if kind.is_serial]
IN_TCP = [kind for kind in BOARDS if not kind.is_serial]
GONE_S = 0.2


on_ttys = pytest.mark.parametrize("kind", ON_TTYS, ids=str)
in_tcp = pytest.mark.parametrize("kind", IN_TCP, ids=str)
MACHINE_CASES = [
    ("modbus+rtu", "usb_renumber"),
    *(("modbus+tcp", name) for name in ("tcp_half_open", "tcp_stale", "one_client")),
]


@on_ttys
async def test_an_adapter_that_is_plugged_again_is_found_by_its_path(served):
    await served.trouble(usb_renumber=GONE_S)
    with pytest.raises((LineDown, NoReply)):
        await served.board.look()
    with pytest.raises(NotMoved):
        await served.board.release(1)
    assert await served.until_seen() == []
    assert await served.moved() == {}
    assert served.opened >= 2
    assert await served.counted("usb_renumber") == 1


@in_tcp
async def test_a_connection_that_hangs_is_made_anew(served):
    await served.trouble(tcp_half_open=True)
    with pytest.raises((LineDown, NoReply)):
        await served.board.look()
    with pytest.raises((NotMoved, OutcomeUnknown)):
        await served.board.release(1)
    await served.trouble()  # the device server has power again; the old connection does not know
    assert await served.until_seen() == []
    assert served.opened >= 2
    assert await served.moved() == {}
    assert await served.counted("tcp_half_open") > 0


@in_tcp
async def test_old_bytes_after_a_reconnect_are_dropped(served):
    await served.trouble(tcp_stale=True)
    told = (await served.http.post("/api/sim/doors/A/2/force")).status_code
    assert told == 200
    served.bridge.lines[next(iter(served.bridge.lines))].close()
    await asyncio.sleep(GONE_S)
    assert await served.until_seen() == [2]  # the last answer of before would say: none
    assert await served.counted("tcp_stale") > 0


@in_tcp
async def test_where_more_clients_may_come_a_second_one_costs_nothing(served):
    assert await served.until_seen() == []
    host, port = next(iter(served.bridge.lines)).split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    (bus,) = served.bridge.lines.values()
    before = bus.counters.connections
    for _ in range(3):
        await served.board.look()
    writer.transport.abort()
    assert bus.counters.connections == before
    assert await served.counted("one_client") == 0


@in_tcp
async def test_a_second_client_costs_a_connection_and_no_movement(served):
    await served.trouble(one_client=True)
    host, port = next(iter(served.bridge.lines)).split(":")
    for _ in range(3):
        _, writer = await asyncio.open_connection(host, int(port))
        await asyncio.sleep(0.02)
        writer.transport.abort()
        assert await served.until_seen() == []
    assert await served.counted("one_client") > 0
    await served.board.look()
    (bus,) = served.bridge.lines.values()
    assert bus.counters.connections > 1
    assert await served.moved() == {}


async def test_a_scanner_that_is_plugged_again_is_found_by_its_path(tmp_path):
    link = tmp_path / "S1"
    plan = Plan(scanners=(ScannerPlan("S1", link),))
    async with running(plan, tmp_path) as http, Bridge(SystemClock()) as bridge:
        reader = bridge.code_reader(f"scanner+serial://{link}?baud=9600", "S1")

        async def first():
            async with aclosing(reader.codes()) as codes:
                return await anext(codes)

        async def until_gone():
            try:
                await first()
            except LineDown:
                return True
            return False

        async with asyncio.TaskGroup() as group:
            gone = group.create_task(until_gone())
            await asyncio.sleep(GONE_S)
            told = await http.post(
                "/api/sim/faults", json={"scanner": "S1", "usb_renumber": GONE_S}
            )
            assert told.json()["counted"]["usb_renumber"] == 1
            assert await gone
        async with asyncio.timeout(WITHIN_S):
            while not link.is_symlink():  # noqa: ASYNC110 - it comes back by itself
                await asyncio.sleep(0.01)
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(first())
            while not reading.done():
                await http.post("/api/sim/scanner/S1/scan", json={"text": "OWX1"})
                await asyncio.wait({reading}, timeout=1.0)
        assert reading.result() == "OWX1"


@pytest.mark.parametrize(("scheme", "name"), MACHINE_CASES)
async def test_a_machine_behind_a_bad_end_gives_no_second_document(scheme, name, tmp_path):
    link, port = tmp_path / LINE, free_port()
    on_a_line = scheme == "modbus+rtu"
    lines = (LinePlan(LINE, 115_200, link),) if on_a_line else ()
    machine = MachinePlan("M1", HOST, port, line=LINE if on_a_line else "")
    where = f"{link}?baud=115200&" if on_a_line else f"{HOST}:{port}?"
    url = f"{scheme}://{where}unit=1&profile=licence-machine"
    line = LINE if on_a_line else "M1"
    plan = Plan(lines=lines, machines=(machine,))
    async with running(plan, tmp_path, speed=20.0) as http, Bridge(SystemClock()) as bridge:
        driver = bridge.licence_machine(url, "M1")

        async def presented():
            with suppress(NotMoved, OutcomeUnknown):
                await driver.present(1, Job(7))

        async def until_last_is(seq):
            async with asyncio.timeout(2 * WITHIN_S):
                while True:
                    with suppress(DeviceFault):
                        if (await driver.look()).last.seq == seq:
                            return
                    if seq:
                        await presented()  # the same number moves nothing twice
                    await asyncio.sleep(0.05)

        async def bad(**asked):
            told = await http.post("/api/sim/faults", json={"line": line, **asked})
            assert told.status_code == 200, told.text

        await until_last_is(0)
        await bad(**{name: GONE_S if on_a_line else True})
        if name == "one_client":
            _, other = await asyncio.open_connection(HOST, port)
            await asyncio.sleep(0.02)
            other.transport.abort()
        elif name == "tcp_stale":
            bridge.lines[next(iter(bridge.lines))].close()
        await presented()
        await bad()
        await until_last_is(1)
        await presented()
        async with asyncio.timeout(WITHIN_S):
            while not (told := (await http.get("/api/sim")).json())["machines"]["M1"]["moved"]:  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.05)
        assert told["machines"]["M1"]["moved"] == 1
        counted = (await http.get("/api/sim/faults")).json()["lines"][line]
        assert counted[name] > 0


async def test_a_card_reader_that_is_plugged_again_is_found_by_its_path(tmp_path):
    link = tmp_path / "C1"
    plan = Plan(card_readers=(CardReaderPlan("C1", link),))
    async with running(plan, tmp_path) as http, Bridge(SystemClock()) as bridge:
        reader = bridge.id_card_reader(f"idcard+serial://{link}?baud=115200", "C1")

        async def first():
            while True:
                with suppress(LineDown, NoReply):
                    async with aclosing(reader.cards()) as cards:
                        return (await anext(cards)).number
                await asyncio.sleep(0.05)

        told = await http.post("/api/sim/faults", json={"card": "C1", "usb_renumber": GONE_S})
        assert told.json()["counted"]["usb_renumber"] == 1
        async with asyncio.timeout(2 * WITHIN_S), asyncio.TaskGroup() as group:
            reading = group.create_task(first())
            await http.post("/api/sim/card/C1/lay", json={})
        assert reading.result() == "11010519491231002X"
