"""Stages that stories share: one demo a module, with people and paper sped up, never the wire."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from stage import FAST, Stage

_orders = count(440304202611250001)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("demo"), *FAST) as opened:
        yield opened


@pytest.fixture
def number() -> str:
    """An order number that nobody has used."""
    return str(next(_orders))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "demo"
