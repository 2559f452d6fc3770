"""A site's life in its process: opened, served, and after a failure of its database opened anew.

The kiosk's page and /readyz are there all the time and say what the trouble is. Nothing is handed
out meanwhile; when space, disk or file are back the site goes on by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog
from sqlalchemy.exc import DatabaseError

from api.site.figures import Figures
from controller.ports import Clock
from controller.refusals import Reason, Refused
from controller.site.bell import Bell
from controller.site.kiosk import LANGUAGES, KioskView
from controller.site.site import Site
from controller.site.texts import Button, Screen, Text
from controller.store import StoreBroken
from controller.telemetry.mqtt import SiteMqtt

log = structlog.get_logger()

PAUSE_FIRST_S: Final = 2.0
PAUSE_MAX_S: Final = 30.0
# Of the database; and what its damaged rows make of rules that read them.
FAILURES: Final = (StoreBroken, DatabaseError, ValueError, LookupError, TypeError)


@dataclass(frozen=True, slots=True)
class Opened:
    """A site over an open database, and its connection where it has one."""

    site: Site
    link: SiteMqtt | None
    figures: Callable[[], Figures]


class SiteLife:
    """Stands before the site for its pages: there is always one, even while there is no site."""

    def __init__(
        self, open_site: Callable[[], AbstractAsyncContextManager[Opened]], clock: Clock, lang: str
    ) -> None:
        self._open_site = open_site
        self._clock = clock
        self._bell = Bell()
        self._opened: Opened | None = None
        self._why = "starting"
        self._view = KioskView(Screen.WORKING, Text.STARTING, buttons=(Button.LANGUAGE,), lang=lang)

    async def run(self) -> None:
        """Serve until cancelled. What cannot be mended by opening the database anew goes up."""
        pause = PAUSE_FIRST_S
        while True:
            began = self._clock.monotonic()
            try:
                await self._serve()
            except* FAILURES as failures:
                self._out_of_service(failures)
            if self._clock.monotonic() - began > PAUSE_MAX_S:
                pause = PAUSE_FIRST_S
            await self._clock.sleep(pause)
            pause = min(pause * 2, PAUSE_MAX_S)

    async def _serve(self) -> None:
        async with self._open_site() as opened:
            self._opened, self._why = opened, ""
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(opened.site.run(), name="site")
                    for kiosk in opened.site.kiosks:
                        group.create_task(self._follow(opened.site, kiosk), name=f"views {kiosk}")
                    if opened.link is not None:
                        group.create_task(opened.link.run(), name="link")
            finally:
                self._opened = None

    async def _follow(self, site: Site, kiosk: str) -> None:
        async for view in site.views(kiosk):
            if kiosk == site.kiosks[0]:
                self._view = view
            self._bell.ring()

    def _out_of_service(self, failures: BaseExceptionGroup[Exception]) -> None:
        why = _first(failures)
        log.error("site.out_of_service", why=why, exc_info=failures)
        self._why = f"the database failed: {why}"
        view = KioskView(Screen.TROUBLE, Text.OUT_OF_SERVICE, buttons=(Button.LANGUAGE,))
        self._show(replace(view, lang=self._view.lang))

    def _show(self, view: KioskView) -> None:
        self._view = view
        self._bell.ring()

    # what the pages ask

    def kiosk_view(self, kiosk: str | None = None) -> KioskView:
        """The first kiosk's if none is named; while there is no site, the same at each."""
        return self._view if self._opened is None else self._opened.site.kiosk_view(kiosk)

    async def views(self, kiosk: str | None = None) -> AsyncIterator[KioskView]:
        """The view now, then each change; a slow listener misses what is no longer shown."""
        shown: KioskView | None = None
        while True:
            await self._bell.until(partial(self._differs, kiosk, shown))
            shown = self.kiosk_view(kiosk)
            yield shown

    def _differs(self, kiosk: str | None, shown: KioskView | None) -> bool:
        return self.kiosk_view(kiosk) != shown

    def press(self, button: str, value: str | None = None, kiosk: str | None = None) -> None:
        """A finger on the screen. Refused where the screen does not offer it."""
        if self._opened is not None:
            with suppress(StoreBroken):  # the screen is about to say so
                self._opened.site.press(button, value, kiosk)
        elif button == Button.LANGUAGE:
            here = LANGUAGES.index(self._view.lang) if self._view.lang in LANGUAGES else 0
            wanted = value if value in LANGUAGES else LANGUAGES[here - 1]
            self._show(replace(self._view, lang=wanted))
        else:
            raise Refused(Reason.BUTTON_NOT_OFFERED, button=button)

    def problems(self) -> list[str]:
        """Why the site does not serve people; empty while it does."""
        return [self._why] if self._opened is None else self._opened.site.problems()

    def figures(self) -> Figures:
        if self._opened is not None:
            with suppress(*FAILURES):
                return self._opened.figures()
        return Figures(ready=False, doors={})

    def offline(self) -> bool:
        """Whether the district cannot be reached just now."""
        link = self._opened.link if self._opened is not None else None
        return link is not None and not link.connected


def _first(failures: BaseExceptionGroup[Exception]) -> str:
    """What the first of nested failures says."""
    failure: BaseException = failures
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return str(failure.orig) if isinstance(failure, DatabaseError) else str(failure)
