"""The app over the real rules: what HTTP says is what the site does. Virtual time, no devices."""

import httpx

from api.site.app import make_app
from controller.clock import LoopClock
from tests.api.site.kiosk_scenes import FIGURES, PLACE, plan
from tests.controller.site.world import START, Town, qr_of, run


def app_of(town):
    return make_app(
        town.site,
        place=PLACE,
        plan=plan(),
        lang="zh-CN",
        clock=LoopClock(START),
        figures=lambda: FIGURES,
    )


def test_a_whole_pickup_is_driven_over_http(tmp_path):
    town = Town(tmp_path / "site.db")
    seen = []

    async def story():
        async with town.at_work():
            transport = httpx.ASGITransport(app_of(town))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://kiosk.test"
            ) as browser:

                async def shows(text):
                    await town.shows(text)
                    view = (await browser.get("/api/v1/kiosk")).json()
                    page = await browser.get("/kiosk/screen")
                    assert f'data-screen="{view["screen"]}"' in page.text
                    seen.append(view["message"])
                    return view

                async def press(button, value=None):
                    body = {"button": button, "value": value}
                    answer = await browser.post("/api/v1/kiosk/press", json=body)
                    assert answer.status_code == 200, answer.text

                await town.loaded()
                assert (await browser.get("/readyz")).status_code == 200
                await press("language", "en")
                town.reader.hold(qr_of(1))
                view = await shows("confirm")
                assert {"confirm", "problem", "language"} <= set(view["buttons"])
                assert [item["kind"] for item in view["items"]] != []
                late = await browser.post("/api/v1/kiosk/press", json={"button": "rate"})
                assert late.status_code == 409
                await press("confirm")
                await town.take()
                await shows("rate")
                await press("rate", "5")
                await town.shows("start", "all_taken")

    run(story)
    assert seen[0].endswith("Collect now?")
    assert seen[-1] == "That is all. How was it?"
