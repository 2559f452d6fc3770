from collections.abc import Iterator
from pathlib import Path

import pytest
import town

from controller.clock import ManualClock
from controller.district.district import District
from controller.store import Store


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
def site(district: District) -> town.PlayedSite:
    return town.PlayedSite(district)
