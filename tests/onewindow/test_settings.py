import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from controller.settings import DistrictSettings, SiteSettings
from onewindow.settings_file import BadSettings, load_district, load_site

ROOT = Path(__file__).parent.parent.parent

SITE = """
[site]
id = "FT-0001"
name = "区政务服务大厅"
address = "福中三路123号"
[[cabinet]]
letter = "A"
boards = ["modbus+rtu:///dev/ttyS9?baud=19200&unit=1&profile=waveshare-relay-32"]
[[compartment]]
cabinet = "A"
no = 1
size = "S"
height_cm = 30
[link]
key = "00112233445566778899aabbccddeeff"
code_key = "10112233445566778899aabbccddeeff"
typed_salt = "20112233445566778899aabbccddeeff"
"""
DISTRICT = """
[district]
seal_key = "0011223344556677889900112233445566778899001122334455667788990011"
[[vendor]]
id = "V01"
name = "Example seals"
"""


def tables_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The tables that a settings file's top level is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from tables_in(part)


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(SITE, encoding="utf-8")
    return path


@pytest.fixture
def district_file(tmp_path: Path) -> Path:
    path = tmp_path / "district.toml"
    path.write_text(DISTRICT, encoding="utf-8")
    return path


def test_a_short_site_file_gives_everything_the_site_needs(site_file: Path):
    settings = load_site(site_file)
    assert settings.site.id == "FT-0001"
    assert settings.site.database == site_file.parent / "data" / "site.db"
    assert settings.policy.door_unseen_s == 2.0
    assert settings.link.key.get_secret_value()[:2] == b"\x00\x11"
    assert settings.mqtt is None


def test_folders_are_meant_from_where_the_file_lies(site_file: Path):
    text = SITE.replace('id = "FT-0001"', 'id = "FT-0001"\ndata = "x"\nprofiles = "boards"')
    site_file.write_text(text, encoding="utf-8")
    site = load_site(site_file).site
    assert (site.data, site.profiles) == (site_file.parent / "x", site_file.parent / "boards")


