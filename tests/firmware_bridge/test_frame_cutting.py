"""Frames are cut right however the bytes arrive, and noise costs nothing but itself."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import modbus
from firmware_bridge.exchange import Frame, OutOfStep
from tests.firmware_bridge.cabinet_by_the_book import crc

units = st.integers(1, 247)
reads = st.tuples(st.sampled_from([1, 2, 3, 4]), st.binary(min_size=1, max_size=125)).map(
    lambda read: bytes([read[0], 2 * len(read[1])]) + 2 * read[1]
)
echoes = st.tuples(st.sampled_from([5, 6, 15, 16]), st.binary(min_size=4, max_size=4)).map(
    lambda echo: bytes([echo[0]]) + echo[1]
)
refusals = st.tuples(st.sampled_from([1, 2, 3, 4, 5, 6, 15, 16]), st.integers(1, 11)).map(
    lambda refusal: bytes([refusal[0] | 0x80, refusal[1]])
)
bodies = st.one_of(reads, echoes, refusals)


def chop(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def feed(wire, chunks):
    return [frame for chunk in chunks for frame in wire.feed(chunk)]


@given(st.lists(st.tuples(units, bodies), max_size=6), st.data())
def test_rtu_frames_survive_any_chopping(sent, data):
    stream = b"".join(crc(bytes([unit]) + body) for unit, body in sent)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    heard = feed(modbus.RtuWire(), chop(stream, cuts))
    assert heard == [Frame(unit, None, body) for unit, body in sent]


@given(st.lists(st.tuples(units, st.integers(1, 65535), bodies), max_size=6), st.data())
def test_tcp_frames_survive_any_chopping(sent, data):
    stream = b"".join(
        number.to_bytes(2, "big") + bytes([0, 0, 0, len(body) + 1, unit]) + body
        for unit, number, body in sent
        if len(body) < 254
    )
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    heard = feed(modbus.TcpWire(), chop(stream, cuts))
    assert heard == [Frame(*each) for each in sent if len(each[2]) < 254]


@given(st.binary(max_size=4096), st.data())
def test_noise_never_grows_a_buffer_and_any_chopping_hears_the_same(noise, data):
    cuts = data.draw(st.lists(st.integers(0, len(noise)), max_size=12))
    whole, pieces = modbus.RtuWire(), modbus.RtuWire()
    assert feed(whole, [noise]) == feed(pieces, chop(noise, cuts))
    assert len(whole._held) <= modbus.RTU_BYTES_MAX
    assert whole._held == pieces._held


@given(st.binary(max_size=600))
def test_a_tcp_stream_is_framed_or_given_up_and_bounded(noise):
    wire = modbus.TcpWire()
    try:
        wire.feed(noise)
    except OutOfStep:
        return
    assert len(wire._held) < modbus.MBAP_BYTES + modbus.MBAP_LENGTH.stop


@pytest.mark.parametrize(
    "header", ["00 01 00 01 00 06 01", "00 01 00 00 00 01 01", "00 01 00 00 00 FF 01"]
)
def test_a_tcp_header_that_cannot_be_ends_the_connection(header):
    with pytest.raises(OutOfStep):
        modbus.TcpWire().feed(bytes.fromhex(header))


@pytest.mark.parametrize("noise", ["00", "FF", "FF 00 FF", "01 81", "7E 00 08"])
def test_a_frame_behind_noise_is_found(noise):
    wire = modbus.RtuWire()
    answer = crc(bytes.fromhex("02 02 04 7F FF FF FF"))
    (frame,) = wire.feed(bytes.fromhex(noise) + answer)
    assert frame == Frame(2, None, answer[1:-2])
    assert wire.noise == len(bytes.fromhex(noise))


@given(bodies, st.integers(0, 7), st.data())
def test_a_flipped_bit_is_never_a_frame_of_that_unit(body, bit, data):
    frame = bytearray(crc(b"\x07" + body))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << bit
    assert Frame(7, None, body) not in modbus.RtuWire().feed(bytes(frame))
