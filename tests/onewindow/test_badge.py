"""`onewindow badge` makes lines that district.toml takes, and a site then knows badge and PIN."""

from pydantic import SecretBytes

from controller.codes import keyed_hash, pin_hash
from controller.settings import BadgeTable, DistrictSettings, DistrictSiteTable, DistrictTable
from onewindow.badge import lines

SITE = DistrictSiteTable(
    id="FT-0001",
    name="Hall",
    address="1 Road",
    link_key=SecretBytes(b"l" * 16),
    code_key=SecretBytes(b"c" * 16),
    typed_salt=SecretBytes(b"s" * 16),
)


def test_a_badge_for_staff_has_a_pin_and_neither_it_nor_the_secret_is_in_the_lines():
    district = DistrictTable(seal_key=SecretBytes(b"k" * 32))
    settings = DistrictSettings(district=district, site=[SITE])
    made = lines(settings, "ops-1", None, "SECRET", "4711")
    badge = BadgeTable.model_validate(made)
    assert badge.hashes == {"FT-0001": keyed_hash(b"c" * 16, "SECRET")}
    assert badge.pins == {"FT-0001": pin_hash(b"s" * 16, "SECRET", "4711")}
    assert "SECRET" not in str(made)
    assert "4711" not in str(badge.id)
    assert BadgeTable.model_validate(lines(settings, "v-1", "V01", "SECRET", None)).pins == {}
