"""Every kind of lock board on every transport that it can have: a new one is one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.firmware_bridge.boards_by_the_book import (
    Board,
    Kerong16,
    Kerong48,
    OverTcp,
    RegisterBoard,
    RelayCabinet,
    XorBoard,
)
from tests.firmware_bridge.cabinet_by_the_book import Cabinet
from tests.firmware_bridge.jumping_loop import FarEnd

TTY, HOST = "///dev/ttyUSB0", "//127.0.0.1:4196"


def relay_d() -> Board:
    board = RelayCabinet(doors=8)
    board.inner = Cabinet(
        doors=8, open_doors=board.open_doors, items=board.items, pulses=board.pulses
    )
    return board


@dataclass(frozen=True)
class Kind:
    """A board, and the URL by which it is driven."""

    name: str
    url: str
    board: Callable[[], Board]
    frames: Callable[[Board], FarEnd] = lambda board: board
    has_items: bool = True

    def __str__(self) -> str:
        return self.name


def modbus(profile: str, board: Callable[[], Board], *, has_items: bool = True) -> list[Kind]:
    tail = f"unit=1&profile={profile}"
    more = {"has_items": has_items}
    return [
        Kind(f"{profile} rtu", f"modbus+rtu:{TTY}?{tail}", board, **more),
        Kind(f"{profile} rtu in tcp", f"modbus+rtutcp:{HOST}?{tail}", board, **more),
        Kind(f"{profile} tcp", f"modbus+tcp:{HOST}?{tail}", board, OverTcp, **more),
    ]


def native(name: str, scheme: str, tail: str, board: Callable[[], Board], **more) -> list[Kind]:
    return [
        Kind(f"{name} serial", f"{scheme}+serial:{TTY}?{tail}", board, **more),
        Kind(f"{name} tcp", f"{scheme}+tcp:{HOST}?{tail}", board, **more),
    ]


KINDS = [
    *modbus("waveshare-relay-8", lambda: RelayCabinet(doors=8)),
    *modbus("waveshare-relay-16", lambda: RelayCabinet(doors=16)),
    *modbus("waveshare-relay-32", lambda: RelayCabinet(doors=32)),
    *modbus("waveshare-relay-d-8", relay_d, has_items=False),
    *modbus("reg-lock-24", RegisterBoard),
    *native("kerong cu16", "kerong", "address=0", Kerong16),
    *native(
        "kerong cu16 that answers", "kerong", "address=0", lambda: Kerong16(answers_orders=True)
    ),
    *native(
        "kerong cu16 reversed", "kerong", "address=0&closed=0", lambda: Kerong16(reversed=True)
    ),
    *native("kerong cu48", "kerong", "address=0&variant=cu48", Kerong48),
    *native("xor board of 24", "xorboard", "board=1", XorBoard, has_items=False),
    *native(
        "xor board of 50",
        "xorboard",
        "board=1&doors=50",
        lambda: XorBoard(doors=50),
        has_items=False,
    ),
    *native(
        "xor board reversed",
        "xorboard",
        "board=1&closed=0",
        lambda: XorBoard(reversed=True),
        has_items=False,
    ),
]
