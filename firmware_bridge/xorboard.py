"""The "8A / 80" lock board: one feedback wire per lock, frames checked by xor.

The answer to an opening comes after the pulse and carries the feedback wire. Where it equals the
order an adapter's echo would look the same, so it proves nothing: two equal reads of the wire do.
The answer to "read all" has no length: a pause ends it.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from controller.faults import NotConfigured
from firmware_bridge.bus import Bus
from firmware_bridge.exchange import Frame, Verdict, Wire
from firmware_bridge.modbus_device import reply_s
from firmware_bridge.panel import Dialect, Items, Panel, Reads
from firmware_bridge.profiles import Source
from firmware_bridge.timing import SERIAL_REST_S, SERVER_REST_S, SERVER_SETTLE_S, Timing
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import BadUrl, DeviceUrl, SerialPlace

OPEN, READ = 0x8A, 0x80  # headers
REPORTS: Final = (0x81, 0x82)  # two makes of firmware that report a change by themselves
ORDERED, ASKED_STATE = 0x11, 0x33
FEEDBACK: Final = (0x00, 0x11)
LOCK_FRAME_BYTES: Final = 5
STATE_BYTES_MIN, STATE_BYTES_MAX = 5, 11  # one to seven groups of eight locks
DOORS: Final = 24  # the usual size
DOORS_MAX: Final = 50
OPEN_REPLY_S: Final = 1.5  # the answer follows a pulse of 0.5 to 1 s
SETTLE_S: Final = 0.1  # the wire may be the bolt's, which bounces right after a pulse
PULSE_S: Final = 0.5  # timed by the board
GAP_S: Final = 0.025  # boards, too, end a frame by a pause
PAUSE_S: Final = 0.025
SERVER_PAUSE_S: Final = 0.25  # a network may break an answer in two for 200 ms
REPLY_S, FLOOR_S = 0.3, 0.15


@dataclass(frozen=True, slots=True)
class Request:
    """Open one lock, or read all. Bodies are header and content, without board and check."""

    station: int
    header: int
    lock: int = 0

    @property
    def kind(self) -> int:
        return self.header

    @property
    def reply_bytes(self) -> int:
        return 3 if self.header == OPEN else STATE_BYTES_MAX - 2

    def body(self) -> bytes:
        return bytes([self.header, self.lock, ORDERED if self.header == OPEN else ASKED_STATE])

    def judge(self, body: bytes) -> Verdict:
        if body[0] != self.header:
            return Verdict.OTHER_FUNCTION
        if self.header == OPEN:
            right = body[1] == self.lock and body[2] in FEEDBACK
            return Verdict.ANSWER if right else Verdict.OTHER_ECHO
        if body[-1] != ASKED_STATE:
            return Verdict.OTHER_LENGTH
        # One group of eight open locks looks like an echo of the question: it proves nothing.
        return Verdict.OTHER_ECHO if body == self.body() else Verdict.ANSWER


class XorWire:
    """Frames of one lock are cut by their length, those of all locks by a pause or by habit."""

    numbered = False
    overhead_bytes = 2
    reports = True

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._held = bytearray()
        self._usual: dict[int, int] = {}  # board to the length of its last state frame
        self.noise = 0

    @property
    def pause_s(self) -> float | None:
        return self._pause_s if self._held else None

    @property
    def wanted(self) -> int:
        return 1

    def pack(self, station: int, body: bytes, _number: int) -> bytes:
        frame = bytes([body[0], station]) + body[1:]
        return frame + bytes([reduce(xor, frame)])

    def clear(self) -> None:
        self._held.clear()
        self.noise = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that are certainly whole now; `pause` tells the rest."""
        self._held += chunk
        frames = []
        while self._held:
            if self._held[0] not in (OPEN, READ, *REPORTS):
                self._slip()
            elif self._held[0] == READ:
                usual = self._usual.get(self._held[1], 0) if len(self._held) > 1 else 0
                if len(self._held) > STATE_BYTES_MAX:
                    self._slip()
                elif usual and len(self._held) == usual and _is_state(self._held):
                    frames.append(self._take(usual))
                else:
                    break
            elif len(self._held) < LOCK_FRAME_BYTES:
                break
            elif _is_about_a_lock(self._held[:LOCK_FRAME_BYTES]):
                frames.append(self._take(LOCK_FRAME_BYTES))
            else:
                self._slip()
        return frames

    def pause(self) -> list[Frame]:
        """Nothing more belongs to what is held: it ends with a state frame, or is noise."""
        frames: list[Frame] = []
        while self._held:
            if self._held[0] == READ and _is_state(self._held):
                board = self._held[1]
                self._usual[board] = max(self._usual.get(board, 0), len(self._held))
                frames.append(self._take(len(self._held)))
            else:
                self._slip()
                frames += self.feed(b"")
        return frames

    def _slip(self) -> None:
        del self._held[0]
        self.noise += 1

    def _take(self, size: int) -> Frame:
        frame = bytes(self._held[:size])
        del self._held[:size]
        body = frame[:1] + frame[2:-1]
        return Frame(frame[1], None, body, unasked=frame[0] in REPORTS)


