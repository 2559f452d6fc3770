"""Modbus as a device sees it, from the standard: checksum, exceptions, bits and words."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from struct import pack
from typing import Final, Protocol

NO_FUNCTION: Final = 1
NO_ADDRESS: Final = 2
BAD_VALUE: Final = 3
BUSY: Final = 6
NO_PATH: Final = 0x0A  # told by a gateway
TARGET_SILENT: Final = 0x0B

READ_COILS: Final = 0x01
READ_INPUTS: Final = 0x02
READ_HOLDING: Final = 0x03
READ_INPUT_REGISTERS: Final = 0x04
WRITE_COIL: Final = 0x05
WRITE_REGISTER: Final = 0x06
WRITE_COILS: Final = 0x0F
WRITE_REGISTERS: Final = 0x10
IDENTIFY: Final = 0x2B

BITS_MAX: Final = 2000
WORDS_MAX: Final = 125
COILS_WRITTEN_MAX: Final = 1968
WORDS_WRITTEN_MAX: Final = 123
ADDRESSES: Final = 0x10000

ADDRESS_AND_VALUE: Final = 5  # bytes of a PDU: function, address, value or count
SHORTEST_FRAME: Final = 4
LONGEST_FRAME: Final = 256
KEPT: Final = 1024  # checksums: polls and their answers are mostly the same again


class Refusal(Exception):
    """A device answers with an exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Device(Protocol):
    """One unit on a wire."""

    @property
    def unit(self) -> int: ...

    def hears(self, baud: int, usual: int) -> bool:
        """Whether it listens now, at this speed; `usual` is what it was set to when built."""
        ...

    def answer(self, pdu: bytes, *, broadcast: bool = False) -> bytes | None:
        """Do what the request says; None is silence."""
        ...


def _table() -> tuple[int, ...]:
    made = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
        made.append(value)
    return tuple(made)


_CRC_OF_BYTE: Final = _table()


@lru_cache(KEPT)
def crc16(octets: bytes) -> int:
    value = 0xFFFF
    for octet in octets:
        value = (value >> 8) ^ _CRC_OF_BYTE[(value ^ octet) & 0xFF]
    return value


def sealed(octets: bytes) -> bytes:
    """With its CRC behind it, low byte first."""
    return octets + crc16(octets).to_bytes(2, "little")


def whole(frame: bytes) -> bool:
    return (
        SHORTEST_FRAME <= len(frame) <= LONGEST_FRAME
        and crc16(frame[:-2]).to_bytes(2, "little") == frame[-2:]
    )


def request_length(start: bytes) -> int | None:
    """Bytes of the RTU request that begins like this, when they can be known yet."""
    function, size = start[1:2], start[6:7]
    if not function or function[0] in {WRITE_COILS, WRITE_REGISTERS}:
        return 9 + size[0] if size else None
    return 7 if function[0] == IDENTIFY else 8


def word(octets: bytes | bytearray, at: int) -> int:
    return int.from_bytes(octets[at : at + 2], "big")


def words(octets: bytes) -> list[int]:
    return [word(octets, at) for at in range(0, len(octets), 2)]


def packed_words(values: Iterable[int]) -> bytes:
    whole = tuple(values)
    return pack(f">{len(whole)}H", *whole)


def packed_bits(bits: Sequence[bool]) -> bytes:
    """First bit lowest, the last byte filled up with 0."""
    value, mask = 0, 1
    for bit in bits:
        if bit:
            value |= mask
        mask <<= 1
    return value.to_bytes((len(bits) + 7) // 8, "little")


def refused(function: int, code: int) -> bytes:
    return bytes([function | 0x80, code])


def unknown_function(_: bytes) -> bytes:
    raise Refusal(NO_FUNCTION)


def asked(pdu: bytes, most: int) -> tuple[int, int]:
    """Start and count of a read, or the exception that its count deserves."""
    if len(pdu) != ADDRESS_AND_VALUE or not 1 <= word(pdu, 3) <= most:
        raise Refusal(BAD_VALUE)
    return word(pdu, 1), word(pdu, 3)


def written(pdu: bytes) -> tuple[int, int]:
    """Address and value of a single write."""
    if len(pdu) != ADDRESS_AND_VALUE:
        raise Refusal(BAD_VALUE)
    return word(pdu, 1), word(pdu, 3)


def written_many(pdu: bytes, most: int, bits_each: int) -> tuple[int, int, bytes]:
    """Start, count and content of a write of many, whose byte count fits."""
    if len(pdu) <= ADDRESS_AND_VALUE:
        raise Refusal(BAD_VALUE)
    count, size = word(pdu, 3), pdu[5]
    if not 1 <= count <= most or size != (count * bits_each + 7) // 8 or len(pdu) != 6 + size:
        raise Refusal(BAD_VALUE)
    return word(pdu, 1), count, pdu[6:]
