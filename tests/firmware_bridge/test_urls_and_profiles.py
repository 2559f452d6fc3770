"""What a site's file may say about devices, and how it is told what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import urls
from firmware_bridge.open import Bridge
from firmware_bridge.profiles import BadProfile, load_profiles, parse_profiles
from firmware_bridge.urls import BadUrl, SerialPlace, TcpPlace, agree, parse
from tests.firmware_bridge.jumping_loop import Plugboard, loop_clock

BOARD = "profile=waveshare-relay-32&unit=1"
GOOD = """
[profile.mine]
doors = 24
pulse = { fc = 6, address = 0x0010, per_door = 0, value = "door" }
door = { fc = 3, address = 0, bits = 16, closed = 1 }
"""


def test_a_url_is_taken_apart():
    url = parse(f"modbus+rtu:///dev/ttyUSB0?baud=19200&parity=E&{BOARD}&doors=12&timeout_ms=400")
    assert url.place == SerialPlace("/dev/ttyUSB0", 19200, "E")
    assert (url.unit, url.profile) == (1, "waveshare-relay-32")
    assert (url.numbers["doors"], url.numbers["timeout_ms"]) == (12, 400)
    assert parse(f"modbus+tcp://10.0.0.7?{BOARD}").place == TcpPlace("10.0.0.7", 502)
    assert parse(f"modbus+rtutcp://[::1]:4196?{BOARD}").place == TcpPlace("::1", 4196)
    assert parse("scanner+serial:///dev/ttyACM0").place == SerialPlace("/dev/ttyACM0", 9600, "N")


def test_speed_follows_the_kind_of_device_unless_it_is_said():
    usual = parse(f"modbus+rtu:///dev/ttyUSB0?{BOARD}").place
    machine = parse("modbus+rtu:///dev/ttyUSB0?unit=1&profile=licence-machine").place
    assert (usual.baud, machine.baud) == (9600, 115200)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "scheme ''"),
        ("/dev/ttyUSB0", "scheme"),
        (f"modbus+udp://10.0.0.7:502?{BOARD}", "scheme 'modbus\\+udp'"),
        (f"modbus+tcp://?{BOARD}", "host is missing"),
        (f"modbus+tcp://10.0.0.7:x?{BOARD}", "[Pp]ort"),
        (f"modbus+tcp://10.0.0.7:99999?{BOARD}", "[Pp]ort"),
        (f"modbus+tcp://10.0.0.7:0?{BOARD}", "port 0"),
        (f"modbus+tcp://me@10.0.0.7?{BOARD}", "only line and parameters"),
        (f"modbus+tcp://10.0.0.7/path?{BOARD}", "only line and parameters"),
        (f"modbus+tcp://10.0.0.7?{BOARD}&baud=9600", "baud is not a parameter"),
        (f"modbus+tcp://10.0.0.7?{BOARD}&gap_ms=9", "gap_ms is not a parameter"),
        (f"modbus+rtutcp://10.0.0.7?{BOARD}", "port is missing"),
        (f"modbus+rtu://dev/ttyUSB0?{BOARD}", "third slash"),
        (f"modbus+rtu:///?{BOARD}", "device file is missing"),
        (f"modbus+rtu:///dev/ttyUSB0?{BOARD}&baud=9601", "baud=9601"),
        (f"modbus+rtu:///dev/ttyUSB0?{BOARD}&parity=X", "parity=X"),
        ("modbus+rtu:///dev/ttyUSB0?profile=x", "unit is missing"),
        ("modbus+rtu:///dev/ttyUSB0?profile=x&unit=248", "unit=248 .* from 1 to 247"),
        ("modbus+rtu:///dev/ttyUSB0?profile=x&unit=0", "unit=0"),
        ("modbus+rtu:///dev/ttyUSB0?profile=x&unit=-1", "unit=-1"),
        ("modbus+rtu:///dev/ttyUSB0?unit=1", "profile is missing"),
        (f"modbus+rtu:///dev/ttyUSB0?{BOARD}&unit=2", "unit is given twice"),
        (f"modbus+rtu:///dev/ttyUSB0?{BOARD}&colour=red", "colour is not a parameter"),
        (f"modbus+rtu:///dev/ttyUSB0?{BOARD}&pulse_ms=5000", "pulse_ms=5000 .* to 1000"),
        (f"modbus+rtu:///dev/ttyUSB0?{BOARD}&closed", "name=value"),
        ("kerong+serial:///dev/ttyUSB0", "address is missing"),
        ("kerong+serial:///dev/ttyUSB0?address=15", "address=15 .* from 0 to 14"),
        ("kerong+serial:///dev/ttyUSB0?address=0&variant=cu64", "variant=cu64"),
        ("kerong+tcp://?address=0", "host is missing"),
        ("xorboard+serial:///dev/ttyUSB0?address=1", "board is missing"),
        ("xorboard+serial:///dev/ttyUSB0?board=32", "board=32 .* from 1 to 31"),
        ("xorboard+serial:///dev/ttyUSB0?board=1&pulse_ms=300", "pulse_ms is not a parameter"),
        ("xorboard+tcp://10.0.0.7?board=1", "port is missing"),
        ("idcard+serial:///dev/ttyUSB1?suffix=cr", "suffix is not a parameter"),
        ("scanner+serial:///dev/ttyACM0?unit=1", "unit is not a parameter"),
        ("scanner+serial:///dev/ttyACM0?suffix=tab", "suffix=tab"),
    ],
)
def test_a_wrong_url_is_refused_with_the_part_that_is_wrong(text, part):
    with pytest.raises(BadUrl, match=part) as refused:
        parse(text)
    assert "\n" not in str(refused.value)
    assert any(example in str(refused.value) for example in urls.EXAMPLES.values())


@given(st.text(max_size=80))
def test_any_text_is_a_url_or_refused(text):
    for prefix in ("", "modbus+tcp://", "modbus+rtu:///", "scanner+serial:///dev/x?"):
        try:
            parse(prefix + text)
        except BadUrl:
            continue


def test_lines_have_the_speed_and_port_that_devices_leave_the_factory_with():
    assert parse("kerong+serial:///dev/ttyUSB0?address=0").place.baud == 19200
    assert parse("kerong+tcp://10.0.0.7?address=0").place.port == 5000
    assert parse("xorboard+serial:///dev/ttyUSB0?board=1").place.baud == 9600
    assert parse("idcard+serial:///dev/ttyUSB1").place.baud == 115200


def test_a_device_s_number_on_its_line_has_one_name_for_us():
    assert parse(f"modbus+tcp://10.0.0.7?{BOARD}").unit == 1
    assert parse("kerong+tcp://10.0.0.7?address=7&variant=cu48").unit == 7
    assert parse("xorboard+tcp://10.0.0.7:4196?board=31").unit == 31


def test_the_examples_are_right():
    for scheme, example in urls.EXAMPLES.items():
        assert parse(example).scheme == scheme


def bridge():
    return Bridge(loop_clock(), opener=Plugboard(lambda _: []))


def test_devices_on_one_line_share_one_bus_and_nothing_is_opened():
    site = bridge()
    first = site.lock_board(f"modbus+rtu:///dev/ttyUSB0?{BOARD}", "A")
    second = site.lock_board("modbus+rtu:///dev//ttyUSB0?unit=9&profile=waveshare-relay-8", "B")
    other = site.licence_machine("modbus+tcp://127.0.0.1:1502?unit=1&profile=licence-machine", "M1")
    assert (first.doors, second.doors, other.name) == (32, 8, "M1")
    assert list(site.lines) == ["/dev/ttyUSB0", "127.0.0.1:1502"]
    assert [bus.connection for bus in site.lines.values()] == [0, 0]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (f"modbus+rtu:///dev/ttyUSB0?{BOARD}&baud=19200", "baud or parity differ"),
        (f"modbus+rtu:///dev/ttyUSB0?{BOARD}&parity=E", "baud or parity differ"),
        (f"modbus+rtu:///dev/ttyUSB0?{BOARD}&gap_ms=9", "gap_ms differs"),
    ],
)
def test_two_urls_that_contradict_each_other_on_one_line_are_refused(second, why):
    site = bridge()
    site.lock_board(f"modbus+rtu:///dev/ttyUSB0?{BOARD}", "A")
    with pytest.raises(BadUrl, match=why):
        site.lock_board(second, "B")


def test_one_line_speaks_one_protocol():
    site = bridge()
    site.lock_board(f"modbus+tcp://127.0.0.1:502?{BOARD}", "A")
    with pytest.raises(BadUrl, match="one protocol"):
        site.lock_board(f"modbus+rtutcp://127.0.0.1:502?{BOARD}", "B")
    site.code_reader("scanner+serial:///dev/ttyACM0", "S1")
    with pytest.raises(BadUrl, match="line of its own"):
        site.code_reader("scanner+serial:///dev/ttyACM0", "S2")
    with pytest.raises(BadUrl, match="already a scanner's"):
        site.lock_board(f"modbus+rtu:///dev/ttyACM0?{BOARD}", "C")
    agree(parse(f"modbus+tcp://127.0.0.1:502?{BOARD}"), parse(f"modbus+tcp://127.0.0.1?{BOARD}"))


@pytest.mark.parametrize(
    ("make", "text", "why"),
    [
        ("lock_board", "modbus+tcp://127.0.0.1?unit=1&profile=none-such", "none-such is not known"),
        ("lock_board", f"modbus+tcp://127.0.0.1?{BOARD}&doors=33", "doors=33"),
        ("lock_board", "scanner+serial:///dev/ttyACM0", "no lock board"),
        ("lock_board", "kerong+tcp://127.0.0.1?address=0&doors=17", "doors=17, but a cu16 has 16"),
        ("lock_board", "kerong+tcp://127.0.0.1?address=0&variant=cu48&pulse_ms=300", "pulse_ms"),
        ("lock_board", "xorboard+tcp://127.0.0.1:1?board=1&doors=51", "doors=51"),
        (
            "lock_board",
            "modbus+tcp://127.0.0.1?unit=1&profile=reg-lock-24&pulse_ms=300",
            "pulse_ms: reg-lock-24 has the length set in the board",
        ),
        ("licence_machine", f"modbus+tcp://127.0.0.1?{BOARD}", "profile=licence-machine"),
        ("code_reader", f"modbus+tcp://127.0.0.1?{BOARD}", "a scanner is"),
    ],
)
def test_a_url_of_another_kind_of_device_is_refused(make, text, why):
    with pytest.raises(BadUrl, match=why):
        getattr(bridge(), make)(text, "X")


def test_shipped_profiles_are_those_of_the_manuals():
    found = load_profiles()
    assert {name: source.profile.doors for name, source in found.items()} == {
        "waveshare-relay-8": 8,
        "waveshare-relay-16": 16,
        "waveshare-relay-32": 32,
        "waveshare-relay-d-8": 8,
        "reg-lock-24": 24,
    }
    assert all(source.profile.pulse.ms == 500 for source in found.values())
    # A board that times its pulses by itself has no outputs to switch off.
    assert [name for name, source in found.items() if not source.profile.idle] == ["reg-lock-24"]


def test_a_user_adds_profiles_of_their_own(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD)
    found = load_profiles(tmp_path)
    assert found["mine"].origin == str(tmp_path / "mine.toml")
    assert found["mine"].profile.pulse.word(door=7, ms=500) == 7
    (tmp_path / "again.toml").write_text(GOOD)
    with pytest.raises(BadProfile, match="mine is already in"):
        load_profiles(tmp_path)
    with pytest.raises(BadProfile, match="no such folder"):
        load_profiles(tmp_path / "none")


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        (
            "doors = 24",
            "doors = 24\ncolour = 3",
            "mine: colour: unknown key; those here are doors,",
        ),
        ("closed = 1", "shut = 1", "door.shut: unknown key"),
        ("closed = 1", "closed = 2", "door.closed"),
        ("doors = 24", "doors = 0", "doors"),
        ("doors = 24", "", "doors"),
        ("fc = 6", "fc = 4", "pulse.fc"),
        ("per_door = 0", "per_door = 1", "per_door = 0"),
        (
            ', value = "door"',
            ', value = "ms"',
            'mine: pulse.value: "ms" cannot be; it must be "ms/100", "ms/10", "door" or a number',
        ),
        (', value = "door"', ', value = "door", ms = 5000', "pulse.ms: 5000 .* from 50 to 1000$"),
        (
            ', value = "door"',
            ", value = 0xFF00",
            "mine: pulse: value 0xff00 switches on .* if we die",
        ),
        (
            ', value = "door"',
            ', value = 0xFF00, board_ends = "yes"',
            'pulse.board_ends: "yes" cannot be; it must be 10 letters or more that say what ends',
        ),
        ("bits = 16, ", "bits = 8, ", "bits: 8 cannot be; it must be 16, or left out$"),
        (
            "door = {",
            "door = { unit = [1, 99],",
            "door.unit: .*99.* cannot be; it must be a number",
        ),
        ("bits = 16, ", "", "bits = 16 belongs to fc 3 and 4"),
        ("[profile.mine]", "[board.mine]", "board instead of \\[profile.NAME\\]"),
        ("doors = 24", "doors 24", "not TOML"),
        ("door = {", "door = { unit = [1, 2, 3, 4, 5],", "do not spread"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused_by_its_key(old, new, part):
    assert parse_profiles("mine.toml", GOOD)
    with pytest.raises(BadProfile, match=part) as refused:
        parse_profiles("mine.toml", GOOD.replace(old, new))
    assert "mine.toml" in str(refused.value)


def test_a_plain_switch_is_taken_when_the_profile_says_why_the_board_ends_the_pulse():
    why = 'value = 0xFF00, board_ends = "jumper J2 limits each output to 0.5 s"'
    (profile,) = parse_profiles("mine.toml", GOOD.replace('value = "door"', why)).values()
    assert profile.pulse.word(door=3, ms=500) == 0xFF00


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("every_ms = 5", "every_ms: 5 cannot be; it must be a number from 100 to 60000"),
        (
            "measures.at.air = { scale = 2 }",
            "measures.at.air.address: missing; it must be a number",
        ),
        ("measures.at = {}", "measures.at: {} cannot be; it must be tables, each by a name"),
        ("outputs.at = { Light = 0 }", "outputs.at.Light: .* by names of small letters"),
        ("outputs.at = { light = -1 }", "outputs.at.light: -1 cannot be; it must be addresses"),
        ("contacts = 3", "contacts: 3 cannot be; it must be a table with fc, address, at"),
    ],
)
def test_a_mistake_in_a_sensor_s_profile_is_one_clear_line(table, said):
    good = "every_ms = 500\n" if "every" not in table else ""
    with pytest.raises(BadProfile, match=f"^own.toml: profile own: {said}"):
        parse_profiles("own.toml", f"[environment.own]\n{good}{table}\n")


def test_a_profile_that_is_not_known_says_where_ones_own_are_looked_for():
    with pytest.raises(BadUrl, match=r"acme-8 is not known .*--profiles.*profiles in \[site\]"):
        Bridge(loop_clock()).lock_board("modbus+tcp://h?unit=1&profile=acme-8", "A")


@pytest.mark.parametrize(
    "url",
    [
        "scanner+serial:///dev/ttyACM0?baud=9600%0a",
        "kerong+tcp://10.0.0.7:5000?address=0@%%0a",
        "kerong+tcp://10.0.0.7:5000?address=%0d%0aX",
    ],
)
def test_what_is_wrong_with_a_url_is_one_line_whatever_was_typed(url):
    with pytest.raises(BadUrl) as refused:
        parse(url)
    assert str(refused.value).isprintable()
