import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import expect

from api.site.wording import say
from controller.clock import SystemClock
from controller.site.texts import Text
from tests.api.site.kiosk_scenes import SCENES, FakeSite, Kiosk, said
from tests.browser.served import served

pytestmark = pytest.mark.browser

SIZES = {"kiosk": (1080, 1920), "desk": (1440, 900), "phone": (390, 844)}
TOUCH_PX = 64
SPOKEN = {view.text for view in SCENES.values()}
SCENES_AND_WORDS = SCENES | {text.value: said(text) for text in Text if text not in SPOKEN}
HUMAN_MS = 60  # between two keys of somebody who types fast

# Lays bare what a person would stumble over: text that is cut, targets too small for a finger,
# words too pale for their ground (WCAG AA: 4.5, large text 3).
LOOK = """() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) found.push(`wider than the screen: ${root.scrollWidth}`);
  const shown = (one) => one.checkVisibility() && one.getBoundingClientRect().width > 1;
  for (const button of document.querySelectorAll("button")) {
    const box = button.getBoundingClientRect();
    if (shown(button) && (box.height < TOUCH || box.width < TOUCH))
      found.push(`small: ${button.textContent.trim()} ${box.width}x${box.height}`);
    if (shown(button) && !(button.textContent.trim() || button.ariaLabel)) found.push("no name");
  }
  const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const [r, g, b, alpha = 1] = rgb(getComputedStyle(one).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !shown(one) || one.closest("svg, :disabled")) continue;
    const style = getComputedStyle(one);
    const [a, b] = [light(rgb(style.color).slice(0, 3)), light(ground(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    if (ratio < (size >= 24 ? 3 : 4.5)) found.push(`pale: ${one.textContent.trim()} ${ratio}`);
    if (size < 12) found.push(`tiny: ${one.textContent.trim()} ${size}`);
  }
  return found;
}""".replace("TOUCH", str(TOUCH_PX))


@pytest.mark.parametrize("size", SIZES)
async def test_every_scene_can_be_read_and_touched(new_page, pictures, size):
    site = FakeSite(SCENES["working"])
    async with served(Kiosk(site, SystemClock()).app) as address:
        page = await new_page(*SIZES[size], reduced_motion="reduce")
        await page.goto(f"{address}/kiosk")
        for name, view in SCENES_AND_WORDS.items():
            for lang in ("zh-CN", "en"):
                site.show(replace(view, lang=lang))
                message = say(lang, view.text, view.values)
                await expect(page.locator("#message")).to_have_text(message)
                assert await page.evaluate(LOOK) == [], f"{name} in {lang}"
                if name in SCENES:
                    await page.screenshot(path=pictures / f"kiosk-{name}-{size}-{lang}.png")
        await page.close()


async def heard(site: FakeSite, button: str, value: str | None = None) -> None:
    """The press has reached the site, which knows nothing of the browser's pace."""
    async with asyncio.timeout(30):
        while site.pressed[-1:] != [(button, value)]:  # noqa: ASYNC110 - a fake tells nobody
            await asyncio.sleep(0.01)


async def test_the_screen_follows_the_site_and_the_finger_reaches_it(new_page):
    site = FakeSite()
    async with served(Kiosk(site, SystemClock()).app) as address:
        page = await new_page()
        await page.goto(f"{address}/kiosk")
        for digit in "1234567890":
            await page.locator(f'[data-digit="{digit}"]').click()
        await page.locator('[data-digit="back"]').click()
        for digit in "567":
            await page.keyboard.press(digit, delay=HUMAN_MS)
        await page.locator(".key--go").click()
        await expect(page.locator(".slot--next")).to_be_visible()
        await heard(site, "code", "123456789567")

        site.show(SCENES["confirm"])
        await expect(page.locator("[data-press=confirm]")).to_be_focused()
        await page.keyboard.press("Enter")
        await heard(site, "confirm")
        site.show(SCENES["take"])
        await expect(page.locator(".door-number")).to_have_text("A07")
        await expect(page.locator(".map .here text")).to_have_text("A07")
        await expect(page.locator(".progress")).to_have_text("第 1 件，共 2 件")
        await page.locator("[data-press=language]").click()
        await expect(page.locator("#message")).to_have_text(
            "Door A07 is open. Take your items, then close it"
        )
        await page.locator("[data-dialog=problem]").click()
        await page.locator("[data-value=will_not_close]").click()
        await expect(page.locator("dialog[open]")).to_have_count(0)
        await heard(site, "problem", "will_not_close")
        site.show(replace(SCENES["rating"], lang="en"))
        await page.locator("[data-press=rate][data-value='4']").click()
        await expect(page.locator("[data-press=skip]")).to_be_visible()
        await heard(site, "rate", "4")
        assert [button for button, _ in site.pressed] == [
            "code", "confirm", "language", "problem", "rate",
        ]  # fmt: skip
        await page.close()


