"""A code that has run out reads like one that never was, and opens nothing."""

from collections.abc import Iterator

import pytest
from stage import FAST, Stage, until

pytestmark = [pytest.mark.journey]

NOBODYS = "OW1:FT-0001:0123456789ABCDEFGHJKMNPQRS"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("expired"), *FAST, POLICY__CODE_VALID_S="1") as opened:
        yield opened


def test_an_expired_code_is_refused_like_nobodys(stage: Stage, number: str):
    stage.place(number)
    stage.load_order(number)
    code = stage.code(number)["qr_text"]
    before = stage.bolts()

    def answer(text: str) -> str:
        stage.home()
        stage.scan(text)
        view = stage.screen("refused", "confirm")
        if view["screen"] == "confirm":  # it had a moment left
            stage.press("end")
        return str(view["message"])

    until(lambda: answer(NOBODYS) == answer(code), "the code to run out")
    assert stage.bolts() == before
    assert stage.order(number)["state"] == "ready"
