"""Kerong KR-CU lock boards: CU12 and CU16 by one form of frames, CU24 and CU48 by another.

Many of these boards carry an order out and say nothing. Then only the lock's own hook switch tells
whether it moved, and until it does the outcome is unknown.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from controller.faults import NotConfigured
from firmware_bridge.bus import Bus
from firmware_bridge.debounce import SETTLE_S
from firmware_bridge.exchange import CutByLength, Frame, Verdict, Wire
from firmware_bridge.modbus_device import reply_s
from firmware_bridge.panel import Dialect, Items, Panel, Reads
from firmware_bridge.profiles import Source
from firmware_bridge.timing import SERIAL_REST_S, SERVER_REST_S, SERVER_SETTLE_S, Timing
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import BadUrl, DeviceUrl, SerialPlace

START, END = 0x02, 0x03
REPLY_S: Final = 0.5  # boards take 20 to 100 ms
FLOOR_S: Final = 0.2
ORDER_S: Final = 0.15  # a board that answers an order at all does so within 100 ms
GAP_S: Final = 0.02
PULSE_MS: Final = 500  # as boards leave the factory
PULSE_UNIT_MS: Final = 10
PREPARE_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Variant:
    """One form of frames: STX, address, command and lock in some order, data, ETX, SUM."""

    locks: int
    state: int  # commands
    open: int
    told: int  # the answer to both
    lock_in_address: bool  # the low half of one byte, else a byte of its own
    lengths: Mapping[int, int]  # of whole frames, by command

    @property
    def lock_bytes(self) -> int:
        return self.locks // 8


TIME, TIME_TOLD = 0x37, 0x38
VARIANTS: Final = {
    "cu16": Variant(16, 0x30, 0x31, 0x35, lock_in_address=True, lengths={0x35: 9, TIME_TOLD: 7}),
    "cu48": Variant(48, 0x60, 0x61, 0x75, lock_in_address=False, lengths={0x75: 18}),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One command. Bodies are lock (from 0), command, data, in both forms of frames."""

    station: int
    command: int
    reply: int
    reply_bytes: int
    lock: int = 0
    content: bytes = b""

    @property
    def kind(self) -> int:
        """State and opening have answers that look the same."""
        return self.reply

    def body(self) -> bytes:
        return bytes([self.lock, self.command]) + self.content

    def judge(self, body: bytes) -> Verdict:
        if body[1] != self.reply:
            return Verdict.OTHER_FUNCTION
        return Verdict.ANSWER if len(body) == self.reply_bytes else Verdict.OTHER_LENGTH


class KerongWire(CutByLength):
    """Frames cut by the length of their command, checked by their end and their sum."""

    numbered = False

    def __init__(self, variant: Variant) -> None:
        self._variant = variant
        self._held = bytearray()
        self.overhead_bytes = 3 if variant.lock_in_address else 4
        self._command_at = 2 if variant.lock_in_address else 3
        self._shortest = min(variant.lengths.values())
        self._size = self._shortest
        self.noise = 0

    @property
    def wanted(self) -> int:
        return self._size - len(self._held)

    def pack(self, station: int, body: bytes, _number: int) -> bytes:
        lock, rest = body[0], body[1:]
        address = [station << 4 | lock] if self._variant.lock_in_address else [station, lock]
        frame = bytes([START, *address]) + rest + bytes([END])
        return frame + bytes([sum(frame) & 0xFF])

    def clear(self) -> None:
        self._held.clear()
        self._size = self._shortest
        self.noise = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that are whole now; any chopping of the stream gives the same."""
        self._held += chunk
        frames = []
        while len(self._held) >= self._size:
            size = 0
            if self._held[0] == START:
                size = self._variant.lengths.get(self._held[self._command_at], 0)
            if size > len(self._held):
                self._size = size
                break
            self._size = self._shortest
            if not size or not _whole(self._held[:size]):
                del self._held[0]
                self.noise += 1
                continue
            frames.append(self._frame(bytes(self._held[1 : size - 2])))
            del self._held[:size]
        return frames

    def _frame(self, inner: bytes) -> Frame:
        if self._variant.lock_in_address:
            return Frame(inner[0] >> 4, None, bytes([inner[0] & 0x0F]) + inner[1:])
        return Frame(inner[0], None, inner[1:])


def _whole(frame: bytes | bytearray) -> bool:
    return frame[-2] == END and frame[-1] == sum(frame[:-1]) & 0xFF


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a URL says about one board."""

    address: int
    doors: int
    closed: bool
    present: bool
    pulse_ms: int | None  # None: as the board has it


