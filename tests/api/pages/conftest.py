"""A real district on a database of its own, a site that tells it things, and its pages."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import argon2
import httpx
import pytest
from fastapi import FastAPI

from api.district.app import make_app
from controller.clock import ManualClock
from controller.district.district import District
from controller.district.plan import read_plan
from controller.district.schema import journal, metadata
from controller.district.seal import Seal
from controller.district.views import OrderView
from controller.journal import GENESIS, read_entry, rfc3339
from controller.settings import DistrictSettings
from controller.store import Transaction, open_store

URL = "http://district.test"
SITE = "FT-0001"
HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORDS = {
    "ops": "an-ops-example",
    "mei": "another-ops-example",
    "wu": "a-vendor-example",
    "li": "another-example",
}
PHONE = "+8613812345678"
NAME = "欧阳示例"


def settings_of(tmp_path, **district: Any) -> DistrictSettings:
    def keys(letter: str) -> dict[str, str]:
        return dict.fromkeys(("link_key", "code_key", "typed_salt"), letter * 64)

    def login(name: str, role: str, vendor: str | None = None) -> dict[str, Any]:
        hashed = HASHER.hash(PASSWORDS[name])
        return {"username": name, "password_hash": hashed, "role": role, "vendor_id": vendor}

    table = {"data": tmp_path, "seal_key": "5" * 64, "public_url": URL, "tel": "0755-12345"}
    return DistrictSettings(
        district=table | district,
        site=[
            {
                "id": SITE,
                "name": "福田区政务服务中心",
                "address": "福民路123号一楼北门",
                "how_to_find": "北门进，右手边第二排",
                "kiosk_url": "http://kiosk.test",
                **keys("a"),
            },
            {"id": "FT-0002", "name": "梅林街道办", "address": "梅林路1号", **keys("b")},
        ],
        vendor=[{"id": "V01", "name": "吴记刻章"}, {"id": "V02", "name": "李记刻章"}],
        login=[
            login("ops", "ops"),
            login("mei", "ops"),
            login("wu", "vendor", "V01"),
            login("li", "vendor", "V02"),
        ],
    )


@dataclass
class Hall:
    """The district as a test sees it: it places orders and plays the site."""

    district: District
    app: FastAPI
    clock: ManualClock
    placed: int = 0
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)

    def order(
        self,
        company: str = "深圳市某某科技有限公司",
        *,
        site: str = SITE,
        vendor: str = "V01",
        seals: tuple[str, ...] = ("official", "finance", "invoice", "legal_representative"),
        licence: bool = True,
    ) -> OrderView:
        self.placed += 1
        number = f"44030420261124{self.placed:04d}"
        items: list[dict[str, Any]] = [
            {"kind": "seal_set", "holder": "cabinet", "vendor_id": vendor, "seals": list(seals)}
        ]
        if licence:
            items.insert(0, {"kind": "business_licence", "holder": "machine"})
        body = {
            "order_no": number,
            "site_id": site,
            "company": {"name": company, "uscc": "91440300MA5FXAM6PL"},
            "recipients": [{"name": NAME, "phone": PHONE, "role": "legal_representative"}],
            "items": items,
        }
        return self.district.place_order(body, "hall")[0]

    def says(self, kind: str, site: str = SITE, /, **words: Any) -> None:
        """An entry of the site's journal arrives."""
        with self.district.store.write() as transaction:
            self._hears(transaction, kind, site, words)

    def _hears(self, transaction: Transaction, kind: str, site: str, words: dict[str, Any]) -> None:
        seq, prev = self.heads.get(site, (0, GENESIS))
        at = rfc3339(self.clock.now())
        body = {"stream": "up", "seq": seq + 1, "at": at, "kind": kind, "data": words, "prev": prev}
        entry = read_entry(site, json.dumps(body, ensure_ascii=False).encode())
        transaction.receive(entry)
        self.district.apply(transaction, entry)
        self.heads[site] = (entry.seq, entry.hash)

    def starts(self, site: str = SITE, columns: int = 1) -> None:
        sizes = (["S"] * 8 + ["M"] * 2 + ["L"]) * columns
        boxes = [
            {"cabinet": "A", "no": no, "size": size, "height_cm": 180 - 15 * ((no - 1) % 11)}
            for no, size in enumerate(sizes, 1)
        ]
        compartments = [box | {"reach": "mid"} for box in boxes]
        plan = {"version": "0.1.0", "compartments": compartments, "machines": ["M1"]}
        with self.district.store.write() as tx:
            self._hears(tx, "site.started", site, plan)
            for box in boxes:
                self._hears(tx, "door.closed", site, {"where": f"A/{box['no']}", "n": 1})
            idle = {"machine": "M1", "state": "idle", "blanks": 188, "faults": []}
            self._hears(tx, "machine.changed", site, idle)

    def loads(self, order: OrderView, where: str = "A/7") -> None:
        """Everything of an order comes in, and it is ready."""
        for item in order.items:
            place = "M1" if item.holder == "machine" else where
            seen = "machine" if item.holder == "machine" else "sensor"
            self.says("item.loaded", item=item.item_id, order=order.order_no, where=place, by=seen)
        self.says("pickup.ready", order=order.order_no, expires_at="2026-12-09T16:00:00.000Z")

    def collects(self, order: OrderView, *kinds: str) -> None:
        for item in order.items:
            if not kinds or item.kind in kinds:
                where = "M1" if item.holder == "machine" else "A/7"
                self.says(
                    "item.collected",
                    item=item.item_id,
                    order=order.order_no,
                    where=where,
                    by="sensor",
                    code="c1",
                )
        if not kinds:
            self.says("pickup.completed", order=order.order_no, session="s1", left=[])

    def token(self, order: OrderView) -> str:
        return self.district.pickup_code(order.order_no).url.rpartition("/")[2]

    def browser(self, address: str = "192.0.2.1") -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(address, 1)),
            base_url=URL,
            headers={"accept-language": "en"},
        )

    async def logged_in(self, name: str, way: str = "") -> httpx.AsyncClient:
        browser = self.browser()
        answer = await browser.post(
            "/log-in",
            data={"username": name, "password": PASSWORDS[name], "goes": way},
            headers={"origin": URL},
        )
        assert answer.status_code == 303, answer.text
        return browser


def build(tmp_path, store, clock, **district: Any) -> Hall:
    settings = settings_of(tmp_path, **district)
    seal = Seal(settings.district.seal_key.get_secret_value())
    served = District(store, clock, seal, read_plan(settings))
    return Hall(served, make_app(served, settings), clock)


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 11, 24, 6, 30, tzinfo=UTC))


@pytest.fixture
def store(tmp_path, clock):
    with open_store(tmp_path / "district.db", journal, clock) as opened:
        with opened.write() as transaction:
            metadata.create_all(transaction.connection)
        yield opened


@pytest.fixture
def hall(tmp_path, store, clock):
    return build(tmp_path, store, clock)


@pytest.fixture
def secure_hall(tmp_path, store, clock):
    return build(tmp_path, store, clock, public_url="https://district.test")
