"""Our driver on slaves that others wrote: pymodbus' own server, and libmodbus in C.

Each serves one small lock board of sixteen doors on unit 1: orders to coils or to a register, door
switches as inputs, items in a register. Doors 1 and 3 have something behind them.
"""

import asyncio
import sys
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from controller.clock import SystemClock
from controller.faults import NotConfigured, NotMoved
from controller.ports import Presence
from firmware_bridge.line_scan import scan, scan_url
from firmware_bridge.lines import open_line
from firmware_bridge.open import Bridge
from tests.peers.cable import cable

PROFILES = """
[profile.by-register]
doors = 16
pulse = { fc = 6, address = 0x0010, per_door = 0, value = "door" }
door = { fc = 2, address = 0, closed = 1 }
item = { fc = 4, address = 0, bits = 16, present = 1 }

[profile.by-coil]
doors = 16
pulse = { fc = 5, address = 0, value = 0xFF00, board_ends = "this board drops its coils by itself" }
door = { fc = 2, address = 0, closed = 1 }
item = { fc = 4, address = 0, bits = 16, present = 1 }

[profile.of-another-board]
doors = 16
pulse = { fc = 6, address = 0x0010, per_door = 0, value = "door" }
door = { fc = 2, address = 0x0400, closed = 1 }
"""
FITTING = ("by-register", "by-coil")
ITEMS = 0b0000_0101
SLAVE = Path(__file__).with_name("libmodbus_slave.py")
RTU, TCP, RTU_IN_TCP = "modbus+rtu", "modbus+tcp", "modbus+rtutcp"


class PymodbusBoard:
    """What pymodbus' server does when it is written to."""

    def __init__(self) -> None:
        self.pulsed: asyncio.Queue[int] = asyncio.Queue()
        bits = {"count": 1, "datatype": DataType.BITS}
        self.device = SimDevice(
            1,
            simdata=(
                [SimData(0, values=[False] * 16, **bits)],
                [SimData(0, values=[True] * 16, **bits)],
                [SimData(0, values=[0] * 0x11, datatype=DataType.REGISTERS)],
                [SimData(0, values=[ITEMS], datatype=DataType.REGISTERS)],
            ),
            action=self._acted,
        )

    async def _acted(self, function, _start, address, _count, _now, values):
        if values and function in (5, 6):
            door = values[0] if function == 6 else address + 1
            await self.server.async_setValues(1, 2, door - 1, [False])
            self.pulsed.put_nowait(door)


@asynccontextmanager
async def pymodbus_slave(scheme):
    board = PymodbusBoard()
    with cable() as (here, there):
        if scheme == RTU:
            board.server = ModbusSerialServer(
                board.device, port=there, baudrate=19200, ignore_missing_devices=True
            )
        else:
            board.server = ModbusTcpServer(
                board.device,
                address=("127.0.0.1", 0),
                framer=FramerType.SOCKET if scheme == TCP else FramerType.RTU,
                ignore_missing_devices=True,
            )
        await board.server.serve_forever(background=True)
        try:
            place = f"{here}?baud=19200" if scheme == RTU else port_of(board.server)
            yield f"{scheme}://{place}", board.pulsed
        finally:
            await board.server.shutdown()


def port_of(server) -> str:
    return f"127.0.0.1:{server.transport.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def libmodbus_slave(scheme):
    pulsed = asyncio.Queue()
    with cable() as (here, there):
        end = ["tty", there] if scheme == RTU else ["tcp"]
        slave = await asyncio.create_subprocess_exec(
            sys.executable, SLAVE, *end, stdout=asyncio.subprocess.PIPE
        )
        try:
            port = int((await slave.stdout.readline()).split()[1])
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(told(slave.stdout, pulsed))
                place = f"{here}?baud=19200" if scheme == RTU else f"127.0.0.1:{port}"
                yield f"{scheme}://{place}", pulsed
                hearing.cancel()
        finally:
            slave.kill()
            await slave.communicate()


async def told(lines, pulsed) -> None:
    async for line in lines:
        pulsed.put_nowait(int(line.split()[1]))


BOTH = [
    pytest.param(pymodbus_slave, RTU, id="pymodbus rtu"),
    pytest.param(pymodbus_slave, TCP, id="pymodbus tcp"),
    pytest.param(pymodbus_slave, RTU_IN_TCP, id="pymodbus rtu in tcp"),
    pytest.param(libmodbus_slave, RTU, id="libmodbus rtu", marks=pytest.mark.peers),
    pytest.param(libmodbus_slave, TCP, id="libmodbus tcp", marks=pytest.mark.peers),
]


@pytest.fixture
def profiles(tmp_path):
    (tmp_path / "small.toml").write_text(PROFILES)
    return tmp_path


def board_url(line, profile):
    return f"{patient(line)}&unit=1&profile={profile}"


def patient(line):
    """On a machine that is busy with other tests an answer may take its time."""
    return f"{line}{'&' if '?' in line else '?'}timeout_ms=1000"


@pytest.mark.parametrize(("slave", "scheme"), BOTH)
async def test_doors_are_read_released_and_watched(slave, scheme, profiles):
    async with (
        slave(scheme) as (line, pulsed),
        Bridge(SystemClock(), user_profiles=profiles) as bridge,
    ):
        registers = bridge.lock_board(board_url(line, "by-register"), "A")
        coils = bridge.lock_board(board_url(line, "by-coil"), "B")
        sight = await registers.look()
        assert sight.doors == ("closed",) * 16
        present = [n for n, item in enumerate(sight.items, 1) if item is Presence.PRESENT]
        assert present == [1, 3]
        async with aclosing(coils.watch()) as sights:
            assert (await anext(sights)).doors == ("closed",) * 16
            await registers.release(3)
            await coils.release(16)
            async with asyncio.timeout(10):
                async for sight in sights:
                    if sight.doors.count("open") == 2:
                        break
        assert [n for n, door in enumerate(sight.doors, 1) if door == "open"] == [3, 16]
        async with asyncio.timeout(10):
            assert [await pulsed.get(), await pulsed.get()] == [3, 16]
        with pytest.raises(NotMoved):
            await registers.release(17)
        with pytest.raises(NotConfigured, match="no such address"):
            await bridge.lock_board(board_url(line, "of-another-board"), "C").look()
        (bus,) = bridge.lines.values()
        assert not bus.counters.timeouts
        assert not bus.counters.refused
        assert pulsed.empty()


def beside_unit_1(slave, scheme):
    """On one tty libmodbus is one unit, on TCP it is every unit; pymodbus refuses for all others.

    So it does even when it was told to ignore them (3.16.1).
    """
    if slave is pymodbus_slave:
        return {2: ()}
    return {} if scheme == RTU else {2: FITTING}


@pytest.mark.parametrize(("slave", "scheme"), BOTH)
async def test_a_scan_finds_them_and_what_fits_them(slave, scheme, profiles):
    async with slave(scheme) as (line, pulsed):
        bridge = Bridge(SystemClock(), user_profiles=profiles)
        url, bauds = scan_url(patient(line))
        steps = scan(url, bridge.profiles, SystemClock(), open_line, units=(1, 2), bauds=bauds)
        found = {step.unit: step.found async for step in steps if step.found}
        assert (found[1].outputs, found[1].inputs) == (16, 16)
        assert found[1].profiles == FITTING
        assert "exception 02" in found[1].says
        others = {unit: station.profiles for unit, station in found.items() if unit > 1}
        assert others == beside_unit_1(slave, scheme)
        assert pulsed.empty()
