"""Boards with register maps, and those that see and light what is around the cabinet."""

import pytest

from simulator import modbus
from simulator.devices.air_sensor import AirSensor
from simulator.devices.mixed_board import MixedBoard
from simulator.devices.register_board import RegisterBoard
from simulator.devices.settings import VERSION_1_00
from simulator.lines import Wire
from simulator.plan import LinePlan
from simulator.surroundings import Place, Surroundings
from simulator.timeline import Timeline

LINE = LinePlan("L", 9600)


class Lock:
    def __init__(self, *, shut=True, item=False):
        self.shut, self.item, self.on, self.pulses = shut, item, False, 0

    def energise(self):
        self.on = True
        self.pulses += 1

    def drop(self):
        self.on = False

    def reads_closed(self):
        return self.shut

    def reads_present(self):
        return self.item


class Bench:
    def __init__(self, device, timeline):
        self.timeline = timeline
        self.device = device
        self.wire = Wire(LINE, [device], timeline, seed=1)
        device.condition.on(self.wire, device.fall)

    def ask(self, text):
        pieces = self.wire.ask(bytes.fromhex(text), self.timeline.now)
        return b"".join(piece for _, piece in pieces).hex(" ").upper()

    def sealed(self, text):
        return self.ask(modbus.sealed(bytes.fromhex(text)).hex())

    def later(self, seconds):
        self.timeline.advance(self.timeline.now + seconds)


def registers(open_ones=(), items=()):
    timeline = Timeline(0.0)
    locks = [Lock(shut=no not in open_ones, item=no in items) for no in range(1, 25)]
    return Bench(RegisterBoard(1, timeline, locks), timeline), locks


def mixed(unit=1, coils=(), contacts=(), **more):
    timeline = Timeline(0.0)
    return Bench(MixedBoard(unit, timeline, coils, contacts, **more), timeline)


# ------------------------------------------------------------------ 24 locks in registers


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("01 03 00 00 00 04 44 09", "01 03 08 FF FB 00 FF 00 03 00 80 75 A8"),
        ("01 06 00 10 00 03 C8 0E", "01 06 00 10 00 03 C8 0E"),
        ("01 06 00 37 00 01 F9 C4", "01 06 00 37 00 01 F9 C4"),
        ("01 06 00 10 00 19 49 C5", "01 86 03 02 61"),
        ("01 06 00 11 00 28 D9 D1", "01 06 00 11 00 28 D9 D1"),
    ],
)
def test_a_register_board_answers_by_its_map(asked, answered):
    bench, _ = registers({3}, {1, 2, 24})
    assert bench.ask(asked) == answered


def test_another_lock_has_to_wait_and_the_same_one_is_not_prolonged():
    bench, locks = registers()
    bench.ask("01 06 00 10 00 03 C8 0E")
    assert bench.ask("01 06 00 10 00 04 89 CC") == "01 86 06 C2 62"
    bench.later(0.4)
    assert bench.ask("01 06 00 10 00 03 C8 0E") == "01 06 00 10 00 03 C8 0E"
    bench.later(0.11)
    assert not locks[2].on
    assert [lock.pulses for lock in locks[:4]] == [0, 0, 1, 0]
    assert bench.ask("01 06 00 10 00 04 89 CC") == "01 06 00 10 00 04 89 CC"


def test_the_pulse_can_be_seen_and_is_as_long_as_the_register_says():
    bench, locks = registers()
    bench.ask("01 06 00 11 00 28 D9 D1")
    bench.ask("01 06 00 37 00 01 F9 C4")
    assert bench.sealed("01 03 00 04 00 02")[9:20] == "00 00 00 80"
    assert bench.sealed("01 03 00 37 00 01")[9:14] == "00 01"
    assert bench.sealed("01 03 00 10 00 01")[9:14] == "00 18"
    bench.later(0.39)
    assert locks[23].on
    bench.later(0.02)
    assert not locks[23].on
    assert bench.sealed("01 03 00 37 00 01")[9:14] == "00 00"


def test_model_firmware_and_what_is_not_there():
    bench, _ = registers()
    assert bench.sealed("01 03 01 00 00 02")[9:20] == "24 18 01 02"
    for asked in ("01 03 00 06 00 01", "01 06 00 00 00 01", "01 10 00 20 00 02 04 00 01 00 01"):
        assert bench.sealed(asked)[6:8] == "02"
    for asked in ("01 06 00 11 00 04", "01 06 00 20 00 02", "01 06 00 10 00 00"):
        assert bench.sealed(asked)[6:8] == "03"
    assert bench.sealed("01 01 00 00 00 08")[6:8] == "01"


def test_a_broadcast_opens_nothing_and_many_registers_of_one_do():
    bench, locks = registers()
    assert bench.sealed("00 06 00 10 00 03") == ""
    assert not any(lock.on for lock in locks)
    assert bench.sealed("01 10 00 10 00 01 02 00 03")[:17] == "01 10 00 10 00 01"
    assert locks[2].on


def test_a_register_board_that_starts_again_pulses_nothing_and_remembers_its_length():
    bench, locks = registers()
    bench.ask("01 06 00 11 00 28 D9 D1")
    bench.ask("01 06 00 10 00 03 C8 0E")
    bench.device.condition.restart()
    assert not locks[2].on
    assert bench.ask("01 03 00 00 00 04 44 09") == ""
    bench.later(0.31)
    assert bench.sealed("01 03 00 10 00 02")[9:20] == "00 00 00 28"


