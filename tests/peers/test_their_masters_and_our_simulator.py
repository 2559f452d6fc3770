"""Masters that others wrote, on our simulated boards: mbpoll (libmodbus) and pymodbus' own client.

What they read must be what `/api/sim` says, on ttys, on TCP and on RTU in TCP, and what they write
must move.
"""

import asyncio
import re
from contextlib import asynccontextmanager

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from simulator.plan import BoardPlan, CabinetPlan, CompartmentPlan, LinePlan, MachinePlan, Plan
from tests.simulator.served import free_port, running

BAUD = 19_200
RELAYS, DOORS, ITEMS, REGISTERS, MACHINE = 1, 2, 3, 11, 21
COILS_AT, INPUTS_AT, HOLDING_AT, WORDS_AT = 0, 1, 4, 3  # as mbpoll names them
FORCED, FILLED = 3, 17
STATE_AT, SLOTS_AT, COMMAND_AT, IDLE = 5, 0x0040, 0x0100, 1  # of the machine
LOAD_INTO_SLOT_7 = (1, 7, 7, 0, 0, 0x5AA5 ^ 1)  # the last is a check over the others


class Mbpoll:
    """One process for each question."""

    def __init__(self, end: list[str]) -> None:
        self._end = end

    async def read(self, unit: int, kind: int, at: int, count: int) -> list[int]:
        told = await self._run(unit, kind, at, "-c", str(count))
        return [int(value) for value in re.findall(r"^\[\d+\]:\s+(\d+)", told, re.MULTILINE)]

    async def write(self, unit: int, kind: int, at: int, *values: int) -> None:
        told = await self._run(unit, kind, at, values=values)
        assert f"Written {len(values)} references" in told, told

    async def _run(self, unit: int, kind: int, at: int, *more: str, values=()) -> str:
        asked = ["-a", str(unit), "-t", str(kind), "-0", "-r", str(at), "-o", "5", *more]
        once = [] if values else ["-1"]
        process = await asyncio.create_subprocess_exec(
            *("mbpoll", *once, *asked, *self._end, *map(str, values)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()
        return told.decode()


class Pymodbus:
    def __init__(self, client) -> None:
        self._client = client

    async def read(self, unit: int, kind: int, at: int, count: int) -> list[int]:
        ask = {
            COILS_AT: self._client.read_coils,
            INPUTS_AT: self._client.read_discrete_inputs,
            HOLDING_AT: self._client.read_holding_registers,
            WORDS_AT: self._client.read_input_registers,
        }[kind]
        reply = await ask(at, count=count, device_id=unit)
        assert not reply.isError(), reply
        return [int(value) for value in reply.registers or reply.bits[:count]]

    async def write(self, unit: int, kind: int, at: int, *values: int) -> None:
        if kind == COILS_AT:
            reply = await self._client.write_coil(at, bool(values[0]), device_id=unit)
        elif len(values) == 1:
            reply = await self._client.write_register(at, values[0], device_id=unit)
        else:
            reply = await self._client.write_registers(at, list(values), device_id=unit)
        assert not reply.isError(), reply


@asynccontextmanager
async def mbpoll(plan, line):
    if line == "pty":
        yield Mbpoll(["-m", "rtu", "-b", str(BAUD), "-P", "none", str(plan.lines[0].link)])
    else:
        yield Mbpoll(["-m", "tcp", "-p", str(plan.lines[0].tcp[1]), "127.0.0.1"])


@asynccontextmanager
async def pymodbus(plan, line):
    first, once = plan.lines[0], {"timeout": 5, "reconnect_delay": 0}
    if line == "pty":
        client = AsyncModbusSerialClient(str(first.link), baudrate=BAUD, **once)
    else:
        framer = FramerType.SOCKET if line == "tcp" else FramerType.RTU
        client = AsyncModbusTcpClient("127.0.0.1", port=first.tcp[1], framer=framer, **once)
    assert await client.connect()
    try:
        yield Pymodbus(client)
    finally:
        client.close()
        await asyncio.sleep(0)


MASTERS = [
    pytest.param(mbpoll, "pty", id="mbpoll pty", marks=pytest.mark.peers),
    pytest.param(mbpoll, "tcp", id="mbpoll tcp", marks=pytest.mark.peers),
    pytest.param(pymodbus, "pty", id="pymodbus pty"),
    pytest.param(pymodbus, "tcp", id="pymodbus tcp"),
    pytest.param(pymodbus, "rtu in tcp", id="pymodbus rtu in tcp"),  # mbpoll has no such mode
]
by_each = pytest.mark.parametrize(("master", "line"), MASTERS)


@pytest.fixture
def plan(tmp_path, line):
    """A relay board with its inputs, a register board, and a machine that stores, on one line.

    Boards do not mind how long it was quiet before a frame: pymodbus does not look after that.
    """
    if line == "pty":
        wire = LinePlan("L1", BAUD, tmp_path / "lines" / "L1", strict=False)
    elif line == "rtu in tcp":
        wire = LinePlan("L1", BAUD, tcp=("127.0.0.1", free_port()), strict=False)
    else:
        wire = LinePlan("L1", tcp=("127.0.0.1", free_port()), speaks="modbus-tcp")

    def cabinet(letter, unit, profile, doors):
        board = BoardPlan("L1", unit, profile, doors=doors)
        return CabinetPlan(
            letter, (board,), tuple(CompartmentPlan(no) for no in range(1, doors + 1))
        )

    return Plan(
        lines=(wire,),
        cabinets=(
            cabinet("A", RELAYS, "waveshare-relay-32", 32),
            cabinet("B", REGISTERS, "reg-lock-24", 24),
        ),
        machines=(
            MachinePlan("M1", line="L1", unit=MACHINE, kind="store")
            if line != "tcp"
            else MachinePlan("M1", "127.0.0.1", free_port(), unit=MACHINE, kind="store"),
        ),
    )


@asynccontextmanager
async def standing(plan, folder):
    """A simulator with a door forced open, and something behind another, in each cabinet."""
    async with running(plan, folder, speed=10.0) as http:
        for cabinet in "AB":
            at = f"/api/sim/doors/{cabinet}"
            await post(http, f"{at}/{FORCED}/force")
            await post(http, f"{at}/{FILLED}/force")
            await post(http, f"{at}/{FILLED}/put", {"label": f"OWL:{cabinet}{FILLED}"})
            await post(http, f"{at}/{FILLED}/close")
        yield http


async def post(http, path, body=None) -> None:
    answer = await http.post(path, json=body)
    assert answer.status_code == 200, answer.text


async def seen(http):
    return (await http.get("/api/sim")).json()


def shut(state, cabinet):
    return [int(not door["open"]) for door in state["cabinets"][cabinet]["doors"].values()]


def filled(state, cabinet):
    return [int(bool(door["contents"])) for door in state["cabinets"][cabinet]["doors"].values()]


def moved(state):
    """How often each bolt moved that did."""
    return {
        f"{letter}/{no}": door["released"]
        for letter, cabinet in state["cabinets"].items()
        for no, door in cabinet["doors"].items()
        if door["released"]
    }


def bits(words, count):
    return [words[n // 16] >> n % 16 & 1 for n in range(count)]


@by_each
async def test_they_read_what_is_there(master, plan, line, tmp_path):
    async with standing(plan, tmp_path) as http, master(plan, line) as asking:
        state = await seen(http)
        assert await asking.read(DOORS, INPUTS_AT, 0, 32) == shut(state, "A")
        assert await asking.read(ITEMS, INPUTS_AT, 0, 32) == filled(state, "A")
        assert await asking.read(RELAYS, COILS_AT, 0, 32) == [0] * 32
        words = await asking.read(REGISTERS, HOLDING_AT, 0, 4)
        assert bits(words[:2], 24) == shut(state, "B")
        assert bits(words[2:], 24) == filled(state, "B")
        for cabinet in "AB":
            assert [n for n, bit in enumerate(shut(state, cabinet), 1) if not bit] == [FORCED]
            assert [n for n, bit in enumerate(filled(state, cabinet), 1) if bit] == [FILLED]


@by_each
async def test_they_move_what_they_write_to(master, plan, line, tmp_path):
    async with standing(plan, tmp_path) as http, master(plan, line) as asking:
        await asking.write(REGISTERS, HOLDING_AT, 0x0010, 9)
        await asking.write(RELAYS, COILS_AT, 31, 1)
        assert await asking.read(RELAYS, COILS_AT, 0, 32) == [0] * 31 + [1]
        async with asyncio.timeout(20):
            while moved(await seen(http)) != {"B/9": 1, "A/32": 1}:
                pass  # a bolt needs a moment
        await asking.write(RELAYS, COILS_AT, 31, 0)
        assert await asking.read(RELAYS, COILS_AT, 0, 32) == [0] * 32
        assert moved(await seen(http)) == {"B/9": 1, "A/32": 1}


@asynccontextmanager
async def on_the_machine(master, plan, line):
    """A machine on TCP has a port of its own."""
    if line == "tcp":
        machine = plan.machines[0]
        own = LinePlan("M", tcp=(machine.host, machine.port), speaks="modbus-tcp")
        plan = Plan(lines=(own,))
    async with master(plan, line) as asking:
        yield asking


@by_each
async def test_they_load_and_read_the_licence_machine(master, plan, line, tmp_path):
    async with (
        standing(plan, tmp_path) as http,
        on_the_machine(master, plan, line) as asking,
    ):
        async with asyncio.timeout(20):
            while (await asking.read(MACHINE, WORDS_AT, STATE_AT, 1)) != [IDLE]:
                pass
            await asking.write(MACHINE, HOLDING_AT, COMMAND_AT, *LOAD_INTO_SLOT_7)
            await post(http, "/api/sim/machine/M1/put", {"label": "OWL:1"})
            while not (told := (await seen(http))["machines"]["M1"])["stored"]:
                pass
        assert told["stored"] == {"7": "OWL:1"}
        block = await asking.read(MACHINE, WORDS_AT, 0, 0x18)
        assert block[:2] == [0x4C4D, 0x0100]
        assert block[8:10] == [plan.machines[0].slots, len(told["stored"])]
        assert block[12:15] == [told["seq"], 7, 7] == [1, 7, 7]
        assert await asking.read(MACHINE, WORDS_AT, SLOTS_AT, 1) == [1 << 6]
