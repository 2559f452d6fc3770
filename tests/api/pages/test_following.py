"""What the pages' event streams say, to whom, and when they end."""

import asyncio
from contextlib import asynccontextmanager

import pytest


class Ear:
    """One open event stream, over ASGI alone."""

    def __init__(self, app, path: str, cookie: str = "") -> None:
        self._app = app
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"district.test"), (b"cookie", cookie.encode())],
            "client": ("192.0.2.1", 1),
            "server": ("district.test", 80),
        }
        self._asked = False
        self._gone = asyncio.Event()
        self._heard: asyncio.Queue[str | None] = asyncio.Queue()
        self.status = 0

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
        for line in message.get("body", b"").decode().splitlines():
            if line.startswith("data: "):
                self._heard.put_nowait(line)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._heard.put_nowait(None)

    @asynccontextmanager
    async def open(self):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._app(self._scope, self._receive, self._send))
            yield self
            self._gone.set()

    async def hears(self) -> str | None:
        """The next event; None once the stream is over."""
        return await self._heard.get()

    async def hears_nothing(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        assert self._heard.empty()


async def settled(hall) -> None:
    """Everything that a change has set off has run."""
    hall.district.changes.ring()
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def cookie_of(hall):
    async def find(name: str) -> str:
        return f"onewindow={(await hall.logged_in(name)).cookies['onewindow']}"

    return find


async def test_a_company_hears_of_its_own_order_only(hall):
    mine, other = hall.order(), hall.order("另一家公司")
    hall.loads(mine)
    async with Ear(hall.app, f"/p/{hall.token(mine)}/live").open() as ear:
        await settled(hall)
        hall.loads(other)
        await settled(hall)
        await ear.hears_nothing()
        hall.collects(mine, "seal_set")
        assert await ear.hears() == "data: changed"
    assert ear.status == 200


async def test_a_vendor_hears_of_its_own_boxes_only(hall, cookie_of):
    async with Ear(hall.app, "/vendor/live", await cookie_of("wu")).open() as ear:
        assert await ear.hears()  # what was, in case the page is older than the stream
        hall.order(vendor="V02")
        await settled(hall)
        await ear.hears_nothing()
        hall.order(vendor="V01")
        assert await ear.hears() == "data: changed"


async def test_operations_hear_of_every_change(hall, cookie_of):
    hall.starts()
    async with Ear(hall.app, "/ops/live", await cookie_of("ops")).open() as ear:
        assert await ear.hears()
        hall.says("door.opened", where="A/8", n=2)
        assert await ear.hears() == "data: changed"
        hall.district.saw("FT-0001", hall.clock.now(), online=False)
        assert await ear.hears() == "data: changed"


@pytest.mark.parametrize(("name", "path"), [("ops", "/ops/live"), ("wu", "/vendor/live")])
async def test_a_stream_ends_with_its_session(hall, cookie_of, name, path):
    async with Ear(hall.app, path, await cookie_of(name)).open() as ear:
        assert await ear.hears()
        await hall.clock.advance(31 * 60)
        hall.district.changes.ring()
        assert await ear.hears() is None


async def test_an_open_stream_keeps_nobody_logged_in(hall, cookie_of):
    cookie = await cookie_of("ops")
    async with Ear(hall.app, "/ops/live", cookie).open() as ear:
        assert await ear.hears()
        for _ in range(3):
            await hall.clock.advance(9 * 60)
            hall.district.changes.ring()
            assert await ear.hears()
        await hall.clock.advance(4 * 60)
        hall.district.changes.ring()
        assert await ear.hears() is None


async def test_no_stream_carries_more_than_that_something_changed(hall):
    order = hall.order()
    hall.loads(order)
    async with Ear(hall.app, f"/p/{hall.token(order)}/live").open() as ear:
        await settled(hall)
        hall.collects(order)
        assert await ear.hears() == "data: changed"
