"""docs/settings.md names every policy with the default that it has."""

from pathlib import Path

import onewindow
from controller.settings import PolicyTable

TEXT = (Path(onewindow.__file__).parents[1] / "docs" / "settings.md").read_text("utf-8")


def test_every_policy_is_in_the_tables():
    missing = [name for name in PolicyTable.model_fields if f"`{name}`" not in TEXT]
    assert not missing
