"""Every trouble is put on, told and ended over HTTP, each by its name."""

import json
from dataclasses import replace

import httpx
import pytest

from simulator.app import make_app
from simulator.live import LivePages
from simulator.memory import WorldFile
from simulator.plan import CardReaderPlan
from simulator.trouble import BadTrouble, everything, put_all


@pytest.fixture
def site(make_site, plan, tmp_path):
    reader = CardReaderPlan("C1", tmp_path / "lines" / "C1")
    return make_site(plan=replace(plan, card_readers=(reader,)))


@pytest.fixture
async def http(site, tmp_path):
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
    | {"busy_after_open": [1], "linkage": [1], "wrong_parity": [1], "talks": [1]}
    | {"reads_zero": [1], "holds": [1]}
)
PORT_TROUBLES = {"lost": 0.1, "garbled": 0.1, "late": 0.1, "doubled": 0.1, "split": 0.1}
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
    "crosswired": 9,
    "wrong_lock": 10,
    "ghost_item": 0.1,
}


@pytest.mark.parametrize(
    ("what", "asked"),
    [
        ({"line": "L1"}, LINE_TROUBLES),
        (
            {"line": "M1"},
            {"gateway": True, "tcp_half_open": True, "tcp_stale": True, "one_client": True},
        ),
        ({"door": "A/8"}, DOOR_TROUBLES),
        ({"scanner": "S1"}, {"scanner_repeat": True, "scanner_half": True, "scanner_noise": True}),
        ({"card": "C1"}, PORT_TROUBLES | {"silent": True, "card_hangs": True}),
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
        (409, {"line": "L1", "gateway": True}, "gateway cannot happen on L1."),
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


async def test_troubles_and_their_counts_outlive_the_simulator(http, site, make_site):
    await put(http, line="L1", silent_after=2, **LINE_TROUBLES)
    await put(http, line="M1", late=0.5)
    await put(http, door="A/8", **DOOR_TROUBLES)
    await put(http, scanner="S1", scanner_noise=True, usb_renumber=0.1)
    await put(http, card="C1", silent=True, card_hangs=True, usb_renumber=0.1, **PORT_TROUBLES)
    await put(http, machine="M1", machine_jam=0.5)
    await put(http, path="environment", mains=False, temperature=-3.5, smoke=True)
    site.ask("02 02 00 00 00 20 79 E1")
    again = make_site(plan=site.plan).world
    again.recall(json.loads(site.world.text.memory()))
    assert everything(again) == everything(site.world)
    assert everything(again)["lines"]["L1"]["requests"] == 1
    assert everything(again)["scanners"]["S1"]["counted"]["usb_renumber"] == 1
    assert everything(again)["cards"]["C1"]["counted"]["usb_renumber"] == 1
    assert again.place.state() == site.world.place.state()
    assert again.door("A", 8).crossed is again.door("A", 9)


def test_troubles_are_put_on_at_the_start_or_refused_in_a_sentence(site):
    put_all(site.world, ['{"line": "L1", "lost": 0.5}', '{"door": "A", "weak": true}'])
    assert site.world.faults("L1").trouble.lost == 0.5
    assert all(door.faults.trouble.weak for door in site.world.doors.values())
    for text, said in {
        '{"line": "L1", "lost": 2}': "less than or equal to 1",
        '{"lost": 1}': "Name a line",
        "{": "Invalid JSON",
        '{"line": "L9"}': "no line L9",
        '{"door": "A", "crosswired": 3}': "name it, like A/7",
    }.items():
        with pytest.raises(BadTrouble, match=said):
            put_all(site.world, [text])


async def test_boards_are_restarted_and_a_machine_loses_its_power(http):
    assert (await put(http, path="lines/L1/restart", units=[1], off_s=0.5))["units"] == [1]
    await put(http, path="lines/L1/restart")
    assert "board 9" in (await put(http, 404, path="lines/L1/restart", units=[9]))["detail"]
    await put(http, path="machine/M1/power-cut")
    await put(http, path="scanner/S1/restart")
    await put(http, 404, path="scanner/S9/restart")
    told = (await http.get("faults")).json()["machines"]["M1"]
    assert told["counted"]["machine_power"] == 1
