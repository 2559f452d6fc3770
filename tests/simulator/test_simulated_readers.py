"""Scanners and ID-card readers, against their makers' frames."""

from functools import reduce
from itertools import pairwise
from operator import xor
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.devices.card_reader import Card, CardReader, framed
from simulator.devices.scanner import Scanner, ScannerTrouble
from simulator.devices.scanner_setup import crc_ccitt

HEAD = "AA AA AA 96 69 "
FIND, SELECT, READ = (
    HEAD + each for each in ("00 03 20 01 22", "00 03 20 02 21", "00 03 30 01 32")
)
FOUND = HEAD + "00 08 00 00 9F 00 00 00 00 97"
NO_CARD = HEAD + "00 04 00 00 80 84"
SELECTED = HEAD + "00 0C 00 00 90 00 00 00 00 00 00 00 00 9C"
ZHANG = Card("张三", "11010519491231002X")


def reader():
    return CardReader("C1", Random(1), lambda: None)


def said(device, text):
    return b"".join(answer for _, answer in device.hear(bytes.fromhex(text))).hex(" ").upper()


# ------------------------------------------------------------------ cards


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("00 03 11 FF ED", "00 04 00 00 90 94"),
        ("00 03 10 FF EC", "00 04 00 00 90 94"),
        ("00 03 20 01 22", "00 04 00 00 80 84"),
        ("00 03 20 02 21", "00 04 00 00 81 85"),
        ("00 03 30 01 32", "00 04 00 00 41 45"),
        ("00 03 60 00 63", "00 04 00 00 90 94"),
        ("00 03 20 01 23", "00 04 00 00 10 14"),
        ("00 04 20 01 00 25", "00 04 00 00 11 15"),
        ("00 03 77 01 75", "00 04 00 00 21 25"),
    ],
)
def test_a_reader_without_a_card_answers_as_its_maker_writes(asked, answered):
    assert said(reader(), HEAD + asked) == HEAD + answered


def test_the_modules_number_has_sixteen_bytes():
    assert len(bytes.fromhex(said(reader(), HEAD + "00 03 12 FF EE"))) == 7 + 3 + 16 + 1


def test_find_select_read_in_that_order_and_once():
    device = reader()
    device.lay(ZHANG)
    assert said(device, FIND) == FOUND
    assert said(device, READ) == HEAD + "00 04 00 00 41 45"
    assert said(device, SELECT) == SELECTED
    good = bytes.fromhex(said(device, READ))
    assert len(good) == 1295
    assert good[:14].hex(" ").upper() == HEAD + "05 08 00 00 90 01 00 04 00"
    assert (reduce(xor, good[14 : 14 + 256]), good[-1]) == (0xC1, 0x59)
    assert said(device, FIND) == NO_CARD
    device.lay(ZHANG)
    assert said(device, FIND) == FOUND
    device.take()
    assert said(device, FIND) == NO_CARD
    assert device.state() == {"card": "away", "reads": 1, "hangs": False, "hung": 0}


def test_the_text_is_laid_out_as_on_the_card():
    text = ZHANG.text()
    assert len(text) == 256
    assert text[:8].hex(" ").upper() == "20 5F 09 4E 20 00 20 00"
    assert text[30:36].hex(" ").upper() == "32 00 30 00 31 00"
    assert text[36:52].decode("utf-16-le") == "19491231"
    assert text[52:122].decode("utf-16-le").rstrip() == "北京市朝阳区示例路1号"
    assert text[122:158].decode("utf-16-le") == "11010519491231002X"
    assert text[158:188].decode("utf-16-le").rstrip() == "北京市公安局朝阳分局"
    assert text[188:220].decode("utf-16-le") == "2020010120400101"
    assert text[220:] == b" \0" * 18


def test_a_reader_that_hangs_finds_cards_until_its_power_was_off():
    device = reader()
    device.lay(ZHANG)
    device.hangs = True
    assert said(device, FIND) == FOUND
    assert said(device, SELECT) == HEAD + "00 04 00 00 81 85"
    assert said(device, READ) == HEAD + "00 04 00 00 41 45"
    assert device.hung == 2
    device.restart()
    device.timeline.advance(0.9)
    assert said(device, FIND) == ""  # it starts
    device.timeline.advance(2.1)
    assert (said(device, SELECT), len(said(device, READ))) == (SELECTED, 1295 * 3 - 1)


def test_a_reader_takes_its_time():
    device = reader()
    device.lay(ZHANG)
    for asked, least, most in ((FIND, 0.05, 0.3), (SELECT, 0.1, 0.1), (READ, 0.3, 1.3)):
        [(after, _)] = device.hear(bytes.fromhex(asked))
        assert least <= after <= most


