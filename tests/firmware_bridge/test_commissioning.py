"""What an installer is told about a board, on lines that are in memory."""

import asyncio
from contextlib import aclosing, closing
from types import SimpleNamespace

import pytest

from controller.faults import LineDown, NoReply, NotMoved
from controller.ports import DoorSight
from firmware_bridge.commissioning import Verdict, open_door, watch_board
from firmware_bridge.line_scan import BAUDS, addresses, scan, scan_url
from firmware_bridge.open import Bridge
from firmware_bridge.profiles import load_profiles
from firmware_bridge.urls import BadUrl, SerialPlace
from tests.firmware_bridge.cabinet_by_the_book import TURNAROUND_S, Cabinet, crc
from tests.firmware_bridge.jumping_loop import MemoryLine, Plugboard, loop_clock, play

URL = "modbus+rtu:///dev/ttyUSB0?baud=19200&unit=1&profile=waveshare-relay-8"


class Wired(Cabinet):
    """Which switches change when a lock is pulsed; by itself each moves its own door."""

    def __init__(self, **opens):
        super().__init__(doors=8)
        self.opens = {int(door[1:]): doors for door, doors in opens.items()}

    def _coil(self, frame, address, value):
        already = len(self.pulses)
        answer = super()._coil(frame, address, value)
        for door in self.pulses[already:]:
            self.open_doors ^= set(self.opens.get(door, {door}))
        return answer


def opened(cabinet, door, far=None):
    async def story():
        bridge = Bridge(loop_clock(), opener=Plugboard(far or cabinet))
        with closing(bridge):
            board = bridge.lock_board(URL, "A")
            return await open_door(board, door, loop_clock())

    return play(story())


@pytest.mark.parametrize(
    ("opens", "verdict", "moved"),
    [
        ({}, Verdict.OPENED, [3]),
        ({"d3": {4}}, Verdict.ELSEWHERE, [4]),
        ({"d3": {3, 5}}, Verdict.SEVERAL, [3, 5]),
        ({"d3": {2, 3}}, Verdict.SEVERAL, [3, 2]),
        ({"d3": set()}, Verdict.NOTHING, []),
    ],
)
def test_an_opening_says_which_door_moved(opens, verdict, moved):
    cabinet = Wired(**opens)
    result = opened(cabinet, 3)
    assert cabinet.pulses == [3]
    assert (result.verdict, [move.door for move in result.moves]) == (verdict, moved)
    assert result.accepted


def test_a_switch_that_falls_from_open_to_closed_is_reversed():
    cabinet = Wired()
    cabinet.open_doors = {3}
    result = opened(cabinet, 3)
    assert result.verdict is Verdict.REVERSED
    assert result.was is DoorSight.OPEN


def test_an_order_that_nobody_answers_still_says_which_door_moved():
    cabinet = Wired()

    def deaf(frame):
        answers = cabinet(frame)
        return [] if frame[1] == 5 and frame[2] == 2 else answers

    result = opened(cabinet, 3, deaf)
    assert (result.verdict, result.accepted) == (Verdict.OPENED, False)
    assert cabinet.pulses == [3]


def test_a_door_that_is_not_there_is_not_released():
    cabinet = Wired()
    with pytest.raises(NotMoved, match="no door 9"):
        opened(cabinet, 9)
    assert cabinet.pulses == []


def test_watching_outlasts_a_board_that_is_restarted():
    cabinet = Wired()

    async def story():
        seen = []
        bridge = Bridge(loop_clock(), opener=Plugboard(cabinet))
        with closing(bridge):
            watching = watch_board(bridge.lock_board(URL, "A"), loop_clock())
            async with aclosing(watching):
                async for watched in watching:
                    seen.append(watched)
                    if len(seen) == 2:
                        cabinet.silent = {2}
                    if watched.sight is None:
                        cabinet.silent = set()
                        cabinet.open_doors = {7}
                    if any(change.door == 7 for change in watched.changes[:8]) and len(seen) > 1:
                        return seen
        return seen

    seen = play(story())
    first, last = seen[0], seen[-1]
    assert {change.was for change in first.changes} == {""}
    assert any(watched.sight is None and "polls" in watched.silent for watched in seen)
    assert [(c.door, c.what, c.was, c.now) for c in last.changes] == [(7, "door", "closed", "open")]


