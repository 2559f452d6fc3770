"""Chromium as it stands on the machine, and pages in it that keep what went wrong."""

import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PICTURES = Path(__file__).parents[2] / "pictures"


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in NAMES:
        if found := shutil.which(name):
            return found
    pytest.fail(f"none of {', '.join(NAMES)} is installed; script/test installs one")


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=chromium, args=list(ARGUMENTS), handle_sigint=False
        )
        yield opened
        await opened.close()


@pytest.fixture
async def new_page(browser: Browser) -> AsyncIterator[Callable[..., Coroutine[Any, Any, Page]]]:
    """Opens pages of a size. At the end none of them has complained or asked another machine."""
    complaints: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: said.type == "error" and complaints.append(said.text) is None
        )
        page.on(
            "request",
            lambda asked: (
                asked.url.startswith(("http://127.0.0.1:", "data:"))
                or complaints.append(asked.url) is None
            ),
        )

    async def opened(width: int = 1080, height: int = 1920, **more: Any) -> Page:
        context = await browser.new_context(viewport={"width": width, "height": height}, **more)
        page = await context.new_page()
        page.complaints = complaints  # type: ignore[attr-defined]  # for tests that expect one
        watch(page)
        return page

    yield opened
    assert complaints == []


@pytest.fixture
def pictures() -> Path:
    """Where tests put what they saw; git does not look there."""
    PICTURES.mkdir(exist_ok=True)
    return PICTURES
