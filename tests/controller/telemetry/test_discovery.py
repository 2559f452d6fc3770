"""Home Assistant's device discovery: a schema of what it may hold, and that it follows the site."""

import json

import jinja2
import pytest

from controller.site import schema
from controller.telemetry.discovery import GONE_MAX, Discovery
from controller.telemetry.health import alarm_reports
from tests.controller.link.live import AT

COMPONENT_WORDS = {
    "platform",
    "device_class",
    "state_class",
    "unit_of_measurement",
    "entity_category",
    "name",
    "unique_id",
    "state_topic",
    "value_template",
    "payload_on",
    "payload_off",
}


@pytest.fixture
def add_alarms(site):
    def add(count, cleared_at=None):
        with site.store.write() as transaction:
            for no in range(count):
                alarm = f"{'gone' if cleared_at else 'up'}{no}"
                row = {"alarm_id": alarm, "kind": "door_ajar", "place": f"A/{no}", "since": AT}
                transaction.connection.execute(
                    schema.alarms.insert().values(**row, severity="warning", cleared_at=cleared_at)
                )

    return add


LINE = {"connected": True, "requests": 9, "replies": 8, "errors": 1, "utilisation": 0.312}
BARE = {"A": {"boards": {"A1": "ok"}, "lines": {}}}
RICH = {
    "A": {
        "boards": {"A1": "ok", "E1": "ok"},
        "lines": {"left": LINE, "/dev/ttyUSB0": LINE},
        "temperature_c": 21.5,
        "humidity_percent": 45.0,
        "power": "mains",
        "tamper": False,
        "smoke": False,
    }
}


def discovered(site, known=BARE):
    with site.store.read() as connection:
        told = Discovery("FT-0001", "onewindow/FT-0001/status").read(connection, known)
    assert list(told) == ["homeassistant/device/onewindow_FT-0001/config"]
    return json.loads(next(iter(told.values())))


def test_everything_is_to_be_read_and_nothing_to_be_commanded(site, add_alarms):
    add_alarms(2)
    config = discovered(site, RICH)
    assert set(config) == {
        "device",
        "origin",
        "availability_topic",
        "payload_available",
        "payload_not_available",
        "qos",
        "components",
    }
    assert config["device"]["identifiers"] == ["onewindow_FT-0001"]
    assert "command" not in json.dumps(config)
    for part in config["components"].values():
        assert set(part) <= COMPONENT_WORDS
        assert part["platform"] in {"binary_sensor", "sensor"}
        assert part["state_topic"].startswith("onewindow/FT-0001/")
    unique = [part["unique_id"] for part in config["components"].values()]
    assert len(set(unique)) == len(unique)


def test_each_door_is_a_door_each_alarm_a_problem_and_a_machine_has_sensors(site, add_alarms):
    add_alarms(1)
    parts = discovered(site)["components"]
    assert set(parts) == {
        *("door_A_1", "door_A_2", "door_A_3", "boards_A", "alarm_up0"),
        *("machine_M1_state", "machine_M1_blanks", "machine_M1_fault"),
    }
    assert parts["door_A_2"]["device_class"] == "door"
    assert parts["door_A_2"]["state_topic"] == "onewindow/FT-0001/cabinet/A/2/door"
    assert parts["alarm_up0"]["device_class"] == "problem"
    assert parts["alarm_up0"]["state_topic"] == "onewindow/FT-0001/alarm/up0"


def test_what_is_measured_at_a_cabinet_and_its_lines_have_sensors(site):
    parts = discovered(site, RICH)["components"]
    around = {name: part for name, part in parts.items() if name.endswith("_A")}
    assert {name: part.get("device_class") for name, part in around.items()} == {
        "boards_A": "problem",
        "temperature_A": "temperature",
        "humidity_A": "humidity",
        "mains_A": "power",
        "battery_A": "battery",
        "tamper_A": "tamper",
        "smoke_A": "smoke",
    }
    assert {part["state_topic"] for part in around.values()} == {
        "onewindow/FT-0001/cabinet/A/health"
    }
    assert {name for name in parts if name.startswith("line_")} == {
        f"line_{line}_{what}"
        for line in ("left", "_dev_ttyUSB0")
        for what in ("down", "utilisation", "errors")
    }


@pytest.mark.parametrize(
    ("name", "told", "shown"),
    [
        ("temperature_A", {}, "21.5"),
        ("temperature_A", {"temperature_c": None}, "None"),
        ("mains_A", {}, "ON"),
        ("mains_A", {"power": "battery_low"}, "OFF"),
        ("mains_A", {"power": "battery_bad"}, "ON"),
        ("battery_A", {}, "OFF"),
        ("battery_A", {"power": "battery_bad"}, "ON"),
        ("tamper_A", {"tamper": True}, "ON"),
        ("tamper_A", {"tamper": None}, "None"),
        ("boards_A", {"boards": {"A1": "ok", "E1": "silent"}}, "ON"),
        ("boards_A", {}, "OFF"),
        ("line_left_down", {}, "OFF"),
        ("line_left_down", {"lines": {"left": LINE | {"connected": False}}}, "ON"),
        ("line__dev_ttyUSB0_utilisation", {}, "31.2"),
        ("line_left_errors", {}, "1"),
    ],
)
def test_each_template_shows_what_the_health_report_says(site, name, told, shown):
    """None as a value stands for a word that is not told."""
    words = {key: each for key, each in (RICH["A"] | told).items() if each is not None}
    template = discovered(site, RICH)["components"][name]["value_template"]
    assert jinja2.Template(template).render(value_json=words) == shown


def test_an_alarm_that_was_cleared_is_taken_off_the_device(site, add_alarms):
    add_alarms(GONE_MAX + 5, cleared_at=AT)
    parts = discovered(site)["components"]
    gone = {name: part for name, part in parts.items() if name.startswith("alarm_")}
    assert len(gone) == GONE_MAX
    assert all(part == {"platform": "binary_sensor"} for part in gone.values())


def test_cleared_alarms_are_emptied_and_standing_ones_told(site, add_alarms):
    add_alarms(1)
    add_alarms(2, cleared_at=AT)
    with site.store.read() as connection:
        told = alarm_reports(connection, "FT-0001")
    assert [bool(payload) for payload in told.values()] == [True, False, False]


def test_three_hundred_doors_fit_into_one_message(site):
    with site.store.write() as transaction:
        for no in range(4, 301):
            transaction.connection.execute(
                schema.compartments.insert().values(
                    cabinet="A", no=no, size="S", height_cm=90, reach="mid", state="free"
                )
            )
            transaction.connection.execute(
                schema.doors.insert().values(
                    cabinet="A", no=no, door="shut", state="closed", n=0, at=AT
                )
            )
    config = json.dumps(discovered(site), separators=(",", ":"))
    assert len(config) < 256 * 1024  # the broker's limit for a message
