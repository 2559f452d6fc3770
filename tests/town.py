"""A district for tests, on a real database, with a site whose journal a test writes by hand."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from controller.clock import ManualClock
from controller.codes import read_scan
from controller.district import schema
from controller.district.district import District
from controller.district.mint import Mint
from controller.district.plan import ApiKey, BadgePlan, Plan, SitePlan
from controller.district.seal import Seal
from controller.entries import Up
from controller.journal import EMPTY, Stream, entries, head, read_entry, rfc3339
from controller.store import Store, open_store

MORNING = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # ten o'clock in Shenzhen
SEAL_KEY = bytes(range(32))
SITE = SitePlan(
    "FT-0001", "市民中心", "福中三路", "南门左手", code_key=b"k" * 16, typed_salt=b"s" * 16
)
OTHER_SITE = SitePlan("FT-0002", "香蜜湖", "侨香路", code_key=b"K" * 16, typed_salt=b"S" * 16)
KEYS = {
    "all": ("bureau", frozenset({"orders", "codes", "fleet:read", "fleet:operate"})),
    "orders": ("orders-only", frozenset({"orders"})),
    "codes": ("codes-only", frozenset({"codes"})),
    "fleet": ("watcher", frozenset({"fleet:read"})),
    "other": ("other-bureau", frozenset({"orders", "codes", "fleet:read", "fleet:operate"})),
}
ORDER: dict[str, Any] = {
    "order_no": "440304202611230001",
    "site_id": "FT-0001",
    "company": {"name": "深圳市某某科技有限公司", "uscc": "91440300MA5FXAM6PL"},
    "recipients": [
        {
            "name": "张三",
            "phone": "+8613800000000",
            "id_number": None,
            "role": "legal_representative",
        }
    ],
    "items": [
        {"kind": "business_licence", "holder": "machine"},
        {"kind": "seal_set", "holder": "cabinet", "vendor_id": "V01", "seals": ["official"]},
    ],
}


def plan(**changes: Any) -> Plan:
    words = {
        "url": "http://127.0.0.1:8000",
        "sites": (SITE, OTHER_SITE),
        "vendors": {"V01": "刻章一号", "V02": "刻章二号"},
        "api_keys": tuple(
            ApiKey(client, hashlib.sha256(key.encode()).hexdigest(), scopes)
            for key, (client, scopes) in KEYS.items()
        ),
        "badges": (BadgePlan("B1", "vendor", "V01", {"FT-0001": "a" * 64}),),
        "tel": "0755-12345",
    }
    return Plan(**words | changes)


def order(**changes: Any) -> dict[str, Any]:
    """The order that tests place, with some parts changed."""
    return deepcopy(ORDER) | changes


@contextmanager
def opened(path: Path, clock: ManualClock) -> Iterator[Store]:
    with open_store(path / "district.db", schema.journal, clock) as store:
        schema.metadata.create_all(store.writer)
        yield store


def district_on(store: Store, clock: ManualClock, seed: int = 1, **changes: Any) -> District:
    chance = Random(seed)
    mint = Mint(chance.getrandbits, chance.randrange)
    return District(store, clock, Seal(SEAL_KEY), plan(**changes), mint)


class PlayedSite:
    """A site's journal, written by a test; the district copies and follows each entry."""

    def __init__(self, district: District, site_id: str = "FT-0001") -> None:
        self.district = district
        self.site_id = site_id
        self._last = EMPTY

    def says(self, kind: str, /, **data: Any) -> None:
        words = {
            "stream": "up",
            "seq": self._last.seq + 1,
            "at": rfc3339(self.district.clock.now()),
            "kind": kind,
            "data": data,
            "prev": self._last.hash,
        }
        entry = read_entry(self.site_id, json.dumps(words, ensure_ascii=False).encode())
        with self.district.store.write() as tx:
            tx.receive(entry)
            self.district.apply(tx, entry)
            self._last = head(tx.connection, schema.journal, self.site_id, Stream.UP)

    def starts(self, boxes: int = 3) -> None:
        plans = [
            {"cabinet": "A", "no": no, "size": "S", "height_cm": 100, "reach": "mid"}
            for no in range(1, boxes + 1)
        ]
        self.says(Up.SITE_STARTED, version="1.0", compartments=plans, machines=["M1"])

    def loads(self, order_no: str) -> list[tuple[str, str]]:
        """Everything of an order is in its place and the order is ready: items and places."""
        places = []
        for item in self.district.order(order_no).items:
            where = "M1" if item.holder == "machine" else "A/2"
            self.says(Up.ITEM_LOADED, item=item.item_id, order=order_no, where=where, by="door")
            places.append((item.item_id, where))
        self.says(Up.PICKUP_READY, order=order_no, expires_at="2026-12-09T16:00:00.000Z")
        return places

    def movement(self, intent: str, kind: str, where: str, item: str) -> dict[str, Any]:
        """What was decided about an item that lies there, or shall."""
        words = {"intent": intent, "kind": kind, "where": where, "item": item}
        return words | {"reason": "pickup", "order": ORDER["order_no"]}

    def moves(self, intent: str, kind: str, where: str, item: str) -> None:
        """It moved, as its door shows; what became of the item is not said."""
        self.says(Up.MOVEMENT_INTENDED, **self.movement(intent, kind, where, item))
        self.says(Up.MOVEMENT_SETTLED, intent=intent, outcome="moved", seen_by="door")

    def gives(self, order_no: str, item_id: str, where: str) -> None:
        kind = "collect" if "/" in where else "present"
        movement = {"kind": kind, "where": where, "reason": "pickup", "order": order_no}
        self.says(Up.MOVEMENT_INTENDED, intent=f"i-{item_id}", **movement)
        self.says(Up.MOVEMENT_SETTLED, intent=f"i-{item_id}", outcome="moved", seen_by="door")
        collected = {"item": item_id, "order": order_no, "where": where, "by": "door"}
        self.says(Up.ITEM_COLLECTED, code=None, **collected)


def told(store: Store, site_id: str = "FT-0001") -> list[tuple[str, dict[str, Any]]]:
    """What the district has told a site: kinds and data."""
    with store.read() as connection:
        return [
            (entry.kind, entry.data)
            for entry in entries(connection, schema.journal, site_id, Stream.DOWN)
        ]


def secret_of(qr_text: str) -> str:
    scanned = read_scan(qr_text)
    return getattr(scanned, "secret", "")
