"""Readers of Chinese ID cards: find, select, read. Name and number go on, all else is dropped.

Answers do not say what they answer, so all are of one kind for the Bus. Nothing here is logged.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from controller.faults import BadReply, NoReply, NotConfigured
from controller.ports import Clock, IdCard
from firmware_bridge.bus import Bus
from firmware_bridge.exchange import CutByLength, Frame, Verdict, Wire
from firmware_bridge.panel import Dialect
from firmware_bridge.timing import SERIAL_REST_S, Timing
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import DeviceUrl

PREAMBLE: Final = bytes.fromhex("AA AA AA 96 69")
HEAD_BYTES: Final = 7  # preamble and length
LENGTHS: Final = range(4, 2_401)  # status and check at least; more than the longest is noise
GAP_S: Final = 0.02
REPLY_S: Final = 1.0  # find answers within 300 ms, select within 100
READ_S: Final = 3.0  # 1.5 s and more
FIND_EVERY_S: Final = 0.3  # a person lays a card down for a second
FAILED_MAX: Final = 3  # then another way to prove who one is, is quicker
MISSED_MAX: Final = 3

FIND, SELECT, READ = b"\x20\x01", b"\x20\x02", b"\x30\x01"
FOUND: Final = frozenset({0x9F, 0x90})  # some readers say 90 here
DONE, NONE_THERE = 0x90, 0x80
SERVICE: Final = {0x60: "its self-test failed", 0x66: "its module is not authorised"}
READ_BODY_BYTES: Final = 3 + 4 + 256 + 1024  # status, lengths, text, photo
TEXT_AT, TEXT_BYTES = 7, 256


@dataclass(frozen=True, slots=True)
class Span:
    """A field of the text block: UTF-16 little endian, padded with spaces."""

    at: int
    size: int

    def of(self, text: bytes) -> str:
        return text[self.at : self.at + self.size].decode("utf-16-le").strip(" \x00")


NAME, BIRTH, NUMBER = Span(0, 30), Span(36, 16), Span(122, 36)
FOREIGN_NAME, FOREIGN_NUMBER, TYPE = Span(0, 120), Span(122, 30), Span(248, 2)
FOREIGN: Final = "I"
RESIDENT_CHARS: Final = 18
FOREIGN_CHARS: Final = 15


@dataclass(frozen=True, slots=True)
class Request:
    """One command."""

    command: bytes
    reply_bytes: int
    station: int = 0
    kind: int = 0

    def body(self) -> bytes:
        return self.command

    def judge(self, body: bytes) -> Verdict:
        """A status alone may answer anything; content only what it was asked for."""
        short = len(body) == STATUS_BYTES
        return Verdict.ANSWER if short or len(body) == self.reply_bytes else Verdict.OTHER_LENGTH


STATUS_BYTES: Final = 3
FIND_CARD: Final = Request(FIND, 7)
SELECT_CARD: Final = Request(SELECT, 11)
READ_CARD: Final = Request(READ, READ_BODY_BYTES)


class CardWire(CutByLength):
    """Frames begin with five bytes that are looked for, and tell their own length."""

    numbered = False
    overhead_bytes = HEAD_BYTES + 1

    def __init__(self) -> None:
        self._held = bytearray()
        self.noise = 0

    @property
    def wanted(self) -> int:
        if len(self._held) < HEAD_BYTES:
            return HEAD_BYTES - len(self._held)
        return max(1, HEAD_BYTES + self._length - len(self._held))

    @property
    def _length(self) -> int:
        return int.from_bytes(self._held[len(PREAMBLE) : HEAD_BYTES], "big")

    def pack(self, _station: int, body: bytes, _number: int) -> bytes:
        counted = (len(body) + 1).to_bytes(2, "big") + body
        return PREAMBLE + counted + bytes([reduce(xor, counted)])

    def clear(self) -> None:
        self._drop(len(self._held))
        self.noise = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        self._held += chunk
        frames = []
        while self._begins_a_frame() and len(self._held) >= HEAD_BYTES:
            if self._length not in LENGTHS:
                self._slip()
                continue
            size = HEAD_BYTES + self._length
            if len(self._held) < size:
                break
            if reduce(xor, self._held[len(PREAMBLE) : size]):
                self._slip()
                continue
            frames.append(Frame(0, None, bytes(self._held[HEAD_BYTES : size - 1])))
            self._drop(size)
        return frames

    def _begins_a_frame(self) -> bool:
        """What is held begins as a frame does; what came before that is dropped."""
        while self._held and not PREAMBLE.startswith(self._held[: len(PREAMBLE)]):
            self._slip()
        return bool(self._held)

    def _slip(self) -> None:
        self._drop(1)
        self.noise += 1

    def _drop(self, size: int) -> None:
        self._held[:size] = bytes(size)  # no part of a card stays behind
        del self._held[:size]


def card_of(text: bytes) -> IdCard | None:
    """Return whom the text block names; None where number, check digit or birth do not fit."""
    try:
        if TYPE.of(text) == FOREIGN:
            name, number = FOREIGN_NAME.of(text), FOREIGN_NUMBER.of(text)
            right = len(number) == FOREIGN_CHARS and number.isascii() and number.isalnum()
        else:
            name, number = NAME.of(text), NUMBER.of(text)
            right = _is_resident(number) and number[6:14] == BIRTH.of(text)
    except (UnicodeDecodeError, ValidationError):
        return None
    return IdCard(name, number) if right and name else None


def _is_resident(number: str) -> bool:
    """Form, check digit and a day of birth.

    Not the place: whoever was first registered as a grown-up has the code of a district that may be
    younger than they are.
    """
    if len(number) != RESIDENT_CHARS or not (number.isascii() and number[:-1].isdigit()):
        return False
    return bool(ric.get_birth_date(number)) and ric.calc_check_digit(number) == number[-1]


class SamReader:
    """Fits IdCardReader."""

    def __init__(self, name: str, bus: Bus, clock: Clock, reply_s: float | None = None) -> None:
        self.name = name
        self._bus = bus
        self._clock = clock
        self._reply_s = reply_s

    async def cards(self) -> AsyncIterator[IdCard]:
        missed = failed = 0
        while True:
            try:
                card = await self._one_card()
            except (NoReply, BadReply) as fault:
                missed += 1
                if missed >= MISSED_MAX:
                    raise NoReply(self.name, f"{missed} questions missed: {fault.what}") from None
                continue
            missed = 0
            if isinstance(card, IdCard):
                failed = 0
                try:
                    yield card
                finally:
                    card.wipe()
            else:
                failed = failed + card
                if failed >= FAILED_MAX:
                    raise BadReply(self.name, f"{failed} cards in a row could not be read")
            await self._clock.sleep(FIND_EVERY_S)

    async def _one_card(self) -> IdCard | int:
        """Return a card that was read; else how many reads failed: 0 where no card lies there."""
        if (await self._ask(FIND_CARD, REPLY_S))[2] not in FOUND:
            return 0
        if (await self._ask(SELECT_CARD, REPLY_S))[2] != DONE:
            return 1
        body = await self._ask(READ_CARD, READ_S)
        if body[2] != DONE or len(body) != READ_BODY_BYTES:
            return 1
        return card_of(body[TEXT_AT : TEXT_AT + TEXT_BYTES]) or 1

    async def _ask(self, request: Request, reply_s: float) -> bytes:
        reply = await self._bus.ask(
            self.name, request, urgency=Urgency.LOOK, reply_s=self._reply_s or reply_s
        )
        if (why := SERVICE.get(reply.body[2])) is not None:
            raise NotConfigured(self.name, f"the card reader needs a service visit: {why}")
        return reply.body


def _timing(_url: DeviceUrl) -> Timing:
    return Timing(GAP_S, REPLY_S, SERIAL_REST_S)


def _wire(_url: DeviceUrl) -> Callable[[], Wire]:
    return CardWire


DIALECT: Final = Dialect(_timing, _wire)
