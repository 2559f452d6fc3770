"""Who may see the pages behind the log-in: sessions in a cookie, and only our own pages write."""

from typing import Final
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from controller.district.staff import LONGEST, Person, Role, Staff

HOME: Final[dict[Role, str]] = {"ops": "/ops", "vendor": "/vendor"}
FOLLOWS = "x-follow"  # set by follow.js: the page asks by itself, nobody touched it
ADDRESS_MAX = 400


class LogInFirst(Exception):
    """Nobody is logged in; carries where the person wanted to go."""

    def __init__(self, goes: str) -> None:
        super().__init__("log in first")
        self.goes = goes


class NotYours(Exception):
    """Somebody is logged in, and these pages are not for them."""

    def __init__(self, person: Person) -> None:
        super().__init__("not yours")
        self.person = person


class Nowhere(Exception):
    """An address that leads nowhere."""


class ForeignForm(Exception):
    """A write that no page of ours has sent."""


class Access:
    def __init__(self, staff: Staff, url: str) -> None:
        self._staff = staff
        self._own_host = urlsplit(url).netloc
        self._secure = url.startswith("https://")
        self._cookie = "__Host-onewindow" if self._secure else "onewindow"

    def somebody(self, request: Request) -> Person | None:
        return self._staff.who(self.token(request), active=FOLLOWS not in request.headers)

    def need(self, request: Request, role: Role) -> Person:
        """The person, of that role. LogInFirst or NotYours otherwise."""
        person = self.somebody(request)
        if person is None:
            query = f"?{request.url.query}" if request.url.query else ""
            raise LogInFirst(request.url.path + query)
        if person.role != role:
            raise NotYours(person)
        return person

    def still(self, request: Request) -> bool:
        """Whether the session behind an open event stream is good."""
        return self._staff.who(self.token(request), active=False) is not None

    def token(self, request: Request) -> str:
        return request.cookies.get(self._cookie, "")

    def same_origin(self, request: Request) -> None:
        """ForeignForm unless a page of ours sent this. Browsers say so; only they have cookies."""
        said = request.headers.get("sec-fetch-site")
        origin = urlsplit(request.headers.get("origin", "")).netloc
        ours = origin in {request.headers.get("host", ""), self._own_host} and origin != ""
        if said != "same-origin" if said else not ours:
            raise ForeignForm

    def enter(self, answer: Response, token: str) -> None:
        answer.set_cookie(
            self._cookie,
            token,
            max_age=int(LONGEST.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def leave(self, answer: Response) -> None:
        answer.delete_cookie(
            self._cookie, path="/", secure=self._secure, httponly=True, samesite="strict"
        )


def safe_way(goes: str, person: Person) -> str:
    """Where to go after a log-in: a page of the person's own part, never another's address."""
    home = HOME[person.role]
    own = goes == home or goes.startswith((f"{home}/", f"{home}?"))
    return goes if own and len(goes) <= ADDRESS_MAX and "\\" not in goes else home


def to_log_in(goes: str) -> Response:
    way = f"?goes={quote(goes, safe='')}" if 1 < len(goes) <= ADDRESS_MAX else ""
    return RedirectResponse(f"/log-in{way}", status_code=303)
