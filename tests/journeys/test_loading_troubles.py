"""A vendor's round with everything that goes wrong on one; one clear line each time."""

from collections.abc import Iterator

import pytest
from stage import FAST, Stage, until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("loading-troubles")]

NOTICE_S, ALARM_S = "3", "6"  # a door may stand open this long: the default half minute, sped up


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(
        tmp_path_factory.mktemp("round"),
        *FAST,
        POLICY__AJAR_NOTICE_S=NOTICE_S,
        POLICY__AJAR_ALARM_S=ALARM_S,
    ) as opened:
        yield opened


def box_state(stage: Stage, number: str) -> str:
    order = stage.order(number)
    return str(next(i["state"] for i in order["items"] if i["holder"] == "cabinet"))


@pytest.fixture
def box(stage: Stage, number: str) -> str:
    stage.place(number)
    stage.state(number, "partly_loaded")  # the licence, so the site knows the order
    return stage.labels(number)[0]


@pytest.fixture
def at_load(stage: Stage) -> Stage:
    stage.home()
    stage.scan(stage.demo["badges"]["vendor"])
    stage.screen("load")
    return stage


def released(stage: Stage) -> int:
    return sum(stage.bolts().values())


def line_after(stage: Stage, label: str) -> str:
    """The line that the screen says next to this scan; one line, of words."""
    before = stage.kiosk()["message"]
    stage.scan(label)
    view = until(
        lambda: (seen := stage.kiosk())["message"] != before and seen, "an answer to a label"
    )
    assert view["doors"] == []
    assert view["message"]
    assert "\n" not in view["message"]
    return str(view["message"])


def test_a_label_scanned_twice_opens_one_door(box: str, number: str, at_load: Stage):
    before = released(at_load)
    at_load.scan(box)
    where = at_load.open_door()
    at_load.scan("")
    at_load.scan(box)
    at_load.do(f"doors/{where}/put", label=box)
    at_load.close(where)
    at_load.state(number, "ready")
    assert line_after(at_load, "OWL:somethingelse") != line_after(at_load, box)
    assert released(at_load) == before + 1
    at_load.home()


def test_an_unknown_label_and_a_foreign_vendors_read_the_same(at_load: Stage, number: str):
    body = [{"kind": "seal_set", "holder": "cabinet", "vendor_id": "V02", "seals": ["official"]}]
    at_load.place(number, items=body)
    at_load.api("GET", f"/orders/{number}")
    until(
        lambda: number in at_load.journal_text("site"),
        "the order at the site",
    )
    before = released(at_load)
    unknown = line_after(at_load, "OWL:neverheardof")
    at_load.home()
    at_load.scan(at_load.demo["badges"]["vendor"])
    at_load.screen("load")
    assert line_after(at_load, at_load.labels(number)[0]) == unknown
    assert released(at_load) == before
    at_load.home()


def test_a_door_closed_on_nothing_leaves_the_box_expected(box: str, number: str, at_load: Stage):
    at_load.scan(box)
    where = at_load.open_door()
    at_load.close(where)
    until(lambda: not at_load.kiosk()["doors"], "the door to be closed")
    assert at_load.kiosk()["message"]
    assert box_state(at_load, number) == "expected"
    at_load.scan("")
    at_load.home()
    at_load.load(box)
    at_load.state(number, "ready")


def test_a_door_left_open_is_said_until_it_is_closed(box: str, number: str, at_load: Stage):
    at_load.scan(box)
    where = at_load.open_door()
    at_load.do(f"doors/{where}/put", label=box)
    view = until(
        lambda: (seen := at_load.kiosk())["text"] == "load_close" and seen,
        "the screen to ask for the door to be closed",
    )
    assert view["doors"] == [where]
    assert where.replace("A/", "") in view["message"]
    assert box_state(at_load, number) == "expected"
    until(lambda: ("door_ajar", where) in at_load.alarms(), "door_ajar on MQTT")
    at_load.close(where)
    at_load.state(number, "ready")
    until(lambda: ("door_ajar", where) not in at_load.alarms(), "door_ajar cleared")
    at_load.home()
