"""What the documents say about devices is what the bridge does."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from firmware_bridge import urls
from firmware_bridge.open import DIALECTS, Bridge
from firmware_bridge.profiles import load_profiles, load_surroundings, parse_profiles
from firmware_bridge.urls import CHOICES, RANGES, SCHEMES
from tests.firmware_bridge import boards_by_the_book, lock_boards
from tests.firmware_bridge import test_what_every_lock_board_promises as contract
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock

DOCS = Path(__file__).parents[2] / "docs"
DEVICES = (DOCS / "devices.md").read_text(encoding="utf-8")
ADDING = (DOCS / "adding-a-device.md").read_text(encoding="utf-8")


def blocks(text: str, language: str = "toml") -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_every_profile_of_the_walk_through_is_right():
    names = [name for block in blocks(ADDING) for name in parse_profiles("docs", block)]
    assert names == ["acme-8", "acme-air"]


def test_a_profile_that_was_copied_from_the_walk_through_drives_a_board(tmp_path):
    (tmp_path / "acme.toml").write_text(blocks(ADDING)[0])
    bridge = Bridge(loop_clock(), opener=Plugboard(lambda _: []), user_profiles=tmp_path)
    row = bridge.lock_board("modbus+rtu:///dev/ttyUSB0?unit=1&profile=acme-8", "A")
    assert row.doors == 8


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


@pytest.fixture
def acme(monkeypatch):
    """The driver of the walk-through, put where the walk-through says."""
    driver, scheme, dialect, board, kind = blocks(ADDING, "python")
    module = ModuleType("firmware_bridge.acme")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(driver, vars(module))  # noqa: S102 - our own document
    for known, entry, names in (
        (SCHEMES, scheme, vars(urls)),
        (DIALECTS, dialect, {"acme": module}),
    ):
        entries = eval(f"{{{entry}}}", dict(names))  # noqa: S307 - see above
        for name, value in entries.items():
            monkeypatch.setitem(known, name, value)
    names = vars(lock_boards) | vars(boards_by_the_book)
    exec(board, names)  # noqa: S102 - see above
    exec(kind, names)  # noqa: S102 - see above
    return names["KINDS"][-1]


PROMISES = [
    getattr(contract, name)
    for name in vars(contract)
    if name.startswith("test_") and name != "test_what_a_bad_line_does_to_a_look"
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda each: each.__name__)
def test_the_driver_of_the_walk_through_fulfils_the_contract(acme, promise):
    promise(acme)


@pytest.mark.parametrize("trouble", ["late", "doubled", "garbled", "cut", "lost", "pieces"])
def test_the_driver_of_the_walk_through_bears_a_bad_line(acme, trouble):
    contract.test_what_a_bad_line_does_to_a_look(acme, trouble)
