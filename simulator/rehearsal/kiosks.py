"""A site's kiosks as people have them: a screen each, a scanner, perhaps a reader of cards."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Final

from controller.ports import IdCard, IdCardReader
from controller.settings import SiteSettings
from controller.site.kiosk import KioskView
from simulator.devices.card_reader import Card, CardReader
from simulator.rehearsal.wires import ScannerEnd
from simulator.world import World

READ_WITHIN_S: Final = 8.0  # a card that lies there, if at all


class Lid:
    """What lies on a reader of cards, and that something does."""

    def __init__(self, reader: CardReader) -> None:
        self.laid = asyncio.Event()
        self._reader = reader

    def lay(self, number: str) -> None:
        self._reader.lay(Card("某", number, birth=number[6:14]))
        self.laid.set()

    def take(self) -> None:
        self._reader.take()
        self.laid.clear()


class Glancing:
    """The product's own reader of cards, which is asked only while something lies on it."""

    def __init__(self, reader: IdCardReader, lid: Lid) -> None:
        self.name = reader.name
        self._reader = reader
        self._lid = lid

    async def cards(self) -> AsyncIterator[IdCard]:
        while True:
            await self._lid.laid.wait()
            with suppress(TimeoutError, StopAsyncIteration):
                async with asyncio.timeout(READ_WITHIN_S):
                    card = await anext(self._reader.cards())
                yield card
                self._lid.laid.clear()


class Kiosk:
    """One screen, and what hangs beside it."""

    def __init__(self, name: str, scanner: ScannerEnd, lid: Lid | None) -> None:
        self.name = name
        self.scanner = scanner
        self.lid = lid
        self.view: KioskView | None = None  # None: the screen is dark


def kiosks_of(
    settings: SiteSettings, scanners: Mapping[str, ScannerEnd], world: World
) -> list[Kiosk]:
    """In the order of the settings; each has a scanner."""
    first = settings.kiosks[0]
    scanner_at = {each.kiosk or first: scanners[each.name] for each in settings.scanner}
    lid_at = {
        each.kiosk or first: Lid(world.card_readers[each.name]) for each in settings.card_reader
    }
    return [Kiosk(name, scanner_at[name], lid_at.get(name)) for name in settings.kiosks]
