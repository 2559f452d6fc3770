"""What the documents say about devices is what the bridge does."""

import re
from pathlib import Path

import pytest

from firmware_bridge.open import Bridge
from firmware_bridge.profiles import load_profiles, load_surroundings, parse_profiles
from firmware_bridge.urls import CHOICES, RANGES, SCHEMES
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock

DOCS = Path(__file__).parents[2] / "docs"
DEVICES = (DOCS / "devices.md").read_text(encoding="utf-8")
ADDING = (DOCS / "adding-a-device.md").read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)


def test_every_profile_of_the_walk_through_is_right():
    names = [name for block in blocks(ADDING) for name in parse_profiles("docs", block)]
    assert names == ["acme-12", "acme-air"]


def test_a_profile_that_was_copied_from_the_walk_through_drives_a_board(tmp_path):
    (tmp_path / "acme.toml").write_text(blocks(ADDING)[0])
    bridge = Bridge(loop_clock(), opener=Plugboard(lambda _: []), user_profiles=tmp_path)
    row = bridge.lock_board("modbus+rtu:///dev/ttyUSB0?unit=1&profile=acme-12", "A")
    assert row.doors == 12


@pytest.mark.parametrize(
    "name",
    [*SCHEMES, *load_surroundings(), *RANGES, *CHOICES, "waveshare-relay-8", "waveshare-relay-d-8"],
)
def test_it_is_named_in_devices(name):
    assert f"`{name}" in DEVICES


def test_every_shipped_lock_board_is_in_devices():
    for name in load_profiles():
        assert name in DEVICES or name.rpartition("-")[2] in DEVICES


async def test_every_figure_is_explained():
    bridge = Bridge(loop_clock(), opener=Plugboard(lambda _: []))
    row = bridge.lock_board("kerong+tcp://127.0.0.1?address=0", "A")
    (line,) = bridge.figures()
    assert line.boards == {"A": row.figures()}
    for name in {**line.numbers, **line.boards["A"]}:
        assert f"`{name}`" in DEVICES, name
