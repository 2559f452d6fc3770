"""The trial: whatever goes wrong on the line, no answer is taken for another question's."""

import asyncio
from contextlib import suppress
from random import Random

import pytest

from controller.faults import DeviceFault, NotMoved, OutcomeUnknown
from firmware_bridge import modbus
from firmware_bridge.bus import Bus
from firmware_bridge.modbus_device import ModbusDevice
from firmware_bridge.open import Bridge, timing_of
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import parse
from tests.firmware_bridge.cabinet_by_the_book import TURNAROUND_S, BadWire, crc
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

RTU = "modbus+rtu:///dev/ttyUSB0?baud=19200&unit=1&profile=waveshare-relay-32"
RTU_IN_TCP = "modbus+rtutcp://127.0.0.1:4196?unit=1&profile=waveshare-relay-32"
CASES = 600  # per line; a case is a dozen exchanges


class Stamping:
    """Answers reads with a number of its own each time, and notes which orders it carried out."""

    def __init__(self):
        self.stamp = 0
        self.stamped = {}  # (unit, function) to the last stamp given
        self.carried_out = []

    def __call__(self, frame):
        unit, function = frame[0], frame[1]
        if function == 5:
            self.carried_out.append(frame[2:6])
            return [(TURNAROUND_S, frame)]
        self.stamp += 1
        self.stamped[unit, function] = self.stamp
        if function == 2:
            return [(TURNAROUND_S, crc(bytes([unit, 2, 4]) + self.stamp.to_bytes(4, "big")))]
        count = int.from_bytes(frame[4:6], "big")
        words = [self.stamp & 0xFFFF] * count
        body = b"".join(word.to_bytes(2, "big") for word in words)
        return [(TURNAROUND_S, crc(bytes([unit, 3, len(body)]) + body))]


class Case:
    """A dozen random exchanges on a bad line."""

    def __init__(self, url: str, seed: int) -> None:
        parsed = parse(url)
        self.dice = Random(seed)
        self.far = Stamping()
        timing = timing_of(parsed)
        self.wire = BadWire(
            self.far,
            seed,
            reply_s=timing.reply_s,
            char_s=parsed.place.char_s,
            lost=0.1,
            late=0.1,
            doubled=0.1,
            cut=0.1,
            garbled=0.05,
        )
        self.bus = Bus(
            parsed.place,
            timing,
            new_wire=modbus.RtuWire,
            clock=loop_clock(),
            opener=Plugboard(self.wire),
        )
        self.device = ModbusDevice("A", self.bus)
        if seed % 2:
            self.device.probe_at = (3, 0x8000)
        self.stale = []
        self.taken = 0

    async def exchange(self) -> None:
        unit = self.dice.randint(1, 3)
        kind = self.dice.choice(["inputs", "words", "move"])
        try:
            if kind == "move":
                await self.move()
            elif kind == "inputs":
                body = await self.ask(modbus.read(unit, 2, 0, 32))
                self.check(unit, 2, int.from_bytes(body[2:6], "big"))
            else:
                body = await self.ask(modbus.read(unit, 3, 0x1000, self.dice.randint(1, 4)))
                self.check(unit, 3, modbus.words_of(body)[0])
        except DeviceFault:
            pass

    async def ask(self, request):
        return await self.device.ask(request, Urgency.POLL, self.dice.randint(1, 2))

    async def move(self):
        order = modbus.write(1, 5, 0x0200 + self.dice.randrange(32), self.dice.randint(3, 7))
        before = len(self.far.carried_out)
        await self.device.move(order)
        self.taken += 1
        if order.body()[1:5] not in self.far.carried_out[before:]:
            self.stale.append(("confirmation", order))

    def check(self, unit, function, stamp):
        self.taken += 1
        if stamp != self.far.stamped[unit, function]:
            self.stale.append(("value", unit, function, stamp))

    async def play(self):
        for _ in range(12):
            if self.dice.random() < 0.15:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.dice.uniform(0.001, 0.6)):
                        await self.exchange()
            else:
                await self.exchange()
        self.bus.close()


@pytest.mark.parametrize("url", [RTU, RTU_IN_TCP])
def test_no_stale_value_and_no_stale_confirmation_is_ever_taken(url):
    taken, happened, stale = 0, {}, []
    for seed in range(CASES):
        case = Case(url, seed)
        play(case.play())
        stale += [(seed, *each) for each in case.stale]
        taken += case.taken
        for name, number in case.wire.happened.items():
            happened[name] = happened.get(name, 0) + number
    assert not stale
    assert taken > CASES * 4
    assert all(number > CASES / 4 for number in happened.values()), happened


def test_the_trial_would_notice_a_bus_that_does_not_stand_back(monkeypatch):
    monkeypatch.setattr(Bus, "_stand_back_s", lambda *_: 0.0)
    monkeypatch.setattr(Bus, "_doubt", lambda _: None)
    monkeypatch.setattr(Bus, "_dispel", _nothing)
    stale = []
    for seed in range(40):
        case = Case(RTU, seed)
        play(case.play())
        stale += case.stale
    assert stale


async def _nothing(*_):
    pass


@pytest.mark.parametrize("seed", range(12))
def test_a_bolt_moves_at_most_once_for_each_release_with_a_third_of_the_frames_lost(seed, cabinet):
    async def story():
        plugs = Plugboard(BadWire(cabinet, seed, lost=0.3))
        bridge = Bridge(loop_clock(), opener=plugs)
        board = bridge.lock_board(RTU, "A")
        for door in range(1, 33):
            before = cabinet.pulses.count(door)
            try:
                await board.release(door)
                allowed = {1}
            except NotMoved:
                allowed = {0}
            except OutcomeUnknown:
                allowed = {0, 1}
            assert cabinet.pulses.count(door) - before in allowed, door
        pulses = [frame for frame in plugs.frames if frame[1] == 5 and frame[2] == 2]
        assert len(pulses) == len(set(pulses)) <= 32  # each sent once, whatever was lost
        assert cabinet.pulses
        bridge.close()

    play(story())
