from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from tests.controller.site.world import Town


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    """What is logged is kept, not drawn: tracebacks in colour cost more than a site's day."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "site.db")


@pytest.fixture
def blind_town(tmp_path: Path) -> Town:
    """The same without item sensors."""
    return Town(tmp_path / "site.db", sensors=False)
