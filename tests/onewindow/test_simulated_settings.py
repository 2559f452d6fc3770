"""A site's device URLs become what the simulator builds."""

import pytest

from controller.settings import SiteSettings
from onewindow.settings_file import BadSettings
from onewindow.simulate import plan_of
from simulator.clock import SystemClock
from simulator.world import World

KEY = "00" * 16
LINE = "modbus+rtu:///x/L0?baud=9600"
BOARD = f"{LINE}&unit=1&profile=waveshare-relay-8"


def settings(boards=(BOARD,), machine="", lines=(LINE,), air=(), card="", **kind):
    return SiteSettings(
        site={"id": "FT-0001", "name": "n", "address": "a"},
        line=[{"name": f"L{n}", "url": url} for n, url in enumerate(lines, 1)],
        cabinet=[{"letter": "A", "boards": list(boards)}],
        compartment=[{"cabinet": "A", "no": 1, "size": "S", "height_cm": 100}],
        machine=[{"name": "M1", "url": machine, **kind}] if machine else [],
        scanner=[],
        card_reader=[{"name": "C1", "url": card}] if card else [],
        environment=[{"name": f"E{n}", "cabinet": "A", "url": url} for n, url in enumerate(air, 1)],
        link={"key": KEY, "code_key": KEY, "typed_salt": KEY},
    )


@pytest.mark.parametrize(
    ("line", "board", "speaks", "doors"),
    [
        ("modbus+rtu:///x/L1?baud=9600", "&unit=3&profile=waveshare-relay-d-8", "modbus", 8),
        ("modbus+rtutcp://127.0.0.1:4196", "?unit=3&profile=waveshare-relay-16", "modbus", 16),
        ("modbus+tcp://127.0.0.1:5020", "?unit=3&profile=waveshare-relay-32", "modbus-tcp", 32),
        ("modbus+rtu:///x/L1?baud=9600", "&unit=3&profile=reg-lock-24&doors=20", "modbus", 20),
        ("kerong+serial:///x/L1?baud=19200", "&address=3", "kerong", 16),
        ("kerong+tcp://127.0.0.1:5000", "?address=3&variant=cu48&doors=24", "kerong", 24),
        ("xorboard+serial:///x/L1?baud=9600", "&board=3", "xorboard", 24),
        ("xorboard+tcp://127.0.0.1:5000", "?board=3&doors=30", "xorboard", 30),
    ],
)
def test_boards_of_each_scheme_are_on_their_line(line, board, speaks, doors):
    plan = plan_of(settings([line + board], lines=[line]))
    assert [(each.name, each.speaks) for each in plan.lines] == [("L1", speaks)]
    [cabinet] = plan.cabinets
    World(plan, SystemClock())  # every board can be built
    assert [(each.line, each.unit, each.doors) for each in cabinet.boards] == [("L1", 3, doors)]


EIGHTS = """
[profile.relays-and-eights]
doors = 16
pulse = { unit = 0, fc = 5, address = 0x0200, value = "ms/100" }
door = { unit = [3, 4], fc = 2, closed = 0 }
item = { unit = [5, 6], fc = 2, present = 0 }
"""


def test_a_profile_of_ones_own_spreads_its_inputs_over_boards_of_eight(tmp_path):
    (tmp_path / "own.toml").write_text(EIGHTS)
    own = settings([f"{LINE}&unit=1&profile=relays-and-eights"])
    own = own.model_copy(update={"site": own.site.model_copy(update={"profiles": tmp_path})})
    plan = plan_of(own)
    [board] = plan.cabinets[0].boards
    assert (board.profile, board.doors) == ("waveshare-relay-16", 16)
    assert (board.closed, board.present) == (0, 0)
    world = World(plan, SystemClock())
    assert [each.unit for each in world.boards["L1"]] == [1, 4, 5, 6, 7]


@pytest.mark.parametrize("change", ["0x0200|0x0300", "fc = 2, closed|fc = 2, address = 8, closed"])
def test_a_profile_that_no_board_here_fits_is_refused(tmp_path, change):
    (tmp_path / "own.toml").write_text(EIGHTS.replace(*change.split("|")))
    own = settings([f"{LINE}&unit=1&profile=relays-and-eights"])
    own = own.model_copy(update={"site": own.site.model_copy(update={"profiles": tmp_path})})
    with pytest.raises(BadSettings, match="relays-and-eights cannot be simulated"):
        plan_of(own)


