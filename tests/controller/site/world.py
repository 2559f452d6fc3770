"""A site among hand-made machines and people, on a loop whose time jumps.

What happened physically is asked of the machines, never of the site.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import SecretBytes
from sqlalchemy import func, select

from controller.clock import LoopClock
from controller.codes import SECRET_LENGTH, keyed_hash, qr_text, typed_hash
from controller.entries import Down
from controller.equipment import CabinetTable, CompartmentTable, MachineTable, ScannerTable
from controller.journal import Stream, read_entry
from controller.settings import LinkTable, PolicyTable, SiteSettings, SiteTable
from controller.site.kiosk import KioskView
from controller.site.schema import journal, metadata
from controller.site.site import Site
from controller.store import Store, open_store
from tests.controller.site.hardware import Cabinet, Printer, Reader
from tests.controller.site.storer import Storer

SITE = "FT-0001"
START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 09:00 in Shenzhen
CODE_KEY = bytes(range(32))
SALT = bytes(range(32, 64))
PHONE = "0000"


class JumpingLoop(asyncio.SelectorEventLoop):
    """Nothing to do until the next timer? Then it is already that time."""

    def __init__(self) -> None:
        super().__init__()
        self._at = 0.0
        look = self._selector.select

        def select(timeout: float | None) -> Any:
            ready = look(0)
            if not ready and timeout is None:
                raise RuntimeError("everybody is waiting for somebody else")
            self._at += 0 if ready else timeout
            return ready

        self._selector.select = select

    def time(self) -> float:
        return self._at


def settings(*, doors: int = 6, machine: bool = True, **policy: Any) -> SiteSettings:
    return SiteSettings(
        site=SiteTable(id=SITE, name="Hall", address="1 Road", tel="0755-1", lang="en"),
        cabinet=[CabinetTable(letter="A", boards=["kerong+tcp://127.0.0.1:1?address=0"])],
        compartment=[
            CompartmentTable(
                cabinet="A",
                no=no,
                size="SSSSML"[(no - 1) % 6],
                height_cm=100 + no,
                reach="low" if no == 3 else "mid",
            )
            for no in range(1, doors + 1)
        ],
        machine=[MachineTable(name="M1", url="modbus+tcp://127.0.0.1:2?unit=1")] if machine else [],
        scanner=[ScannerTable(name="S1", url="scanner+serial:///dev/null")],
        policy=PolicyTable(**policy),
        link=LinkTable(
            key=SecretBytes(b"k" * 32),
            code_key=SecretBytes(CODE_KEY),
            typed_salt=SecretBytes(SALT),
        ),
    )


async def at_once(work: Callable[[], str]) -> str:
    """Nothing is slow where time jumps."""
    return work()


def secret(number: int) -> str:
    return f"{number:0{SECRET_LENGTH}d}"


def badge_text(number: int) -> str:
    return f"OWB:{secret(number)}"


def placed(
    order: str,
    *,
    seals: int = 1,
    licence: bool = False,
    number: int = 1,
    vendor: str = "V01",
    size: str = "S",
    needs: dict[str, str] | None = None,
    typed: bool = True,
) -> dict[str, Any]:
    """An order as its district tells it; code and labels follow from its number."""
    items = [
        {
            "item_id": f"{order}-seal{n}",
            "kind": "seal_set",
            "holder": "cabinet",
            "vendor_id": vendor,
            "label": f"OWL:{order}-seal{n}",
            "size": size,
        }
        for n in range(1, seals + 1)
    ]
    if licence:
        items.append(
            {
                "item_id": f"{order}-licence",
                "kind": "business_licence",
                "holder": "machine",
                "vendor_id": None,
                "label": f"OWL:{order}-licence",
                "size": "S",
            }
        )
    return {
        "order": order,
        "company": f"Company {order}",
        "items": items,
        "codes": [code_of(order, number, typed=typed)],
        "retention_s": 15 * 86_400,
        "needs": needs or {},
    }


def code_of(order: str, number: int, *, generation: int = 0, typed: bool = True) -> dict[str, Any]:
    return {
        "code_id": f"{order}-code{generation}",
        "qr": keyed_hash(CODE_KEY, secret(number)),
        "typed": [slow_hash(typed_of(number))] if typed else [],
    }


@cache
def slow_hash(typed: str) -> str:
    return typed_hash(SALT, typed, PHONE)


def typed_of(number: int) -> str:
    return f"{number:08d}"


def qr_of(number: int) -> str:
    return qr_text(SITE, secret(number))


class WallClock(LoopClock):
    """A machine's clock that somebody may set; elapsed time does not notice."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class Town:
    """The world around one database file: the site may die and be started again in it."""

    def __init__(
        self,
        path: Path,
        *,
        doors: int = 6,
        sensors: bool = True,
        machine: bool = True,
        storing: bool = False,
        district_ahead_s: float = 0.0,
        module: ModuleType | Any = None,
        step: Callable[[str], None] = lambda _step: None,
        **policy: Any,
    ) -> None:
        self.path = path
        self.settings = settings(doors=doors, machine=machine, **policy)
        self.cabinet = Cabinet("A-1", doors, sensors=sensors)
        self.printer = Storer() if storing else Printer()
        self.reader = Reader()
        self.module = module
        self.district_ahead = timedelta(seconds=district_ahead_s)
        self.step = step
        self.hands: list[str] = []
        self.seen: list[KioskView] = []
        self.site: Site
        self.store: Store
        self.wall_ahead = timedelta()
        self.clock: WallClock

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator["Town"]:
        """The site runs inside; it is cancelled at the end, and leaves nothing."""
        clock = self.clock = WallClock(START + self.wall_ahead)
        is_new = not self.path.exists()
        with open_store(self.path, journal, clock, module=self.module) as self.store:
            if is_new:
                with self.store.write() as transaction:
                    metadata.create_all(transaction.connection)
            self.site = self.build(clock)
            async with asyncio.TaskGroup() as group:
                site = group.create_task(self.site.run())
                watcher = group.create_task(self._remember())
                others = self.beside(group)
                try:
                    await self.until(lambda: "settling" not in self.site.problems())
                    yield self
                finally:
                    for task in (watcher, site, *others):
                        task.cancel()

    def build(self, clock: LoopClock) -> Site:
        return Site(
            self.settings,
            self.store,
            clock,
            boards={"A": [self.cabinet]},
            machines={"M1": self.printer} if self.settings.machine else {},
            readers={"S1": self.reader},
            step=self.step,
            slow=at_once,
        )

    def beside(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """What else runs as long as the site does."""
        del group
        return []

    async def _remember(self) -> None:
        async for view in self.site.views():
            self.seen.append(view)

    # the district

    def tell(self, kind: Down, data: dict[str, Any]) -> None:
        with self.store.write() as transaction:
            at = self.clock.now() + self.district_ahead
            entry = transaction.append(SITE, Stream.DOWN, kind.value, data, at)
            self.site.inbox.apply(transaction, entry)

    def order(self, order: str = "N1", **what: Any) -> None:
        self.tell(Down.ORDER_PLACED, placed(order, **what))

    def grant(self, number: int = 20, role: str = "vendor", vendor: str | None = "V01") -> None:
        self.tell(
            Down.BADGE_GRANTED,
            {
                "badge": f"badge{number}",
                "hash": keyed_hash(CODE_KEY, secret(number)),
                "role": role,
                "vendor_id": vendor,
                "valid_until": "2027-01-01T00:00:00.000Z",
            },
        )

    def confirm_time(self) -> None:
        """Its clock agrees with the site's wall, and it says so."""
        self.site.time.hear(self.clock.now())

    # what the site says

    @property
    def view(self) -> KioskView:
        return self.site.kiosk_view()

    async def until(self, holds: Callable[[], bool], within_s: float = 600.0) -> None:
        async with asyncio.timeout(within_s):
            while not holds():  # noqa: ASYNC110 - what is waited for has no event, and time jumps
                await asyncio.sleep(0.05)

    async def shows(self, *texts: str, within_s: float = 600.0) -> KioskView:
        await self.until(lambda: self.view.text in texts, within_s)
        return self.view

    def up(self, *kinds: str) -> list[dict[str, Any]]:
        """What the site said, in order: all of it, or these kinds."""
        said = journal.select().where(journal.c.stream == Stream.UP.value).order_by(journal.c.seq)
        if kinds:
            said = said.where(journal.c.kind.in_(kinds))
        found = [read_entry(SITE, row.body) for row in self.rows(said)]
        return [each.data | {"kind": each.kind, "does": each.data.get("kind")} for each in found]

    def count(self, kind: str) -> int:
        said = select(func.count()).select_from(journal).where(journal.c.kind == kind)
        return int(self.rows(said)[0][0])

    def rows(self, statement: Any) -> list[Any]:
        with self.store.read() as connection:
            return list(connection.execute(statement))

    # people

    def door_shown(self) -> int:
        assert len(self.view.doors) == 1, self.view
        return int(self.view.doors[0].partition("/")[2])

    async def opened(self) -> int:
        """A person pulls at the door that the screen names, as soon as it gives way."""
        await self.until(
            lambda: bool(self.view.doors) and self.cabinet.is_unlocked(self.door_shown())
        )
        door = self.door_shown()
        await asyncio.sleep(1.0)
        assert self.cabinet.pull(door)
        await asyncio.sleep(0.5)
        return door

    async def badge(self, number: int = 20) -> None:
        self.reader.hold(badge_text(number))
        await self.shows("load_next", "staff_menu")

    async def load(self, label: str) -> int:
        """Scan, put in, shut: one box by somebody whose badge was read."""
        before = self.count("item.loaded")
        self.reader.hold(label)
        door = await self.opened()
        self.cabinet.put(door, label)
        await asyncio.sleep(1.0)
        self.cabinet.close(door)
        if not self.cabinet.sensors:
            await self.shows("load_confirm")
            self.site.press("confirm")
        await self.until(lambda: self.count("item.loaded") > before)
        return door

    async def loaded(self, order: str = "N1", **what: Any) -> list[int]:
        """An order is placed and its boxes are loaded; the vendor leaves."""
        self.order(order, **what)
        if not self.rows(journal.select().where(journal.c.kind == "badge.granted")):
            self.grant()
        await self.badge()
        doors = [
            await self.load(f"OWL:{order}-seal{n}") for n in range(1, what.get("seals", 1) + 1)
        ]
        self.site.press("end")
        await self.shows("start")
        return doors

    async def take(self) -> list[str]:
        """Pull, take out, shut: whatever lies behind the door that the screen names."""
        door = await self.opened()
        await asyncio.sleep(1.0)
        taken = self.cabinet.take(door)
        self.hands += taken
        await asyncio.sleep(1.0)
        self.cabinet.close(door)
        return taken

    async def take_licence(self) -> None:
        await self.until(lambda: bool(self.printer.outlet))
        await asyncio.sleep(2.0)
        self.hands += self.printer.take()


def run(story: Callable[[], Any], within_s: float = 100_000.0) -> Any:
    """Play a story on a loop whose time jumps."""

    async def limited() -> Any:
        async with asyncio.timeout(within_s):
            return await story()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(limited())
