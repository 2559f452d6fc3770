import asyncio
import json
from dataclasses import replace

import pytest

from api.live import KEEP_ALIVE_S
from controller.site.texts import Screen
from controller.store import StoreBroken
from tests.api.site.kiosk_scenes import COMPANY, SCENES


async def test_the_api_says_what_the_screen_shows(client, site):
    site.show(SCENES["confirm"])
    shown = (await client.get("/api/v1/kiosk")).json()
    assert shown["screen"] == "confirm"
    assert shown["message"] == f"{COMPANY}：营业执照、印章一套。请确认领取"
    assert set(shown["buttons"]) == {"confirm", "end", "problem", "language"}
    assert [item["where"] for item in shown["items"]] == ["A/7", "M1"]
    assert (shown["doors"], shown["case"], shown["wait_s"]) == ([], None, None)
    assert shown["lang"] == "zh-CN"


async def test_the_message_follows_the_language_of_the_screen(client, site):
    site.show(replace(SCENES["take"], lang="en"))
    shown = (await client.get("/api/v1/kiosk")).json()
    assert shown["message"] == "Door A07 is open. Take your items, then close it"
    assert shown["doors"] == ["A/7"]


async def test_a_press_reaches_the_site_and_is_answered_by_the_screen(client, site):
    answer = await client.post("/api/v1/kiosk/press", json={"button": "code", "value": "1" * 12})
    assert answer.status_code == 200
    assert answer.json()["screen"] == "idle"
    assert site.pressed == [("code", "1" * 12)]


async def test_a_database_that_fails_is_a_fault_and_no_mistake(client, site, monkeypatch):
    def fails(*_: object) -> None:
        raise StoreBroken("disk I/O error")

    monkeypatch.setattr(site, "press", fails)
    answer = await client.post("/api/v1/kiosk/press", json={"button": "problem", "value": "wrong"})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith(":database_fault")
    assert "disk" not in answer.text


