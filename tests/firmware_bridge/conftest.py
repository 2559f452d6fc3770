"""A cabinet on an in-memory line, and the bridge that drives it."""

from types import SimpleNamespace

import pytest

from firmware_bridge.open import Bridge
from tests.firmware_bridge.cabinet_by_the_book import Cabinet
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock

BOARD_URL = "modbus+rtu:///dev/ttyUSB0?baud=19200&unit=1&profile=waveshare-relay-32"


@pytest.fixture
def cabinet():
    return Cabinet()


@pytest.fixture
def rig(cabinet):
    """A bridge over a plugboard: `rig.far` may be replaced before the first use."""
    plugs = Plugboard(cabinet)
    bridge = Bridge(loop_clock(), opener=plugs)
    return SimpleNamespace(
        plugs=plugs, bridge=bridge, board=bridge.lock_board(BOARD_URL, "A"), cabinet=cabinet
    )
