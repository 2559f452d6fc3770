"""The company's pickup page, `/p/{token}`: works without scripts; reading changes nothing."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.district import words
from api.district.times import last_day
from api.district.words import Tone, Word
from api.headers import content_policy
from api.live import Live
from api.pages import Lang, Pages, choose_lang, texts
from api.qr import qr_png, qr_svg
from controller.district.district import District
from controller.district.views import ItemView, PickupPage
from controller.entries import ItemState, OrderState

TOKEN_MAX = 64
DAY_S = 86_400
HEADERS: Final = {
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow, noarchive",
    # Our own pages may show it inside themselves, as on a drawn phone; nobody else's may.
    "content-security-policy": content_policy(framed_by=("'self'",)),
    "x-frame-options": "SAMEORIGIN",
}
_OPEN: Final = frozenset({OrderState.READY, OrderState.PARTLY_COLLECTED, OrderState.OVERDUE})
_IN_TIME: Final = frozenset({OrderState.READY, OrderState.PARTLY_COLLECTED})
_WAITING: Final = frozenset({OrderState.PLACED, OrderState.PARTLY_LOADED})


@dataclass(frozen=True, slots=True)
class Says:
    """What a state means for who waits, in one line and one sentence."""

    headline: str
    say: str
    tone: Tone = ""


SAYS: Final = {
    OrderState.PLACED: Says(
        "We are getting it ready",
        "Nothing to do yet. We will text you as soon as everything is at the pickup point.",
    ),
    OrderState.PARTLY_LOADED: Says(
        "Almost there",
        "Not all is here yet. We will text you as soon as it is; then your code appears here.",
    ),
    OrderState.READY: Says("Ready to collect", "Come at any hour and show this code.", "good"),
    OrderState.PARTLY_COLLECTED: Says(
        "Something is still here", "Show the same code again to collect the rest.", "good"
    ),
    OrderState.OVERDUE: Says(
        "Please come soon",
        "The time is over, but the code works until we take the items back.",
        "warn",
    ),
    OrderState.COLLECTED: Says(
        "All collected",
        "The code is used up and opens nothing any more. Good luck with your business.",
    ),
    OrderState.RETURNED: Says(
        "Moved to the hall window",
        "Please collect there in office hours and bring your ID card.",
        "warn",
    ),
    OrderState.CANCELLED: Says(
        "This order was cancelled", "There is nothing to collect, and no code is needed."
    ),
}
OLD_LINK: Final = Says(
    "This link is no longer good",
    "You have got a newer one. Open the link in the newest message.",
    "warn",
)


@dataclass(frozen=True, slots=True)
class ItemShown:
    name: str
    detail: str
    word: Word


def company_router(
    district: District, pages: Pages, live: Live, nowhere: Callable[[Request], Response]
) -> APIRouter:
    """Routes under `/p`; `nowhere` answers for every token that is none, always the same."""
    router = APIRouter(include_in_schema=False)

    def find(token: str) -> PickupPage | None:
        return district.page(token) if len(token) <= TOKEN_MAX else None

    @router.api_route("/p/{token}", methods=["GET", "HEAD"])
    async def pickup(request: Request, token: str) -> Response:
        page = find(token)
        if page is None:
            return nowhere(request)
        lang = choose_lang(request, pages.default)
        context = _context(page, lang, district.clock.now())
        return pages.page(
            request,
            "company/pickup.html",
            headers=HEADERS,
            token=token,
            tel=district.plan.tel,
            **context,
        )

    @router.api_route("/p/{token}/qr.png", methods=["GET", "HEAD"])
    async def picture(request: Request, token: str) -> Response:
        page = find(token)
        if page is None or page.code is None:
            return nowhere(request)
        return Response(qr_png(page.code.qr_text), media_type="image/png", headers=HEADERS)

    @router.get("/p/{token}/live")
    async def follow(request: Request, token: str) -> Response:
        if find(token) is None:
            return nowhere(request)
        return live.stream(_changes(district, token))

    return router


async def _changes(district: District, token: str) -> AsyncIterator[str]:
    """A word for each change of this page, none for what happens to others."""
    before = district.page(token)
    async for _ in district.changes.listen():
        page = district.page(token)
        if page != before:
            yield "changed"
        if page is None:
            return
        before = page


def _context(page: PickupPage, lang: Lang, now: datetime) -> dict[str, Any]:
    translate = texts(lang).gettext
    state = OrderState(page.state)
    opens = state in _OPEN
    says = OLD_LINK if opens and page.code is None else SAYS[state]
    code = None
    if page.code is not None:
        svg = qr_svg(page.code.qr_text, translate("QR code of your pickup"))
        code = {"svg": svg, "typed": page.code.typed_code}
    return {
        "page": page,
        "says": says,
        "code": code,
        "waits": state in _WAITING,
        "open": opens and page.code is not None,
        "items": [_item(item, state, lang) for item in page.items],
        "until": _until(page.until, now, lang) if state in _IN_TIME and page.until else None,
    }


def _item(item: ItemView, order: OrderState, lang: Lang) -> ItemShown:
    translate = texts(lang).gettext
    state = ItemState(item.state)
    word = words.ITEM_FOR_COMPANY[state]
    if order in _WAITING and state is ItemState.LOADED:
        word = words.ITEM_ARRIVED
    parts = [words.SEAL.get(seal, seal) for seal in item.seals]
    parts = parts or [words.KIND_DETAIL.get(item.kind, "")]
    return ItemShown(
        translate(words.KIND.get(item.kind, item.kind)),
        translate(", ").join(translate(part) for part in parts if part),
        word,
    )


def _until(until: datetime, now: datetime, lang: Lang) -> dict[str, str]:
    day, hour = last_day(until, lang)
    days = int((until - now).total_seconds() // DAY_S)
    left = texts(lang).ngettext("%(num)s day left", "%(num)s days left", days) % {"num": days}
    return {
        "iso": until.isoformat(),
        "text": f"{day} {hour}",
        "left": left if days > 0 else "",
    }
