"""Modbus in words: requests, what counts as their answer, and frames cut from any stream.

pymodbus knows the protocol (checksum, lengths, PDU classes); what is added here is what a master
of doors must not leave out: an answer counts only when unit, function, length and echo match.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Final

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from firmware_bridge.exchange import CutByLength, Frame, OutOfStep, Verdict

READ_COILS, READ_INPUTS, READ_HOLDING, READ_WORDS = 1, 2, 3, 4
WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS = 5, 6, 16
BIT_READS: Final = (READ_COILS, READ_INPUTS)
WORD_READS: Final = (READ_HOLDING, READ_WORDS)
PDUS: Final[dict[int, type[ModbusPDU]]] = {
    READ_COILS: ReadCoilsRequest,
    READ_INPUTS: ReadDiscreteInputsRequest,
    READ_HOLDING: ReadHoldingRegistersRequest,
    READ_WORDS: ReadInputRegistersRequest,
    WRITE_REGISTER: WriteSingleRegisterRequest,
    WRITE_REGISTERS: WriteMultipleRegistersRequest,
}
FUNCTIONS: Final = frozenset({*PDUS, WRITE_COIL, 15})  # whose answers' length is known

RTU_BYTES_MIN: Final = 5  # a refusal: unit, function, code, checksum
RTU_BYTES_MAX: Final = 256  # Serial Line V1.02, 2.5.1
WORDS_MAX: Final = 125  # of one read
BITS_OF_BYTE: Final = [tuple(bool(byte >> n & 1) for n in range(8)) for byte in range(256)]
KEPT: Final = 1_024  # requests as bytes: polls ask the same again, and sealing them takes time
MBAP: Final = struct.Struct(">HHHB")  # number, protocol, length, unit
MBAP_BYTES: Final = 6  # up to and with the length field
MBAP_LENGTH: Final = range(2, 255)  # unit, function and at most 252 more

ILLEGAL: Final = frozenset({1, 2, 3})  # function, address, value: the profile does not fit
FAILED: Final = 4
BUSY: Final = frozenset({5, 6})
GATEWAY: Final = frozenset({0x0A, 0x0B})  # the gateway is well, the unit behind it is silent
SAYINGS: Final = {
    1: "does not know this function",
    2: "has no such address",
    3: "does not take this value",
    4: "failed while executing",
    5: "is still working on it",
    6: "is busy",
    0x0A: "cannot be reached through the gateway",
    0x0B: "does not answer the gateway",
}


class PulseCoil(ModbusPDU):
    """FC05 with any value: boards pulse a relay for a time that is given in it.

    pymodbus' own answer class keeps only whether the value was zero, so its echo proves nothing.
    """

    function_code = WRITE_COIL
    rtu_frame_size = 8

    def __init__(self, address: int = 0, value: int = 0) -> None:
        super().__init__(address=address)
        self.value = value

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.value)

    def decode(self, data: bytes) -> None:
        self.address, self.value = struct.unpack(">HH", data[:4])


def make_decoder() -> DecodePDU:
    """Return pymodbus' decoder of answers, with our FC05 in place of its own."""
    decoder = DecodePDU(is_server=False)
    decoder.register(PulseCoil)
    return decoder


DECODER: Final = make_decoder()
RTU: Final = FramerRTU(DECODER)


@dataclass(frozen=True, slots=True)
class Request:
    """One question or one order, and what its answer must look like."""

    station: int
    function: int
    address: int
    count: int = 1
    values: tuple[int, ...] = ()  # of a write
    # How long the right answer's body is, function code included.
    reply_bytes: int = field(init=False, repr=False, compare=False)
    # Function and answer's length: one with another byte count cannot be mistaken.
    kind: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        reply_bytes = 5
        if self.function in BIT_READS:
            reply_bytes = 2 + (self.count + 7) // 8
        elif self.function in WORD_READS:
            reply_bytes = 2 + 2 * self.count
        object.__setattr__(self, "reply_bytes", reply_bytes)
        object.__setattr__(self, "kind", self.function << 8 | reply_bytes)

    def body(self) -> bytes:
        return _body(self)

    def pdu(self) -> ModbusPDU:
        if self.function == WRITE_COIL:
            return PulseCoil(self.address, self.values[0])
        asked = PDUS[self.function]
        return asked(address=self.address, count=self.count, registers=self.values)

    def judge(self, body: bytes) -> Verdict:
        """Say whether this can be the answer, by function, length and echo."""
        if len(body) == 2 and body[0] == self.function | 0x80:  # noqa: PLR2004 - code and nothing else
            return Verdict.SILENT_BEHIND if body[1] in GATEWAY else Verdict.REFUSAL
        if not body or body[0] != self.function:
            return Verdict.OTHER_FUNCTION
        if len(body) != self.reply_bytes:
            return Verdict.OTHER_LENGTH
        if self.function in BIT_READS + WORD_READS:
            right = body[1] == len(body) - 2
            return Verdict.ANSWER if right else Verdict.OTHER_LENGTH
        return Verdict.ANSWER if self._echoes(decoded(body)) else Verdict.OTHER_ECHO

    def _echoes(self, pdu: ModbusPDU) -> bool:
        if pdu.address != self.address:
            return False
        if isinstance(pdu, PulseCoil):
            return pdu.value == self.values[0]
        if self.function == WRITE_REGISTER:
            return tuple(pdu.registers) == self.values
        return pdu.count == self.count


