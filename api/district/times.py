"""Times as people in the district read them: China has one time zone and no summer time."""

from datetime import datetime, timedelta
from typing import Final

from babel.dates import format_date, format_datetime, format_timedelta

from api.pages import Lang, texts
from controller.local_time import LOCAL

ONE_MINUTE: Final = timedelta(minutes=1)
_LOCALE: Final[dict[Lang, str]] = {"zh-CN": "zh_CN", "en": "en_GB"}
_DAY: Final[dict[Lang, str]] = {"zh-CN": "M月d日 EEEE", "en": "EEEE d MMMM"}
_MOMENT: Final[dict[Lang, str]] = {"zh-CN": "M月d日 HH:mm", "en": "d MMM HH:mm"}
_SECOND: Final[dict[Lang, str]] = {"zh-CN": "M月d日 HH:mm:ss", "en": "d MMM HH:mm:ss"}


def moment(at: datetime, lang: Lang) -> str:
    return format_datetime(at.astimezone(LOCAL), _MOMENT[lang], locale=_LOCALE[lang])


def second(at: datetime, lang: Lang) -> str:
    return format_datetime(at.astimezone(LOCAL), _SECOND[lang], locale=_LOCALE[lang])


def last_day(until: datetime, lang: Lang) -> tuple[str, str]:
    """The day on which it ends, and the hour; an end at midnight is the whole day before."""
    local = until.astimezone(LOCAL)
    if (local.hour, local.minute) == (0, 0):
        day = format_date((local - timedelta(days=1)).date(), _DAY[lang], locale=_LOCALE[lang])
        return day, "24:00"
    return format_date(local.date(), _DAY[lang], locale=_LOCALE[lang]), f"{local:%H:%M}"


def ago(at: datetime, now: datetime, lang: Lang) -> str:
    """`3 minutes ago`; nothing is ever said to be in the future."""
    passed = at - now
    if passed > -ONE_MINUTE:
        return texts(lang).gettext("just now")
    return format_timedelta(passed, add_direction=True, locale=_LOCALE[lang], threshold=1.1)
