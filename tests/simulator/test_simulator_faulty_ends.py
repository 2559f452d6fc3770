"""Ptys and ports of every kind of line, and what goes wrong with the wire itself."""

import asyncio
import time
from dataclasses import replace

import pytest
import serial

from simulator.plan import (
    BoardPlan,
    CabinetPlan,
    CardReaderPlan,
    CompartmentPlan,
    LinePlan,
    MachinePlan,
    Plan,
)
from tests.simulator.served import free_port, running

READ = bytes.fromhex("02 02 00 00 00 20 79 E1")
ALL_SHUT = bytes.fromhex("02 02 04 FF FF FF FF C9 76")
BLOCK = bytes.fromhex("01 02 00 00 00 06 01 04 00 00 00 18")
HOST = "127.0.0.1"


def site_of(line, profile, unit, doors):
    return Plan(
        lines=(line,),
        cabinets=(
            CabinetPlan(
                "A",
                (BoardPlan(line.name, unit, profile, 1, doors),),
                tuple(CompartmentPlan(no) for no in range(1, doors + 1)),
            ),
        ),
    )


def ask(link, baud, frame, size, timeout=3.0):
    with serial.Serial(str(link), baud, timeout=timeout) as line:
        time.sleep(0.02)
        line.write(bytes.fromhex(frame))
        return line.read(size).hex(" ").upper()


async def connected(port):
    reader, writer = await asyncio.open_connection(HOST, port)
    return reader, writer


