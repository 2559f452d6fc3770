"""The demo's page: phone, kiosk and cabinet side by side, with a guide through one pickup.

It shows what the district's own interfaces give. A browser holds badges, labels and codes before
the simulator's scanner, as a hand would.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import SecretStr

from api.district.words import ORDER
from api.headers import content_policy
from api.live import Live
from api.pages import Pages, choose_lang, texts
from api.problems import problem
from controller.district.district import District
from controller.district.stories import Stories
from controller.district.views import OrderFilter, OrderView
from controller.refusals import Refused

CLIENT: Final = "demo"  # the API key of that name reads what this page places
SHOWN: Final = 12  # orders, newest first
COMPANIES: Final = (  # invented; the numbers' check characters fit
    ("深圳市晨光示例科技有限公司", "91440304MAEXAMP142"),
    ("深圳市某某科技有限公司", "91440300MA5FXAM6PL"),
)
FIRST_NUMBER: Final = 440304202611240001


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo's other parts are. Both are other origins, framed by this page alone."""

    kiosk: str
    simulator: str
    site_id: str
    vendor_id: str
    vendor_badge: SecretStr  # the text that a scanner reads


def router(
    district: District, stories: Stories, pages: Pages, live: Live, stage: Stage
) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    policy = content_policy(frames=(stage.kiosk, stage.simulator), talks_to=(stage.simulator,))

    @routes.get("/")
    async def page(request: Request) -> Response:
        translate = texts(choose_lang(request, pages.default)).gettext
        return pages.page(
            request,
            "demo.html",
            states={state: translate(word.text) for state, word in ORDER.items()},
            headers={"content-security-policy": policy},
            stage=stage,
            known={
                "simulator": stage.simulator,
                "badge": stage.vendor_badge.get_secret_value(),
                "orders": shown(district, stories),
            },
        )

    @routes.get("/demo/events")
    async def follow() -> Response:
        return live.stream(_changes(district, stories), event="orders")

    @routes.post("/demo/orders", status_code=201)
    async def place(request: Request) -> Any:
        if request.headers.get("content-type") != "application/json":
            return problem(415, "unsupported", "Not JSON", "Send application/json.")
        number = _free_number(district)
        district.place_order(_body(number, stage), CLIENT)
        return {"order_no": number}

    return routes


def shown(district: District, stories: Stories) -> list[dict[str, Any]]:
    """The newest orders with what the page needs of each."""
    found = district.orders(OrderFilter(), limit=SHOWN).orders
    return [_shown(district, stories, order) for order in found]


def _shown(district: District, stories: Stories, order: OrderView) -> dict[str, Any]:
    try:
        code = district.pickup_code(order.order_no).qr_text
    except Refused:  # before it is ready, and after it is collected
        code = None
    link = re.compile(re.escape(district.plan.url) + r"(/p/[A-Za-z0-9_-]+)")
    messages = []
    for message in district.order_messages(order.order_no):
        found = link.search(message.text)
        messages.append(
            {
                "at": message.at.isoformat(),
                "text": message.text,
                "url": found[0] if found else None,
                "link": found[1] if found else None,
            }
        )
    return {
        "order_no": order.order_no,
        "company": order.company,
        "state": order.state,
        "code": code,
        "phone": stories.recipients(order.order_no)[0].phone,  # masked; its end is typed
        "messages": messages,
        "items": [
            {
                "kind": item.kind,
                "holder": item.holder,
                "label": item.label,
                "state": item.state,
                "vendor_id": item.vendor_id,
            }
            for item in order.items
        ],
    }


async def _changes(district: District, stories: Stories) -> AsyncIterator[str]:
    before = ""
    async for _ in district.changes.listen():
        now = json.dumps(shown(district, stories), ensure_ascii=False)
        if now != before:
            yield now
            before = now


def _free_number(district: District) -> str:
    number = FIRST_NUMBER
    while True:
        try:
            district.order(str(number))
        except Refused:
            return str(number)
        number += 1


def _body(number: str, stage: Stage) -> dict[str, Any]:
    name, uscc = COMPANIES[int(number) % len(COMPANIES)]
    return {
        "order_no": number,
        "site_id": stage.site_id,
        "company": {"name": name, "uscc": uscc},
        "recipients": [{"name": "张三", "phone": "+8613800000009", "role": "legal_representative"}],
        "items": [
            {"kind": "business_licence", "holder": "machine"},
            {
                "kind": "seal_set",
                "holder": "cabinet",
                "vendor_id": stage.vendor_id,
                "seals": ["official", "finance", "invoice", "legal_representative"],
            },
        ],
    }
