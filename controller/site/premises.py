"""All that a visit at the kiosk needs, in one hand."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, select

from controller.codes import keyed_hash
from controller.ports import Clock, IdCardReader, LicenceMachine, LockBoard
from controller.prepared import Prepared
from controller.settings import PolicyTable, SiteSettings
from controller.site.bell import Bell
from controller.site.book import Book
from controller.site.doors import Doors, Place
from controller.site.fire import Fire
from controller.site.holds import Holds
from controller.site.kiosk import Desk, ShownItem
from controller.site.machines import Machines
from controller.site.maintenance import Maintenance
from controller.site.movements import Movements
from controller.site.readers import Readers
from controller.site.rules import Rules
from controller.site.schema import items
from controller.site.silences import Silences
from controller.site.surroundings import Surroundings
from controller.site.watch import Watch
from controller.steady import SteadyClock

Slow = Callable[[Callable[[], str]], Awaitable[str]]  # runs what takes long off the loop
SHOWN = Prepared(
    select(items)
    .where(items.c.order_no == bindparam("of"))
    .order_by(items.c.holder, items.c.item_id)
)


@dataclass(frozen=True, slots=True)
class Premises:
    """A site as one of its kiosks has it: its own desk and readers, all else shared."""

    kiosk: str
    site: str
    tel: str
    rules: Rules
    code_key: bytes
    typed_salt: bytes
    book: Book
    doors: Doors
    machines: Machines
    movements: Movements
    watch: Watch
    maintenance: Maintenance
    desk: Desk
    bell: Bell
    readers: Readers
    surroundings: Surroundings
    fire: Fire
    clock: SteadyClock
    holds: Holds
    slow: Slow = asyncio.to_thread
    card_readers: Mapping[str, IdCardReader] = field(default_factory=dict)

    @property
    def policy(self) -> PolicyTable:
        return self.rules.now


def one_by_one(slow: Slow) -> Slow:
    """The same, but only one at a time: whoever guesses at one kiosk takes one core at most."""
    turn = asyncio.Lock()

    async def run(work: Callable[[], str]) -> str:
        async with turn:
            return await slow(work)

    return run


def shown_items(connection: Connection, order: str) -> tuple[ShownItem, ...]:
    """An order's items as its own screens show them."""
    rows = SHOWN.rows(connection, of=order)
    return tuple(
        ShownItem(
            item_id=row.item_id,
            kind=row.kind,
            holder=row.holder,
            state=row.state,
            where=f"{row.cabinet}/{row.no}" if row.cabinet else row.machine,
        )
        for row in rows
    )


def furnish(
    settings: SiteSettings,
    book: Book,
    clock: SteadyClock,
    boards: Mapping[str, Sequence[LockBoard]],
    lives: Mapping[str, LicenceMachine],
    lines: Mapping[str, str],
) -> dict[str, Premises]:
    """Put a site's parts together, for each of its kiosks; nothing runs yet."""
    policy, bell, fire = settings.policy, Bell(), Fire()
    doors_at = dict(_places(settings, boards))
    by_board = _by_board([board for row in boards.values() for board in row], doors_at)
    doors = Doors(doors_at, clock)
    machines = Machines(lives, blanks_low=policy.blanks_low)
    others = [*by_board, *_others(settings)]
    silences = Silences(book, clock, others, lines, after_s=policy.board_silent_s)
    desks = _desks(settings, book, clock, bell, fire)
    code_key = settings.link.code_key.get_secret_value()
    hashed = partial(keyed_hash, code_key)
    readers_of = partial(Readers, silences=silences, book=book, clock=clock, hashed=hashed)
    maintenance = Maintenance(book, doors, clock, bell)
    own: dict[str, Any] = {"policy": policy, "maintained": maintenance.is_on, "bell": bell}
    watch = Watch(book, doors, machines, by_board, silences, clock=clock, **own)
    premises = Premises(
        kiosk=settings.kiosks[0],
        site=settings.site.id,
        tel=settings.site.tel,
        rules=Rules(policy, book),
        code_key=code_key,
        typed_salt=settings.link.typed_salt.get_secret_value(),
        book=book,
        doors=doors,
        machines=machines,
        movements=Movements(
            book, doors, doors_at, lives, clock=clock, fire=fire, rest_s=policy.lock_rest_s
        ),
        watch=watch,
        maintenance=maintenance,
        desk=(desk := desks[settings.kiosks[0]]),
        bell=bell,
        readers=readers_of(desk),
        surroundings=_surroundings(settings, book, silences, clock, bell, fire, desks.values()),
        fire=fire,
        clock=clock,
        holds=Holds(),
    )
    return {
        name: replace(premises, kiosk=name, desk=each, readers=readers_of(each))
        for name, each in desks.items()
    }


def _desks(
    settings: SiteSettings, book: Book, clock: Clock, bell: Bell, fire: Fire
) -> dict[str, Desk]:
    own: dict[str, Any] = {
        "lang": settings.site.lang,
        "quiet_s": settings.policy.same_code_quiet_s,
    }
    return {name: Desk(book, clock, bell, fire, **own) for name in settings.kiosks}


def _surroundings(
    settings: SiteSettings,
    book: Book,
    silences: Silences,
    clock: Clock,
    bell: Bell,
    fire: Fire,
    desks: Collection[Desk],
) -> Surroundings:
    return Surroundings(
        {each.name: each for each in settings.environment},
        book,
        silences,
        policy=settings.policy,
        clock=clock,
        bell=bell,
        visited=lambda: any(each.is_visited for each in desks),
        fire=fire,
    )


def _others(settings: SiteSettings) -> list[str]:
    """Names of what is no lock board and may fall silent too."""
    around = [each.name for each in settings.environment]
    scanners = [each.name for each in settings.scanner]
    return [*around, *scanners, *(each.name for each in settings.card_reader)]


def _places(
    settings: SiteSettings, boards: Mapping[str, Sequence[LockBoard]]
) -> list[tuple[Place, tuple[LockBoard, int]]]:
    """Where each compartment's lock is: doors are counted on from board to board."""
    doors: dict[str, list[tuple[LockBoard, int]]] = {
        cabinet: [(board, door) for board in row for door in range(1, board.doors + 1)]
        for cabinet, row in boards.items()
    }
    return [
        (Place(each.cabinet, each.no), doors[each.cabinet][each.no - 1])
        for each in settings.compartment
    ]


def _by_board(
    boards: Sequence[LockBoard], doors_at: Mapping[Place, tuple[LockBoard, int]]
) -> dict[str, list[tuple[Place, int]]]:
    return {
        board.name: [(place, door) for place, (at, door) in doors_at.items() if at is board]
        for board in boards
    }
