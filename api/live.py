"""Server-sent events: each change one event, the first at once, a comment as a sign of life.

Own code rather than sse-starlette, which writes each event into the debug log and leaves a
watching task behind.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from controller.ports import Clock

KEEP_ALIVE_S = 15.0  # proxies cut what is silent for 30 to 60 s
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Live:
    """The open streams of one app: how many at most, and their common end."""

    def __init__(self, clock: Clock, *, streams_max: int = 64) -> None:
        self.clock = clock
        self.open = 0
        self.streams_max = streams_max
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Every stream ends now; without this a server waits for its readers to leave."""
        self._closing.set()

    async def closed(self) -> None:
        await self._closing.wait()

    def stream(self, items: AsyncIterator[str], *, event: str = "message") -> Response:
        """Items (one line of text each, usually JSON) as they come; 503 when too many listen."""
        if self.open >= self.streams_max or self._closing.is_set():
            return Response(status_code=503, headers={"retry-after": "5"})
        return _Stream(self, items, event)


class _Stream(Response):
    def __init__(self, live: Live, items: AsyncIterator[str], event: str) -> None:
        super().__init__()
        self._live = live
        self._items = items
        self._event = event

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope  # nothing of the request matters any more
        self._live.open += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            async with AsyncExitStack() as last, anyio.create_task_group() as parts:
                if aclose := getattr(self._items, "aclose", None):
                    last.push_async_callback(aclose)

                async def until_one_ends(part: Callable[[], Awaitable[None]]) -> None:
                    await part()
                    parts.cancel_scope.cancel()

                parts.start_soon(until_one_ends, lambda: _left(receive))
                parts.start_soon(until_one_ends, self._live.closed)
                parts.start_soon(until_one_ends, lambda: self._keep_alive(send))
                await until_one_ends(lambda: self._pump(send))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._live.open -= 1

    async def _pump(self, send: Send) -> None:
        async for item in self._items:
            await _send(send, f"event: {self._event}\ndata: {item}\n\n")

    async def _keep_alive(self, send: Send) -> None:
        while True:
            await self._live.clock.sleep(KEEP_ALIVE_S)
            await _send(send, ": alive\n\n")


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
