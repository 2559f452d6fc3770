"""A scanner reads, repeats and sends as it is set, and is set as its maker writes."""

import pytest

from simulator.devices.scanner import Scanner
from simulator.devices.scanner_setup import crc_ccitt

OK = "02 00 00 01 00 33 31"


class Set:
    """A scanner and the hand that moves its time."""

    def __init__(self, **more):
        self.scanner = Scanner("S1", 9600, **more)
        self.unasked = []
        self.scanner.outlet = self.unasked.extend

    def told(self, text):
        return self.scanner.hear(bytes.fromhex(text)).hex(" ").upper()

    def zone(self, address, *values):
        body = bytes([0x08, len(values), 0x00, address, *values])
        return self.told((b"\x7e\x00" + body + crc_ccitt(body)).hex())

    def held(self, text="OWL:1", **more):
        return b"".join(piece for _, piece in self.scanner.hold(text, **more))

    def later(self, seconds):
        self.scanner.timeline.advance(self.scanner.timeline.now + seconds)

    def said(self):
        said = b"".join(piece for _, piece in self.unasked)
        self.unasked.clear()
        return said


@pytest.mark.parametrize("mode", [0xD4, 0xD5])
def test_a_scanner_that_waits_for_its_trigger_sends_once(mode):
    each = Set()
    assert each.zone(0x00, mode) == OK
    assert each.held() == b""
    assert each.zone(0x02, 0x01) == OK
    assert each.said() == b"OWL:1\r"
    each.later(2.0)  # taken away
    each.zone(0x06, 0x1E)  # looks for three seconds
    each.zone(0x02, 0x01)
    each.later(1.0)
    assert each.held("OWL:2") == b"OWL:2\r"
    assert each.held("OWL:2") == b""
    each.zone(0x02, 0x01)
    assert each.said() == b"OWL:2\r"
    each.later(1.0)
    each.zone(0x02, 0x01)
    each.later(3.1)
    assert each.held("OWL:3") == b""


def test_gap_and_same_code_delay_space_what_is_repeated():
    each = Set()
    assert each.held(held_s=2.0) == b"OWL:1\r" * 4
    each.zone(0x05, 10)
    assert each.held(held_s=2.0) == b"OWL:1\r" * 2
    each.zone(0x05, 2)
    each.zone(0x13, 0x80 | 15)
    assert each.held(held_s=2.0) == b"OWL:1\r" * 2
    assert each.held(held_s=2.0, second="OWL:2") == b"OWL:1\rOWL:2\r" * 2


def test_a_scanner_that_is_a_keyboard_says_nothing_on_its_port():
    each = Set()
    each.zone(0x0D, 0x01)
    assert each.held() == b""
    each.zone(0x0D, 0x00)
    assert each.held()


def test_another_speed_makes_the_bytes_come_faster():
    each = Set()
    slow = each.scanner.hold("OWL:1", 0.4)[-1][0]
    each.zone(0x2A, 0x1A, 0x00)  # 115,200
    assert each.scanner.hold("OWL:1", 0.4)[-1][0] == pytest.approx(slow / 12, rel=0.02)


def test_what_was_not_saved_is_gone_after_a_power_cut_and_what_was_is_kept():
    each = Set()
    each.zone(0x05, 9)
    each.scanner.restart()
    assert each.told("7E 00 07 01 00 05 01 AB CD")[:14] == "02 00 00 01 05"
    each.zone(0x05, 9)
    assert each.told("7E 00 09 01 00 00 00 DE C8") == OK
    each.scanner.restart()
    other = Set()
    other.scanner.recall(each.scanner.kept())
    for one in (each, other):
        assert one.told("7E 00 07 01 00 05 01 AB CD")[:14] == "02 00 00 01 09"


@pytest.mark.parametrize(
    ("make", "asked", "answered"),
    [
        ("honeywell", "16 4D 0D 53 55 46 42 4B 32 30 44 2E", "53 55 46 42 4B 32 30 44 06"),
        ("honeywell", "16 4D 0D 53 55 21", "53 55 05"),
        ("honeywell", "16 4D 0D 53 55 46 42 4B 32 2D 21", "53 55 46 42 4B 32 2D 15"),
        (
            "newland",
            "7E 01 30 30 30 30 40 53 43 4E 4D 4F 44 30 3B 03",
            "02 01 30 30 30 30 40 53 43 4E 4D 4F 44 30 06 3B 03",
        ),
        ("newland", "7E 01 30 30 30 30 23 78 3B 03", "02 01 30 30 30 30 40 78 15 3B 03"),
        ("honeywell", "FF 00 16", ""),
    ],
)
def test_other_makes_answer_as_they_write(make, asked, answered):
    each = Set(make=make)
    assert each.told(asked) == answered
    whole = bytes.fromhex("00 " + asked)
    pieces = [Set(make=make)]
    got = b"".join(pieces[0].scanner.hear(whole[at : at + 1]) for at in range(len(whole)))
    assert got.hex(" ").upper() == answered


def test_a_menu_is_kept_or_only_until_the_power_is_off():
    each = Set(make="honeywell")
    each.told("16 4D 0D 41 41 41 41 41 41 31 2E")
    each.told("16 4D 0D 42 42 42 42 42 42 31 21")
    assert each.scanner.set_up.menu == {"AAAAAA": "1", "BBBBBB": "1"}
    each.scanner.restart()
    assert each.scanner.set_up.menu == {"AAAAAA": "1"}


def test_a_frame_pulls_the_trigger_of_a_honeywell():
    each = Set(make="honeywell")
    each.held(held_s=5.0)
    assert each.told("16 54 0D 16 55 0D") == ""
    assert each.said() == b"OWL:1\r"
