"""Temperature, humidity, power, tamper and lamps, by profile."""

import asyncio
from contextlib import aclosing
from itertools import pairwise

import pytest

from controller.faults import NoReply, NotConfigured
from firmware_bridge.open import Bridge
from firmware_bridge.profiles import BadProfile, parse_profiles
from firmware_bridge.urls import BadUrl
from tests.firmware_bridge.cabinet_by_the_book import crc
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock, play

AIR = "modbus+rtu:///dev/ttyUSB0?unit=1&profile=xy-md02"
POWER = "modbus+rtu:///dev/ttyUSB0?unit=5&profile=env-io-8"


TOO_FAR_APART = """
[environment.mine]
every_ms = 500
measures.at.a.address = 0
measures.at.b.address = 125
"""


class Io:
    """Unit 5: eight inputs, eight outputs, control modes."""

    def __init__(self):
        self.inputs = 0x0F
        self.modes = [0] * 8
        self.heard = []
        self.dead = False

    def __call__(self, frame):
        self.heard.append(frame)
        if self.dead:
            return []
        if frame[1] == 2:
            return [(0.008, crc(bytes([5, 2, 1, self.inputs])))]
        if frame[1] == 3:
            words = b"".join(mode.to_bytes(2, "big") for mode in self.modes)
            words = words if frame[2:4] == b"\x10\x00" else b"\x00\xc8"
            return [(0.008, crc(bytes([5, 3, len(words)]) + words))]
        return [(0.008, frame)]


def now() -> float:
    return asyncio.get_running_loop().time()


def environment(url, far):
    plugs = Plugboard(far)
    return Bridge(loop_clock(), opener=plugs).environment(url, "E1"), plugs


@pytest.mark.parametrize(
    ("answer", "temperature", "humidity"),
    [
        ("01 04 04 FF 33 02 22 BA E6", -20.5, 54.6),
        (crc(bytes.fromhex("01 04 04 01 31 03 E8")).hex(), 30.5, 100.0),
    ],
)
def test_air_is_read_in_tenths_with_a_sign(answer, temperature, humidity):
    async def story():
        air, plugs = environment(AIR, lambda _: [(0.008, bytes.fromhex(answer))])
        sight = await air.look()
        assert sight.measures == {"temperature_c": temperature, "humidity_percent": humidity}
        assert sight.contacts == {}
        assert plugs.frames == [bytes.fromhex("01 04 00 01 00 02 20 0B")]

    play(story())


def test_air_is_read_no_oftener_than_its_sensor_bears():
    async def story():
        answer = bytes.fromhex("01 04 04 FF 33 02 22 BA E6")
        air, plugs = environment(AIR, lambda _: [(0.008, answer)])
        async with aclosing(air.watch()) as sights:
            at = [(await anext(sights)).at for _ in range(4)]
        assert all(later - sooner >= 10 for sooner, later in pairwise(at))
        (line,) = plugs.lines
        assert all(later - sooner >= 2 for (sooner, _), (later, _) in pairwise(line.sent))

    play(story())


def test_contacts_are_true_when_all_is_well():
    async def story():
        io = Io()
        power, plugs = environment(POWER, io)
        sight = await power.look()
        assert plugs.frames[-1] == bytes.fromhex("05 02 00 00 00 07 38 4C")
        assert sight.contacts == {
            "mains": True,
            "battery": True,
            "tamper": True,
            "vibration": True,
            "smoke": False,
            "service_key": False,
            "fire": False,
        }

    play(story())


@pytest.mark.parametrize(("bit", "name", "within_s"), [(0, "mains", 2.1), (2, "tamper", 1.1)])
def test_a_contact_changes_after_it_has_settled(bit, name, within_s):
    async def story():
        io = Io()
        power, _ = environment(POWER, io)
        async with aclosing(power.watch()) as sights:
            await anext(sights)
            io.inputs ^= 1 << bit
            opened_at = now()
            sight = await anext(sights)
            while sight.contacts[name]:
                sight = await anext(sights)
            assert now() - opened_at <= within_s

    play(story())


def test_a_flicker_of_the_mains_is_no_news():
    async def story():
        io = Io()
        power, _ = environment(POWER, io)
        async with aclosing(power.watch()) as sights:
            await anext(sights)
            io.inputs ^= 1
            asyncio.get_running_loop().call_later(0.7, setattr, io, "inputs", io.inputs ^ 1)
            assert (await anext(sights)).contacts["mains"]

    play(story())


def test_lamps_and_fans_are_switched_and_asked_again_where_an_answer_is_lost():
    async def story():
        io = Io()
        power, plugs = environment(POWER, io)
        assert power.outputs == ("fan", "light", "sounder")
        await power.switch("light", on=True)
        assert plugs.frames[-1] == bytes.fromhex("05 05 00 00 FF 00 8D BE")
        await power.switch("fan", on=False)
        assert plugs.frames[-1] == bytes.fromhex("05 05 00 01 00 00 9D 8E")
        lost = iter([True, False])
        plugs.lines[0]._far = lambda frame: [] if frame[1] == 5 and next(lost) else io(frame)
        await power.switch("light", on=True)
        with pytest.raises(NotConfigured, match="no output door"):
            await power.switch("door", on=True)

    play(story())


def test_an_input_may_not_drive_an_output():
    async def story():
        io = Io()
        io.modes[3] = 1
        power, _ = environment(POWER, io)
        with pytest.raises(NotConfigured, match=r"0x1003 reads 1, not 0: .*; write 0 to it"):
            await power.look()

    play(story())


def test_a_silent_sensor_is_said_to_be_silent():
    async def story():
        io = Io()
        power, _ = environment(POWER, io)
        async with aclosing(power.watch()) as sights:
            await anext(sights)
            io.dead = True
            with pytest.raises(NoReply, match="3 polls missed"):
                await anext(sights)

    play(story())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("modbus+rtu:///dev/ttyUSB0?unit=1&profile=waveshare-relay-32", "is no sensor"),
        ("modbus+rtu:///dev/ttyUSB0?unit=1&profile=xy-md02&doors=3", "doors is a lock board's"),
        ("kerong+serial:///dev/ttyUSB0?address=0", "is no Modbus"),
    ],
)
def test_what_is_no_sensor_is_refused(url, why):
    with pytest.raises(BadUrl, match=why):
        environment(url, lambda _: [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[environment.mine]\nevery_ms = 500", "nothing to read"),
        ("[environment.mine]\nmeasures.at.heat = { address = 1 }", "every_ms"),
        ("[environment.mine]\nevery_ms = 500\nmeasures.at.Heat = { address = 1 }", "Heat"),
        (TOO_FAR_APART, "125 registers at most"),
        ("[profile.a]\n[environment.a]\n", "profile a"),
        ("[sensor.a]\n", "sensor instead of"),
    ],
)
def test_a_wrong_profile_is_refused_with_what_is_wrong(text, why):
    with pytest.raises(BadProfile, match=why):
        parse_profiles("mine.toml", text)


def test_shipped_surroundings_are_those_of_the_manuals():
    found = Bridge(loop_clock()).surroundings
    assert sorted(found) == ["env-io-8", "waveshare-io-8", "xy-md02"]
    assert all(source.origin.startswith("built in") for source in found.values())
