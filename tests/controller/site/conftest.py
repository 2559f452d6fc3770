from pathlib import Path

import pytest

from tests.controller.site.world import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "site.db")


@pytest.fixture
def blind_town(tmp_path: Path) -> Town:
    """The same without item sensors."""
    return Town(tmp_path / "site.db", sensors=False)
