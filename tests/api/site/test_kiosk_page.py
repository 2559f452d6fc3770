import re
from dataclasses import replace

import httpx
import pytest

from api.cabinet import fronts, label
from tests.api.site.kiosk_scenes import PLACE, SCENES, FakeSite, Kiosk, plan

LANGS = ("zh-CN", "en")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", sorted(SCENES))
async def test_every_scene_is_a_page_with_a_button_for_each_that_is_offered(
    client, site, name, lang
):
    site.show(replace(SCENES[name], lang=lang))
    page = await client.get("/kiosk")
    assert page.status_code == 200
    message = (await client.get("/api/v1/kiosk")).json()["message"]
    text = re.sub(r"</?(b|bdi|span)\b[^>]*>", "", page.text)
    assert message in text
    for button in site.view.buttons:
        wanted = {"code": 'id="keypad"', "problem": 'data-dialog="problem"'}
        assert wanted.get(button, f'data-press="{button}"') in page.text
    offered = set(re.findall(r'data-press="(\w+)"', page.text)) - {"problem"}
    assert offered == set(site.view.buttons) - {"code", "problem"}
    assert PLACE.name in page.text


async def test_the_page_is_one_origin_and_framed_by_nobody(client):
    page = await client.get("/kiosk")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"https?://|target=|style=|<style|onclick|type=.file", page.text)


async def test_only_a_named_origin_may_frame_the_kiosk(clock):
    app = Kiosk(FakeSite(), clock, framed_by=("http://127.0.0.1:8000",)).app

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://kiosk.test"
    ) as client:
        page = await client.get("/kiosk")
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors http://127.0.0.1:8000;" in f"{policy};"
    assert "x-frame-options" not in page.headers


async def test_static_files_are_kept_by_their_content(client):
    page = await client.get("/kiosk")
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(addresses) >= 4
    for address in addresses:
        file = await client.get(address)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]
        plain = await client.get(address.partition("?")[0])
        assert plain.headers["cache-control"] == "no-cache"


async def test_the_hint_that_the_network_is_down_is_calm_and_only_then(client, kiosk):
    hint = "网络暂时不通，不影响取件"
    assert hint not in (await client.get("/kiosk")).text
    kiosk.offline = True
    assert hint in (await client.get("/kiosk")).text


async def test_the_map_marks_the_door_that_is_open(client, site):
    site.show(SCENES["take"])
    page = (await client.get("/kiosk")).text
    assert re.findall(r'class="box here" data-where="(A/\d+)"', page) == ["A/7"]


async def test_an_unknown_address_is_a_problem(client):
    answer = await client.get("/ops")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_cabinet_is_drawn_as_it_stands():
    (front,) = fronts(plan())
    assert len(front.boxes) == 32
    columns = {box.x for box in front.boxes}
    assert len(columns) == 3
    for one in front.boxes:
        assert one.x + one.width < front.width
        assert one.y + one.height < front.height
        for other in front.boxes:
            apart = (
                one is other
                or one.x + one.width <= other.x
                or other.x + other.width <= one.x
                or one.y + one.height <= other.y
                or other.y + other.height <= one.y
            )
            assert apart, f"{one.label} lies over {other.label}"


def test_a_door_is_named_as_on_its_sign():
    assert (label("A/7"), label("A/32"), label("M1")) == ("A07", "A32", "M1")
