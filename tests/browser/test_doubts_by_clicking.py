"""Two people settle a doubt at the district's page: by keyboard, without a script, on a phone."""

import argon2
import pytest
import town
from playwright.async_api import expect

from api.district.app import make_app
from controller.clock import ManualClock
from controller.settings import DistrictSettings
from tests.browser.served import served

pytestmark = pytest.mark.browser

NO = town.ORDER["order_no"]
PASSWORDS = {"ops": "an-ops-example", "mei": "another-example"}
SIZES = {"phone": (390, 844), "desk": (1440, 900)}


def settings() -> DistrictSettings:
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return DistrictSettings(
        district={"name": "福田", "seal_key": town.SEAL_KEY.hex(), "tel": "0755-12345"},
        vendor=[{"id": "V01", "name": "刻章一号"}],
        login=[
            {"username": name, "password_hash": cheap.hash(word), "role": "ops"}
            for name, word in PASSWORDS.items()
        ],
    )


@pytest.fixture
def district(tmp_path):
    """A box in A/2 of which nobody knows whether it was taken."""
    clock = ManualClock(town.MORNING)
    with town.opened(tmp_path, clock) as store:
        made = town.district_on(store, clock)
        site = town.PlayedSite(made)
        site.starts(8)
        made.place_order(town.order(), "bureau")
        (_, (seals, where)) = site.loads(NO)
        site.moves("I7", "collect", where, seals)
        site.says("compartment.fault", where=where, reason="unexplained")
        words = {"kind": "unexplained", "where": where, "severity": "critical"}
        site.says("alarm.raised", alarm="L9", since="2026-11-24T01:58:00.000Z", **words)
        yield made


@pytest.mark.parametrize(("size", "lang"), [("phone", "zh-CN"), ("desk", "en")])
async def test_a_doubt_is_settled_by_keyboard_without_a_script(
    district, new_page, pictures, size, lang
):
    async with served(make_app(district, settings())) as url:
        page = await new_page(*SIZES[size], locale=lang, java_script_enabled=False)

        async def picture(name: str) -> None:
            await page.screenshot(path=pictures / f"doubt-{name}-{size}-{lang}.png", full_page=True)
            wide = await page.locator("body").bounding_box()
            assert wide is not None
            assert wide["width"] <= SIZES[size][0]

        await page.goto(f"{url}/log-in?goes=%2Fops%2Fsites%2FFT-0001")
        await page.fill("[name=username]", "ops")
        await page.fill("[name=password]", PASSWORDS["ops"])
        await page.keyboard.press("Enter")
        await picture("site")
        await page.locator("#doubts a.button").focus()
        await page.keyboard.press("Enter")
        await picture("form")
        await page.locator("[name=outcome]").first.focus()
        await page.keyboard.press("ArrowDown")  # from "still inside" to "the recipient has it"
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.type("ops")
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORDS["ops"])
        await page.keyboard.press("Enter")
        await expect(page.locator("[role=alert]")).to_be_visible()
        await picture("alone")
        assert [said for said in page.complaints if "422" not in said] == []
        page.complaints.clear()  # that one was to be refused
        await page.fill("[name=username]", "mei")
        await page.fill("[name=password]", PASSWORDS["mei"])
        await page.keyboard.press("Enter")
        await expect(page.locator("#doubts .tag--accent")).to_be_visible()
        await page.locator(".alarm button").click()
        await expect(page.locator(".alarm button")).to_have_count(0)
        await picture("told")
    (told,) = [data for kind, data in town.told(district.store) if kind == "doubt.settle"]
    assert (told["intent"], told["outcome"], told["reason"]) == ("I7", "with_recipient", "phoned")
    assert "alarm.acknowledged" in [kind for kind, _ in town.told(district.store)]
