"""What may be done to the world over HTTP, and what is answered to the impossible."""

import asyncio
import json
from dataclasses import dataclass, field

import httpx
import pytest

from simulator.app import make_app
from simulator.live import LivePages
from simulator.memory import Broken, WorldFile

RELEASE_8 = "01 05 02 07 00 05 BD B0"


@dataclass
class Before:
    """A scanner that remembers what was held before it."""

    held: list[tuple[str, float, str]] = field(default_factory=list)

    def hold(self, text: str, held_s: float = 0.6, second: str = "") -> None:
        self.held.append((text, held_s, second))


@pytest.fixture
def scanner():
    return Before()


@pytest.fixture
def file(site, tmp_path):
    return WorldFile(tmp_path / "world.json", site.world)


@pytest.fixture
async def http(site, file, scanner):
    site.world.keep = file.save
    app = make_app(site.world, {"S1": scanner}, file, LivePages(site.world))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1"
    ) as client:
        yield client


async def act(http, path, status=200, **body):
    answer = await http.post(f"/api/sim/{path}", json=body or None)
    assert answer.status_code == status, answer.text
    return answer.json()


def released(site):
    site.ask(RELEASE_8)
    site.later(0.6)


async def test_of_two_states_the_newer_one_has_more_changes(http):
    before = (await http.get("/api/sim")).json()
    await http.post("/api/sim/doors/A/7/force")
    after = (await http.get("/api/sim")).json()
    assert after["changes"] > before["changes"]
    assert (await http.get("/api/sim")).json()["changes"] == after["changes"]


async def test_the_world_is_told_in_the_promised_shape(http):
    told = (await http.get("/api/sim")).json()
    assert set(told) >= {"cabinets", "machines", "scanners", "hands", "lines"}
    assert set(told["cabinets"]["A"]["doors"]) == {str(no) for no in range(1, 33)}
    door = told["cabinets"]["A"]["doors"]["7"]
    assert {key: door[key] for key in ("open", "unlocked", "released", "jammed", "contents")} == {
        "open": False,
        "unlocked": False,
        "released": 0,
        "jammed": False,
        "contents": [],
    }
    machine = told["machines"]["M1"]
    assert {key: machine[key] for key in ("blanks", "outlet", "stored", "moved", "jammed")} == {
        "blanks": 200,
        "outlet": [],
        "stored": {},
        "moved": 0,
        "jammed": False,
    }
    assert told["scanners"] == ["S1"]
    assert told["hands"] == []
    counted = {"requests": 0, "replies": 0, "lost": 0, "garbled": 0}
    assert told["lines"]["L1"].items() >= counted.items()


async def test_a_box_goes_in_and_out_again(http, site):
    released(site)
    assert (await act(http, "doors/A/8/pull"))["open"]
    await act(http, "doors/A/8/put", label=" OWL:1 ")
    assert not (await act(http, "doors/A/8/close"))["open"]
    site.later(1.0)
    released(site)
    await act(http, "doors/A/8/pull")
    assert (await act(http, "doors/A/8/take"))["contents"] == []
    hands = (await http.get("/api/sim")).json()["hands"]
    assert [(each["took"], each["from"]) for each in hands] == [("OWL:1", "A/8")]
    assert hands[0]["at"].startswith("2026-11-23T08:00:")
    assert hands[0]["at"].endswith("Z")


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("doors/A/8/pull", {}, "Door A/8 is locked."),
        ("doors/A/8/close", {}, "Door A/8 is shut already."),
        ("doors/A/8/put", {"label": "OWL:1"}, "Door A/8 is shut: nothing can be put in."),
        ("doors/A/8/take", {}, "Door A/8 is shut: nothing can be taken out."),
        ("doors/A/8/free", {}, "Nothing is wrong with door A/8."),
        ("machine/M1/take", {}, "Nothing lies at the outlet of M1."),
        ("machine/M1/put", {"label": "OWL:1"}, "M1 is not waiting for a document."),
        ("machine/M1/free", {}, "Nothing sticks in M1."),
        ("machine/M1/open", {}, "The service door of M1 is not unlocked."),
        ("machine/M1/close", {}, "The service door of M1 is shut already."),
        ("faults", {"line": "M1", "garbled": 0.1}, "garbled cannot happen on M1."),
    ],
)
async def test_the_impossible_is_refused_in_a_sentence(http, path, body, said):
    assert (await act(http, path, 409, **body))["detail"] == said


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("doors/A/33/pull", {}),
        ("doors/B/1/pull", {}),
        ("doors/A/0/put", {"label": "OWL:1"}),
        ("machine/M2/take", {}),
        ("scanner/S2/scan", {"text": "x"}),
        ("faults", {"line": "L2"}),
    ],
)
async def test_what_is_not_there_is_not_found(http, path, body):
    assert (await act(http, path, 404, **body))["detail"].startswith("There is no ")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("doors/A/8/put", {}),
        ("doors/A/8/put", {"label": "  "}),
        ("doors/A/8/put", {"label": 7}),
        ("doors/A/8/put", {"label": "OWL:1", "more": 1}),
        ("doors/A/8/kick", {}),
        ("doors/A/eight/pull", {}),
        ("scanner/S1/scan", {"text": "x" * 8193}),
        ("scanner/S1/scan", {"text": "x", "held_s": 11}),
        ("faults", {"line": "L1", "lost": 1.5}),
        ("faults", {"line": "L1", "silent": [300]}),
        ("people", {"auto": "yes"}),
        ("speed", {"speed": 0}),
    ],
)
async def test_a_bad_body_is_told_what_is_wrong(http, path, body):
    detail = (await act(http, path, 422, **body))["detail"]
    assert isinstance(detail, str)
    assert detail.endswith(".")


