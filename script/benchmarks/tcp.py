"""Reads of 32 inputs from 32 boards on Modbus TCP, for a second of processor: ours, pymodbus'.

Every board is asked again as soon as it has answered. The boards are a process of their own and
not counted. Ours and pymodbus take turns; the best of each counts.

Ours spends more on each read than pymodbus: whose turn it is, whether a dead board is due, which
connection is meant, what counts as an answer. What counts is therefore the share of a processor
that 32 boards take as a site reads them: doors and items ten times a second.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from pymodbus.client import AsyncModbusTcpClient

from controller.clock import SystemClock
from firmware_bridge import modbus
from firmware_bridge.lock_board import POLL_S
from firmware_bridge.modbus_device import ModbusDevice
from firmware_bridge.open import Bridge
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import parse
from script.benchmarks.rows import Progress, Row
from script.benchmarks.tcp_boards import HOST, TcpBoards

BOARDS: Final = 32
INPUTS: Final = 32
ROUNDS: Final = 3
ROUND_S: Final = 2.0
WARM_UP_S: Final = 0.3
READS_PER_S: Final = BOARDS * 2 / POLL_S  # as a site at rest reads them
SHARE: Final = 0.1
PROFILE: Final = "profile=waveshare-relay-32"

Ask = Callable[[int], Awaitable[int]]  # by the board's place in the row; how many inputs came
Client = Callable[[Sequence[int]], AbstractAsyncContextManager[Ask]]


@asynccontextmanager
async def ours(ports: Sequence[int]) -> AsyncIterator[Ask]:
    """A Bus for each board."""
    async with Bridge(SystemClock()) as bridge:
        urls = [parse(f"modbus+tcp://{HOST}:{port}?unit=1&{PROFILE}") for port in ports]
        devices = [ModbusDevice(url.place.key, bridge.bus(url)) for url in urls]

        async def ask(number: int) -> int:
            asked = modbus.read(1, modbus.READ_INPUTS, 0, INPUTS)
            return len(modbus.bits_of(await devices[number].ask(asked, Urgency.POLL), INPUTS))

        yield ask


@asynccontextmanager
async def pymodbus(ports: Sequence[int]) -> AsyncIterator[Ask]:
    """A client for each board."""
    clients = [AsyncModbusTcpClient(HOST, port=port) for port in ports]
    for client in clients:
        assert await client.connect()

    async def ask(number: int) -> int:
        answer = await clients[number].read_discrete_inputs(0, count=INPUTS, device_id=1)
        return len(answer.bits)

    yield ask
    for client in clients:
        client.close()


CLIENTS: Final[dict[str, Client]] = {"ours": ours, "pymodbus": pymodbus}


async def _reads_per_cpu_s(client: Client, ports: Sequence[int]) -> tuple[float, float]:
    """Reads for a second of this process' processor time, and for a second of the clock."""
    async with client(ports) as ask:

        async def read_for(number: int, seconds: float) -> int:
            until = time.monotonic() + seconds
            reads = 0
            while time.monotonic() < until:
                assert await ask(number) == INPUTS
                reads += 1
            return reads

        async def read_all(seconds: float) -> int:
            return sum(await asyncio.gather(*(read_for(n, seconds) for n in range(len(ports)))))

        await read_all(WARM_UP_S)
        cpu_s, began = time.process_time(), time.monotonic()
        reads = await read_all(ROUND_S)
        return reads / (time.process_time() - cpu_s), reads / (time.monotonic() - began)


def run(progress: Progress) -> list[Row]:
    """Rows of Modbus TCP."""
    per_cpu_s: dict[str, float] = dict.fromkeys(CLIENTS, 0.0)
    per_s: dict[str, float] = dict.fromkeys(CLIENTS, 0.0)
    with TcpBoards(BOARDS) as boards:
        for number in range(ROUNDS):
            for name, client in CLIENTS.items():
                progress(f"{name}, round {number + 1} of {ROUNDS}")
                by_cpu, by_clock = asyncio.run(_reads_per_cpu_s(client, boards.ports))
                per_cpu_s[name] = max(per_cpu_s[name], by_cpu)
                per_s[name] = max(per_s[name], by_clock)
    detail = {
        name: {
            "reads_per_s": round(per_s[name]),
            "reads_per_cpu_s": round(per_cpu_s[name]),
            "cpu_us_per_read": round(1e6 / per_cpu_s[name], 1),
        }
        for name in CLIENTS
    }
    times = round(per_cpu_s["ours"] / per_cpu_s["pymodbus"], 2)
    share = round(READS_PER_S / per_cpu_s["ours"], 4)
    return [
        Row("tcp.reads_per_cpu", times, "x pymodbus", "", detail),
        Row("tcp.at_rest", share, "of a processor", f"<= {SHARE}"),
    ]