def test_what_a_url_says_of_switches_and_sensors_is_so_in_the_simulator():
    [board] = plan_of(settings([f"{BOARD}&closed=0&item=0&doors=6"])).cabinets[0].boards
    assert (board.closed, board.present, board.doors) == (0, 0, 6)


def test_a_machine_may_share_a_line_or_have_one_of_its_own():
    line = "modbus+rtu:///x/L1?baud=115200"
    shared = plan_of(settings(machine=f"{line}&unit=9&profile=licence-machine", lines=[LINE, line]))
    assert [(each.line, each.unit) for each in shared.machines] == [("L2", 9)]
    assert [each.baud for each in shared.lines] == [9600, 115_200]
    own = plan_of(settings(machine="modbus+rtu:///x/M?unit=1&profile=licence-machine"))
    assert [each.name for each in own.lines] == ["L1", "M1"]


def test_a_machine_that_stores_is_built_with_its_slots():
    url = "modbus+tcp://127.0.0.1:5020?unit=1&profile=licence-machine"
    [machine] = plan_of(settings(machine=url, kind="store", slots=48)).machines
    assert (machine.kind, machine.slots, machine.port) == ("store", 48, 5020)


@pytest.mark.parametrize(
    ("line", "board", "said"),
    [
        ("xorboard+tcp://127.0.0.1:5000", "?board=1&doors=60", "xorboard-60 cannot be simulated"),
        ("kerong+tcp://127.0.0.1:5000", "?address=1&doors=40", "kerong-cu16 cannot be simulated"),
    ],
)
def test_a_board_with_more_doors_than_there_are_is_refused(line, board, said):
    with pytest.raises(BadSettings, match=said):
        plan_of(settings([line + board], lines=[line]))


def test_a_board_that_nothing_here_can_play_is_refused_by_its_name():
    line = "modbus+rtu:///x/L1?baud=9600"
    with pytest.raises(BadSettings, match="boards home-made cannot be simulated"):
        plan_of(settings([f"{line}&unit=1&profile=home-made"], lines=[line]))


def test_air_may_share_a_line_with_boards_or_have_one_of_its_own():
    own = "modbus+rtu:///x/L2?baud=9600"
    air = (f"{LINE}&unit=11&profile=xy-md02", f"{own}&unit=1&profile=env-io-8")
    plan = plan_of(settings(lines=[LINE, own], air=air))
    World(plan, SystemClock())
    assert [(each.line, each.unit, each.profile) for each in plan.sensors] == [
        ("L1", 11, "xy-md02"),
        ("L2", 1, "env-io-8"),
    ]
    assert [each.name for each in plan.lines] == ["L1", "L2"]


def test_a_card_reader_is_built_on_its_own_path():
    [reader] = plan_of(settings(card="idcard+serial:///x/C1?baud=9600")).card_readers
    assert (reader.name, str(reader.link), reader.baud) == ("C1", "/x/C1", 9600)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"card": "scanner+serial:///x/C1"}, "card_reader.url: .*use idcard"),
        ({"air": [f"{LINE}&unit=1&profile=home-made"]}, "environment.url: .*profiles are xy-md02"),
    ],
)
def test_what_nothing_here_can_play_is_refused_by_its_key(what, said):
    with pytest.raises(BadSettings, match=said):
        plan_of(settings(**what))


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (
            f"{LINE.replace('9600', '19200')}&unit=5&profile=waveshare-relay-8",
            "differ from line L1",
        ),
        (f"{LINE}&parity=E&unit=5&profile=waveshare-relay-8", "differ from line L1"),
        ("kerong+serial:///x/L0?address=5", "differ from line L1"),
        (f"{LINE}&gap_ms=20&unit=5&profile=waveshare-relay-8", "gap_ms differs from"),
    ],
)
def test_two_addresses_that_contradict_each_other_on_one_line_are_refused(second, said):
    with pytest.raises(BadSettings, match=f"^cabinet.boards of A2: .*{said}"):
        plan_of(settings([BOARD, second]))


def test_a_line_of_its_own_is_checked_too():
    air = (f"{LINE}&unit=11&profile=xy-md02", "modbus+rtu:///x/L0?unit=12&profile=xy-md02&parity=O")
    with pytest.raises(BadSettings, match=r"^environment\.url of E2: "):
        plan_of(settings(air=air))
