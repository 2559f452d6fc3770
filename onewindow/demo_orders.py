"""Three orders to play with, placed through the district's own API."""

import json
from collections.abc import Sequence
from typing import Any

from controller.entries import OrderState
from controller.ports import Clock
from onewindow.ask import ask
from onewindow.layout import SITE_ID

CREATED, KNOWN = 201, 200
ARRIVE_S = 15.0  # a site that has a fault from last time may not take them; the demo begins anyway


class OrderNotTaken(Exception):
    """The district did not take one of the demo's orders."""


def orders() -> list[dict[str, Any]]:
    """Bodies of `POST /api/v1/orders`; companies and people are invented."""
    return [
        _order(
            1,
            ("深圳市晨光示例科技有限公司", "91440304MAEXAMP142"),
            ("张三", "+8613800000001", "legal_representative"),
            ["official", "finance", "invoice", "legal_representative"],
        ),
        _order(
            2,
            ("李四示例设计工作室", "92440304MAEXAMP22R"),
            ("李四", "+8613800000002", "legal_representative"),
            ["official", "finance", "invoice", "legal_representative"],
        ),
        _order(
            3,
            ("深圳市某某科技有限公司", "91440300MA5FXAM6PL"),
            ("Anna Example", "+8613800000003", "agent"),
            ["official", "finance", "contract", "legal_representative"],
        ),
    ]


def _order(
    no: int, company: tuple[str, str], person: tuple[str, str, str], seals: list[str]
) -> dict[str, Any]:
    name, uscc = company
    person_name, phone, role = person
    return {
        "order_no": f"44030420261123{no:04d}",
        "site_id": SITE_ID,
        "company": {"name": name, "uscc": uscc},
        "recipients": [{"name": person_name, "phone": phone, "id_number": None, "role": role}],
        "items": [
            {"kind": "business_licence", "holder": "machine"},
            {"kind": "seal_set", "holder": "cabinet", "vendor_id": "V01", "seals": seals},
        ],
    }


async def place(district: str, api_key: str) -> list[str]:
    """The orders are at the district, now or since an earlier start; their numbers."""
    placed = []
    for body in orders():
        headers = {"Authorization": f"Bearer {api_key}"}
        answer = await ask("POST", f"{district}/api/v1/orders", body, headers)
        if answer is None or answer.status not in {CREATED, KNOWN}:
            said = "nothing" if answer is None else f"{answer.status} {answer.body.decode()}"
            raise OrderNotTaken(f"the district did not take order {body['order_no']}: {said}")
        placed.append(str(body["order_no"]))
    return placed


async def arrive(district: str, api_key: str, numbers: Sequence[str], clock: Clock) -> bool:
    """The site has the orders, and the badges before them, and the district has heard so."""
    until = clock.monotonic() + ARRIVE_S
    waiting = list(numbers)
    while waiting and clock.monotonic() < until:
        headers = {"Authorization": f"Bearer {api_key}"}
        answer = await ask("GET", f"{district}/api/v1/orders/{waiting[0]}", headers=headers)
        if answer and json.loads(answer.body).get("state") != OrderState.PLACED:
            waiting.pop(0)
        else:
            await clock.sleep(0.05)
    return not waiting
