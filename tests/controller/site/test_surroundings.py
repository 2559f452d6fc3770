"""Air, power and tampering around the cabinets: each alarm raised once, each cleared once."""

import asyncio

import pytest

from tests.controller.site.sensors import Hall
from tests.controller.site.world import run


@pytest.fixture
def hall(tmp_path):
    return Hall(tmp_path / "site.db")


def test_what_is_well_raises_nothing_and_is_known(hall):
    async def story():
        async with hall.at_work():
            await asyncio.sleep(3_600)
            air = hall.site.air("A")
            assert (air.temperature_c, air.humidity_percent) == (21.0, 45.0)
            assert (air.mains, air.battery, air.untouched, air.still) == (True,) * 4
            assert air.smokeless is None
            assert hall.site.silent() == set()
            assert not hall.alarms()
            assert not hall.site.problems()

    run(story)


@pytest.mark.parametrize("outside", [45.1, -0.1])
def test_a_cabinet_too_hot_or_too_cold_for_a_minute_is_told_once(hall, outside):
    async def story():
        async with hall.at_work():
            hall.air.set(temperature_c=outside)
            await asyncio.sleep(50)
            assert not hall.alarms()
            await asyncio.sleep(3_600)
            assert hall.alarms() == ["temperature A warning"]
            inside = 44.5 if outside > 0 else 0.5  # just inside: it would flap
            hall.air.set(temperature_c=inside)
            await asyncio.sleep(60)
            assert hall.standing() == ["temperature"]
            hall.air.set(temperature_c=20.0)
            await asyncio.sleep(5)
            assert not hall.standing()
            assert hall.count("alarm.cleared") == 1

    run(story)


def test_damp_air_is_told_after_half_an_hour(hall):
    async def story():
        async with hall.at_work():
            hall.air.set(humidity_percent=90.0)
            await asyncio.sleep(1_700)
            hall.air.set(humidity_percent=80.0)  # dry for a moment: the half hour begins anew
            await asyncio.sleep(20)
            hall.air.set(humidity_percent=90.0)
            await asyncio.sleep(1_700)
            assert not hall.alarms()
            await asyncio.sleep(200)
            assert hall.alarms() == ["temperature A warning"]

    run(story)


def test_limits_are_settings(tmp_path):
    hall = Hall(tmp_path / "site.db", temperature_high_c=30, temperature_out_s=5)

    async def story():
        async with hall.at_work():
            hall.air.set(temperature_c=31.0)
            await asyncio.sleep(8)
            assert hall.standing() == ["temperature"]

    run(story)


def test_lost_mains_warn_at_once_and_a_flicker_does_not(hall):
    async def story():
        async with hall.at_work():
            hall.board.set(mains=False)
            await asyncio.sleep(3)
            hall.board.set(mains=True)
            await asyncio.sleep(60)
            assert not hall.alarms()
            hall.board.set(mains=False)
            await asyncio.sleep(7)
            assert hall.alarms() == ["power A warning"]
            await asyncio.sleep(600)
            hall.board.set(mains=True)
            await asyncio.sleep(2)
            assert not hall.standing()
            assert len(hall.alarms()) == 1

    run(story)


