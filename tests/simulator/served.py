"""A plan served by a simulator in this process."""

import asyncio
import socket
from contextlib import asynccontextmanager

import httpx

from simulator.run import serve


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@asynccontextmanager
async def running(plan, folder, **options):
    """A served plan, once it answers."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(base_url=base) as http:
        ends = tasks.create_task(serve(plan, host="127.0.0.1", port=port, folder=folder, **options))
        async with asyncio.timeout(10.0):
            while not await answers(http):  # noqa: ASYNC110 - it answers when it is there
                await asyncio.sleep(0.01)
        yield http
        ends.cancel()


async def answers(http) -> bool:
    try:
        return (await http.get("/api/sim")).status_code == 200
    except httpx.TransportError:
        return False