@lru_cache(KEPT)
def _body(request: Request) -> bytes:
    return bytes([request.function]) + request.pdu().encode()


@lru_cache(KEPT)
def _rtu_frame(station: int, body: bytes) -> bytes:
    return RTU.encode(body, station, 0)


@lru_cache(KEPT)
def read(station: int, function: int, address: int, count: int) -> Request:
    assert function in BIT_READS + WORD_READS, function
    return Request(station, function, address, count)


def write(station: int, function: int, address: int, value: int) -> Request:
    assert function in (WRITE_COIL, WRITE_REGISTER), function
    return Request(station, function, address, values=(value,))


def write_registers(station: int, address: int, values: Sequence[int]) -> Request:
    return Request(station, WRITE_REGISTERS, address, len(values), tuple(values))


def decoded(body: bytes) -> ModbusPDU:
    """Return the words of a frame whose length was judged right."""
    pdu = DECODER.decode(body)
    assert pdu is not None, f"judged before it was decoded: {body.hex(' ')}"
    return pdu


def exception_code(body: bytes) -> int:
    """Return the code of a refusal."""
    return decoded(body).exception_code


@lru_cache(KEPT)
def bits_of(body: bytes, count: int) -> tuple[bool, ...]:
    """Return the bits of an answer that was judged right."""
    return tuple(chain.from_iterable(map(BITS_OF_BYTE.__getitem__, body[2:])))[:count]


def words_of(body: bytes) -> tuple[int, ...]:
    """Return the words of an answer that was judged right."""
    return struct.unpack(f">{body[1] // 2}H", body[2:])


@lru_cache(KEPT)
def _size_of_frame(head: bytes) -> int:
    """How long the frame is that begins like this; 0 when none can."""
    if head[1] & 0x7F not in FUNCTIONS:
        return 0
    found = DECODER.lookupPduClass(head)
    size = found.calculateRtuFrameSize(head) if found else 0
    return size if RTU_BYTES_MIN <= size <= RTU_BYTES_MAX else 0


@lru_cache(KEPT)
def _whole(frame: bytes) -> bool:
    return FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))


class RtuWire(CutByLength):
    """Frames without a number: cut by their own length, checked by their checksum."""

    numbered = False
    overhead_bytes = 3  # unit and checksum

    def __init__(self) -> None:
        self._held = bytearray()
        self._size = RTU_BYTES_MIN  # of the frame that is coming in, as far as it is known
        self.noise = 0  # bytes that belonged to no frame, since `clear`

    @property
    def wanted(self) -> int:
        return self._size - len(self._held)

    def pack(self, station: int, body: bytes, _number: int) -> bytes:
        return _rtu_frame(station, body)

    def clear(self) -> None:
        self._held.clear()
        self._size = RTU_BYTES_MIN
        self.noise = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that are whole now; any chopping of the stream gives the same."""
        self._held += chunk
        frames = []
        while len(self._held) >= self._size:
            if (size := _size_of_frame(bytes(self._held[:RTU_BYTES_MIN]))) > len(self._held):
                self._size = size
                break
            self._size = RTU_BYTES_MIN
            if not size or not _whole(bytes(self._held[:size])):
                del self._held[0]
                self.noise += 1
                continue
            frames.append(Frame(self._held[0], None, bytes(self._held[1 : size - 2])))
            del self._held[:size]
        return frames


class TcpWire(CutByLength):
    """Frames with a transaction number and a length; a stream out of step cannot be mended."""

    numbered = True
    overhead_bytes = MBAP_BYTES + 1
    noise = 0

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def wanted(self) -> int:
        if len(self._held) < MBAP_BYTES:
            return MBAP_BYTES - len(self._held)
        return MBAP_BYTES + int.from_bytes(self._held[4:6], "big") - len(self._held)

    def pack(self, station: int, body: bytes, number: int) -> bytes:
        return MBAP.pack(number, 0, 1 + len(body), station) + body

    def clear(self) -> None:
        """A number tells answers apart, and half a late one must stay to keep step."""

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that are whole now; OutOfStep when this cannot be Modbus TCP."""
        self._held += chunk
        frames = []
        while len(self._held) >= MBAP_BYTES:
            length = int.from_bytes(self._held[4:6], "big")
            if self._held[2:4] != b"\x00\x00" or length not in MBAP_LENGTH:
                raise OutOfStep(
                    f"{bytes(self._held[:MBAP_BYTES]).hex(' ')} is no Modbus TCP header"
                )
            size = MBAP_BYTES + length
            if len(self._held) < size:
                break
            number = int.from_bytes(self._held[:2], "big")
            station, body = self._held[MBAP_BYTES], bytes(self._held[MBAP_BYTES + 1 : size])
            frames.append(Frame(station, number, body))
            del self._held[:size]
        return frames