async def test_a_forced_a_jammed_and_a_stuck_door(http):
    forced = await act(http, "doors/A/3/force")
    assert (forced["open"], forced["released"]) == (True, 0)
    assert (await act(http, "doors/A/8/jam"))["jammed"]
    assert (await act(http, "doors/A/8/stick-open"))["stuck"] == "open"
    assert (await act(http, "doors/A/8/stick-closed"))["stuck"] == "closed"
    mended = await act(http, "doors/A/8/free")
    assert (mended["jammed"], mended["stuck"]) == (False, None)


async def test_what_is_held_before_the_scanner_is_queued_before_the_answer(http, scanner):
    await act(http, "scanner/S1/scan", text="OW1:FT-0001:ABC")
    await act(http, "scanner/S1/scan", text="", held_s=2.0)
    await act(http, "scanner/S1/scan", text="OWL:1", second="OWL:2")
    assert scanner.held == [("OW1:FT-0001:ABC", 0.6, ""), ("", 2.0, ""), ("OWL:1", 0.6, "OWL:2")]


async def test_trouble_is_switched_on_and_all_zero_ends_it(http, site):
    told = await act(http, "faults", line="L1", lost=1.0, silent=[2])
    assert told["faults"]["lost"] == 1.0
    assert told["faults"]["silent"] == [2]
    assert site.ask(RELEASE_8) == ""
    assert (await http.get("/api/sim")).json()["lines"]["L1"]["lost"] == 1
    await act(http, "faults", line="L1")
    assert site.ask(RELEASE_8) == RELEASE_8


async def test_people_and_speed_are_told(http):
    await act(http, "people", auto=True)
    await act(http, "speed", speed=20)
    told = (await http.get("/api/sim")).json()
    assert (told["people"], told["speed"]) == ({"auto": True}, 20.0)


async def test_a_machine_is_jammed_freed_refilled(http):
    assert (await act(http, "machine/M1/jam"))["jammed"]
    assert not (await act(http, "machine/M1/free"))["jammed"]
    assert (await act(http, "machine/M1/refill"))["blanks"] == 200


async def test_an_act_is_on_disk_before_its_answer(http, site, file, make_site):
    await act(http, "doors/A/3/force")
    await act(http, "doors/A/3/put", label="OWL:1")
    await act(http, "doors/A/4/jam")
    await act(http, "doors/A/3/take")
    again = make_site()
    WorldFile(file._path, again.world).load()
    assert (
        json.loads(again.world.text.state())["cabinets"]
        == json.loads(site.world.text.state())["cabinets"]
    )
    assert again.world.hands == site.world.hands


def test_a_world_that_cannot_be_read_is_refused_in_one_line(tmp_path, site):
    path = tmp_path / "world.json"
    for broken in ("{", "[]", json.dumps({"world 0": {}}), json.dumps({"world 1": {}})):
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(Broken, match="move it away to start with an empty cabinet"):
            WorldFile(path, site.world).load()


async def test_pages_of_this_machine_may_look_and_frame(http):
    answer = await http.get("/api/sim", headers={"Origin": "http://127.0.0.1:8000"})
    assert answer.headers["access-control-allow-origin"] == "http://127.0.0.1:8000"
    assert "frame-ancestors http://127.0.0.1:*" in answer.headers["content-security-policy"]
    other = await http.get("/api/sim", headers={"Origin": "http://example.com"})
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("path", "headers", "lang"),
    [
        ("/?lang=en", {}, "en"),
        ("/?lang=zh-CN", {}, "zh-CN"),
        ("/", {"Accept-Language": "zh-CN,zh;q=0.9"}, "zh-CN"),
        ("/embed", {"Accept-Language": "de"}, "en"),
    ],
)
async def test_the_page_has_every_door_in_either_language(http, path, headers, lang):
    page = (await http.get(path, headers=headers)).text
    assert f'<html lang="{lang}">' in page
    for no in range(1, 33):
        assert f'data-testid="door-A-{no}"' in page
    assert ("<header>" in page) is not path.startswith("/embed")


async def test_those_who_watch_hear_at_once_and_after_each_change(site):
    pages = LivePages(site.world)
    heard = pages.events()
    first = json.loads((await anext(heard)).removeprefix("data: "))
    assert not first["cabinets"]["A"]["doors"]["3"]["open"]
    site.world.door("A", 3).force()
    async with asyncio.timeout(1.5):
        second = json.loads((await anext(heard)).removeprefix("data: "))
    assert second["cabinets"]["A"]["doors"]["3"]["open"]
    pages.close()
    with pytest.raises(StopAsyncIteration):
        await anext(heard)


async def test_the_file_always_holds_the_whole_world(http, site, file, make_site):
    def kept():
        return json.loads(file._path.read_text(encoding="utf-8"))["world 1"]

    file.save()
    assert kept() == site.world.memory()
    released(site)
    await act(http, "doors/A/8/pull")
    await act(http, "doors/A/8/put", label="箱子 “1”")
    await act(http, "machine/M1/jam")
    assert kept() == site.world.memory()
    again = make_site()
    file_again = WorldFile(file._path, again.world)
    file_again.load()
    again.world.door("A", 9).force()
    file_again.save()
    assert kept() == again.world.memory()
