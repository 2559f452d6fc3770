"""Pages: templates, languages and static files, the same for site and district.

Every `.po` file under `translations/LANG/LC_MESSAGES/` is read when an app is made; nothing is
compiled beforehand, so a checkout and an installed wheel behave alike.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

Lang = Literal["zh-CN", "en"]
LANGS: Final[tuple[Lang, ...]] = ("zh-CN", "en")
LANG_COOKIE = "lang"

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_CATALOGS: Final[dict[Lang, str]] = {"zh-CN": "zh_CN", "en": "en"}
_YEAR_S = 31_536_000


@cache
def texts(lang: Lang) -> GNUTranslations:
    """All catalogues of one language as one."""
    merged = Catalog(locale=_CATALOGS[lang])
    for path in sorted((_HERE / "translations" / _CATALOGS[lang] / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=_CATALOGS[lang], abort_invalid=True):
                if message.id and message.string:
                    merged.add(message.id, message.string, context=message.context)
    compiled = BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return GNUTranslations(compiled)


def as_lang(value: str | None) -> Lang | None:
    """The language that a tag such as `zh`, `zh-Hans` or `en-GB` asks for, if it is one of ours."""
    match (value or "").strip().lower().split("-")[0].split("_")[0]:
        case "zh":
            return "zh-CN"
        case "en":
            return "en"
    return None


def choose_lang(request: Request, default: Lang) -> Lang:
    """What the address says, else the cookie, else the browser, else the house."""
    asked = [request.query_params.get("lang"), request.cookies.get(LANG_COOKIE)]
    accepted = [
        re.sub(r";.*", "", each) for each in request.headers.get("accept-language", "").split(",")
    ]
    return next((lang for each in asked + accepted if (lang := as_lang(each))), default)


@cache
def static_url(name: str) -> str:
    """The address of a static file, which changes with its content."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


class _Static(StaticFiles):
    """Files whose address names their content may be kept for a year."""

    def file_response(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().file_response(*args, **kwargs)
        scope = kwargs.get("scope") or args[2]
        kept = f"public, max-age={_YEAR_S}, immutable"
        answer.headers["cache-control"] = kept if scope.get("query_string") else "no-cache"
        return answer


class Pages:
    """Renders templates; `texts` other than the catalogues' are handed in as context."""

    def __init__(self, default: Lang, **shared: object) -> None:
        self.default = default
        self._environments = {lang: _environment(lang, shared) for lang in LANGS}

    def mount(self, app: FastAPI) -> None:
        app.mount("/static", _Static(directory=_STATIC), name="static")

    def html(self, template: str, lang: Lang, context: Mapping[str, object]) -> str:
        return self._environments[lang].get_template(template).render(context)

    def page(
        self,
        request: Request,
        template: str,
        *,
        lang: Lang | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: object,
    ) -> HTMLResponse:
        """A whole page. A language asked for in the address is remembered."""
        asked = as_lang(request.query_params.get("lang"))
        chosen = lang or choose_lang(request, self.default)
        body = self.html(template, chosen, {"request": request, **context})
        answer = HTMLResponse(body, status_code=status, headers=dict(headers or {}))
        answer.headers["content-language"] = chosen
        answer.headers["vary"] = "Accept-Language, Cookie"
        if lang is None and asked:
            answer.set_cookie(
                LANG_COOKIE,
                asked,
                max_age=_YEAR_S,
                secure=request.url.scheme == "https",
                httponly=True,
                samesite="strict",
            )
        return answer


def _environment(lang: Lang, shared: Mapping[str, object]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(texts(lang), newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    environment.globals.update(shared, lang=lang, langs=LANGS, static=static_url)
    return environment
