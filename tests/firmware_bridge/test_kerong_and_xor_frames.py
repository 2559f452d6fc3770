"""The bytes of two lock boards as their users' texts print them, and what a bad stream does."""

from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import kerong, xorboard
from firmware_bridge.exchange import Frame, Verdict
from firmware_bridge.kerong import VARIANTS, KerongWire
from firmware_bridge.xorboard import XorWire

CU16, CU48 = VARIANTS["cu16"], VARIANTS["cu48"]
STATE_OF_24 = bytes.fromhex("80 01 7F FF FB 33 C9")


def told(variant, text):
    (frame,) = KerongWire(variant).feed(bytes.fromhex(text))
    return frame


@pytest.mark.parametrize(
    ("station", "lock", "command", "content", "text"),
    [
        (0, 0, 0x30, b"", "02 00 30 03 35"),
        (2, 0, 0x30, b"", "02 20 30 03 55"),
        (0, 7, 0x31, b"", "02 07 31 03 3D"),
        (2, 15, 0x31, b"", "02 2F 31 03 65"),
        (0, 0, 0x37, b"\x00\x32", "02 00 37 00 32 03 6E"),
        (0, 0, 0x37, b"", "02 00 37 03 3C"),
    ],
)
def test_commands_to_a_cu16(station, lock, command, content, text):
    request = kerong.Request(station, command, 0x35, 6, lock, content)
    assert KerongWire(CU16).pack(station, request.body(), 1) == bytes.fromhex(text)


@pytest.mark.parametrize(
    ("lock", "command", "text"),
    [
        (0, 0x60, "02 00 00 60 03 65"),
        (0, 0x61, "02 00 00 61 03 66"),
        (4, 0x61, "02 00 04 61 03 6A"),
    ],
)
def test_commands_to_a_cu48(lock, command, text):
    request = kerong.Request(0, command, 0x75, 14, lock)
    assert KerongWire(CU48).pack(0, request.body(), 1) == bytes.fromhex(text)


@pytest.mark.parametrize(
    ("variant", "text", "frame"),
    [
        (CU16, "02 00 35 FB FF 01 01 03 36", Frame(0, None, b"\x00\x35\xfb\xff\x01\x01")),
        (CU16, "02 20 35 FF FF 00 00 03 58", Frame(2, None, b"\x00\x35\xff\xff\x00\x00")),
        (CU16, "02 00 38 00 32 03 6F", Frame(0, None, b"\x00\x38\x00\x32")),
        (
            CU48,
            "02 00 00 75 FF FF FF FF FF FF 00 00 00 00 00 00 03 74",
            Frame(0, None, b"\x00\x75" + b"\xff" * 6 + bytes(6)),
        ),
    ],
)
def test_what_kerong_boards_say(variant, text, frame):
    assert told(variant, text) == frame


def test_a_kerong_order_s_answer_could_be_taken_for_a_state_and_is_known_for_it():
    state = kerong.Request(0, 0x30, 0x35, 6)
    order = kerong.Request(0, 0x31, 0x35, 6, lock=7)
    assert state.kind == order.kind
    assert state.judge(told(CU16, "02 00 35 7F FF 00 00 03 B8").body) is Verdict.ANSWER
    assert state.judge(told(CU16, "02 00 38 00 32 03 6F").body) is Verdict.OTHER_FUNCTION


def test_an_echo_before_a_kerong_answer_is_noise():
    wire = KerongWire(CU16)
    assert wire.feed(bytes.fromhex("02 00 30 03 35 02 00 35 FB FF 01 01 03 36"))
    assert wire.noise == 5


@pytest.mark.parametrize(
    ("board", "header", "lock", "text"),
    [
        (1, 0x8A, 1, "8A 01 01 11 9B"),
        (2, 0x8A, 1, "8A 02 01 11 98"),
        (1, 0x80, 0, "80 01 00 33 B2"),
        (2, 0x80, 0, "80 02 00 33 B1"),
    ],
)
def test_commands_to_an_xor_board(board, header, lock, text):
    request = xorboard.Request(board, header, lock)
    assert XorWire(0.025).pack(board, request.body(), 1) == bytes.fromhex(text)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("80 01 7F FF FB 33 C9", Verdict.ANSWER),
        ("80 01 00 00 00 33 B2", Verdict.ANSWER),
        ("80 01 00 33 B2", Verdict.OTHER_ECHO),
    ],
)
def test_states_of_an_xor_board_are_ended_by_a_pause(text, verdict):
    wire = XorWire(0.025)
    assert wire.pause_s is None
    assert wire.feed(bytes.fromhex(text)) == []
    assert wire.pause_s == 0.025
    (frame,) = wire.pause()
    assert xorboard.Request(1, 0x80).judge(frame.body) is verdict


def test_a_state_of_the_usual_length_needs_no_pause_but_one_is_not_ended_too_soon():
    wire = XorWire(0.025)
    wire.feed(STATE_OF_24)
    wire.pause()
    assert len(wire.feed(STATE_OF_24)) == 1
    looks_ended = bytes.fromhex("80 01 00 33 B2 33 33")  # three groups: 00, 33, B2
    looks_ended = looks_ended[:6] + bytes([reduce(xor, looks_ended[:6])])
    other = XorWire(0.025)
    assert other.feed(looks_ended[:5]) == []
    assert other.feed(looks_ended[5:]) == []
    (frame,) = other.pause()
    assert frame.body == bytes.fromhex("80 00 33 B2 33")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("8A 01 01 00 8A", Verdict.ANSWER),
        ("8A 01 01 11 9B", Verdict.ANSWER),  # judged; the panel takes it for no proof
        ("8A 01 02 00 89", Verdict.OTHER_ECHO),
    ],
)
def test_answers_to_an_opening(text, verdict):
    (frame,) = XorWire(0.025).feed(bytes.fromhex(text))
    assert xorboard.Request(1, 0x8A, 1).judge(frame.body) is verdict


@pytest.mark.parametrize("text", ["82 01 02 11 90", "82 01 02 00 81"])
def test_a_report_is_nobody_s_answer(text):
    (frame,) = XorWire(0.025).feed(bytes.fromhex(text))
    assert frame.unasked
    assert frame.station == 1


def wires():
    return [KerongWire(CU16), KerongWire(CU48), XorWire(0.025)]


@given(st.lists(st.binary(max_size=40), max_size=12))
def test_noise_raises_nothing_and_never_grows_a_buffer(chunks):
    for wire in wires():
        for chunk in chunks:
            wire.feed(chunk)
            assert len(wire._held) <= 18
        wire.pause()
        wire.clear()
        assert not wire._held


@given(st.lists(st.integers(1, 5), min_size=5, max_size=20))
def test_any_chopping_gives_the_same_frames(sizes):
    stream = bytes.fromhex("02 00 35 FB FF 01 01 03 36 FF 02 00 38 00 32 03 6F 02 20 35")
    stream += bytes.fromhex("FF FF 00 00 03 58")
    whole = KerongWire(CU16).feed(stream)
    wire, frames, at = KerongWire(CU16), [], 0
    for size in [*sizes, len(stream)]:
        frames += wire.feed(stream[at : at + size])
        at += size
    assert frames == whole
    assert [frame.station for frame in whole] == [0, 0, 2]
