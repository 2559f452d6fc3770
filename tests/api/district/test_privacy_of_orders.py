"""Neither a log, nor a journal, nor a metric names a person or opens a door."""

import asyncio
import logging

import structlog
import structlog.testing
import town

from controller.district.notices import DemoPhone, Outbox
from controller.district.seal import Seal
from controller.journal import Stream

NO = town.ORDER["order_no"]
PEOPLE = [
    {"name": "诸葛𠮷祥", "phone": "+8613912345678", "role": "agent", "id_number": None},
    {"name": "Ada Wong-Li", "phone": "+85298765432", "role": "agent", "id_number": "E98765432"},
]


async def test_one_order_leaves_no_name_and_no_code_behind(
    api, calling, site, store, clock, district, caplog
):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        await api.post("/orders", json=town.order(recipients=PEOPLE))
        bad = [PEOPLE[0] | {"phone": "139123456789"}]
        refused = await api.post("/orders", json=town.order(order_no="2", recipients=bad))
        places = await asyncio.to_thread(site.loads, NO)
        code = (await api.get(f"/orders/{NO}/pickup-code")).json()
        seal = Seal(town.SEAL_KEY)
        outbox = Outbox(store, clock, seal, DemoPhone(store, clock, seal), district.changes)
        assert outbox.send_due() == 2
        page = await calling(None).get(code["url"])
        assert page.status_code == 200
        for item, where in places:
            site.gives(NO, item, where)
        metrics = await calling(None).get("http://127.0.0.1:8000/metrics")
    down = district.journal("FT-0001", stream=Stream.DOWN).entries
    up = district.journal("FT-0001").entries
    ours = [each for each in caplog.records if not each.name.startswith("http")]
    written = [
        str(logs),
        *(each.getMessage() for each in ours),
        *down,
        *up,
        metrics.text,
        refused.text,
    ]
    secrets = [
        *(person["name"] for person in PEOPLE),
        "13912345678",
        "98765432",
        "E98765432",
        code["typed_code"],
        town.secret_of(code["qr_text"]),
        code["url"].rpartition("/")[2],
        "Bearer",
    ]
    for secret in secrets:
        for text in written:
            assert secret not in text
    assert [log["route"] for log in logs if log["event"] == "request"].count("/p/{token}") == 1


async def test_a_mistake_of_ours_is_logged_without_values(calling, district, monkeypatch):
    def broken():
        raise RuntimeError("张三 13800000000")

    monkeypatch.setattr(district, "sites", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await calling("all").get("/sites")
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:onewindow:problem:mistake"
    assert answer.json()["request_id"] in str(logs)
    assert "张三" not in str(logs) + answer.text
