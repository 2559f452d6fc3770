"""The sheet of one board: each flaw is named where it is, and a good board has none."""

from contextlib import closing
from random import Random

import pytest

from controller.faults import LineDown
from firmware_bridge.board_sheet import Flaw, check_board, echoes
from firmware_bridge.open import Bridge
from firmware_bridge.urls import parse
from tests.firmware_bridge.cabinet_by_the_book import Cabinet, crc
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

LINE = "modbus+rtu:///dev/ttyUSB0?baud=19200&unit=1"
RELAYS = f"{LINE}&profile=waveshare-relay-32"
MIXED = f"{LINE}&profile=waveshare-relay-d-8"


def checked(far, url=RELAYS, profiles=None):
    plugs, told = Plugboard(far), []

    async def story():
        with closing(Bridge(loop_clock(), opener=plugs, user_profiles=profiles)) as bridge:
            row = bridge.lock_board(url, "A")
            parsed = parse(url)
            profile = bridge.profiles[parsed.profile].profile
            clock = loop_clock()
            return await check_board(row, profile, parsed, clock, reads=20, progress=told.append)

    sheet = play(story())
    assert told == list(range(1, 21))
    assert {frame[1] for frame in plugs.frames} <= {1, 2, 3, 4}, "only reads"
    return sheet


def flaws(sheet):
    return [(each.flaw, each.where) for each in sheet.findings]


def test_a_good_board_has_no_flaws_and_its_pace_is_told():
    sheet = checked(Cabinet())
    assert flaws(sheet) == []
    assert [each.station for each in sheet.stations] == [1, 2, 3]
    assert {each.replies for each in sheet.stations} == {20}
    assert all(0 < each.p50_s <= each.p99_s < 0.05 for each in sheet.stations)
    assert (sheet.doors, sheet.open_doors, sheet.pulse_s) == (32, (), 0.5)


def test_a_door_that_reads_open_is_named():
    sheet = checked(Cabinet(open_doors={5, 9}))
    assert flaws(sheet) == [(Flaw.OPEN, "door 5"), (Flaw.OPEN, "door 9")]
    assert sheet.open_doors == (5, 9)


def test_a_board_whose_doors_all_read_open_is_turned_round_as_a_whole():
    sheet = checked(Cabinet(), f"{RELAYS}&closed=0")
    assert flaws(sheet) == [(Flaw.OPEN, "all doors")]
    assert "closed=" in sheet.findings[0].what


def test_an_input_that_flips_is_not_called_open():
    cabinet = Cabinet()

    def humming(frame):
        if frame[:2] == b"\x02\x02":
            cabinet.open_doors ^= {4}
        return cabinet(frame)

    assert flaws(checked(humming)) == [(Flaw.FLIPPING, "door 4")]


def test_two_boards_on_one_address_spoil_the_answers_of_that_address_alone():
    cabinet, asked = Cabinet(), []

    def twins(frame):
        answers = cabinet(frame)
        if frame[0] != 2:
            return answers
        asked.append(frame)
        [(delay_s, answer)] = answers
        spoilt = answer[:4] + bytes([answer[4] & 0x0F]) + answer[5:]
        return [(delay_s, spoilt if len(asked) % 2 else answer)]

    assert flaws(checked(twins)) == [(Flaw.ADDRESS_TWICE, "unit 2")]


def test_a_bad_cable_is_not_taken_for_two_boards():
    cabinet, dice = Cabinet(), Random(1)

    def noisy(frame):
        [(delay_s, answer)] = cabinet(frame)
        return [(delay_s, answer[:3] + b"\x55" + answer[4:] if dice.random() < 0.3 else answer)]

    assert {flaw for flaw, _ in flaws(checked(noisy))} == {Flaw.NOISE}


def test_a_silent_unit_is_named():
    assert flaws(checked(Cabinet(silent={1}))) == [(Flaw.SILENT, "unit 1")]


