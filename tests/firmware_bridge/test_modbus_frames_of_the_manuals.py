"""Literal frames from the manuals, both ways."""

import pytest

from firmware_bridge import modbus
from firmware_bridge.exchange import Verdict
from firmware_bridge.licence_machine import command_words

SLOT_7 = command_words(0x0029, 1, 7, 0)
JOB_70000 = command_words(0x002C, 2, 70000 >> 16, 70000 & 0xFFFF)

EXCHANGES = {
    "read 32 relays": (
        modbus.read(1, 1, 0x0000, 32),
        "01 01 00 00 00 20 3D D2",
        "01 01 04 01 02 00 00 5B ED",
    ),
    "all relays off": (
        modbus.write(1, 5, 0x00FF, 0x0000),
        "01 05 00 FF 00 00 FD FA",
        "01 05 00 FF 00 00 FD FA",
    ),
    "flash relay 8 for 500 ms": (
        modbus.write(1, 5, 0x0207, 5),
        "01 05 02 07 00 05 BD B0",
        "01 05 02 07 00 05 BD B0",
    ),
    "flash relay 32 for 300 ms": (
        modbus.write(1, 5, 0x021F, 3),
        "01 05 02 1F 00 03 BD B5",
        "01 05 02 1F 00 03 BD B5",
    ),
    "read 8 inputs": (modbus.read(1, 2, 0, 8), "01 02 00 00 00 08 79 CC", "01 02 01 7F E0 68"),
    "read 32 inputs of unit 2": (
        modbus.read(2, 2, 0, 32),
        "02 02 00 00 00 20 79 E1",
        "02 02 04 7F FF FF FF E0 B6",
    ),
    "read 8 control modes": (
        modbus.read(1, 3, 0x1000, 8),
        "01 03 10 00 00 08 40 CC",
        "01 03 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 E4 59",
    ),
    "set output 1 to normal": (
        modbus.write(1, 6, 0x1000, 0),
        "01 06 10 00 00 00 8D 0A",
        "01 06 10 00 00 00 8D 0A",
    ),
    "version": (modbus.read(1, 3, 0x8000, 1), "01 03 80 00 00 01 AD CA", "01 03 02 00 C8 B9 D2"),
    "present slot 7": (
        modbus.write_registers(1, 0x0100, SLOT_7),
        "01 10 01 00 00 06 0C 00 29 00 01 00 07 00 00 00 00 5A 8A 1E 4C",
        "01 10 01 00 00 06 41 F7",
    ),
    "print job 70000": (
        modbus.write_registers(1, 0x0100, JOB_70000),
        "01 10 01 00 00 06 0C 00 2C 00 02 00 01 11 70 00 00 4B FA 32 4E",
        "01 10 01 00 00 06 41 F7",
    ),
    "take time 90 s": (
        modbus.write(1, 6, 0x0120, 90),
        "01 06 01 20 00 5A 09 C7",
        "01 06 01 20 00 5A 09 C7",
    ),
    "sign of life": (
        modbus.write(1, 6, 0x0122, 0x1234),
        "01 06 01 22 12 34 25 4B",
        "01 06 01 22 12 34 25 4B",
    ),
    "command state": (
        modbus.read(1, 4, 0x000C, 6),
        "01 04 00 0C 00 06 B0 0B",
        "01 04 0C 00 29 00 01 00 07 00 00 00 01 00 00 3A 7B",
    ),
}
REFUSALS = {
    "flash with a bad channel": (modbus.write(1, 5, 0x0220, 5), "01 85 02 C3 51", 2),
    "coil with a bad value": (modbus.write(1, 5, 0x0000, 0x1234), "01 85 03 02 91", 3),
    "board busy": (modbus.write(1, 6, 0x0010, 4), "01 86 06 C2 62", 6),
    "machine busy": (modbus.write_registers(1, 0x0100, SLOT_7), "01 90 06 CC 02", 6),
}


def frames(text: str) -> list[bytes]:
    return [frame.body for frame in modbus.RtuWire().feed(bytes.fromhex(text))]


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_request_is_the_manual_s_bytes(name):
    request, sent, _ = EXCHANGES[name]
    packed = modbus.RtuWire().pack(request.station, request.body(), 1)
    assert packed == bytes.fromhex(sent)


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_manual_s_answer_is_an_answer_and_to_nothing_else(name):
    request, _, answer = EXCHANGES[name]
    (body,) = frames(answer)
    assert len(body) == request.reply_bytes
    assert request.judge(body) is Verdict.ANSWER
    for other, (asked, _, its_answer) in EXCHANGES.items():
        if its_answer != answer:
            twins = asked.judge(body) is Verdict.ANSWER
            assert not twins or asked.function == request.function <= 4, other


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_known_with_its_code(name):
    request, answer, code = REFUSALS[name]
    (body,) = frames(answer)
    assert request.judge(body) is Verdict.REFUSAL
    assert modbus.exception_code(body) == code


def test_bits_and_words_are_read_in_the_wire_s_order():
    (body,) = frames("01 01 04 01 02 00 00 5B ED")
    assert [n for n, on in enumerate(modbus.bits_of(body, 32), start=1) if on] == [1, 10]
    (body,) = frames("01 04 0C 00 29 00 01 00 07 00 00 00 01 00 00 3A 7B")
    assert modbus.words_of(body) == (0x29, 1, 7, 0, 1, 0)


def test_the_same_frame_over_tcp_carries_number_and_length():
    request = modbus.write_registers(1, 0x0100, SLOT_7)
    wire = modbus.TcpWire()
    assert wire.pack(1, request.body(), 0x0102) == bytes.fromhex(
        "01 02 00 00 00 13 01 10 01 00 00 06 0C 00 29 00 01 00 07 00 00 00 00 5A 8A"
    )
    (frame,) = wire.feed(bytes.fromhex("01 02 00 00 00 06 01 10 01 00 00 06"))
    assert (frame.station, frame.number) == (1, 0x0102)
    assert request.judge(frame.body) is Verdict.ANSWER


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("02 04 7F FF FF FF", Verdict.ANSWER),
        ("02 03 7F FF FF", Verdict.OTHER_LENGTH),
        ("02 05 7F FF FF FF", Verdict.OTHER_LENGTH),
        ("01 04 7F FF FF FF", Verdict.OTHER_FUNCTION),
        ("02 00 00 00 20", Verdict.OTHER_LENGTH),
        ("", Verdict.OTHER_FUNCTION),
        ("82", Verdict.OTHER_FUNCTION),
        ("81 02", Verdict.OTHER_FUNCTION),
    ],
)
def test_what_is_not_the_answer_to_a_read_of_32_inputs(answer, verdict):
    assert modbus.read(2, 2, 0, 32).judge(bytes.fromhex(answer)) is verdict


@pytest.mark.parametrize(
    "echo", ["05 02 06 00 05", "05 02 07 00 04", "05 02 07 FF 00", "05 02 07 00 00"]
)
def test_an_echo_with_another_door_or_time_confirms_nothing(echo):
    flash = modbus.write(1, 5, 0x0207, 5)
    assert flash.judge(bytes.fromhex(echo)) is Verdict.OTHER_ECHO
