"""Ten people in a row at one cabinet, on a line that loses or garbles every tenth frame."""

from collections import Counter
from collections.abc import Iterator

import pytest
from stage import Stage, until

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PEOPLE = 10
SPEED = "8"  # a door stays open for a second or so: faster than people, slow enough to be seen
JAMMED_S = "3"  # whoever is so much faster gives up a door that does not open sooner too


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("ten")
    with Stage(folder, "--speed", SPEED, POLICY__DOOR_JAMMED_S=JAMMED_S) as opened:
        yield opened


def visit(stage: Stage, number: str) -> None:
    """One person's whole visit, whatever the line does to it."""
    stage.home()
    stage.scan(stage.code(number)["qr_text"])
    until(lambda: stage.kiosk()["screen"] in {"confirm", "refused"}, "an answer to the scan")
    if stage.kiosk()["screen"] == "confirm":
        stage.press("confirm")
        until(lambda: over(stage), "the end of a visit", within_s=90.0)
    stage.home()


def over(stage: Stage) -> bool:
    view = stage.kiosk()
    if view["screen"] == "trouble":
        stage.press("again" if "again" in view["buttons"] else "skip")
    return view["screen"] in {"rating", "done", "idle"}


def test_ten_pickups_end_collected_or_doubtful_with_an_alarm(stage: Stage):
    ordered = [f"44030420261127{number:04}" for number in range(PEOPLE)]
    for number in ordered:
        stage.place(number)
    for number in ordered:
        stage.state(number, "partly_loaded")
    stage.load(*(label for number in ordered for label in stage.labels(number)))
    for number in ordered:
        stage.state(number, "ready")
    stage.do("people", auto=True)
    stage.do("faults", line="L1", lost=0.05, garbled=0.05, silent=[])
    try:
        for number in ordered:
            visit(stage, number)
    finally:
        stage.do("faults", line="L1", lost=0.0, garbled=0.0, silent=[])
        stage.do("people", auto=False)
    line = stage.sim()["lines"]["L1"]
    assert line["lost"], "no frame was lost, so nothing was tried"
    assert line["garbled"], "no frame was garbled, so nothing was tried"

    until(lambda: not settling(stage), "every intent to have an end")
    doubtful = set()
    for number in ordered:
        for item in stage.order(number)["items"]:
            if item["state"] != "collected":
                doubtful.add(f"{item.get('cabinet')}/{item.get('compartment')}")
    standing = {each["where"] for each in stage.api("GET", "/alarms").json()["alarms"]}
    assert doubtful <= standing
    intents = Counter(
        entry["data"]["where"]
        for entry in stage.journal(stage.demo["databases"]["site"], "up", "movement.intended")
    )
    assert all(moved <= intents[where] for where, moved in stage.bolts().items())


def settling(stage: Stage) -> set[str]:
    site = stage.demo["databases"]["site"]
    begun = {each["data"]["intent"] for each in stage.journal(site, "up", "movement.intended")}
    ended = {each["data"]["intent"] for each in stage.journal(site, "up", "movement.settled")}
    return begun - ended