def test_a_control_mode_that_lets_a_switch_fire_a_lock_is_named():
    sheet = checked(Cabinet(modes=[0, 0, 1, 0, 0, 0, 0, 0]), MIXED)
    assert flaws(sheet) == [(Flaw.SETTING, "unit 1")]
    assert "register 0x1002 reads 1, not 0: in this control mode" in sheet.findings[0].what
    assert "a door switch may fire a lock; write 0 to it" in sheet.findings[0].what


TIMED = """
[profile.timed]
doors = 8
pulse = { fc = 5, address = 0x0200, value = 0xFF00, board_ends = "its own timer, register 0x1001" }
door = { fc = 2 }
idle = { fc = 6, address = 0x1001, value = 5 }
modes = { address = 0x1000, count = 2, normal = 5, wrong = "pulses are of another length" }
"""


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([5, 0], []),
        ([0, 5], ["register 0x1000 reads 0, not 5: pulses are of another length; write 5 to it"]),
    ],
)
def test_a_register_that_the_driver_sets_at_start_is_told_apart(words, found, tmp_path):
    (tmp_path / "own.toml").write_text(TIMED)
    cabinet = Cabinet(doors=8, modes=words)
    sheet = checked(cabinet, f"{LINE}&profile=timed", tmp_path)
    assert [each.what for each in sheet.findings] == found
    assert len(sheet.set_by_us) == (words[1] != 5)
    assert all("register 0x1001 reads 0; it is set to 5" in each for each in sheet.set_by_us)


@pytest.mark.parametrize(
    ("far", "echo"),
    [
        (Cabinet(), False),
        (lambda _: [], False),
        (lambda frame: [(0.0, frame)], True),
        (lambda frame: [(0.0, frame), *Cabinet()(frame)], True),
        (lambda frame: [(0.001, frame[:3]), (0.002, frame[3:])], True),
        (lambda _: [(0.01, crc(bytes([1, 0x83, 2])))], False),
    ],
)
def test_an_adapter_that_echoes_is_found(far, echo):
    plugs = Plugboard(far)

    async def story():
        return await echoes(parse(RELAYS), loop_clock(), plugs)

    assert play(story()) is echo
    assert [line.closed for line in plugs.lines] == [True]


@pytest.mark.parametrize(
    ("url", "asked", "answer"),
    [
        ("kerong+serial:///dev/ttyUSB0?address=0", "02 00 30 03 35", "02 00 35 FB FF 01 01 03 36"),
        (
            "kerong+tcp://127.0.0.1?address=0&variant=cu48",
            "02 00 00 60 03 65",
            "02 00 00 75 FF FF FF FF FF FF 00 00 00 00 00 00 03 74",
        ),
        ("xorboard+serial:///dev/ttyUSB0?board=1", "80 01 01 33 B3", "80 01 01 00 80"),
        ("xorboard+tcp://127.0.0.1:1?board=1", "80 01 01 33 B3", "80 01 01 11 91"),
    ],
)
def test_an_echo_is_found_on_other_lines_too(url, asked, answer):
    asked, answer = bytes.fromhex(asked), bytes.fromhex(answer)

    def board(frame):
        assert frame == asked
        return [(0.03, answer)]

    def adapter(frame):
        return [(0.0, frame), *board(frame)]

    async def story(far):
        return await echoes(parse(url), loop_clock(), Plugboard(far))

    assert play(story(board)) is False
    assert play(story(adapter)) is True
    assert play(story(lambda _: [])) is False


def test_answers_with_numbers_are_no_echo_and_nothing_is_asked():
    plugs = Plugboard(lambda frame: [(0.0, frame)])

    async def story():
        url = "modbus+tcp://127.0.0.1?unit=1&profile=waveshare-relay-32"
        return await echoes(parse(url), loop_clock(), plugs)

    assert play(story()) is False
    assert plugs.lines == []


def test_a_line_that_is_not_there_is_said_before_anything_else():
    plugs = Plugboard(Cabinet())
    plugs.broken = True

    async def story():
        await echoes(parse(RELAYS), loop_clock(), plugs)

    with pytest.raises(LineDown, match="not there"):
        play(story())