class KerongPanel:
    """Fits Panel."""

    items = Items.TOGETHER
    longer_s: float | None = None  # its length is a setting of the board, which it keeps
    settle_s = SETTLE_S

    def __init__(
        self, name: str, bus: Bus, variant: Variant, wiring: Wiring, reply_s: float | None = None
    ) -> None:
        self.name = name
        self.doors = wiring.doors
        self.bus = bus
        self.station = wiring.address
        self.stations = frozenset({self.station})
        self.pulse_s = (wiring.pulse_ms or PULSE_MS) / 1000
        self._variant = variant
        self._wiring = wiring
        self._reply_s = reply_s
        self._connection = 0
        self._prepared_on = 0

    def lock(self, door: int) -> Hashable:
        return (self.station, door)

    async def prepare(self, urgency: Urgency) -> None:
        """The pulse has the length that the URL asks for, if it asks for one."""
        self._connection = self.bus.connection or await self.bus.connect(self.name, urgency)
        if self._wiring.pulse_ms is None or self._prepared_on == self._connection:
            return
        content = (self._wiring.pulse_ms // PULSE_UNIT_MS).to_bytes(2, "big")
        asked = Request(self.station, TIME, TIME_TOLD, 4, content=content)
        told = await self._ask(asked, urgency, PREPARE_TRIES)
        if told[2:] != content:
            raise NotConfigured(
                self.name,
                f"board {self.station} does not take a pulse of {self._wiring.pulse_ms} ms;"
                " leave pulse_ms out",
            )
        self._prepared_on = self._connection

    async def read_doors(self, urgency: Urgency, tries: int, _near: int | None = None) -> Reads:
        body = await self._ask(self._request(self._variant.state), urgency, tries)
        count = self._variant.lock_bytes
        locks, sensors = body[2 : 2 + count], body[2 + count : 2 + 2 * count]
        return Reads(
            closed=[_bit(locks, n) == self._wiring.closed for n in range(self.doors)],
            there=[_bit(sensors, n) == self._wiring.present for n in range(self.doors)],
        )

    async def read_items(self, urgency: Urgency, tries: int) -> Reads:
        raise NotImplementedError("these boards tell doors and items in one answer")

    async def pulse(self, door: int, *, by: float, longer: bool) -> bool:
        assert not longer, "the board has its own pulse"
        order = self._request(self._variant.open, door - 1)
        reply = await self.bus.order(self.name, order, reply_s=ORDER_S, on=self._connection, by=by)
        return reply is not None

    def _request(self, command: int, lock: int = 0) -> Request:
        told = self._variant.told
        return Request(self.station, command, told, 2 + 2 * self._variant.lock_bytes, lock)

    async def _ask(self, request: Request, urgency: Urgency, tries: int) -> bytes:
        reply = await self.bus.ask(
            self.name,
            request,
            urgency=urgency,
            tries=tries,
            reply_s=self._reply_s,
            on=self._connection,
        )
        return reply.body


def _bit(packed: bytes, index: int) -> bool:
    return bool(packed[index // 8] >> index % 8 & 1)


def _timing(url: DeviceUrl) -> Timing:
    gap_s = url.numbers.get("gap_ms", GAP_S * 1000) / 1000
    if isinstance(url.place, SerialPlace):
        return Timing(gap_s, REPLY_S, SERIAL_REST_S, floor_s=FLOOR_S)
    return Timing(gap_s, REPLY_S, SERVER_REST_S, SERVER_SETTLE_S, FLOOR_S)


def _wire(url: DeviceUrl) -> Callable[[], Wire]:
    variant = VARIANTS[url.variant]
    return lambda: KerongWire(variant)


def _panel(url: DeviceUrl, name: str, bus: Bus, _profiles: Mapping[str, Source]) -> Panel:
    variant, numbers = VARIANTS[url.variant], url.numbers
    doors = numbers.get("doors", variant.locks)
    if doors > variant.locks:
        raise BadUrl(f"{url.text}: doors={doors}, but a {url.variant} has {variant.locks}")
    pulse_ms = numbers.get("pulse_ms")
    if pulse_ms is not None and TIME_TOLD not in variant.lengths:
        raise BadUrl(f"{url.text}: pulse_ms: a {url.variant} has the length set in the board")
    wiring = Wiring(
        address=numbers["address"],
        doors=doors,
        closed=bool(numbers.get("closed", 1)),
        present=bool(numbers.get("item", 1)),
        pulse_ms=pulse_ms,
    )
    return KerongPanel(name, bus, variant, wiring, reply_s(url))


def _question(url: DeviceUrl) -> Request:
    variant = VARIANTS[url.variant]
    return Request(url.unit, variant.state, variant.told, 2 + 2 * variant.lock_bytes)


DIALECT: Final = Dialect(_timing, _wire, _panel, _question)
