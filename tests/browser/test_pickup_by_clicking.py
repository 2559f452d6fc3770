"""The whole pickup on real processes, played with a mouse on the pages alone."""

import asyncio
import io
from contextlib import suppress

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Error as DrawnAnew
from playwright.async_api import FrameLocator, Page, expect
from stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.journey, pytest.mark.xdist_group("clicking")]

SEEN_MS = 30_000  # paper takes its time, and the machine is shared
HANDS = ("pull", "take", "close", "outlet")


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("demo"), "--speed", "5") as opened:
        yield opened


async def do(page: Page, act: str) -> None:
    await page.locator(f"[data-act={act}]").click(timeout=SEEN_MS)


async def qr_on_the_phone(page: Page) -> str:
    """What a QR reader reads from a picture of the phone."""
    await page.frame_locator("#pickup").locator("svg").first.wait_for(timeout=SEEN_MS)
    for _ in range(50):
        picture = await page.locator(".phone").screenshot()
        found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
        if found:
            return found[0].text
        await asyncio.sleep(0.1)  # the page is still being drawn
    raise AssertionError("no QR code in the picture of the phone")


async def load_the_box(page: Page, kiosk: FrameLocator) -> None:
    await do(page, "badge")
    await expect(kiosk.locator(".screen--load")).to_be_visible(timeout=SEEN_MS)
    for act in ("label", "pull", "put", "close"):
        await do(page, act)
    await expect(page.locator("[data-step=collect].now")).to_be_visible(timeout=SEEN_MS)


async def collect_everything(page: Page, kiosk: FrameLocator) -> None:
    await kiosk.locator("[data-press=confirm]").click(timeout=SEEN_MS)
    thanked = kiosk.locator(".screen--rating, .screen--done")
    hand = page.locator(", ".join(f"[data-act={act}]" for act in HANDS))
    over = page.locator("[data-step=dead].now")
    while True:
        await expect(hand.or_(over).first).to_be_visible(timeout=SEEN_MS)
        button = (await hand.element_handles() or [None])[0]
        if button:
            with suppress(DrawnAnew):
                await button.click(timeout=SEEN_MS)
            await button.wait_for_element_state("hidden", timeout=SEEN_MS)  # it did what it says
        elif await over.is_visible():
            break
    await expect(thanked).to_be_visible(timeout=SEEN_MS)


@pytest.mark.timeout(240)
async def test_a_stranger_plays_the_whole_story_with_a_mouse(stage, new_page, pictures):
    page = await new_page(1440, 900, locale="zh-CN")
    await page.goto(f"{stage.demo['district']}/")
    kiosk = page.frame_locator("#kiosk")
    await expect(kiosk.locator("#keypad")).to_be_visible(timeout=SEEN_MS)
    async with page.expect_response("**/demo/orders") as placed:
        await page.locator("#place").click()
    number = (await (await placed.value).json())["order_no"]
    await expect(page.locator("#order")).to_have_value(number)
    before = stage.bolts()

    await load_the_box(page, kiosk)
    await do(page, "openMessage")
    code = await qr_on_the_phone(page)
    assert code == stage.code(number)["qr_text"]
    await page.screenshot(path=pictures / "demo-phone.png")
    stage.scan(code)
    await collect_everything(page, kiosk)
    await kiosk.locator("[data-press=rate][data-value='5']").click(timeout=SEEN_MS)

    order = stage.state(number, "collected")
    box = next(item["label"] for item in order["items"] if item["holder"] == "cabinet")
    assert box in stage.hands()
    assert sum(took.startswith("JOB:") for took in stage.hands()) >= 1
    moved = {door: times - before.get(door, 0) for door, times in stage.bolts().items()}
    assert sorted(times for times in moved.values() if times) == [2]  # to load, to collect

    await expect(kiosk.locator("#keypad")).to_be_visible(timeout=SEEN_MS)
    await do(page, "code")
    await expect(kiosk.locator(".screen--refused")).to_be_visible(timeout=SEEN_MS)
    assert sum(stage.bolts().values()) == sum(before.values()) + 2
    await page.screenshot(path=pictures / "demo-dead.png")
    await page.close()
