"""What the pages of operations have in common."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.district.access import Access, Nowhere
from api.district.desk import Desk
from api.district.sentences import Line, Translate, line
from api.pages import choose_lang, texts
from controller.district.district import District
from controller.district.staff import Person, Staff
from controller.district.stories import Stories
from controller.district.views import OrderView, SiteView
from controller.journal import Entry
from controller.refusals import Refused


class Ops:
    """What several of the pages need."""

    def __init__(
        self, district: District, stories: Stories, desk: Desk, access: Access, staff: Staff
    ) -> None:
        self.district = district
        self.staff = staff
        self._names = {district.alias(each): each for each in staff.usernames}
        self.stories = stories
        self.access = access
        self._desk = desk

    def page(
        self, request: Request, template: str, person: Person, here: str, **context: Any
    ) -> Response:
        standing = len(self.district.alarms())
        shared: dict[str, Any] = {"here": here, "standing": standing, "who": self.who}
        return self._desk.page(request, template, person, **shared, **context)

    def who(self, alias: str) -> str:
        """A person who logs in here by name; a badge or a client's person by their id."""
        return self._names.get(alias, alias)

    def site(self, site_id: str) -> SiteView:
        try:
            return self.district.site(site_id)
        except Refused:
            raise Nowhere from None

    def order(self, order_no: str) -> OrderView:
        try:
            return self.district.order(order_no)
        except Refused:
            raise Nowhere from None

    def lines(self, request: Request, entries: list[Entry]) -> list[Line]:
        translate = self.translate(request)
        return [line(entry, translate) for entry in entries]

    def translate(self, request: Request) -> Translate:
        """Into the language of whoever reads this."""
        return texts(choose_lang(request, self._desk.default)).gettext