async def told(http, **body):
    answer = await http.post("/api/sim/faults", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def heard(reader, size, seconds=3.0):
    try:
        async with asyncio.timeout(seconds):
            return await reader.readexactly(size)
    except TimeoutError:
        return None


# ------------------------------------------------------------------ every kind on its line


@pytest.mark.parametrize(
    ("speaks", "profile", "unit", "frame", "answer"),
    [
        ("kerong", "kerong-cu16", 2, "02 20 30 03 55", "02 20 35 FF FF 00 00 03 58"),
        ("xorboard", "xorboard-24", 1, "80 01 00 33 B2", "80 01 FF FF FF 33 4D"),
        ("xorboard", "xorboard-24", 1, "8A 01 01 11 9B", "8A 01 01 00 8A"),
    ],
)
async def test_lock_boards_answer_on_a_pty_and_in_tcp(
    tmp_path, speaks, profile, unit, frame, answer
):
    port = free_port()
    size = len(bytes.fromhex(answer))
    serial_line = LinePlan("L1", 19_200, tmp_path / "L1", speaks=speaks)
    async with running(site_of(serial_line, profile, unit, 16), tmp_path / "serial"):
        said = await asyncio.to_thread(ask, tmp_path / "L1", 19_200, frame, size)
    assert said == answer.replace("FF FF FF 33 4D", "00 FF FF 33 B2")
    tcp_line = replace(serial_line, link=None, tcp=(HOST, port))
    async with running(site_of(tcp_line, profile, unit, 16), tmp_path / "tcp"):
        reader, writer = await connected(port)
        writer.write(bytes.fromhex(frame))
        assert (await reader.readexactly(size)).hex(" ").upper() == said
        writer.close()


async def test_boards_and_a_machine_behind_one_gateway_and_a_machine_on_a_line(tmp_path):
    port = free_port()
    gateway = LinePlan("L1", tcp=(HOST, port), speaks="modbus-tcp")
    line = LinePlan("L2", 115_200, tmp_path / "L2")
    plan = site_of(gateway, "waveshare-relay-32", 1, 32)
    plan = replace(plan, lines=(gateway, line), machines=(MachinePlan("M1", unit=1, line="L2"),))
    async with running(plan, tmp_path) as http:
        reader, writer = await connected(port)
        writer.write(bytes.fromhex("00 07 00 00 00 06") + READ[:-2])
        assert await reader.readexactly(13) == bytes.fromhex("00 07 00 00 00 07") + ALL_SHUT[:-2]
        writer.close()
        block = await asyncio.to_thread(
            ask, tmp_path / "L2", 115_200, "01 04 00 00 00 18 F0 00", 53
        )
        assert block.startswith("01 04 30 4C 4D 01 00")
        assert set((await http.get("/api/sim")).json()["lines"]) == {"L1", "L2"}
        page = (await http.get("/?lang=en")).text
    assert 'data-testid="silent-L2-1"' in page


async def test_a_card_reader_sends_a_card_in_its_time(tmp_path):
    link = tmp_path / "C1"

    def read(url):
        with serial.Serial(str(link), 115_200, timeout=4.0) as port:
            answers = []
            for asked, size in (("20 01 22", 15), ("20 02 21", 19), ("30 01 32", 1295)):
                began = time.monotonic()
                port.write(bytes.fromhex("AA AA AA 96 69 00 03" + asked))
                answers.append((len(port.read(size)), time.monotonic() - began))
        return answers

    plan = Plan(card_readers=(CardReaderPlan("C1", link),))
    async with running(plan, tmp_path) as http:
        await http.post("/api/sim/card/C1/lay", json={})
        answers = await asyncio.to_thread(read, None)
    assert [size for size, _ in answers] == [15, 19, 1295]
    assert answers[2][1] > 0.3 + 1295 * 10 / 115_200


async def test_a_master_at_another_speed_is_not_understood(quick, tmp_path):
    link = quick.lines[0].link
    async with running(quick, tmp_path):
        assert await asyncio.to_thread(ask, link, 9600, READ.hex(), 9, 0.3) == ""
        assert await asyncio.to_thread(ask, link, 19_200, READ.hex(), 9)


# ------------------------------------------------------------------ the wire itself


async def test_an_adapter_that_is_plugged_again_is_found_under_its_link(quick, tmp_path):
    link = quick.lines[0].link

    def gone(line):
        try:
            while True:
                line.write(READ)
                line.read(9)
        except (OSError, serial.SerialException):
            return not link.is_symlink() or str(link.readlink()) != before

    async with running(quick, tmp_path) as http:
        before = str(link.readlink())
        with serial.Serial(str(link), 19_200, timeout=0.2) as line:
            counted = await told(http, line="L1", usb_renumber=0.2)
            assert await asyncio.to_thread(gone, line)
        async with asyncio.timeout(5.0):
            while not link.is_symlink():  # noqa: ASYNC110 - it comes back by itself
                await asyncio.sleep(0.01)
        assert counted["usb_renumber"] == 1
        assert await asyncio.to_thread(ask, link, 19_200, READ.hex(), 9)
        await told(http, scanner="S1", usb_renumber=0.1)
        assert not quick.scanners[0].link.is_symlink()
    assert not link.is_symlink()


async def test_a_device_server_that_lost_power_leaves_connections_hanging(quick, tmp_path):
    port = quick.machines[0].port
    async with running(quick, tmp_path) as http:
        reader, writer = await connected(port)
        writer.write(BLOCK)
        assert await heard(reader, 57)
        await told(http, line="M1", tcp_half_open=True)
        writer.write(BLOCK)
        assert await heard(reader, 1, 0.2) is None
        await told(http, line="M1")
        writer.write(BLOCK)
        assert await heard(reader, 1, 0.2) is None
        fresh, other = await connected(port)
        other.write(BLOCK)
        assert await heard(fresh, 57)
        counted = (await http.get("/api/sim/faults")).json()["lines"]["M1"]["tcp_half_open"]
        writer.close()
        other.close()
    assert counted == 2


async def test_old_bytes_come_after_a_reconnect(quick, tmp_path):
    port = quick.machines[0].port
    async with running(quick, tmp_path) as http:
        reader, writer = await connected(port)
        writer.write(BLOCK)
        answer = await heard(reader, 57)
        writer.close()
        await told(http, line="M1", tcp_stale=True)
        reader, writer = await connected(port)
        assert await heard(reader, 57) == answer
        counted = (await http.get("/api/sim/faults")).json()["lines"]["M1"]["tcp_stale"]
        writer.close()
    assert counted == 1


async def test_a_second_client_is_refused_or_throws_out_the_first(quick, tmp_path):
    port = quick.machines[0].port

    async def lives(reader, writer):
        writer.write(BLOCK)
        try:
            return await heard(reader, 57) is not None
        except (ConnectionError, asyncio.IncompleteReadError):
            return False

    seen = set()
    async with running(quick, tmp_path) as http:
        async with asyncio.timeout(20.0):
            while len(seen) < 2:
                await told(http, line="M1")
                first = await connected(port)
                assert await lives(*first)
                await told(http, line="M1", one_client=True)
                second = await connected(port)
                seen.add((await lives(*second), await lives(*first)))
                for _, writer in (first, second):
                    writer.transport.abort()
        counted = (await http.get("/api/sim/faults")).json()["lines"]["M1"]["one_client"]
    assert seen == {(False, True), (True, False)}
    assert counted >= 2
