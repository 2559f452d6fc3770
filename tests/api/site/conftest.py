"""The site's app over a site that shows what a test tells it to."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from controller.clock import ManualClock
from tests.api.site.kiosk_scenes import FakeSite, Kiosk


@pytest.fixture
def site() -> FakeSite:
    return FakeSite()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 24, 2, 0, tzinfo=UTC))


@pytest.fixture
def kiosk(site: FakeSite, clock: ManualClock) -> Kiosk:
    return Kiosk(site, clock)


@pytest.fixture
async def client(kiosk: Kiosk) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(kiosk.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://kiosk.test") as opened:
        yield opened
