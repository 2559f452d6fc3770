"""Good frames, spoilt in every way that a wire knows, for each parser of the bridge.

`FUZZ_CASES` says how many cases a parser has; a failing case is repeated by its seed and number.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from firmware_bridge.exchange import OutOfStep
from firmware_bridge.idcard import CardWire, card_of
from firmware_bridge.kerong import VARIANTS, KerongWire
from firmware_bridge.modbus import RtuWire, TcpWire
from firmware_bridge.profiles import BadProfile, parse_profiles
from firmware_bridge.scanner import CODE_BYTES_MAX, CodeCutter
from firmware_bridge.urls import EXAMPLES, BadUrl, parse
from firmware_bridge.xorboard import XorWire

SLOW_S = 0.050  # no case may hold the loop for longer
ID_CARD = bytes.fromhex("AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97")


@dataclass(frozen=True)
class Target:
    """A parser: what it is fed, how much it may hold, and what it must still understand."""

    name: str
    seeds: tuple[bytes, ...]
    survive: Callable[[list[bytes]], None]


def of_wire(name: str, new: Callable[[], Any], held_max: int, *seeds: str) -> Target:
    frames = tuple(bytes.fromhex(seed) for seed in seeds)

    def survive(chunks: list[bytes]) -> None:
        wire = new()
        try:
            for chunk in chunks:
                wire.feed(chunk)
                assert len(wire._held) <= held_max + len(chunk), "it grows"
                assert wire.wanted >= 1 or not wire._held
            wire.pause()
        except OutOfStep:
            wire = new()  # the connection is thrown away
        if wire.numbered:
            wire = new()
        wire.clear()
        assert wire.noise == 0
        good = wire.feed(frames[0]) + wire.pause()
        assert len(good) == 1, "the next good frame is not understood"

    return Target(name, frames, survive)


def _code(chunks: list[bytes]) -> None:
    cutter, at = CodeCutter(), 0.0
    for chunk in chunks:
        at += 0.001
        for code in cutter.feed(chunk, at):
            assert 0 < len(code) <= CODE_BYTES_MAX
            assert code.isascii()
            assert code.isprintable()
        assert len(cutter._held) <= CODE_BYTES_MAX
    assert cutter.feed(b"\rOW1:GOOD\r", at)[-1] == "OW1:GOOD"


def _card(chunks: list[bytes]) -> None:
    card_of(b"".join(chunks).ljust(256)[:256])


def _url(chunks: list[bytes]) -> None:
    try:
        parse(b"".join(chunks).decode("latin-1"))
    except BadUrl as refused:
        assert str(refused).isprintable()  # noqa: PT017


def _profile(chunks: list[bytes]) -> None:
    try:
        parse_profiles("mine.toml", b"".join(chunks).decode("latin-1"))
    except BadProfile:
        return


TARGETS = (
    of_wire(
        "modbus rtu",
        RtuWire,
        256,
        "02 02 04 7F FF FF FF E0 B6",
        "01 05 02 07 00 05 BD B0",
        "01 85 02 C3 51",
        "01 03 08 FF FB 00 FF 00 03 00 80 75 A8",
        "01 10 01 00 00 06 41 F7",
    ),
    of_wire(
        "modbus tcp",
        TcpWire,
        260,
        "00 07 00 00 00 07 02 02 04 7F FF FF FF",
        "01 02 00 00 00 06 01 10 01 00 00 06",
    ),
    of_wire(
        "kerong cu16",
        lambda: KerongWire(VARIANTS["cu16"]),
        9,
        "02 00 35 FB FF 01 01 03 36",
        "02 00 38 00 32 03 6F",
        "02 10 36 FF FF 00 00 03 49",
    ),
    of_wire(
        "kerong cu48",
        lambda: KerongWire(VARIANTS["cu48"]),
        18,
        "02 00 00 75 FF FF FF FF FF FF 00 00 00 00 00 00 03 74",
    ),
    of_wire(
        "xor board",
        lambda: XorWire(0.025),
        11,
        "80 01 7F FF FB 33 C9",
        "8A 01 01 00 8A",
        "82 01 02 11 90",
        "80 01 00 00 00 33 B2",
    ),
    of_wire(
        "id card",
        CardWire,
        2_407,
        ID_CARD.hex(),
        "AA AA AA 96 69 00 04 00 00 80 84",
        "AA AA AA 96 69 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C",
    ),
    Target("scanner", (b"OW1:FT-0001:0123456789ABCDEFGHJKMNPQRS\r", b"OWL:7\r\n"), _code),
    Target("id card text", ("张三".ljust(128).encode("utf-16-le"),), _card),
    Target("url", tuple(example.encode() for example in EXAMPLES.values()), _url),
    Target(
        "profile",
        (b'[profile.a]\ndoors = 8\npulse = { fc = 5, address = 512, value = "ms/100" }\n',),
        _profile,
    ),
)


def cases(target: Target, seed: int, number: int) -> Iterator[list[bytes]]:
    """Each a stream of spoilt frames in pieces."""
    for case in range(number):
        dice = Random(f"{target.name}/{seed}/{case}")
        stream = bytearray()
        for _ in range(dice.randint(1, 4)):
            stream += spoilt(bytearray(dice.choice(target.seeds)), dice)
        cuts = sorted(dice.randint(0, len(stream)) for _ in range(dice.randint(0, 5)))
        edges = [0, *cuts, len(stream)]
        yield [bytes(stream[a:b]) for a, b in pairwise(edges)]


def spoilt(frame: bytearray, dice: Random) -> bytearray:
    for _ in range(dice.randint(0, 3)):
        spot = dice.randrange(len(frame) + 1)
        match dice.randrange(6):
            case 0 if spot < len(frame):
                frame[spot] ^= 1 << dice.randrange(8)
            case 1:
                frame[spot:spot] = dice.randbytes(dice.randint(1, 8))
            case 2:
                del frame[spot : spot + dice.randint(1, 8)]
            case 3:
                frame += frame[:spot]
            case 4:
                frame[spot : spot + 2] = dice.choice((b"\x00\x00", b"\xff\xff", b"\x80\x7f"))
            case _:
                frame = bytearray(dice.randbytes(dice.randint(0, 40)))
    return frame


def survive_all(target: Target, seed: int, number: int) -> float:
    """Return how long the slowest case took, whatever else the machine did."""
    slowest = 0.0
    for case, chunks in enumerate(cases(target, seed, number)):
        began = time.thread_time()
        try:
            target.survive(chunks)
        except Exception as error:
            sent = " | ".join(chunk.hex(" ") for chunk in chunks)
            raise AssertionError(f"{target.name}, seed {seed}, case {case}: {sent}") from error
        slowest = max(slowest, time.thread_time() - began)
    return slowest