def test_the_environment_has_the_last_word(site_file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ONEWINDOW_SITE__HTTP_PORT", "9001")
    monkeypatch.setenv("ONEWINDOW_POLICY__CONFIRM_PICKUP", "false")
    settings = load_site(site_file)
    assert settings.site.http_port == 9001
    assert settings.site.name == "区政务服务大厅"
    assert not settings.policy.confirm_pickup


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("[policy]\nreopen_sec = 3", "policy.reopen_sec: no such key"),
        ('[policy]\nreopen_s = "soon"', "policy.reopen_s"),
        ("[policy]\nreopen_s = -1", "policy.reopen_s"),
        ("[polcy]\nx = 3", "polcy: no such key"),
        ('[mqtt]\nusername = "FT-0001"', "mqtt.password: missing"),
        (
            '[[compartment]]\ncabinet = "B"\nno = 1\nsize = "S"\nheight_cm = 3',
            "compartment.cabinet: B",
        ),
        ('[[compartment]]\ncabinet = "A"\nno = 1\nsize = "S"\nheight_cm = 3', "A/1 is given twice"),
        ("[[machine]]\nname = 'M1'\nurl = 3", "machine.0.url"),
        ("[[card_reader]]\nname = 'C1'\nurl = 'x'\nport = 1", "card_reader.0.port: no such key"),
        ("[[card_reader]]\nname = 'C1'", "card_reader.0.url: missing"),
        (
            "[[environment]]\nname = 'E1'\ncabinet = 'B'\nurl = 'x'",
            "environment.cabinet: B is not in this file",
        ),
        ("[policy]\ntemperature_low_c = 50", "policy: temperature_low_c is not below"),
        ("[policy]\nfan_off_c = 40", "policy: fan_off_c is not below fan_on_c"),
        (
            "[[environment]]\nname = 'E1'\ncabinet = 'A'\nurl = 'x'\nwired = ['door']",
            "environment.0.wired.0: Input should be",
        ),
        (
            "[[scanner]]\nname = 'E1'\nurl = 'x'\n[[card_reader]]\nname = 'E1'\nurl = 'x'",
            "name: E1 is given twice",
        ),
        ("[attention]\nidle_slots = 0", "attention.idle_slots"),
        ("[attention]\nsilent_share = 0.9", "attention.silent_share"),
        ("[attention]\nslots = 1", "attention.slots: no such key"),
    ],
)
def test_a_wrong_key_is_refused_in_one_line_that_names_it(site_file: Path, line: str, key: str):
    site_file.write_text(SITE + line, encoding="utf-8")
    with pytest.raises(BadSettings) as refused:
        load_site(site_file)
    assert key in str(refused.value)
    assert str(site_file) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_misspelt_variable_is_refused(site_file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ONEWINDOW_STIE__NAME", "x")
    with pytest.raises(BadSettings, match="ONEWINDOW_STIE__NAME"):
        load_site(site_file)


def test_a_missing_file_and_one_that_is_no_toml_say_so(tmp_path: Path, site_file: Path):
    with pytest.raises(BadSettings, match="No such file"):
        load_site(tmp_path / "none.toml")
    site_file.write_text("site = {", encoding="utf-8")
    with pytest.raises(BadSettings, match="not TOML"):
        load_site(site_file)


def test_no_secret_is_shown(site_file: Path, district_file: Path):
    shown = repr(load_site(site_file)) + repr(load_district(district_file))
    for secret in ("001122", "101122", "201122", "\\x00\\x11", "\\x10\\x11", "\\x20\\x11"):
        assert secret not in shown


def test_a_bad_key_is_refused_without_showing_it(site_file: Path):
    site_file.write_text(SITE.replace("00112233445566778899aabbccddeeff", "c0ffee"), "utf-8")
    with pytest.raises(BadSettings, match=r"link\.key: shorter") as refused:
        load_site(site_file)
    assert "c0ffee" not in str(refused.value)


def test_a_district_has_a_database_and_an_address_of_its_own(district_file: Path):
    settings = load_district(district_file)
    assert settings.district.database == district_file.parent / "data" / "district.db"
    assert settings.district.url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("[[login]]\nusername='v'\npassword_hash='x'\nrole='vendor'", "login.0"),
        (
            "[[login]]\nusername='v'\npassword_hash='x'\nrole='vendor'\nvendor_id='V09'",
            "login.vendor_id: V09",
        ),
        ("[[api_key]]\nname='a'\nsha256='12'\nscopes=['orders']", "api_key.0.sha256"),
        (f"[[api_key]]\nname='a'\nsha256='{'0' * 64}'\nscopes=['all']", "api_key.0.scopes"),
        (f"[[badge]]\nid='b'\nrole='staff'\nhashes={{X-1='{'0' * 64}'}}", "badge.hashes: X-1"),
    ],
)
def test_a_wrong_key_of_a_district_is_named(district_file: Path, line: str, key: str):
    district_file.write_text(DISTRICT + line, encoding="utf-8")
    with pytest.raises(BadSettings) as refused:
        load_district(district_file)
    assert key in str(refused.value)


def test_no_setting_is_without_effect():
    """Whatever a file may say, some line of the product reads."""
    rooms = ("onewindow", "api", "controller", "firmware_bridge")
    product = "\n".join(
        path.read_text("utf-8") for room in rooms for path in (ROOT / room).rglob("*.py")
    )
    tops = (*SiteSettings.model_fields.values(), *DistrictSettings.model_fields.values())
    idle = [
        f"{table.__name__}.{name}"
        for table in {table for top in tops for table in tables_in(top.annotation)}
        for name in table.model_fields
        if not re.search(rf"\.{name}\b", product)
    ]
    assert not idle