def _is_state(frame: bytearray) -> bool:
    fits = STATE_BYTES_MIN <= len(frame) <= STATE_BYTES_MAX
    return fits and frame[-2] == ASKED_STATE and not reduce(xor, frame)


def _is_about_a_lock(frame: bytearray) -> bool:
    return frame[3] in FEEDBACK and not reduce(xor, frame)


class XorPanel:
    """Fits Panel. There are no item sensors."""

    items = Items.NONE
    pulse_s = PULSE_S
    longer_s: float | None = None
    settle_s = SETTLE_S

    def __init__(
        self, name: str, bus: Bus, board: int, doors: int, *, closed: bool, reply_s: float | None
    ) -> None:
        self.name = name
        self.doors = doors
        self.bus = bus
        self.station = board
        self.stations = frozenset({board})
        self._closed = closed
        self._reply_s = reply_s
        self._connection = 0

    def lock(self, door: int) -> Hashable:
        return (self.station, door)

    async def prepare(self, urgency: Urgency) -> None:
        self._connection = self.bus.connection or await self.bus.connect(self.name, urgency)

    async def read_doors(self, urgency: Urgency, tries: int, _near: int | None = None) -> Reads:
        reply = await self.bus.ask(
            self.name,
            Request(self.station, READ),
            urgency=urgency,
            tries=tries,
            reply_s=self._reply_s,
            on=self._connection,
        )
        groups = reply.body[1:-1][::-1]  # the last one holds locks 1 to 8
        if len(groups) * 8 < self.doors:
            raise NotConfigured(
                self.name,
                f"board {self.station} tells of {len(groups) * 8} locks;"
                f" say doors={len(groups) * 8} or fewer in its URL",
            )
        bits = [bool(groups[n // 8] >> n % 8 & 1) for n in range(self.doors)]
        return Reads(closed=[bit == self._closed for bit in bits])

    async def read_items(self, urgency: Urgency, tries: int) -> Reads:
        raise NotImplementedError("these boards have no item sensors")

    async def pulse(self, door: int, *, by: float, longer: bool) -> bool:
        assert not longer, "the board has its own pulse"
        order = Request(self.station, OPEN, door)
        reply = await self.bus.move(
            self.name, order, reply_s=OPEN_REPLY_S, on=self._connection, by=by
        )
        return reply.body != order.body()


def _timing(url: DeviceUrl) -> Timing:
    gap_s = url.numbers.get("gap_ms", GAP_S * 1000) / 1000
    if isinstance(url.place, SerialPlace):
        return Timing(gap_s, REPLY_S + PAUSE_S, SERIAL_REST_S, floor_s=FLOOR_S)
    reply_s = REPLY_S + SERVER_PAUSE_S
    return Timing(gap_s, reply_s, SERVER_REST_S, SERVER_SETTLE_S, reply_s)


def _wire(url: DeviceUrl) -> Callable[[], Wire]:
    pause_s = PAUSE_S if isinstance(url.place, SerialPlace) else SERVER_PAUSE_S
    return lambda: XorWire(pause_s)


def _panel(url: DeviceUrl, name: str, bus: Bus, _profiles: Mapping[str, Source]) -> Panel:
    numbers = url.numbers
    doors = numbers.get("doors", DOORS)
    if doors > DOORS_MAX:
        raise BadUrl(f"{url.text}: doors={doors}, but no such board has more than {DOORS_MAX}")
    return XorPanel(
        name,
        bus,
        numbers["board"],
        doors,
        closed=bool(numbers.get("closed", 1)),
        reply_s=reply_s(url),
    )


def _question(url: DeviceUrl) -> Request:
    """Of one lock: the answer about eight open ones looks like its question."""
    return Request(url.unit, READ, 1)


DIALECT: Final = Dialect(_timing, _wire, _panel, _question)
