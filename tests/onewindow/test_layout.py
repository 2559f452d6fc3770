from pathlib import Path

from controller.codes import keyed_hash
from onewindow import demo_secrets
from onewindow.demo_orders import orders
from onewindow.demo_settings import district_toml, site_toml, toml
from onewindow.layout import COLUMNS, HEIGHT_MM, Folders, Ports, compartments
from onewindow.settings_file import load_district, load_site
from onewindow.simulate import plan_of
from onewindow.whole_file import write_private

PORTS = Ports(district=1, kiosk=2, simulator=3, mqtt=4, machine=5)


def test_the_cabinet_has_24_small_6_middle_and_2_large_compartments():
    sizes = [each.size for each in compartments()]
    assert [each.no for each in compartments()] == list(range(1, 33))
    assert (sizes.count("S"), sizes.count("M"), sizes.count("L")) == (24, 6, 2)


def test_its_columns_are_equally_high_and_fit_under_its_top():
    heights = {sum(HEIGHT_MM[size] for size in column) for column in COLUMNS}
    assert heights == {1_540}
    assert {each.reach for each in compartments()} == {"low", "mid", "high"}
    assert all(76 <= each.height_cm <= 122 for each in compartments() if each.reach == "low")


def test_secrets_are_made_once_and_no_two_folders_share_one(tmp_path: Path):
    first = demo_secrets.of_folder(tmp_path / "a.json")
    assert demo_secrets.of_folder(tmp_path / "a.json") == first
    other = demo_secrets.of_folder(tmp_path / "b.json")
    assert not set(first.values()) & set(other.values())
    assert (tmp_path / "a.json").stat().st_mode & 0o077 == 0


def test_the_demo_s_settings_are_settings(tmp_path: Path):
    secrets = demo_secrets.of_folder(tmp_path / "secrets.json")
    folders = Folders(tmp_path)
    write_private(folders.site_toml, site_toml(PORTS, folders, secrets, "en"))
    write_private(folders.district_toml, district_toml(PORTS, folders, secrets, "en"))
    site = load_site(folders.site_toml)
    district = load_district(folders.district_toml)
    assert site.link.key == district.site[0].link_key
    assert site.site.lang == district.district.lang == "en"
    hashes = district.badge[0].hashes
    code_key = site.link.code_key.get_secret_value()
    assert hashes == {"FT-0001": keyed_hash(code_key, secrets["badge_vendor"])}
    assert district.district.demo_badge.get_secret_value() == f"OWB:{secrets['badge_vendor']}"
    assert secrets["badge_staff"] not in folders.district_toml.read_text()
    assert secrets["ops"] not in folders.district_toml.read_text()


def test_the_simulator_is_told_of_the_machines_in_the_settings(tmp_path: Path):
    secrets = demo_secrets.of_folder(tmp_path / "secrets.json")
    folders = Folders(tmp_path)
    write_private(folders.site_toml, site_toml(PORTS, folders, secrets, "zh-CN"))
    plan = plan_of(load_site(folders.site_toml))
    assert [(line.name, line.baud, line.link) for line in plan.lines] == [
        ("L1", 19_200, tmp_path / "lines" / "L1"),
        ("L2", 9_600, tmp_path / "lines" / "L2"),
    ]
    [cabinet] = plan.cabinets
    assert [(board.line, board.unit, board.doors) for board in cabinet.boards] == [("L1", 1, 32)]
    assert len(cabinet.compartments) == 32
    assert [(each.name, each.port) for each in plan.machines] == [("M1", 5)]
    assert [(each.name, each.link) for each in plan.scanners] == [("S1", tmp_path / "lines" / "S1")]


def test_the_demo_s_orders_have_numbers_and_phones_of_their_own():
    numbers = {order["order_no"] for order in orders()}
    phones = {person["phone"] for order in orders() for person in order["recipients"]}
    assert len(numbers) == len(phones) == 3


def test_toml_holds_any_text():
    assert toml({"a": {"b": 'say "hi"\n', "c": True}}) == '[a]\nb = "say \\"hi\\"\\n"\nc = true\n'