# ------------------------------------------------------------------ relays and inputs on one unit


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("01 02 00 00 00 08 79 CC", "01 02 01 7F E0 68"),
        (
            "01 03 10 00 00 08 40 CC",
            "01 03 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 E4 59",
        ),
        ("01 06 10 00 00 00 8D 0A", "01 06 10 00 00 00 8D 0A"),
        ("01 05 02 07 00 05 BD B0", "01 05 02 07 00 05 BD B0"),
        ("01 03 80 00 00 01 AD CA", "01 03 02 00 C8 B9 D2"),
    ],
)
def test_relays_and_inputs_on_one_unit(asked, answered):
    contacts = [lambda: True] * 7 + [lambda: False]
    assert mixed(contacts=contacts).ask(asked) == answered


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(1, [True, False, True, False]), (2, [True, True, False, False]), (3, [True, False] * 2)],
)
def test_in_other_modes_a_door_switch_fires_the_lock(mode, expected):
    seen = {"current": False}
    lock = Lock()
    bench = mixed(coils=[lock], contacts=[lambda: seen["current"]])
    assert bench.sealed(f"01 06 10 00 00 {mode:02X}")[:17] == f"01 06 10 00 00 {mode:02X}"
    told = []
    states = []
    for current in (True, False, True, False):
        seen["current"] = current
        bench.device.follow(lambda: told.append(1))
        bench.later(0.02)
        states.append(lock.on)
    assert states == expected
    assert told


def test_all_modes_can_be_written_at_once_and_are_kept():
    bench = mixed()
    assert bench.sealed("01 10 10 00 00 08 10" + " 00 01" * 8)[:17] == "01 10 10 00 00 08"
    assert bench.device.modes == [1] * 8
    assert bench.sealed("01 06 10 00 00 04")[6:8] == "03"
    assert bench.sealed("01 10 10 04 00 08 10" + " 00 00" * 8)[6:8] == "02"
    again = mixed()
    again.device.recall(bench.device.kept())
    assert again.device.modes == [1] * 8


# ------------------------------------------------------------------ around the cabinet


def around():
    timeline = Timeline(0.0)
    place = Place(timeline, lambda: None)
    board = MixedBoard(5, timeline, place.lamps(), place.contacts(), VERSION_1_00)
    return Bench(board, timeline), place


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("05 02 00 00 00 08 78 48", "05 02 01 0F E0 BC"),
        ("05 05 00 00 FF 00 8D BE", "05 05 00 00 FF 00 8D BE"),
        ("05 05 00 01 00 00 9D 8E", "05 05 00 01 00 00 9D 8E"),
    ],
)
def test_power_tamper_vibration_and_light(asked, answered):
    assert around()[0].ask(asked) == answered


def test_each_contact_falls_when_something_is_wrong():
    bench, place = around()
    place.set(mains=False, smoke=False, service_key=False)
    assert bench.ask("05 02 00 00 00 08 78 48")[9:11] == "3E"
    place.set(mains=True, battery=False, tamper=True, smoke=True)
    assert bench.ask("05 02 00 00 00 08 78 48")[9:11] == "29"


def test_a_blow_is_seen_for_two_seconds():
    bench, place = around()
    place.shake()
    assert bench.ask("05 02 00 00 00 08 78 48")[9:11] == "07"
    bench.later(1.9)
    place.shake()
    bench.later(1.9)
    assert bench.ask("05 02 00 00 00 08 78 48")[9:11] == "07"
    bench.later(0.2)
    assert bench.ask("05 02 00 00 00 08 78 48")[9:11] == "0F"
    assert place.state()["shaken"] == 2


def test_light_and_fan_stay_as_they_were_told():
    bench, place = around()
    bench.ask("05 05 00 00 FF 00 8D BE")
    bench.later(3600.0)
    assert (place.now.light, place.now.fan) == (True, False)


def air(temperature, humidity, unit=1):
    timeline = Timeline(0.0)
    seen = Surroundings(temperature, humidity)
    return Bench(AirSensor(unit, timeline, lambda: seen), timeline)


@pytest.mark.parametrize(
    ("temperature", "humidity", "asked", "answered"),
    [
        (30.5, 50.0, "01 04 00 01 00 01 60 0A", "01 04 02 01 31 79 74"),
        (-20.5, 54.6, "01 04 00 01 00 02 20 0B", "01 04 04 FF 33 02 22 BA E6"),
    ],
)
def test_air_is_told_in_signed_tenths(temperature, humidity, asked, answered):
    assert air(temperature, humidity).ask(asked) == answered


def test_a_sensor_is_corrected_moved_and_set_to_another_speed():
    bench = air(20.0, 50.0)
    bench.sealed("01 06 01 03 FF FB")
    assert bench.sealed("01 04 00 01 00 01")[9:14] == "00 C3"
    bench.sealed("01 10 01 01 00 01 02 00 07")
    assert bench.sealed("07 03 01 01 00 01")[9:14] == "00 07"
    assert bench.sealed("07 06 01 01 00 F8")[6:8] == "03"
    assert bench.sealed("07 04 00 00 00 01")[6:8] == "02"
    bench.sealed("07 06 01 02 4B 00")
    assert bench.sealed("07 04 00 01 00 01") == ""
    bench.wire.spoken_at(19_200)
    assert bench.sealed("07 04 00 01 00 01")[9:14] == "00 C3"