async def test_a_button_that_is_not_offered_is_a_conflict(client, site):
    answer = await client.post("/api/v1/kiosk/press", json={"button": "confirm"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("button_not_offered")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert site.pressed == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "button"),
        ({"button": ""}, "button"),
        ({"button": 7}, "button"),
        ({"button": "code", "value": "1" * 81}, "value"),
        ({"button": "code", "valeu": "1"}, "valeu"),
    ],
)
async def test_a_bad_body_is_answered_with_the_fields_name(client, site, body, field):
    answer = await client.post("/api/v1/kiosk/press", json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert site.pressed == []


async def test_a_rating_that_is_none_names_the_value(client, site):
    site.show(SCENES["rating"])
    answer = await client.post("/api/v1/kiosk/press", json={"button": "rate", "value": "6"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "value"


async def test_a_form_of_another_page_cannot_press(client, site):
    answer = await client.post("/api/v1/kiosk/press", data={"button": "code"})
    assert answer.status_code == 422
    answer = await client.post(
        "/api/v1/kiosk/press",
        content=b'{"button": "problem"}',
        headers={"content-type": "text/plain"},
    )
    assert answer.status_code == 422
    assert site.pressed == []


async def test_a_huge_body_is_refused(client):
    answer = await client.post("/api/v1/kiosk/press", content=b" " * 70_000)
    assert answer.status_code == 413


class Listener:
    """Reads an app's event stream as a server would carry it."""

    def __init__(self, app, path):
        self._app = app
        self._path = path
        self._left = asyncio.Event()
        self._sent = asyncio.Queue()
        self.status = None

    async def __aenter__(self):
        scope = {
            "type": "http",
            "method": "GET",
            "path": self._path,
            "raw_path": self._path.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [],
            "http_version": "1.1",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "server": ("kiosk.test", 80),
            "client": ("127.0.0.1", 1),
        }

        async def receive():
            await self._left.wait()
            return {"type": "http.disconnect"}

        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._task = self._group.create_task(self._app(scope, receive, self._sent.put))
        self.status = (await self._sent.get())["status"]
        return self

    async def __aexit__(self, *exc):
        self.leave()
        await self._group.__aexit__(*exc)

    def leave(self):
        self._left.set()

    async def text(self):
        return (await self._sent.get())["body"].decode()

    async def view(self):
        name, line, *rest = (await self.text()).split("\n")
        assert name == "event: kiosk"
        assert rest == ["", ""]
        return json.loads(line.removeprefix("data: "))

    async def ended(self):
        await self._task


async def test_the_first_event_comes_at_once_and_each_change_is_one_event(kiosk, site):
    async with Listener(kiosk.app, "/api/v1/kiosk/events") as listener:
        assert (await listener.view())["screen"] == "idle"
        for name in ("working", "confirm", "take"):
            site.show(SCENES[name])
            assert (await listener.view())["screen"] == name


async def test_a_silent_stream_gives_signs_of_life(kiosk, clock):
    async with Listener(kiosk.app, "/api/v1/kiosk/events") as listener:
        await listener.view()
        while not clock._sleepers:  # noqa: ASYNC110 - a manual clock tells nobody who sleeps
            await asyncio.sleep(0)
        await clock.advance(KEEP_ALIVE_S)
        assert await listener.text() == ": alive\n\n"


async def test_a_stream_ends_when_its_reader_leaves(kiosk):
    async with Listener(kiosk.app, "/api/v1/kiosk/events") as listener:
        await listener.view()
        assert kiosk.app.state.live.open == 1
        listener.leave()
        await listener.ended()
    assert kiosk.app.state.live.open == 0


async def test_all_streams_end_at_shutdown(kiosk):
    events = "/api/v1/kiosk/events"
    async with Listener(kiosk.app, events) as one, Listener(kiosk.app, events) as other:
        await one.view()
        await other.view()
        kiosk.app.state.live.close()
        await one.ended()
        await other.ended()


async def test_more_readers_than_a_site_needs_are_turned_away(kiosk):
    kiosk.app.state.live.streams_max = 1
    async with Listener(kiosk.app, "/api/v1/kiosk/events") as one:
        await one.view()
        async with Listener(kiosk.app, "/api/v1/kiosk/events") as other:
            assert other.status == 503
            await other.ended()


async def test_the_site_is_alive_and_ready(client):
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).status_code == 200


async def test_a_site_that_does_not_serve_says_why(client, site):
    site.reasons = ["board A1 does not answer"]
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"] == ["board A1 does not answer"]
    assert (await client.get("/healthz")).status_code == 200


async def test_metrics_tell_doors_alarms_movements_and_lines(client):
    told = (await client.get("/metrics")).text
    for line in (
        "onewindow_site_ready 1.0",
        'onewindow_doors{state="open"} 1.0',
        'onewindow_compartments{state="occupied"} 2.0',
        'onewindow_alarms{kind="door_ajar"} 1.0',
        'onewindow_movements_total{outcome="moved"} 7.0',
        'onewindow_line_requests_total{line="L1"} 12.0',
        'onewindow_line_utilisation{line="L1"} 0.25',
        'onewindow_line_pause_shortest_seconds{line="L1"} 0.002',
        'onewindow_board_timeouts_total{board="A1",line="L1"} 3.0',
        'onewindow_board_refused_total{board="A1",cause="garbled",line="L1"} 2.0',
        'onewindow_board_turnaround_p99_seconds{board="A1",line="L1"} 0.5',
        'onewindow_cabinet_temperature_celsius{cabinet="A"} 21.5',
        'onewindow_cabinet_humidity_percent{cabinet="A"} 45.0',
        'onewindow_cabinet_contact_well{cabinet="A",contact="mains"} 1.0',
        'onewindow_cabinet_contact_well{cabinet="A",contact="tamper"} 0.0',
        "onewindow_journal_entries_total 42.0",
        "onewindow_journal_unsent 3.0",
    ):
        assert line in told.splitlines()


async def test_openapi_describes_screen_and_press(client):
    words = (await client.get("/api/openapi.json")).json()
    assert set(words["paths"]) >= {"/api/v1/kiosk", "/api/v1/kiosk/press", "/readyz"}
    assert "load" in words["components"]["schemas"]["Screen"]["enum"]
    assert Screen.IDLE in words["components"]["schemas"]["Screen"]["enum"]
    assert "Problem" in words["components"]["schemas"]


@pytest.mark.parametrize("path", ["/kiosk", "/kiosk/screen", "/api/v1/kiosk"])
async def test_each_kiosk_is_asked_by_its_name(client, path):
    assert (await client.get(path, params={"kiosk": "K1"})).status_code == 200
    assert (await client.get(path, params={"kiosk": "K9"})).status_code == 404


async def test_a_press_at_a_kiosk_that_is_not_there_is_answered_by_404(client, site):
    told = {"button": "help"}
    answer = await client.post("/api/v1/kiosk/press", params={"kiosk": "K9"}, json=told)
    assert (answer.status_code, site.pressed) == (404, [])
    await client.post("/api/v1/kiosk/press", params={"kiosk": "K1"}, json=told)
    assert site.pressed == [("help", None)]


async def test_the_events_of_a_kiosk_that_is_not_there_never_begin(client):
    answer = await client.get("/api/v1/kiosk/events", params={"kiosk": "K9"})
    assert answer.status_code == 404
