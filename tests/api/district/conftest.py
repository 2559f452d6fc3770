from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import argon2
import httpx
import pytest
import town
from fastapi import FastAPI

from api.district.app import make_app
from controller.clock import ManualClock
from controller.district.district import District
from controller.settings import DistrictSettings
from controller.store import Store

Caller = Callable[[str | None], httpx.AsyncClient]


def settings() -> DistrictSettings:
    """A log-in with a cheap hash: the app makes one more like it when it is made."""
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return DistrictSettings(
        district={"name": "福田", "seal_key": town.SEAL_KEY.hex(), "tel": "0755-12345"},
        vendor=[{"id": "V01", "name": "刻章一号"}],
        login=[{"username": "ops", "password_hash": cheap.hash("example"), "role": "ops"}],
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(town.MORNING)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    with town.opened(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
def district(store: Store, clock: ManualClock) -> District:
    return town.district_on(store, clock)


@pytest.fixture
def app(district: District) -> FastAPI:
    return make_app(district, settings())


@pytest.fixture
def site(district: District) -> town.PlayedSite:
    return town.PlayedSite(district)


@pytest.fixture
async def calling(app: FastAPI) -> AsyncIterator[Caller]:
    """A client with one of the town's keys, or with none."""
    made = []

    def call(key: str | None) -> httpx.AsyncClient:
        made.append(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False),
                base_url="http://127.0.0.1:8000/api/v1",
                headers={"authorization": f"Bearer {key}"} if key is not None else {},
            )
        )
        return made[-1]

    yield call
    for client in made:
        await client.aclose()


@pytest.fixture
def api(calling: Caller) -> httpx.AsyncClient:
    return calling("all")
