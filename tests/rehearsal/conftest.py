from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """What is logged is kept, not drawn: tracebacks in colour cost more than a site's day."""
    with capture_logs() as entries:
        yield entries
