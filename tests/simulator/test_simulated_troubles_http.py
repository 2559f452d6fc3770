"""Every trouble is put on, told and ended over HTTP, each by its name."""

from dataclasses import replace

import httpx
import pytest

from simulator.app import make_app
from simulator.live import LivePages
from simulator.memory import WorldFile
from simulator.plan import CardReaderPlan


@pytest.fixture
async def http(make_site, plan, tmp_path):
    wider = replace(plan, card_readers=(CardReaderPlan("C1", tmp_path / "lines" / "C1"),))
    site = make_site(plan=wider)
    file = WorldFile(tmp_path / "world.json", site.world)
    app = make_app(site.world, {}, file, LivePages(site.world))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/sim/"
    ) as client:
        yield client


async def put(http, status=200, path="faults", **body):
    answer = await http.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


LINE_TROUBLES = (
    {"lost": 0.1, "garbled": 0.1, "late": 0.1, "doubled": 0.1, "split": 0.1, "garbage": 0.1}
    | {"reboot": 0.1, "echo": True, "swapped": True}
    | {"silent": [1], "collision": [1], "wrong_speed": [1], "slow_after_pulse": [1]}
    | {"busy_after_open": [1], "linkage": [1]}
)
DOOR_TROUBLES = {
    "bounce": True,
    "floating": 1.0,
    "stuck_open": True,
    "stuck_closed": False,
    "reversed": True,
    "welded": True,
    "dead_relay": True,
    "jammed": True,
    "weak": True,
    "relatch": True,
    "crosswired": 0,
    "ghost_item": 0.1,
}


@pytest.mark.parametrize(
    ("what", "asked"),
    [
        ({"line": "L1"}, LINE_TROUBLES),
        ({"line": "M1"}, {"tcp_half_open": True, "tcp_stale": True, "one_client": True}),
        ({"door": "A/8"}, DOOR_TROUBLES),
        ({"scanner": "S1"}, {"scanner_repeat": True, "scanner_half": True, "scanner_noise": True}),
        ({"machine": "M1"}, {"machine_jam": 0.5, "machine_power": 0.5}),
    ],
)
async def test_each_trouble_is_put_on_told_and_ended(http, what, asked):
    told = await put(http, **what, **asked)
    assert told["faults"].items() >= asked.items()
    counts = told.get("counted", told)
    assert set(asked) <= set(counts)
    ended = await put(http, **what)
    assert not any(ended["faults"].values())


async def test_everything_that_stands_is_told_in_one_answer(http):
    await put(http, door="A", reversed=True)
    await put(http, card="C1", card_hangs=True)
    told = (await http.get("faults")).json()
    assert len(told["doors"]) == 32
    assert told["doors"]["A/8"]["faults"]["reversed"]
    assert told["cards"]["C1"]["faults"]["card_hangs"]
    assert set(told["lines"]) == {"L1", "M1"}
    assert not (await put(http, path="card/C1/restart"))["hangs"]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (409, {"line": "L1", "one_client": True}, "one_client cannot happen on L1."),
        (409, {"line": "M1", "echo": True}, "echo cannot happen on M1."),
        (409, {"line": "M1", "usb_renumber": 1.0}, "usb_renumber cannot happen on M1."),
        (404, {"door": "A/99"}, "There is no door A/99."),
        (404, {"door": "A/8", "crosswired": 99}, "There is no door A/99."),
        (404, {"scanner": "S9"}, "There is no scanner S9."),
        (404, {"card": "C9"}, "There is no card reader C9."),
        (404, {"machine": "M9"}, "There is no machine M9."),
        (422, {"lost": 0.1}, "body: Name a line, door, scanner, card or machine."),
    ],
)
async def test_trouble_that_cannot_be_is_refused_in_a_sentence(http, status, body, said):
    assert (await put(http, status, **body))["detail"] == said


async def test_boards_are_restarted_and_a_machine_loses_its_power(http):
    assert (await put(http, path="lines/L1/restart", units=[1], off_s=0.5))["units"] == [1]
    await put(http, path="lines/L1/restart")
    assert "board 9" in (await put(http, 404, path="lines/L1/restart", units=[9]))["detail"]
    await put(http, path="machine/M1/power-cut")
    told = (await http.get("faults")).json()["machines"]["M1"]
    assert told["counted"]["machine_power"] == 1
