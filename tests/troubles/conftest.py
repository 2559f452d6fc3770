"""A board that is served on its real wire."""

import pytest

from simulator.plan import LinePlan
from tests.simulator.served import free_port, running
from tests.troubles.benches import HOST, LINE
from tests.troubles.real_wires import Served


@pytest.fixture
async def served(kind, tmp_path):
    if kind.is_serial:
        line = LinePlan(LINE, kind.baud, tmp_path / LINE, speaks=kind.speaks)
    else:
        line = LinePlan(LINE, kind.baud, tcp=(HOST, free_port()), speaks=kind.speaks)
    async with running(kind.plan(line), tmp_path) as http:
        served = Served(kind, http, line)
        async with served.bridge:
            assert await served.until_seen() == []
            yield served
