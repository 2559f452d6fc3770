"""Serves HTTP inside the process's own event loop, until the process is told to end."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

GRACE_S = 3  # for requests under way; event streams are ended by the app


class _Server(uvicorn.Server):
    """Signals end the whole process in order, not the server alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: FastAPI,
    heard: socket.socket,
    life: Sequence[Callable[[], Awaitable[None]]],
    end_streams: Callable[[], None],
) -> None:
    """Answer requests, and run `life` beside it, until SIGTERM or SIGINT; then all has ended.

    What fails in `life` ends the process: whoever started it starts it again.
    """
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_S
    )
    server = _Server(config)
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    try:
        async with asyncio.TaskGroup() as tasks:
            answering = tasks.create_task(server.serve(sockets=[heard]), name="http")
            living = [tasks.create_task(_run(part)) for part in life]
            await ending.wait()
            end_streams()
            server.should_exit = True
            await answering
            for task in living:
                task.cancel()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _run(part: Callable[[], Awaitable[None]]) -> None:
    await part()
