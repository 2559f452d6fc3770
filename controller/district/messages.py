"""What recipients are told, and when: short texts that still work when link and number are cut.

Gateways want each text approved beforehand, so all of them stand here.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final, Protocol

from controller.entries import Kind
from controller.local_time import LOCAL

DAY_BEGINS, DAY_ENDS = time(8), time(21)
PART_MAX = {"zh-CN": 70, "en": 160}  # characters of one SMS part
COMPANY_MIN = 8


class Messenger(Protocol):
    """Reaches a phone. Sending one message id again must reach nobody twice."""

    def send(self, message_id: str, to: str, text: str) -> None:
        """Returns when the gateway has taken it. NotSent: try later."""
        ...


class NotSent(Exception):
    """The gateway did not take a message; it may later."""


class Event(StrEnum):
    READY = "ready"


TEXTS: Final = {
    ("zh-CN", Event.READY): "【一窗出】{company}的{items}已到{site}，{date}前全天可取。"
    "出示二维码即可：{url} 取件码{code}",
    ("en", Event.READY): "{company}: your {items} at {site}, any hour until {date}. "
    "Show this QR: {url} or type {code}.",
}
ITEM_WORDS: Final = {
    ("zh-CN", Kind.BUSINESS_LICENCE): "营业执照",
    ("zh-CN", Kind.SEAL_SET): "印章",
    ("en", Kind.BUSINESS_LICENCE): "licence",
    ("en", Kind.SEAL_SET): "seals",
}
OTHER_WORDS: Final = {"zh-CN": "物件", "en": "items"}


def items_words(lang: str, kinds: Iterable[str]) -> str:
    """营业执照和印章; licence and seals."""
    words = []
    for kind in dict.fromkeys(kinds):
        known = kind in set(Kind)
        words.append(ITEM_WORDS[lang, Kind(kind)] if known else OTHER_WORDS[lang])
    if lang == "zh-CN":
        return "和".join(words)
    return " and ".join(words) + (" is" if words == ["licence"] else " are")


def write_ready(
    lang: str,
    *,
    company: str,
    kinds: Iterable[str],
    site: str,
    expires_at: datetime,
    url: str,
    code: str,
) -> str:
    """The text of "ready", at most one part long without the link: a long name is cut."""
    words = {
        "items": items_words(lang, kinds),
        "site": site,
        "date": last_day(lang, expires_at),
        "code": f"{code[:4]} {code[4:]}" if lang == "en" else code,
    }
    template = TEXTS[lang, Event.READY]
    room = PART_MAX[lang] - len(template.format(**words, company="", url=""))
    return template.format(**words, company=shorten(company, max(room, COMPANY_MIN)), url=url)


def shorten(name: str, room: int) -> str:
    """Both ends of a name tell more than its beginning: 深圳市某某…有限公司."""
    if len(name) <= room:
        return name
    tail = (room - 1) // 2
    return f"{name[: room - 1 - tail]}…{name[len(name) - tail :]}"


def last_day(lang: str, expires_at: datetime) -> str:
    """The day whose end is `expires_at`, as people write it."""
    day = (expires_at - timedelta(seconds=1)).astimezone(LOCAL)
    return f"{day.month}月{day.day}日" if lang == "zh-CN" else f"{day.day} {day:%b}"


def due(at: datetime, *, at_night: bool) -> datetime:
    """When somebody may be told: at once by day, else at eight in the morning."""
    local = at.astimezone(LOCAL)
    if at_night or DAY_BEGINS <= local.time() < DAY_ENDS:
        return at
    morning = datetime.combine(local.date(), DAY_BEGINS, LOCAL)
    return morning if morning > local else morning + timedelta(days=1)