def scanned(text, far, profiles=None, **more):
    """Every step, and the bauds at which the line was opened."""
    plugs = far if isinstance(far, Speeds) else Plugboard(far)

    async def story():
        url, bauds = scan_url(text)
        more.setdefault("bauds", bauds)
        more.setdefault("units", addresses(url))
        steps = scan(url, load_profiles(profiles), loop_clock(), plugs, **more)
        async with aclosing(steps):
            return [step async for step in steps]

    return play(story())


class Speeds:
    """Boards that understand one speed only."""

    def __init__(self, far, baud):
        self.far, self.baud = far, baud
        self.opened = []

    async def __call__(self, place, _clock):
        assert isinstance(place, SerialPlace)
        self.opened.append(place.baud)
        return MemoryLine(self.far if place.baud == self.baud else lambda _: [], place.char_s)


def test_a_scan_finds_every_board_at_its_speed_and_never_writes():
    cabinet = Cabinet()
    speeds = Speeds(cabinet, 38400)
    steps = scanned("modbus+rtu:///dev/ttyUSB0", speeds, units=range(1, 6))
    found = [step.found for step in steps if step.found]
    assert [(each.baud, each.unit, each.says) for each in found] == [
        (38400, unit, "version 2.00") for unit in (1, 2, 3)
    ]
    assert tuple(speeds.opened) == BAUDS
    assert [step.done for step in steps] == list(range(1, len(BAUDS) * 5 + 1))
    assert {step.total for step in steps} == {len(BAUDS) * 5}
    assert {frame[1] for frame in cabinet.heard} <= {1, 2, 3, 4}


def test_a_refusal_counts_as_somebody():
    def refusing(frame):
        return [(TURNAROUND_S, crc(bytes([9, frame[1] | 0x80, 1])))] if frame[0] == 9 else []

    steps = scanned("modbus+rtu:///dev/ttyUSB0?baud=9600", refusing)
    [found] = [step.found for step in steps if step.found]
    assert (found.unit, found.profiles, len(steps)) == (9, (), 247)
    assert "exception 01" in found.says


OWN = """
[profile.acme-16]
doors = 16
pulse = { fc = 5, address = 0x0100, value = 0xFF00, board_ends = "its own timer, register 0x0010" }
door = { fc = 2, address = 0x0200, closed = 0, most = 8 }
"""


