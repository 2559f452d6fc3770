"""Boards that answer only so much at once."""

import pytest

from controller.ports import DoorSight
from firmware_bridge.open import Bridge
from firmware_bridge.profiles import BadProfile, parse_profiles
from tests.firmware_bridge.boards_by_the_book import RegisterBoard, RelayCabinet
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

BITS = """
[profile.mine]
doors = 32
pulse = { fc = 5, address = 0x0200, value = "ms/100" }
door = { unit = 1, fc = 2, most = 12 }
"""
WORDS = """
[profile.mine]
doors = 24
pulse = { fc = 6, address = 0x0010, per_door = 0, value = "door" }
door = { fc = 3, address = 0x0000, bits = 16, most = 1 }
item = { fc = 3, address = 0x0002, bits = 16 }
"""


def counts(plugs):
    return [(frame[3], frame[5]) for frame in plugs.frames]


@pytest.mark.parametrize(
    ("text", "board", "asked"),
    [
        (BITS, RelayCabinet(open_doors={3, 13, 25, 32}), [(0, 12), (12, 12), (24, 8)]),
        (WORDS, RegisterBoard(open_doors={3, 17, 24}), [(0, 1), (1, 1), (2, 2)]),
    ],
)
def test_all_doors_are_read_in_as_many_parts_as_it_takes(tmp_path, text, board, asked):
    (tmp_path / "mine.toml").write_text(text)
    plugs = Plugboard(board)

    def part_of_a_cabinet(frame):
        """Inputs from any address on, which the cabinet by the book reads from the first."""
        if frame[1] != 2:
            return board(frame)
        first, number = frame[3], frame[5]
        shut = [n not in board.open_doors for n in range(first + 1, first + number + 1)]
        return [(0.008, board.inner._bits(frame[0], shut))]

    plugs.far = part_of_a_cabinet

    async def story():
        bridge = Bridge(loop_clock(), opener=plugs, user_profiles=tmp_path)
        row = bridge.lock_board("modbus+rtu:///dev/ttyUSB0?unit=1&profile=mine", "A")
        sight = await row.look()
        opened = {n for n, door in enumerate(sight.doors, 1) if door is DoorSight.OPEN}
        assert opened == board.open_doors
        assert counts(plugs) == asked

    play(story())


def test_a_read_of_nothing_is_refused():
    with pytest.raises(BadProfile, match="most"):
        parse_profiles("mine.toml", BITS.replace("most = 12", "most = 0"))
