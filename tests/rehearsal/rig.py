"""One seed, one world: a whole site over the simulator's bytes, in one process, on virtual time.

The site, its rules, drivers, database and journal are the product's own. Lines are in memory, the
district is a journal of its own whose entries are taken over as the link takes them over.
"""

import asyncio
import contextlib
import hashlib
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import MetaData, create_engine

from controller.clock import LoopClock
from controller.codes import keyed_hash, mint_secret, mint_typed, qr_text, typed_hash
from controller.entries import (
    Down,
)
from controller.entries_down import (
    PlacedItem,
)
from controller.journal import Stream, append, entries, journal_table
from controller.settings import SiteSettings
from controller.site import schema
from controller.site.kiosk import KioskView
from controller.site.site import Site
from controller.store import Store, open_store
from firmware_bridge.open import Bridge
from firmware_bridge.urls import parse
from onewindow.demo_settings import site_toml
from onewindow.layout import SITE_ID, Folders, Ports
from onewindow.simulate import plan_of
from simulator.rehearsal.loop import JumpingLoop
from simulator.rehearsal.wires import Exchange, PortEnd, ScannerEnd, SerialEnd
from simulator.world import World

MORNING = datetime(2026, 11, 24, 1, tzinfo=UTC)  # 09:00 in Shenzhen
PHONE_TAIL = "0000"
VENDOR = "V01"
BADGE_UNTIL = "2026-12-24T00:00:00.000Z"
SAME_CODE_AGAIN_S = 3.0
LINE, MACHINE, SCANNER = "L1", "M1", "S1"


async def at_once(work: Callable[[], str]) -> str:
    """Where time jumps nothing is slow, and no thread may run beside."""
    return work()


def settings_of(folder: Path, seed: int) -> SiteSettings:
    """The demo's site with secrets made from the seed."""
    secrets = {
        name: hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()
        for name in ("link_key", "code_key", "typed_salt", "mqtt_site")
    }
    written = site_toml(Ports(1, 2, 3, 4, 5), Folders(folder), secrets, "en")
    return SiteSettings(**tomllib.loads(written))


class Order:
    """What its recipient holds in hand: a QR code, or eight digits to type."""

    def __init__(self, number: str, qr: str, typed: str, labels: list[str]) -> None:
        self.number = number
        self.qr = qr
        self.typed = typed
        self.labels = labels  # of the boxes that a vendor brings


class District:
    """Writes a site's down journal; codes are minted and only their hashes go down."""

    def __init__(self, settings: SiteSettings, dice: Random) -> None:
        self._settings = settings
        self._dice = dice
        metadata = MetaData()
        self._journal = journal_table(metadata)
        self._engine = create_engine("sqlite://")
        metadata.create_all(self._engine)
        self._number = 0

    def close(self) -> None:
        self._engine.dispose()

    def secret(self) -> str:
        return mint_secret(self._dice.getrandbits)

    def hashed(self, secret: str) -> str:
        return keyed_hash(self._settings.link.code_key.get_secret_value(), secret)

    def tell(self, store: Store, site: Site, kind: Down, data: dict[str, Any]) -> None:
        """Append to our chain; the site takes it over as from a batch."""
        with self._engine.begin() as connection:
            entry = append(
                connection, self._journal, SITE_ID, Stream.DOWN, kind.value, data, MORNING
            )
        with store.write() as transaction:
            transaction.receive(entry)
            site.inbox.apply(transaction, entry)

    def order(self, *, seals: int, licence: bool, may_type: bool) -> tuple[Order, dict[str, Any]]:
        self._number += 1
        number = f"N{self._number:04d}"
        items = [_item(number, f"seal{n}", "seal_set", "cabinet") for n in range(1, seals + 1)]
        labels = [item["label"] for item in items]
        if licence:
            items.append(_item(number, "licence", "business_licence", "machine"))
        secret, typed = self.secret(), mint_typed(self._dice.randrange)
        salt = self._settings.link.typed_salt.get_secret_value()
        placed = {
            "order": number,
            "company": f"Company {number}",
            "items": items,
            "codes": [
                {
                    "code_id": f"{number}-code",
                    "qr": self.hashed(secret),
                    "typed": [typed_hash(salt, typed, PHONE_TAIL)] if may_type else [],
                }
            ],
            "retention_s": 15 * 86_400,
            "needs": {},
        }
        return Order(number, qr_text(SITE_ID, secret), typed + PHONE_TAIL, labels), placed


def _item(order: str, name: str, kind: str, holder: Any) -> PlacedItem:
    return {
        "item_id": f"{order}-{name}",
        "kind": kind,
        "holder": holder,
        "vendor_id": VENDOR if holder == "cabinet" else None,
        "label": f"OWL:{order}-{name}",
        "size": "S",
    }


