"""The network is away; people are not. What happened meanwhile is known once afterwards."""

import signal
from collections import Counter

import pytest
from stage import Stage

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("outages")]


def collected_by_district(stage: Stage, number: str) -> Counter[str]:
    page = stage.api("GET", "/sites/FT-0001/journal", params={"limit": 1000}).json()
    return Counter(
        kind
        for kind in ("pickup.started", "pickup.completed")
        for entry in page["entries"]
        if f'"kind":"{kind}"' in entry and number in entry
    )


@pytest.mark.parametrize("away", ["killed", "frozen"])
def test_a_pickup_needs_no_broker_and_is_told_once_later(stage: Stage, number: str, away: str):
    stage.place(number)
    stage.load_order(number)
    code = stage.code(number)["qr_text"]
    stage.home()

    supervisor = stage.supervisor_pid()
    if away == "killed":
        stage.signal(supervisor, signal.SIGSTOP)  # else it would start the broker again at once
        broker = stage.kill("broker")
    else:
        broker = stage.kill("broker", signal.SIGSTOP)
    try:
        stage.scan(code)
        stage.screen("confirm")
        stage.press("confirm")
        stage.take_all()
        stage.home()
        assert stage.order(number)["state"] == "ready", "the district cannot know yet"
    finally:
        stage.signal(broker if away == "frozen" else supervisor, signal.SIGCONT)

    stage.state(number, "collected")
    assert collected_by_district(stage, number) == {"pickup.started": 1, "pickup.completed": 1}


def test_an_order_placed_while_the_broker_is_away_arrives_later(stage: Stage, number: str):
    broker = stage.kill("broker", signal.SIGSTOP)
    try:
        stage.place(number)
        assert stage.order(number)["state"] == "placed"
    finally:
        stage.signal(broker, signal.SIGCONT)
    stage.state(number, "partly_loaded")
    stage.load_order(number)
    stage.collect(number)
