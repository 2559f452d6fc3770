import pytest

from tests.controller.link.two_ends import TwoEnds, store_at


@pytest.fixture
def ends(tmp_path):
    with store_at(tmp_path / "ours.db") as ours, store_at(tmp_path / "theirs.db") as theirs:
        yield TwoEnds(ours, theirs)