@pytest.mark.parametrize(
    ("has", "likely"),
    [
        ({1: range(0x100, 0x110), 2: range(0x200, 0x210)}, ("acme-16",)),
        ({1: range(0x110), 2: range(0x200, 0x210)}, ("acme-16",)),
        ({1: range(0x100, 0x110), 2: range(0x10)}, ()),
        ({1: range(8), 2: range(0x200, 0x210)}, ()),
        ({2: range(0x200, 0x210)}, ()),
    ],
)
def test_a_profile_is_likely_where_its_own_addresses_are_answered(has, likely, tmp_path):
    """Function 1 reads coils, 2 inputs; this board answers no more than 8 inputs at once."""
    (tmp_path / "own.toml").write_text(OWN)

    def board(frame):
        unit, function = frame[:2]
        first, count = int.from_bytes(frame[2:4]), int.from_bytes(frame[4:6])
        there = has.get(function, range(0))
        known = first in there and first + count - 1 in there and (function == 1 or count <= 8)
        if unit != 1:
            return []
        bits = bytes((count + 7) // 8)
        answer = bytes([1, function, len(bits)]) + bits if known else bytes([1, function | 128, 2])
        return [(TURNAROUND_S, crc(answer))]

    url = "modbus+rtu:///dev/ttyUSB0?baud=9600"
    [step] = scanned(url, board, tmp_path, units=[1])
    assert step.found.profiles == likely


def test_boards_of_a_protocol_of_their_own_are_found_by_their_addresses():
    asked = []

    def kerong(frame):
        asked.append(frame)
        if frame[1] != 3 << 4:
            return []
        answer = bytes([0x02, 0x30, 0x35, 0xFF, 0xFF, 0xFF, 0xFF, 0x03])
        return [(TURNAROUND_S, answer + bytes([sum(answer) & 0xFF]))]

    steps = scanned("kerong+serial:///dev/ttyUSB0?baud=19200", kerong)
    [found] = [step.found for step in steps if step.found]
    assert (found.unit, found.says, len(steps)) == (3, "a Kerong board", 15)
    assert {frame[2] for frame in asked} == {0x30}, "state is read, nothing else"


def test_an_answer_that_cannot_be_read_is_shown_as_such():
    def twins(frame):
        good = bytearray(Cabinet().answer(frame) or b"")
        if frame[0] != 2:
            return []
        good[3] ^= 0x10
        return [(TURNAROUND_S, bytes(good))]

    steps = scanned("modbus+rtu:///dev/ttyUSB0?baud=9600", twins, units=(1, 2, 3))
    [found] = [step.found for step in steps if step.found]
    assert (found.unit, found.garbled) == (2, True)


def test_a_slow_boards_answer_is_not_taken_for_the_next_ones():
    def slow(frame):
        return [(0.15, crc(bytes([1, 3, 2, 0, 0xC8])))] if frame[0] == 1 else []

    steps = scanned("modbus+rtu:///dev/ttyUSB0?baud=9600", slow, units=(1, 2, 3))
    assert not [step.found for step in steps if step.found]


def test_a_line_that_cannot_be_opened_ends_a_scan():
    plugs = Plugboard(Cabinet())
    plugs.broken = True

    async def story():
        url, bauds = scan_url("modbus+rtu:///dev/ttyUSB0")
        async for _ in scan(url, {}, loop_clock(), plugs, units=(1,), bauds=bauds):
            pass

    with pytest.raises(LineDown, match="not there"):
        play(story())


@pytest.mark.parametrize(
    ("text", "bauds", "unit"),
    [
        ("modbus+rtu:///dev/ttyUSB0", BAUDS, 1),
        ("modbus+rtu:///dev/ttyUSB0?baud=4800&parity=E", (4800,), 1),
        ("modbus+rtu:///dev/ttyUSB0?unit=7&profile=x", BAUDS, 7),
        ("modbus+tcp://127.0.0.1:5020", (), 1),
        ("kerong+tcp://127.0.0.1:5000", (), 0),
        ("xorboard+serial:///dev/ttyUSB0", BAUDS, 1),
        ("modbus+rtutcp://127.0.0.1:5020?timeout_ms=200", (), 1),
    ],
)
def test_a_line_is_scanned_without_naming_a_board(text, bauds, unit):
    url, tried = scan_url(text)
    assert (tried, url.unit) == (bauds, unit)


@pytest.mark.parametrize(
    "text",
    [
        "scanner+serial:///dev/ttyACM0",
        "idcard+serial:///dev/ttyUSB1",
        "modbus+rtu://",
        "x",
        "a://b",
    ],
)
def test_what_cannot_be_scanned_is_refused(text):
    with pytest.raises(BadUrl):
        scan_url(text)


def test_a_silent_board_cannot_be_watched():
    cabinet = SimpleNamespace(answers=[])

    async def story():
        bridge = Bridge(loop_clock(), opener=Plugboard(lambda _: cabinet.answers))
        with closing(bridge):
            watching = watch_board(bridge.lock_board(URL, "A"), loop_clock())
            async with aclosing(watching), asyncio.timeout(60):
                await anext(watching)

    with pytest.raises(NoReply):
        play(story())
