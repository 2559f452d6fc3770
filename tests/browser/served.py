"""An app behind a real port of the loopback for as long as a context lasts."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The address of the app, which is ended with its event streams."""
    with socket.socket() as heard:
        heard.bind(("127.0.0.1", 0))
        heard.listen()  # who comes before the server is up waits, and is not turned away
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=2, lifespan="off"
        )
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(server._serve(sockets=[heard]))
            try:
                yield f"http://127.0.0.1:{heard.getsockname()[1]}"
            finally:
                app.state.live.close()
                server.should_exit = True
                await running