async def test_large_text_ends_with_the_visit(new_page):
    site = FakeSite(SCENES["confirm"])
    async with served(Kiosk(site, SystemClock()).app) as address:
        page = await new_page()
        await page.goto(f"{address}/kiosk")
        size = "() => parseFloat(getComputedStyle(document.documentElement).fontSize)"
        before = await page.evaluate(size)
        await page.locator("[data-toggle=large]").click()
        await expect(page.locator("[data-toggle=large]")).to_have_attribute("aria-pressed", "true")
        assert await page.evaluate(size) > before
        site.show(SCENES["idle"])
        await expect(page.locator("[data-toggle=large]")).to_have_attribute("aria-pressed", "false")
        assert await page.evaluate(size) == before
        await page.close()


async def test_seconds_to_wait_are_counted_down(new_page):
    site = FakeSite(SCENES["slow"])
    async with served(Kiosk(site, SystemClock()).app) as address:
        page = await new_page()
        await page.clock.install()
        await page.goto(f"{address}/kiosk")
        await expect(page.locator("[data-seconds]")).to_have_text("20")
        await page.clock.run_for(3_000)
        await expect(page.locator("[data-seconds]")).to_have_text("17")
        await page.close()


WAYS_OUT = (
    "F1", "F5", "F11", "F12", "Control+L", "Control+P", "Control+T", "Control+O", "Control+Shift+I",
    "Alt+ArrowLeft", "Alt+F4", "Meta+D", "Escape+F11", "a", "O", ":", "/", "'", "ContextMenu",
)  # fmt: skip


async def test_nobody_gets_out_by_keyboard_or_menu(new_page):
    site = FakeSite()
    async with served(Kiosk(site, SystemClock()).app) as address:
        page = await new_page()
        await page.goto(f"{address}/kiosk")
        await page.evaluate(
            """() => {
                window.let_through = [];
                const note = (event) => event.defaultPrevented || ["Escape", "Control", "Alt",
                  "Meta", "Shift"].includes(event.key) || window.let_through.push(event.key);
                for (const name of ["keydown", "contextmenu", "dragstart", "gesturestart"])
                  addEventListener(name, note, { capture: true });
            }"""
        )
        for key in WAYS_OUT:
            await page.keyboard.press(key, delay=HUMAN_MS)
        await page.mouse.click(500, 500, button="right")
        assert await page.evaluate("window.let_through") == []
        assert page.url == f"{address}/kiosk"
        assert len(page.context.pages) == 1
        assert await page.locator("a, input, [target], [contenteditable]").count() == 0
        assert await page.locator(".slot").all_inner_texts() == [""] * 12
        assert site.pressed == []
        await page.close()


async def test_a_scanner_wired_as_a_keyboard_types_nothing_and_presses_nothing(new_page):
    site = FakeSite(SCENES["confirm"])
    async with served(Kiosk(site, SystemClock()).app) as address:
        page = await new_page()
        await page.goto(f"{address}/kiosk")
        burst = """() => {
            for (const key of ["O", "W", "1", ":", "4", "2", "Enter"]) {
                const how = { key, bubbles: true, cancelable: true };
                const event = new KeyboardEvent("keydown", how);
                const taken = document.activeElement.dispatchEvent(event);
                if (key === "Enter" && taken) document.activeElement.click?.();
            }
            return document.querySelectorAll(".slot:not(:empty)").length;
        }"""
        await page.locator("[data-press=confirm]").focus()
        await page.evaluate(burst)
        site.show(SCENES["idle"])
        await expect(page.locator("#keypad")).to_be_visible()
        assert await page.evaluate(burst) == 0
        assert site.pressed == []
        await page.close()


async def test_a_site_that_is_gone_is_waited_for(new_page):
    kiosk = Kiosk(FakeSite(), SystemClock())
    page = await new_page()
    async with served(kiosk.app) as address:
        await page.goto(f"{address}/kiosk")
        await expect(page.locator("#lost")).to_be_hidden()
        await asyncio.wait_for(_one_stream(kiosk), 10)
    await expect(page.locator("#lost")).to_be_visible()
    page.complaints.clear()  # the connection that was cut
    await page.close()
    page.complaints.clear()


async def _one_stream(kiosk: Kiosk) -> None:
    while kiosk.app.state.live.open != 1:  # noqa: ASYNC110 - a browser tells nobody when it listens
        await asyncio.sleep(0.01)
