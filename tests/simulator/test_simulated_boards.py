"""Relay and input boards against the bytes of their makers' pages."""

from random import Random

import pytest

from simulator import modbus
from simulator.devices.input_board import InputBoard
from simulator.devices.relay_board import RelayBoard
from simulator.lines import Wire
from simulator.plan import LinePlan
from simulator.timeline import Timeline

LINE = LinePlan("L", 9600)


class Lock:
    def __init__(self):
        self.on = False

    def energise(self):
        self.on = True

    def drop(self):
        self.on = False


def wire_with(*devices, timeline=None):
    return Wire(LINE, devices, timeline or Timeline(0.0), seed=1)


def said(wire, text, now=0.0):
    pieces = wire.ask(bytes.fromhex(text), now)
    return b"".join(piece for _, piece in pieces).hex(" ").upper()


def test_the_checksum_has_its_published_check_value():
    assert modbus.crc16(b"123456789") == 0x4B37


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("01 01 00 00 00 20 3D D2", "01 01 04 00 00 00 00 FB D1"),
        ("01 05 00 00 FF 00 8C 3A", "01 05 00 00 FF 00 8C 3A"),
        ("01 05 00 00 00 00 CD CA", "01 05 00 00 00 00 CD CA"),
        ("01 05 00 00 55 00 F2 9A", "01 05 00 00 55 00 F2 9A"),
        ("01 05 00 FF 00 00 FD FA", "01 05 00 FF 00 00 FD FA"),
        ("01 05 02 07 00 05 BD B0", "01 05 02 07 00 05 BD B0"),
        ("01 05 02 00 00 07 8D B0", "01 05 02 00 00 07 8D B0"),
        ("01 05 02 1F 00 03 BD B5", "01 05 02 1F 00 03 BD B5"),
        ("01 05 04 00 00 07 8D 38", "01 05 04 00 00 07 8D 38"),
        ("01 0F 00 00 00 20 04 00 00 00 00 C4 88", "01 0F 00 00 00 20 54 13"),
        ("00 03 40 00 00 01 90 1B", "01 03 02 00 01 79 84"),
        ("01 03 80 00 00 01 AD CA", "01 03 02 00 C8 B9 D2"),
        ("01 05 02 20 00 05 0D BB", "01 85 02 C3 51"),
        ("01 05 00 00 12 34 C0 BD", "01 85 03 02 91"),
        ("01 05 00 40 FF 00 8D EE", "01 85 02 C3 51"),
        ("01 2B 0E 01 00 70 77", "01 AB 01 9E F0"),
        ("00 06 40 00 00 02 1C 1A", ""),
        ("01 06 20 00 00 01 43 CA", "01 06 20 00 00 01 43 CA"),
        ("01 01 00 00 00 20 3D D3", ""),
        ("01 01 00 00 00 20", ""),
        ("02 01 00 00 00 20 3D E1", ""),
    ],
)
def test_a_relay_board_answers_as_its_maker_writes(asked, answered):
    assert said(wire_with(RelayBoard(1, 32, Timeline(0.0))), asked) == answered


def test_relays_that_are_on_read_as_bits_from_the_lowest():
    board = RelayBoard(1, 32, Timeline(0.0))
    for relay in (board.relays[0], board.relays[9]):
        relay.switch(on=True)
    assert said(wire_with(board), "01 01 00 00 00 20 3D D2") == "01 01 04 01 02 00 00 5B ED"


def test_door_inputs_read_one_while_shut():
    doors = [lambda: True] * 7 + [lambda: False] + [lambda: True] * 24
    answer = said(wire_with(InputBoard(2, 32, doors)), "02 02 00 00 00 20 79 E1")
    assert answer == "02 02 04 7F FF FF FF E0 B6"
    eight = InputBoard(1, 8, doors[:8])
    assert said(wire_with(eight), "01 02 00 00 00 08 79 CC") == "01 02 01 7F E0 68"


def test_an_input_board_has_no_relays():
    asked = modbus.sealed(bytes.fromhex("02 05 00 00 FF 00")).hex()
    assert (
        said(wire_with(InputBoard(2, 32)), asked) == modbus.sealed(b"\x02\x85\x01").hex(" ").upper()
    )


def test_a_flash_ends_by_itself_and_a_new_one_starts_its_time_again():
    timeline = Timeline(0.0)
    lock = Lock()
    board = RelayBoard(1, 8, timeline, [lock])
    board.answer(bytes.fromhex("05 02 00 00 05"))
    assert board.relays[0].state
    timeline.advance(0.009)
    assert not lock.on
    timeline.advance(0.011)
    assert lock.on
    timeline.advance(0.4)
    board.answer(bytes.fromhex("05 02 00 00 05"))
    timeline.advance(0.85)
    assert lock.on
    timeline.advance(0.92)
    assert not lock.on
    assert not board.relays[0].state


@pytest.mark.parametrize(
    ("order", "stays"),
    [
        ("05 00 00 FF 00", True),
        ("05 00 00 00 00", False),
        ("05 00 00 55 00", False),
        ("0F 00 00 00 08 01 00", False),
        ("0F 00 00 00 08 01 01", True),
    ],
)
def test_a_plain_order_during_a_flash_drops_its_timer(order, stays):
    timeline = Timeline(0.0)
    lock = Lock()
    board = RelayBoard(1, 8, timeline, [lock])
    board.answer(bytes.fromhex("05 02 00 00 05"))
    timeline.advance(0.2)
    board.answer(bytes.fromhex(order))
    timeline.advance(9.0)
    assert lock.on is stays


def test_a_flash_of_no_time_is_echoed_and_moves_nothing():
    timeline = Timeline(0.0)
    lock = Lock()
    board = RelayBoard(1, 8, timeline, [lock])
    assert board.answer(bytes.fromhex("05 02 00 00 00")) == bytes.fromhex("05 02 00 00 00")
    timeline.advance(1.0)
    assert not lock.on


def test_a_board_that_is_given_another_unit_is_found_there():
    board = RelayBoard(1, 8, Timeline(0.0))
    wire = wire_with(board)
    said(wire, "00 06 40 00 00 02 1C 1A")
    assert board.unit == 2
    assert said(wire, "01 03 80 00 00 01 AD CA") == ""


def test_a_board_set_to_another_speed_hears_its_line_no_more():
    wire = wire_with(RelayBoard(1, 8, Timeline(0.0)))
    said(wire, "00 06 20 00 00 05 43 D8")
    assert said(wire, "01 03 80 00 00 01 AD CA") == ""


def test_two_boards_that_answer_a_read_to_everybody_spoil_each_other():
    wire = wire_with(RelayBoard(1, 8, Timeline(0.0)), InputBoard(2, 8))
    answer = bytes.fromhex(said(wire, "00 03 40 00 00 01 90 1B"))
    assert answer
    assert not modbus.whole(answer)


def test_no_request_makes_a_board_do_anything_but_answer():
    dice = Random(7)
    board = RelayBoard(1, 32, Timeline(0.0))
    for _ in range(3000):
        pdu = bytes([dice.choice([1, 2, 3, 5, 6, 15, 16, 43]), *dice.randbytes(dice.randrange(9))])
        answer = board.answer(pdu)
        assert answer
        assert answer[0] in {pdu[0], pdu[0] | 0x80}
