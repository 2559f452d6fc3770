"""docs/settings.md: its example is a good file, and every kind of device is in it."""

import re
import tomllib
from pathlib import Path

from controller import equipment
from controller.settings import PolicyTable, SiteSettings
from onewindow.settings_file import load_site

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "settings.md").read_text("utf-8")
SECRET = "00112233445566778899aabbccddeeff"


def example() -> str:
    [block] = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    return block.replace('"..."', f'"{SECRET}"')


def test_the_example_is_a_good_file(tmp_path: Path):
    path = tmp_path / "site.toml"
    path.write_text(example(), encoding="utf-8")
    settings = load_site(path)
    assert [each.name for each in settings.environment] == ["E1", "E2"]


def test_every_table_and_every_key_of_a_device_is_in_the_example():
    tables = tomllib.loads(example())
    left_out = {"policy"}  # has a table of its own
    assert set(tables) == set(SiteSettings.model_fields) - left_out
    for key, kind in (
        ("line", equipment.LineTable),
        ("cabinet", equipment.CabinetTable),
        ("compartment", equipment.CompartmentTable),
        ("scanner", equipment.ScannerTable),
        ("card_reader", equipment.CardReaderTable),
        ("environment", equipment.EnvironmentTable),
    ):
        assert {name for table in tables[key] for name in table} == set(kind.model_fields)
    assert set(tables["attention"]) == set(equipment.AttentionTable.model_fields)


def test_the_example_names_the_defaults_and_so_does_the_table():
    shown = tomllib.loads(example())["attention"]
    assert shown == equipment.AttentionTable().model_dump()
    policy = PolicyTable()
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([\d, ]+) \|", TEXT, re.MULTILINE)
    assert rows
    for names, values in rows:
        told = [float(each.replace(",", "")) for each in re.split(r", (?=\d)", values)]
        assert told == [float(getattr(policy, name)) for name in re.findall(r"`(\w+)`", names)]
