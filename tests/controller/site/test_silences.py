"""Sensors, lines and scanners that are gone: said once, and once that they are back."""

import asyncio

import pytest

from controller.faults import LineDown, NoReply
from tests.controller.site.sensors import Hall
from tests.controller.site.world import run


def rests(hall):
    """Whether nothing new is loaded: asked as the loading screen asks."""
    return hall.site._premises.surroundings.power_low


@pytest.fixture
def hall(tmp_path):
    return Hall(tmp_path / "site.db")


def test_a_silent_sensor_says_so_and_its_line_when_all_are(hall):
    async def story():
        async with hall.at_work():
            await asyncio.sleep(30)
            hall.air.fail(NoReply("E1", "no answer"))
            await asyncio.sleep(30)
            assert hall.alarms() == ["board_silent E1 critical"]
            assert hall.site.silent() == {"E1"}
            assert hall.site.air("A").temperature_c is None
            assert not hall.site.problems()  # doors open without it
            hall.board.fail(NoReply("E2", "no answer"))
            await asyncio.sleep(30)
            assert hall.standing() == ["bus_down"]
            hall.air.fail(None)
            hall.board.fail(None)
            await asyncio.sleep(60)
            assert not hall.standing()
            assert hall.site.air("A").temperature_c == 21.0
            assert hall.alarms() == ["board_silent E1 critical", "bus_down L2 critical"]

    run(story)


def test_a_line_that_is_down_is_told_once_by_its_own_name(hall):
    async def story():
        async with hall.at_work():
            await asyncio.sleep(30)
            for sensor in (hall.air, hall.board):
                sensor.fail(LineDown(sensor.name, "no such device"))
            await asyncio.sleep(120)
            assert hall.alarms() == ["bus_down L2 critical"]
            hall.board.fail(None)  # the adapter is back, one device stays silent
            hall.air.fail(NoReply("E1", "no answer"))
            await asyncio.sleep(60)
            assert hall.standing() == ["board_silent"]
            assert hall.count("alarm.cleared") == 1

    run(story)


def test_an_alarm_stands_on_while_nobody_can_see_whether_it_is_over(hall):
    async def story():
        async with hall.at_work():
            hall.air.set(temperature_c=50.0)
            hall.board.set(tamper=False)
            await asyncio.sleep(90)
            hall.air.fail(NoReply("E1", "no answer"))
            hall.board.fail(NoReply("E2", "no answer"))
            await asyncio.sleep(90)
            assert hall.standing() == ["bus_down", "tamper", "temperature"]
        async with hall.at_work():  # started again
            await asyncio.sleep(90)
            assert {"tamper", "temperature"} < set(hall.standing())
            hall.air.fail(None)
            hall.board.fail(None)
            hall.board.set(tamper=True)
            await asyncio.sleep(90)
            assert hall.standing() == ["temperature"]
            hall.air.set(temperature_c=20.0)
            await asyncio.sleep(5)
            assert not hall.standing()
            assert sorted(hall.alarms()) == [
                "bus_down L2 critical",
                "tamper A critical",
                "temperature A warning",
            ]

    run(story)


def test_a_sensor_that_reads_nought_everywhere_is_broken(hall):
    async def story():
        async with hall.at_work():
            hall.air.set(temperature_c=0.0, humidity_percent=0.0)
            await asyncio.sleep(60)
            assert hall.alarms() == ["board_silent E1 critical"]
            assert hall.site.air("A").temperature_c is None
            hall.air.set(temperature_c=0.0, humidity_percent=40.0)
            await asyncio.sleep(20)
            assert not hall.standing()

    run(story)


def test_lamps_that_fail_stop_nobody(hall):
    async def story():
        async with hall.at_work():
            hall.board.fail(LineDown("E2", "unplugged"))
            await hall.loaded()

    run(story)


class Loose:
    """A scanner on a loose plug."""

    name = "S1"

    def __init__(self, reader):
        self.reader = reader
        self.pulled = asyncio.Event()

    def hold(self, text):
        self.reader.hold(text)

    async def codes(self):
        codes = self.reader.codes()
        while not self.pulled.is_set():
            code, pulled = (
                asyncio.ensure_future(anext(codes)),
                asyncio.ensure_future(self.pulled.wait()),
            )
            try:
                await asyncio.wait({code, pulled}, return_when=asyncio.FIRST_COMPLETED)
                if code.done():
                    yield code.result()
            finally:
                code.cancel()
                pulled.cancel()
        raise LineDown(self.name, "no such device")


def test_a_scanner_that_is_gone_is_told_once_and_once_that_it_is_back(hall):
    hall.reader = Loose(hall.reader)

    async def story():
        async with hall.at_work():
            await asyncio.sleep(60)
            assert not hall.alarms()
            hall.reader.pulled.set()
            await asyncio.sleep(300)
            assert hall.alarms() == ["bus_down S1 critical"]
            assert hall.site.silent() == {"S1"}
            hall.reader.pulled.clear()
            await asyncio.sleep(20)
            assert not hall.standing()
            await hall.loaded()
            assert hall.alarms() == ["bus_down S1 critical"]

    run(story)


def test_a_scanner_that_was_never_there_is_told(hall):
    hall.reader = Loose(hall.reader)
    hall.reader.pulled.set()

    async def story():
        async with hall.at_work():
            await asyncio.sleep(30)
            assert hall.alarms() == ["bus_down S1 critical"]

    run(story)


def test_a_start_makes_no_alarm_worse_and_raises_none_again(hall):
    async def story():
        async with hall.at_work():
            hall.board.set(mains=False)
            await asyncio.sleep(30)
        hall.board.fail(NoReply("E2", "no answer"))
        async with hall.at_work():
            await asyncio.sleep(30)
            assert not rests(hall)
            hall.board.fail(None)
            await asyncio.sleep(30)
            hall.board.set(battery=False)
            await asyncio.sleep(30)
        async with hall.at_work():
            assert rests(hall)
            await asyncio.sleep(30)
            assert [each for each in hall.alarms() if "power" in each] == [
                "power A warning",
                "power A critical",
            ]
            hall.board.set(mains=True, battery=True)
            await asyncio.sleep(30)
            assert not hall.standing()
            assert not rests(hall)

    run(story)