@pytest.mark.parametrize("flat", ["battery", "battery_percent"])
def test_on_the_rest_of_a_battery_pickups_go_on_and_no_new_load_begins(hall, flat):
    async def story():
        async with hall.at_work():
            await hall.loaded("N1", number=1)
            hall.order("N2", number=2)
            hall.board.set(mains=False)
            await asyncio.sleep(10)
            await hall.badge()
            hall.reader.hold("OWL:N2-seal1")
            await hall.opened()  # on the battery alone loading goes on
            hall.board.set(**{flat: False if flat == "battery" else 19.0})
            await asyncio.sleep(10)
            assert hall.alarms()[-2:] == ["power A warning", "power A critical"]
            [alarm] = hall.site.describe().alarms
            assert alarm["severity"] == "critical"
            door = next(n for n, box in enumerate(hall.cabinet.boxes, 1) if box.open)
            hall.cabinet.put(door, "OWL:N2-seal1")  # what was begun is finished
            hall.cabinet.close(door)
            await hall.until(lambda: hall.count("item.loaded") == 2)
            hall.order("N3", number=3)
            pulses = sum(box.pulses for box in hall.cabinet.boxes)
            hall.reader.hold("OWL:N3-seal1")
            await hall.shows("loading_rests")
            await asyncio.sleep(30)
            assert sum(box.pulses for box in hall.cabinet.boxes) == pulses
            hall.site.press("end")
            await hall.shows("start")
            hall.reader.hold("OW1:FT-0001:" + f"{1:026d}")
            await hall.shows("confirm")
            hall.site.press("confirm")
            assert await hall.take() == ["OWL:N1-seal1"]
            hall.board.set(mains=True)
            await asyncio.sleep(10)
            hall.reader.hold("OWB:" + f"{20:026d}")
            await hall.until(lambda: hall.view.screen == "load")
            await hall.load("OWL:N3-seal1")

    run(story)


def test_a_bad_battery_alone_warns_and_loading_goes_on(hall):
    async def story():
        async with hall.at_work():
            hall.board.set(battery=False)
            await asyncio.sleep(10)
            assert hall.alarms() == ["power A warning"]
            await hall.loaded()

    run(story)


def test_a_door_opened_at_the_back_is_told_at_once(hall):
    async def story():
        async with hall.at_work():
            await asyncio.sleep(2)
            hall.board.set(tamper=False)
            await asyncio.sleep(0.1)
            assert hall.alarms() == ["tamper A critical"]
            hall.board.set(tamper=True)
            await asyncio.sleep(2)
            assert not hall.standing()

    run(story)


def test_blows_within_a_minute_are_one_alarm(hall):
    async def story():
        async with hall.at_work():
            await asyncio.sleep(2)
            for _ in range(5):
                hall.board.set(vibration=False)
                await asyncio.sleep(2)
                hall.board.set(vibration=True)
                await asyncio.sleep(20)
            assert hall.alarms() == ["tamper A critical"]
            await asyncio.sleep(60)
            assert not hall.standing()
            hall.board.set(vibration=False)
            await asyncio.sleep(2)
            assert len(hall.alarms()) == 2

    run(story)


@pytest.mark.parametrize("wired", [("smoke",), ("mains",)])
def test_a_contact_that_is_not_wired_alarms_nobody(tmp_path, wired):
    hall = Hall(tmp_path / "site.db", wired=wired)

    async def story():
        async with hall.at_work():
            hall.board.set(smoke=False, tamper=False, battery=False)
            await asyncio.sleep(60)
            assert hall.alarms() == (["temperature A critical"] if wired == ("smoke",) else [])

    run(story)


def test_the_light_is_on_while_somebody_is_served_and_the_fan_while_it_is_hot(hall):
    async def story():
        async with hall.at_work():
            await hall.shows("start")
            await asyncio.sleep(5)
            assert hall.board.switched[-2:] == [("light", False), ("fan", False)]
            hall.grant()
            await hall.badge()
            await asyncio.sleep(0.1)
            assert hall.board.switched[-2:] == [("light", True), ("fan", False)]
            hall.site.press("end")
            await hall.shows("start")
            await asyncio.sleep(0.1)
            assert hall.board.switched[-2:] == [("light", False), ("fan", False)]
            for celsius, on in ((36.0, True), (32.0, True), (29.0, False), (34.0, False)):
                hall.air.set(temperature_c=celsius)
                await asyncio.sleep(0.1)
                assert hall.board.switched[-1] == ("fan", on), celsius
            said = len(hall.board.switched)
            await asyncio.sleep(90)  # a board that restarted is told again
            assert len(hall.board.switched) > said
            assert {output for output, _ in hall.board.switched} == {"light", "fan"}
            assert hall.count("movement.intended") == 0

    run(story)