class Rig:
    """Everything at one place and everybody who comes, out of one seed."""

    def __init__(self, folder: Path, seed: int, *, speed: float = 1.0) -> None:
        self.settings = settings_of(folder, seed)
        self.dice = Random(f"{seed}/visits")
        self.clock = LoopClock(MORNING)
        self.world = World(plan_of(self.settings), self.clock, seed=seed, speed=speed)
        self.district = District(self.settings, Random(f"{seed}/district"))
        self.badge = f"OWB:{self.district.secret()}"
        self.scanner = ScannerEnd(self.world.scanners[SCANNER])
        self._held = ""
        self.bridge: Bridge
        self.store: Store
        self.site: Site

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Machines live and the site serves inside; at the end nothing is left."""
        with contextlib.ExitStack() as standing:
            standing.callback(self.district.close)
            self.store = standing.enter_context(
                open_store(self.settings.site.database, schema.journal, self.clock)
            )
            with self.store.write() as transaction:
                schema.metadata.create_all(transaction.connection)
            self.bridge = Bridge(self.clock, opener=self._exchange())
            standing.callback(self.bridge.close)
            self.site = self._site()
            self.world.power_up()
            self.world.people.set_auto(auto=True)
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self.world.live()),
                    group.create_task(self.site.run()),
                ]
                try:
                    await self.until(lambda: not self.site.problems())
                    self._grant_badge()
                    yield
                finally:
                    for task in tasks:
                        task.cancel()

    def _exchange(self) -> Exchange:
        exchange, settings = Exchange(), self.settings
        for line in settings.line:
            exchange.ends[parse(f"{line.url}&unit=1&profile=x").place.key] = SerialEnd(
                self.world.wires[line.name]
            )
        for machine in settings.machine:
            place = parse(machine.url).place
            exchange.ends[place.key] = PortEnd(self.world.tcp_wires[machine.name])
        for scanner in settings.scanner:
            exchange.ends[parse(scanner.url).place.key] = self.scanner
        return exchange

    def _site(self) -> Site:
        settings, bridge = self.settings, self.bridge
        return Site(
            settings,
            self.store,
            self.clock,
            boards={
                each.letter: [
                    bridge.lock_board(url, f"{each.letter}{number}")
                    for number, url in enumerate(each.boards, 1)
                ]
                for each in settings.cabinet
            },
            machines={
                each.name: bridge.licence_machine(each.url, each.name) for each in settings.machine
            },
            readers={
                each.name: bridge.code_reader(each.url, each.name) for each in settings.scanner
            },
            slow=at_once,
        )

    def _grant_badge(self) -> None:
        self.tell(
            Down.BADGE_GRANTED,
            {
                "badge": "badge1",
                "hash": self.district.hashed(self.badge.removeprefix("OWB:")),
                "role": "vendor",
                "vendor_id": VENDOR,
                "valid_until": BADGE_UNTIL,
            },
        )

    # the district

    def tell(self, kind: Down, data: dict[str, Any]) -> None:
        self.district.tell(self.store, self.site, kind, data)

    def place(self, *, seals: int = 1, licence: bool = True, may_type: bool = False) -> Order:
        order, placed = self.district.order(seals=seals, licence=licence, may_type=may_type)
        self.tell(Down.ORDER_PLACED, placed)
        return order

    # people

    async def hold(self, text: str) -> None:
        """Hold a code before the scanner; the same one again after a while, else it is one scan."""
        if text == self._held:
            await self.clock.sleep(SAME_CODE_AGAIN_S)
        self._held = text
        self.scanner.hold(text)

    async def pause(self, least_s: float, most_s: float) -> None:
        """As long as a person needs, who is as fast as the world's people."""
        await self.clock.sleep(self.dice.uniform(least_s, most_s) / self.world.timeline.speed)

    # what can be asked

    @property
    def view(self) -> KioskView:
        return self.site.kiosk_view()

    def rows(self, statement: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(statement))

    def up(self, *kinds: str) -> list[dict[str, Any]]:
        with self.store.read() as connection:
            return [
                entry.data | {"at": entry.at, "entry": entry.kind}
                for entry in entries(connection, schema.journal, SITE_ID, Stream.UP)
                if not kinds or entry.kind in kinds
            ]

    async def until(self, holds: Callable[[], bool], within_s: float = 600.0) -> None:
        async with asyncio.timeout(within_s):
            while not holds():
                await self.clock.sleep(0.5)


def play(story: Callable[[], Awaitable[Any]], within_s: float = 1_000_000.0) -> Any:
    """Run a story to its end on a loop whose time jumps."""

    async def limited() -> Any:
        async with asyncio.timeout(within_s):
            return await story()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(limited())
