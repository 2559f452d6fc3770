"""The devices that a site's settings name: made, or refused in one line that names the key."""

import asyncio
import re
from pathlib import Path

import pytest

from controller.clock import SystemClock
from onewindow.devices import bridge_of, devices_of
from onewindow.settings_file import BadSettings, load_site
from onewindow.site import run

LINE = "modbus+rtu:///dev/none/L1?baud=9600"
SITE = """
[site]
id = "FT-0001"
name = "Hall"
address = "1 Road"
SITE_KEYS
[link]
key = "00112233445566778899aabbccddeeff"
code_key = "10112233445566778899aabbccddeeff"
typed_salt = "20112233445566778899aabbccddeeff"
[[line]]
name = "left"
url = "modbus+rtu:///dev/none/L1?baud=9600"
[[compartment]]
cabinet = "A"
no = 8
size = "S"
height_cm = 30
"""


def written(folder, boards=("unit=1&profile=waveshare-relay-8",), more="", site=""):
    path = folder / "site.toml"
    urls = [each if "://" in each else f"{LINE}&{each}" for each in boards]
    cabinet = f"[[cabinet]]\nletter = 'A'\nboards = {urls}\n"
    path.write_text(SITE.replace("SITE_KEYS", site) + cabinet + more, encoding="utf-8")
    return path


def made(path):
    settings = load_site(path)
    return devices_of(settings, bridge_of(settings, SystemClock()))


def machine(url):
    return f"[[machine]]\nname = 'M1'\nurl = '{url}'\n"


def air(url):
    return f"[[environment]]\nname = 'E1'\ncabinet = 'A'\nurl = '{url}'\n"


def line(url):
    return f"[[line]]\nname = 'right'\nurl = '{url}'\n"


TCP = "modbus+tcp://127.0.0.1:502?unit=1&profile=licence-machine"


def test_every_kind_of_device_is_made_and_knows_its_line(tmp_path: Path):
    more = (
        machine(TCP)
        + air(f"{LINE}&unit=9&profile=xy-md02")
        + "[[scanner]]\nname = 'S1'\nurl = 'scanner+serial:///dev/none/S1'\n"
        + "[[card_reader]]\nname = 'C1'\nurl = 'idcard+serial:///dev/none/C1'\n"
    )
    devices = made(written(tmp_path, more=more))
    assert [board.name for board in devices.boards["A"]] == ["A1"]
    assert [*devices.machines, *devices.scanners, *devices.card_readers] == ["M1", "S1", "C1"]
    assert devices.environments["E1"].name == "E1"
    assert devices.lines == {"A1": "left", "E1": "left", "M1": "M1", "S1": "S1", "C1": "C1"}


def test_shares_of_attention_reach_every_line(tmp_path: Path):
    more = "[attention]\nattentive_slots = 3\nidle_slots = 2\nsilent_share = 0.01\n"
    settings = load_site(written(tmp_path, more=more))
    bridge = bridge_of(settings, SystemClock())
    devices_of(settings, bridge)
    [bus] = bridge.lines.values()
    shares = bus.shares
    assert (shares.attentive_slots, shares.idle_slots, shares.silent) == (3, 2, 0.01)


OWN = """
[profile.mine]
doors = 8
pulse = { unit = 0, fc = 5, address = 0x0200, per_door = 1, value = "ms/100", ms = 500 }
door = { unit = 1, fc = 2, address = 0x0000, closed = 1 }
"""


@pytest.mark.parametrize(("folder", "key"), [("data/profiles", ""), ("own", "profiles = 'own'")])
def test_profiles_of_ones_own_are_found(tmp_path: Path, folder: str, key: str):
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "mine.toml").write_text(OWN)
    devices = made(written(tmp_path, ["unit=1&profile=mine"], site=key))
    assert devices.boards["A"][0].doors == 8


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"boards": ["unit=1&profile=waveshare-relay-8", "unit=3&profile=waveshare-relay-8"]},
            "cabinet.boards of A1 and cabinet.boards of A2 are both at 3 of /dev/none/L1",
        ),
        (
            {"more": air(f"{LINE}&unit=2&profile=xy-md02")},
            "cabinet.boards of A1 and environment.url of E1 are both at 2 of /dev/none/L1",
        ),
        (
            {"more": machine(TCP) + air(f"{TCP.replace('licence-machine', 'xy-md02')}")},
            "machine.url of M1 and environment.url of E1 are both at 1 of 127.0.0.1:502",
        ),
        (
            {
                "boards": [
                    "modbus+rtu:///dev/none/L2?baud=9600&unit=1&profile=waveshare-relay-8",
                    "modbus+rtu:///dev/none/L2?baud=19200&unit=4&profile=waveshare-relay-8",
                ]
            },
            "cabinet.boards of A2: .*baud or parity differ",
        ),
        (
            {"boards": ["modbus+rtu:///dev/none/L1?baud=19200&unit=1&profile=waveshare-relay-8"]},
            "cabinet.boards of A1: .*baud or parity differ from line left",
        ),
        ({"boards": ["unit=1&profile=none-such"]}, "cabinet.boards of A1: .*none-such"),
        ({"boards": ["unit=300&profile=waveshare-relay-8"]}, "cabinet.boards of A1: .*unit=300"),
        ({"boards": ["unit=1&profile=waveshare-relay-8&doors=4"]}, "compartment.no: .*no A/8"),
        ({"more": air(f"{LINE}&unit=9&profile=reg-lock-24")}, "environment.url of E1: .*no sensor"),
        ({"more": machine(f"{LINE}&unit=9&profile=xy-md02")}, "machine.url of M1: "),
        ({"more": line(f"{LINE}&parity=E")}, "line.url of right: .*already left"),
        ({"more": line("modbus+rtu:///dev/none/L2?baud=1")}, "line.url of right: .*baud=1 "),
        ({"more": line("pigeon:///dev/none/L2")}, "line.url of right: .*'pigeon' is not one of"),
        (
            {"more": "[[card_reader]]\nname = 'C1'\nurl = 'idcard+serial:///dev/none/L1'\n"},
            "card_reader.url of C1: .*/dev/none/L1 is already",
        ),
        (
            {"more": "[[scanner]]\nname = 'S1'\nurl = 'scanner+serial:///dev/none/L1'\n"},
            "scanner.url of S1: .*/dev/none/L1 is already",
        ),
        ({"site": "profiles = 'nowhere'"}, "site.profiles: .*nowhere: no such folder"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_that_names_its_key(tmp_path: Path, wrong, said):
    path = written(tmp_path, **wrong)
    with pytest.raises(BadSettings) as refused:
        made(path)
    assert re.search(said, str(refused.value)), refused.value
    assert "\n" not in str(refused.value)


def test_a_site_refuses_before_it_makes_anything(tmp_path: Path):
    settings = load_site(written(tmp_path, ["unit=1&profile=none-such"]))
    with pytest.raises(BadSettings, match=r"cabinet\.boards of A1"):
        asyncio.run(run(settings))
    assert [each.name for each in tmp_path.iterdir()] == ["site.toml"]
