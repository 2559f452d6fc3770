"""A site process: its rules over its devices, its database, its kiosk and its connection."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from random import SystemRandom

import structlog
from sqlalchemy import Connection, func, select

from api.site.app import make_app
from api.site.figures import Figures
from api.site.screen import SitePlace
from controller.clock import SystemClock
from controller.entries import AlarmKind, CompartmentPlan
from controller.journal import Stream, head
from controller.link.batches import LinkKeys
from controller.ports import Clock
from controller.settings import MqttTable, SiteSettings
from controller.site import schema
from controller.site.alarms import raise_alarm
from controller.site.book import Book
from controller.site.site import Site
from controller.store import Store, open_store
from controller.telemetry.health import CabinetHealth, LineHealth
from controller.telemetry.mqtt import SiteMqtt
from firmware_bridge.open import Bridge
from firmware_bridge.urls import parse
from onewindow.broker_login import broker_of
from onewindow.devices import Devices, bridge_of, devices_of, line_names
from onewindow.listening import listening
from onewindow.migrate import upgrade
from onewindow.server import serve

log = structlog.get_logger()


def _uncounted(_step: str) -> None:
    """Nobody counts the steps."""


async def run(settings: SiteSettings, step: Callable[[str], None] = _uncounted) -> None:
    """The site works until SIGTERM or SIGINT. `step` is called at each commit and movement."""
    table, clock = settings.site, SystemClock()
    async with AsyncExitStack() as keep_open:
        bridge = await keep_open.enter_async_context(bridge_of(settings, clock))
        devices = devices_of(settings, bridge)
        heard = keep_open.enter_context(
            listening(table.http_host, table.http_port, "site.http_port")
        )
        store = keep_open.enter_context(open_store(table.database, schema.journal, clock))
        upgrade(store, "site")
        site = _site(settings, store, clock, devices, step)
        life = [site.run]
        link = _link(settings, settings.mqtt, site, store, bridge) if settings.mqtt else None
        if link is not None:
            life.append(link.run)
        app = make_app(
            site,
            place=SitePlace(table.id, table.name, table.address, table.tel),
            plan=_plan(settings),
            lang=table.lang,
            clock=clock,
            figures=lambda: _figures(settings, store, site, bridge),
            offline=lambda: link is not None and not link.connected,
            framed_by=table.framed_by,
        )
        log.info("site.started", site=table.id, port=table.http_port)
        await serve(app, heard, life, app.state.live.close)
        log.info("site.ended", site=table.id)


def _plan(settings: SiteSettings) -> list[CompartmentPlan]:
    return [
        CompartmentPlan(
            cabinet=each.cabinet,
            no=each.no,
            size=each.size,
            height_cm=each.height_cm,
            reach=each.reach,
        )
        for each in settings.compartment
    ]


def _site(
    settings: SiteSettings,
    store: Store,
    clock: Clock,
    devices: Devices,
    step: Callable[[str], None],
) -> Site:
    return Site(
        settings,
        store,
        clock,
        boards=devices.boards,
        machines=devices.machines,
        readers=devices.scanners,
        card_readers=devices.card_readers,
        environments=devices.environments,
        lines=devices.lines,
        step=step,
    )


def _link(
    settings: SiteSettings, mqtt: MqttTable, site: Site, store: Store, bridge: Bridge
) -> SiteMqtt:
    clock = site.time
    book = Book(store, settings.site.id, clock, _uncounted)

    def alarm(kind: str, where: str, _what: str) -> None:
        with book.act() as act:
            raise_alarm(act, AlarmKind(kind), where)

    return SiteMqtt(
        broker_of(mqtt, settings.site.id),
        settings.site.id,
        LinkKeys.of(settings.link.key.get_secret_value()),
        store,
        schema.acked,
        apply=site.inbox.apply,
        alarm=alarm,
        health=lambda: _health(settings, site, bridge, clock),
        heard=lambda told: clock.hear(told.at),
        clock=clock,
        chance=SystemRandom(),
    )


def _line_names(settings: SiteSettings) -> dict[str, str]:
    return {key: line.name for key, line in line_names(settings).items()}


def _health(
    settings: SiteSettings, site: Site, bridge: Bridge, clock: Clock
) -> Mapping[str, CabinetHealth]:
    names, silent = _line_names(settings), " ".join(site.problems())
    health: dict[str, CabinetHealth] = {}
    for cabinet in settings.cabinet:
        boards = [f"{cabinet.letter}{number}" for number in range(1, len(cabinet.boards) + 1)]
        lines: dict[str, LineHealth] = {}
        for url in cabinet.boards:
            key = parse(url).place.key
            counters = bridge.lines[key].counters
            lines[names.get(key, key)] = LineHealth(
                requests=counters.requests,
                replies=counters.replies,
                errors=counters.timeouts + sum(counters.refused.values()),
                utilisation=round(counters.utilisation(clock.monotonic()), 3),
            )
        health[cabinet.letter] = CabinetHealth(
            boards={board: "silent" if f"{board} " in silent else "ok" for board in boards},
            lines=lines,
        )
    return health


def _figures(settings: SiteSettings, store: Store, site: Site, bridge: Bridge) -> Figures:
    now = SystemClock().monotonic()
    names = _line_names(settings)
    state = site.describe()
    with store.read() as connection:
        last = head(connection, store.journal, settings.site.id, Stream.UP)
        sent = connection.scalar(select(func.max(schema.acked.c.seq))) or 0
        movements = _movements(connection)
    return Figures(
        ready=not state.problems,
        doors=Counter(str(each["state"]) for each in state.doors),
        compartments=Counter(str(each["state"]) for each in state.compartments),
        alarms=Counter(str(each["kind"]) for each in state.alarms),
        movements=movements,
        lines={names.get(key, key): bus.counters.figures(now) for key, bus in bridge.lines.items()},
        journal=last.seq,
        journal_unsent=last.seq - sent,
    )


def _movements(connection: Connection) -> dict[str, int]:
    outcome = func.coalesce(schema.intents.c.outcome, "open")
    rows = connection.execute(select(outcome, func.count()).group_by(outcome))
    return {str(name): count for name, count in rows}
