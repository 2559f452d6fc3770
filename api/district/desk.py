"""What the pages behind the log-in have in common."""

from datetime import datetime
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.cabinet import label
from api.district import words
from api.district.times import ago, last_day, moment, second
from api.pages import Pages, choose_lang
from controller.district.staff import Person
from controller.journal import parse_time
from controller.ports import Clock

# The browser names a form's origin only where a page may name itself to its own site.
HEADERS = {"referrer-policy": "same-origin", "x-robots-tag": "noindex, nofollow"}


class Desk:
    def __init__(self, pages: Pages, clock: Clock) -> None:
        self._pages = pages
        self._clock = clock
        self.default = pages.default

    def page(
        self,
        request: Request,
        template: str,
        person: Person | None,
        *,
        status: int = 200,
        **context: Any,
    ) -> HTMLResponse:
        """A page with the words and times that these templates use."""
        lang = choose_lang(request, self._pages.default)
        now = self._clock.now()

        def seconds(at: str) -> str:
            return second(parse_time(at), lang)

        def until(at: datetime) -> str:
            return " ".join(last_day(at, lang))

        def passed(at: datetime) -> str:
            return ago(at, now, lang)

        return self._pages.page(
            request,
            template,
            status=status,
            headers=HEADERS,
            person=person,
            words=words,
            door=label,
            moment=partial(moment, lang=lang),
            second=seconds,
            until=until,
            ago=passed,
            **context,
        )
