"""A lock jams; a door is forced. The person is told what to do, and the fleet sees it."""

import json

import pytest
from stage import Stage, until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("door-troubles")]


def door_state(stage: Stage, where: str) -> str:
    return str(json.loads(stage.mqtt.topics[f"onewindow/FT-0001/cabinet/{where}/door"])["state"])


def test_a_jammed_lock_is_named_and_the_rest_is_handed_over(stage: Stage, number: str):
    stage.place(number)
    (where,) = stage.load_order(number)
    stage.do(f"doors/{where}/jam")
    before = stage.bolts()
    stage.home()
    stage.scan(stage.code(number)["qr_text"])
    stage.screen("confirm")
    stage.press("confirm")
    view = stage.screen("trouble")
    assert view["case"]
    assert view["message"]
    until(lambda: ("lock_jammed", where) in stage.alarms(), "lock_jammed on MQTT")
    listed = stage.api("GET", "/alarms").json()["alarms"]
    assert ("lock_jammed", where) in {(each["kind"], each["where"]) for each in listed}
    assert stage.press("skip").is_success
    stage.take_all()
    stage.home()
    stage.state(number, "partly_collected")
    assert stage.bolts() == before
    assert any(taken.startswith("JOB:") for taken in stage.hands())

    stage.do(f"doors/{where}/free")


@pytest.mark.parametrize(
    ("where", "act", "calm"), [("A/31", "force", "close"), ("A/30", "stick-open", "free")]
)
def test_a_door_that_reads_open_by_itself_is_forced_until_it_is_shut(
    stage: Stage, where: str, act: str, calm: str
):
    stage.do(f"doors/{where}/{act}")
    until(lambda: ("door_forced", where) in stage.alarms(), "door_forced on MQTT")
    assert door_state(stage, where) == "open"
    stage.do(f"doors/{where}/{calm}")
    until(lambda: ("door_forced", where) not in stage.alarms(), "door_forced cleared")
