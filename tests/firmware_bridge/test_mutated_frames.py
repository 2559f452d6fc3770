"""Whatever comes out of a wire, no parser falls over, grows, or loses the next good frame."""

import os

import pytest

from tests.firmware_bridge.mutated_frames import SLOW_S, TARGETS, survive_all

CASES = int(os.environ.get("FUZZ_CASES", "1000"))


@pytest.mark.fuzz
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.timeout(600)
def test_spoilt_frames_harm_nobody(target):
    assert survive_all(target, seed=20261124, number=CASES) <= SLOW_S
