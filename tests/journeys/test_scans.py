"""What people hold before a scanner: once, twice, wrong, hostile. A stranger learns nothing."""

import threading

import pytest
from stage import Stage, until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("scans")]

NOBODYS = "OW1:FT-0001:0123456789ABCDEFGHJKMNPQRS"
HOSTILE = [
    "OWL:nobodyknowsme",
    "OWB:0123456789ABCDEFGHJKMNPQRS",
    "\x01\xfe" * 2048,
    "x" * 4096,
    "🙂",
    "https://example.invalid/pay?amount=1",
    "'; DROP TABLE codes; --",
]


def refusal(stage: Stage, text: str) -> dict[str, object]:
    """What the screen says to a text, without what differs by nature."""
    stage.home()
    stage.scan(text)
    view = stage.screen("refused")
    return {key: view[key] for key in ("screen", "message", "buttons", "doors", "order", "items")}


@pytest.fixture
def ready(stage: Stage, number: str) -> str:
    stage.place(number)
    stage.load_order(number)
    return number


def released(stage: Stage) -> int:
    return sum(stage.bolts().values())


def test_a_code_held_twice_releases_once(stage: Stage, ready: str):
    text = stage.code(ready)["qr_text"]
    before = released(stage)
    stage.home()
    stage.scan(text)
    stage.scan(text)
    stage.screen("confirm")
    stage.press("confirm")
    stage.scan(text)
    stage.take_all()
    stage.home()
    assert released(stage) == before + 1


def test_two_presses_at_once_release_once(stage: Stage, ready: str):
    before = released(stage)
    stage.home()
    stage.scan(stage.code(ready)["qr_text"])
    stage.screen("confirm")
    presses = [threading.Thread(target=stage.press, args=("confirm",)) for _ in range(4)]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    stage.take_all()
    stage.home()
    assert released(stage) == before + 1


def test_wrong_spent_and_never_minted_codes_read_the_same(stage: Stage, ready: str):
    spent = stage.code(ready)["qr_text"]
    stage.collect(ready)
    before = released(stage)
    assert refusal(stage, spent) == refusal(stage, NOBODYS)
    assert released(stage) == before


def test_a_code_of_another_site_says_so_and_opens_nothing(stage: Stage):
    before = released(stage)
    view = refusal(stage, NOBODYS.replace("FT-0001", "FT-0099"))
    assert "FT-0099" in str(view["message"])
    assert released(stage) == before


def test_noise_before_the_scanner_opens_nothing_and_the_site_goes_on(stage: Stage, ready: str):
    before = released(stage)
    for text in HOSTILE:
        stage.home()
        stage.scan(text)
        until(lambda: stage.kiosk()["screen"] in {"idle", "refused"}, "an answer or none")
        assert "DROP" not in str(stage.kiosk())
    assert released(stage) == before
    stage.collect(ready)


def test_a_wrong_typed_code_reads_as_any_refusal(stage: Stage, ready: str):
    stage.home()
    stage.press("code", "000000000000")
    typed = stage.screen("refused")
    assert typed["message"] == refusal(stage, NOBODYS)["message"]
    stage.collect(ready)