@given(noise=st.binary(max_size=200), cuts=st.lists(st.integers(0, 210), max_size=5))
def test_a_frame_is_found_behind_noise_in_any_pieces(noise, cuts):
    device = reader()
    stream = noise.replace(b"\xaa", b"") + bytes.fromhex(FIND)
    edges = sorted({0, *(cut for cut in cuts if cut < len(stream)), len(stream)})
    heard = [answer for a, b in pairwise(edges) for _, answer in device.hear(stream[a:b])]
    assert heard[-1] == framed(bytes([0, 0, 0x80]))


@given(st.lists(st.binary(max_size=400), max_size=8))
def test_noise_never_grows_what_a_reader_holds(chunks):
    device = reader()
    for chunk in chunks:
        device.hear(chunk)
    assert len(device._held) <= 2400 + 400 + 7


# ------------------------------------------------------------------ scanners


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("7E 00 07 01 00 0A 01 EE 8A", "02 00 00 01 3E E4 AC"),
        ("7E 00 08 01 00 02 01 02 DA", "02 00 00 01 00 33 31"),
        ("7E 00 08 01 00 02 01 AB CD", "02 00 00 01 00 33 31"),
        ("7E 00 08 01 00 00 D6 DF 22", "02 00 00 01 00 33 31"),
        ("7E 00 09 01 00 00 00 DE C8", "02 00 00 01 00 33 31"),
        ("7E 00 0A 01 00 00 00 30 1A", "03 00 00 01 00 33 31"),
        ("7E 00 07 01 00 2A 02 D8 0F", "02 00 00 02 39 01 C1 4C"),
        ("7E 00 08 02 00 2A 39 01 A7 EA", "02 00 00 01 00 33 31"),
        ("7E 00 07 01 00 E2 01 77 91", "02 00 00 01 69 CE BE"),
        ("7E 00 07 01 00 0A 01 EE 8B", ""),
        ("7E 00 0B 01 00 0A 01 AB CD", ""),
    ],
)
def test_a_scanner_is_set_up_by_its_makers_frames(asked, answered):
    assert Scanner("S1", 9600).hear(bytes.fromhex(asked)).hex(" ").upper() == answered


def test_what_is_written_is_read_back():
    scanner = Scanner("S1", 9600)
    scanner.hear(bytes.fromhex("7E 00 08 01 00 05 07 AB CD"))
    assert scanner.hear(bytes.fromhex("7E 00 07 01 00 05 01 AB CD"))[4:5] == b"\x07"


def test_the_checksum_of_set_up_frames():
    assert crc_ccitt(bytes.fromhex("07 01 00 0A 01")).hex() == "ee8a"


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_noise_never_grows_what_a_scanner_holds(chunks):
    scanner = Scanner("S1", 9600)
    for chunk in chunks:
        scanner.hear(chunk)
    assert len(scanner.set_up._held) <= 6 + 255 + 2


def text_of(pieces):
    return b"".join(piece for _, piece in pieces)


@pytest.mark.parametrize(
    ("suffix", "end"), [("cr", b"\r"), ("lf", b"\n"), ("crlf", b"\r\n"), ("none", b"")]
)
def test_a_code_ends_as_the_scanner_is_set(suffix, end):
    assert text_of(Scanner("S1", 9600, suffix=suffix).hold("OWL:1", 0.4)) == b"OWL:1" + end


def test_two_codes_in_view_come_in_turn():
    sent = text_of(Scanner("S1", 9600).hold("OWL:1", 2.0, "OWL:2"))
    assert sent == b"OWL:1\rOWL:2\r" * 2


def test_a_scanner_without_a_delay_goes_on_and_on():
    scanner = Scanner("S1", 9600)
    scanner.trouble = ScannerTrouble(repeat=True)
    sent = scanner.hold("OWL:1")
    assert text_of(sent) == b"OWL:1\r" * scanner.counted["scanner_repeat"]
    assert len(sent) == 125
    assert sent[-1][0] <= 10.1


def test_the_first_code_may_be_half_a_code():
    scanner = Scanner("S1", 9600)
    scanner.trouble = ScannerTrouble(half=True)
    assert text_of(scanner.hold("OWL:123", 0.8)) == b"123\r" + b"OWL:123\r"
    assert scanner.counted["scanner_half"] == 1


def test_noise_comes_at_plug_in_and_between_codes():
    scanner = Scanner("S1", 9600)
    said = []
    scanner.outlet = said.append
    scanner.set_trouble(ScannerTrouble())
    assert said == []
    scanner.set_trouble(ScannerTrouble(noise=True))
    assert text_of(said[0])
    assert text_of(scanner.hold("OWL:1", 0.8)).count(b"OWL:1\r") == 2
    assert scanner.counted["scanner_noise"] == 3
