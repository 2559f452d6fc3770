"""One pickup from order to goodbye, through every room, on real bytes; no page is clicked here."""

import subprocess
import sys

import pytest
from stage import Stage, until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("whole-pickup")]


def entries(stage: Stage) -> list[str]:
    """The district's copy of the site's journal, as stored."""
    found: list[str] = []
    after = 0
    while True:
        page = stage.api("GET", "/sites/FT-0001/journal", params={"after": after}).json()
        found += page["entries"]
        if page["next"] is None:
            return found
        after = page["next"]


def tool(*words: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "onewindow", *words], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_both_items_end_in_the_hands_of_the_one_who_scans(stage: Stage, number: str):
    stage.place(number)
    (where,) = stage.load_order(number)
    before = stage.bolts()
    code = stage.code(number)
    stage.collect(number)

    (label,) = stage.labels(number)
    assert label in stage.hands()
    assert any(taken.startswith("JOB:") for taken in stage.hands())
    moved = {door: times - before.get(door, 0) for door, times in stage.bolts().items()}
    assert {door: times for door, times in moved.items() if times} == {where: 1}

    assert stage.api("GET", f"/orders/{number}/pickup-code").status_code == 409
    stage.scan(code["qr_text"])
    assert stage.screen("refused")["order"] is None
    stage.home()


def test_the_phone_digits_and_the_typed_code_open_the_same_doors(stage: Stage, number: str):
    stage.place(number)
    stage.load_order(number)
    stage.home()
    assert stage.press("code", stage.code(number)["typed_code"] + "0000").is_success
    stage.screen("confirm")
    stage.press("confirm")
    stage.take_all()
    stage.state(number, "collected")


def test_the_journal_verifies_and_the_district_holds_the_same_bytes(stage: Stage, number: str):
    stage.place(number)
    stage.load_order(number)
    stage.collect(number)

    database = stage.demo["databases"]["site"]
    assert "FT-0001" in tool("journal", "verify", database)

    def equal() -> bool:
        shown = tool("journal", "show", database, "--stream", "up", "--raw").splitlines()
        return shown == entries(stage)

    until(equal, "the district's copy to equal the site's journal")


def test_every_release_has_an_intent_before_it_and_a_named_end(stage: Stage, number: str):
    stage.place(number)
    stage.load_order(number)
    stage.collect(number)
    rows = tool("journal", "show", stage.demo["databases"]["site"], "--stream", "up", "--raw")
    intended = rows.count('"kind":"movement.intended"')
    settled = rows.count('"kind":"movement.settled"')
    physically = sum(stage.bolts().values()) + stage.sim()["machines"]["M1"]["moved"]
    assert intended == settled == physically
