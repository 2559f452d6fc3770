"""Cards, light and air over HTTP; what a reader and a sensor then say on their wires."""

from dataclasses import replace

import httpx
import pytest

from simulator.app import make_app
from simulator.live import LivePages
from simulator.memory import WorldFile
from simulator.plan import CardReaderPlan, SensorPlan


@pytest.fixture
def around(make_site, plan, tmp_path):
    wider = replace(
        plan,
        card_readers=(CardReaderPlan("C1", tmp_path / "lines" / "C1"),),
        sensors=(SensorPlan("L1", 20, "xy-md02"), SensorPlan("L1", 21, "env-io-8")),
    )
    return make_site(plan=wider)


@pytest.fixture
async def http(around, tmp_path):
    file = WorldFile(tmp_path / "world.json", around.world)
    app = make_app(around.world, {}, file, LivePages(around.world))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/sim/"
    ) as client:
        yield client


async def test_a_card_is_laid_read_and_taken(http, around):
    reader = around.world.card_readers["C1"]
    assert (await http.post("card/C1/lay", json={"name": "李四"})).json()["card"] == "laid"
    assert reader.card.name == "李四"
    assert "李四" not in (await http.get("http://127.0.0.1/api/sim")).text
    assert (await http.post("card/C1/take")).json()["card"] == "away"
    assert (await http.post("card/C1/take")).status_code == 409
    assert (await http.post("card/C2/take")).status_code == 404
    assert (await http.post("card/C1/lay", json={"number": "7"})).status_code == 422


async def test_what_changes_around_the_cabinet_is_read_on_the_line(http, around):
    told = (await http.post("environment", json={"temperature": -20.5, "humidity": 54.6})).json()
    assert (told["temperature"], told["light"]) == (-20.5, False)
    await http.post("environment", json={"mains": False, "smoke": False, "vibration": True})
    assert around.sealed("14 04 00 01 00 02")[9:20] == "FF 33 02 22"
    assert around.sealed("15 02 00 00 00 08")[9:11] == "16"
    around.sealed("15 05 00 00 FF 00")
    around.later(0.1)
    assert (await http.get("http://127.0.0.1/api/sim")).json()["environment"]["light"]
    assert (await http.post("environment", json={"light": True})).status_code == 422
    cleared = await http.post("environment", json={"smoke": None, "mains": None})
    assert (cleared.json()["smoke"], cleared.json()["mains"]) == (None, False)


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
async def test_the_page_has_every_trouble_in_either_language(http, lang):
    page = (await http.get(f"http://127.0.0.1/?lang={lang}")).text
    for kind in ("lost", "reboot", "echo", "one_client"):
        assert f'data-testid="fault-{kind}"' in page
    for kind in ("silent", "collision", "linkage"):
        assert f'data-testid="{kind}-L1-21"' in page
    for testid in ("scanner_half-S1", "card_hangs-C1", "machine_power-M1", "environment-mains"):
        assert f'data-testid="{testid}"' in page
    assert "built-in" not in page
