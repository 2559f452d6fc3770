import json
import re

import pytest

from tests.api.pages.conftest import build

BADGE = "OWB:" + "0" * 26
SIMULATOR = "http://127.0.0.1:8002"
JSON = {"content-type": "application/json"}


@pytest.fixture
def demo(tmp_path, store, clock):
    return build(tmp_path, store, clock, demo=True, simulator_url=SIMULATOR, demo_badge=BADGE)


def known(page):
    found = re.search(r'<script type="application/json" id="known">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


async def test_the_page_shows_phone_kiosk_and_cabinet(demo):
    order = demo.order()
    async with demo.browser() as browser:
        page = await browser.get("/")
    assert page.status_code == 200
    assert 'src="http://kiosk.test/kiosk"' in page.text
    assert f'src="{SIMULATOR}/embed?lang=en"' in page.text
    told = known(page.text)
    assert (told["badge"], told["simulator"]) == (BADGE, SIMULATOR)
    (shown,) = told["orders"]
    assert (shown["order_no"], shown["state"]) == (order.order_no, "placed")
    assert (shown["code"], shown["messages"]) == (None, [])
    assert re.fullmatch(r"138\*{4}\d{4}", shown["phone"]), "the digits that a kiosk asks for"
    policy = page.headers["content-security-policy"]
    assert f"frame-src 'self' http://kiosk.test {SIMULATOR}" in policy
    assert f"connect-src 'self' {SIMULATOR}" in policy
    assert "frame-ancestors 'none'" in policy


async def test_an_order_carries_its_code_just_while_it_opens_something(demo):
    demo.starts()
    order = demo.order()

    async def code():
        async with demo.browser() as browser:
            return known((await browser.get("/")).text)["orders"][0]["code"]

    assert await code() is None
    demo.loads(order)
    assert await code() == demo.district.pickup_code(order.order_no).qr_text
    demo.collects(order)
    assert await code() is None


async def test_a_button_places_an_order_that_is_one_like_any_other(demo):
    async with demo.browser() as browser:
        first = await browser.post("/demo/orders", content="{}", headers=JSON)
        second = await browser.post("/demo/orders", content="{}", headers=JSON)
    assert [answer.status_code for answer in (first, second)] == [201, 201]
    numbers = [answer.json()["order_no"] for answer in (first, second)]
    assert len(set(numbers)) == 2
    for number in numbers:
        assert {item.kind for item in demo.district.order(number).items} == {
            "business_licence",
            "seal_set",
        }


async def test_a_form_of_another_page_places_nothing(demo):
    async with demo.browser() as browser:
        answer = await browser.post("/demo/orders", data={"any": "thing"})
    assert answer.status_code == 415


async def test_a_district_in_earnest_has_no_such_page(hall):
    async with hall.browser() as browser:
        page = await browser.get("/")
        assert "known" not in page.text
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        for path in ("/demo/events", "/demo/orders"):
            assert (await browser.get(path)).status_code == 404
