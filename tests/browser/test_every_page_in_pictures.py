"""Every page of a running demo at the sizes it is used at, in both languages; none overflows."""

import pytest
from playwright.async_api import Page, expect
from stage import Stage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.timeout(240),
    pytest.mark.xdist_group("pictures"),
]

SEEN_MS = 30_000
PHONE, KIOSK, DESK = (390, 844), (1080, 1920), (1440, 900)
LANGUAGES = ("zh-CN", "en")
NUMBER = "440304202611290001"


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A cabinet in use: one box waits, one is being collected, one door was forced."""
    folder = tmp_path_factory.mktemp("demo")
    with Stage(folder, "--speed", "5", POLICY__AJAR_NOTICE_S="300") as opened:
        for number in (NUMBER, str(int(NUMBER) + 1)):
            opened.place(number)
            opened.load_order(number)
        opened.do("doors/A/20/force")
        opened.scan(opened.code(NUMBER)["qr_text"])
        opened.screen("confirm")
        opened.press("confirm")
        opened.open_door()
        yield opened


async def log_in(page: Page, stage: Stage, who: str) -> None:
    login = stage.demo["logins"][who]
    await page.goto(f"{stage.demo['district']}/log-in")
    await page.fill("[name=username]", login["username"])
    await page.fill("[name=password]", login["password"])
    await page.keyboard.press("Enter")
    await expect(page.locator("[name=password]")).to_have_count(0, timeout=SEEN_MS)


async def is_whole(page: Page) -> bool:
    """Nothing sticks out sideways."""
    return bool(
        await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    )


def addresses(stage: Stage) -> dict[str, tuple[str, str | None]]:
    """Each page, and who has to be logged in for it."""
    district = stage.demo["district"]
    return {
        "demo": (f"{district}/", None),
        "company": (stage.code(str(int(NUMBER) + 1))["url"], None),
        "vendor": (f"{district}/vendor", "vendor"),
        "labels": (f"{district}/vendor/labels", "vendor"),
        "ops-sites": (f"{district}/ops", "ops"),
        "ops": (f"{district}/ops/sites/FT-0001", "ops"),
        "ops-alarms": (f"{district}/ops/alarms", "ops"),
        "ops-orders": (f"{district}/ops/orders", "ops"),
        "simulator": (f"{stage.demo['simulator']}/", None),
    }


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_pages_of_the_district(stage, new_page, pictures, lang, size):
    page = await new_page(*size, locale=lang)
    logged_in = None
    for name, (address, who) in addresses(stage).items():
        if who and who != logged_in:
            await page.context.clear_cookies()
            await log_in(page, stage, who)
            logged_in = who
        joined = "&" if "?" in address else "?"
        await page.goto(f"{address}{joined}lang={lang}")
        await page.locator("h1, h2, #cabinet, svg").first.wait_for(timeout=SEEN_MS)
        await page.screenshot(path=pictures / f"{name}-{size[0]}-{lang}.png", full_page=True)
        assert await is_whole(page), f"{name} is wider than {size[0]} px"
    await page.close()


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_the_kiosk_while_a_door_is_open(stage, new_page, pictures, lang):
    page = await new_page(*KIOSK, locale=lang)
    await page.goto(f"{stage.demo['kiosk']}/kiosk")
    await expect(page.locator(".screen--take")).to_be_visible(timeout=SEEN_MS)
    wanted = {"zh-CN": "zh-Hans"}.get(lang, lang)
    if await page.locator("html").get_attribute("lang") != wanted:
        await page.locator("[data-press=language]").click()
    await expect(page.locator("html")).to_have_attribute("lang", wanted, timeout=SEEN_MS)
    await page.screenshot(path=pictures / f"kiosk-{lang}.png")
    assert await is_whole(page)
    await page.close()


async def test_ops_see_the_open_and_the_forced_door(stage, new_page, pictures):
    page = await new_page(*DESK, locale="en")
    await log_in(page, stage, "ops")
    await page.goto(f"{stage.demo['district']}/ops/sites/FT-0001")
    await expect(page.get_by_text("Door opened without a release").first).to_be_visible(
        timeout=SEEN_MS
    )
    stage.do("doors/A/20/close")
    await expect(page.get_by_text("Door opened without a release", exact=True)).to_have_count(
        0, timeout=SEEN_MS
    )
    await page.screenshot(path=pictures / "ops-live.png", full_page=True)
    await page.close()
