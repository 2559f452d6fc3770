"""A site process: its rules over its devices, its database, its kiosk and its connection."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from random import SystemRandom

import structlog

from api.site.app import make_app
from api.site.screen import SitePlace
from controller.clock import SystemClock
from controller.entries import CompartmentPlan
from controller.link.batches import LinkKeys
from controller.ports import Clock
from controller.settings import MqttTable, SiteSettings
from controller.site import schema
from controller.site.site import Site
from controller.store import Store, open_store
from controller.telemetry.health import Health
from controller.telemetry.mqtt import SiteMqtt
from firmware_bridge.open import Bridge
from onewindow.broker_login import broker_of
from onewindow.devices import Devices, bridge_of, devices_of
from onewindow.listening import listening
from onewindow.migrate import upgrade
from onewindow.server import serve
from onewindow.site_figures import figures_of, health_of
from onewindow.site_life import Opened, SiteLife

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
        life = SiteLife(lambda: _open(settings, bridge, devices, clock, step), clock, table.lang)
        app = make_app(
            life,
            place=SitePlace(table.id, table.name, table.address, table.tel),
            plan=_plan(settings),
            lang=table.lang,
            clock=clock,
            figures=life.figures,
            offline=life.offline,
            framed_by=table.framed_by,
        )
        log.info("site.started", site=table.id, port=table.http_port)
        await serve(app, heard, [life.run], app.state.live.close)
        log.info("site.ended", site=table.id)


@asynccontextmanager
async def _open(
    settings: SiteSettings,
    bridge: Bridge,
    devices: Devices,
    clock: Clock,
    step: Callable[[str], None],
) -> AsyncIterator[Opened]:
    """The site over its database, at this release's schema."""
    with open_store(settings.site.database, schema.journal, clock) as store:
        upgrade(store, "site")
        site = _site(settings, store, clock, devices, step)
        link = None
        if settings.mqtt is not None:
            health = partial(health_of, settings, site, bridge, devices)
            link = _link(settings, settings.mqtt, site, store, health)
        yield Opened(site, link, partial(figures_of, settings, store, site, bridge, devices))


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
        linked=settings.mqtt is not None,
        room=partial(_room, settings.site.data),
    )


def _room(folder: Path) -> float:
    """Which share of the disk below a folder is free."""
    disk = shutil.disk_usage(folder)
    return disk.free / disk.total


def _link(
    settings: SiteSettings, mqtt: MqttTable, site: Site, store: Store, health: Health
) -> SiteMqtt:
    return SiteMqtt(
        broker_of(mqtt, settings.site.id),
        settings.site.id,
        LinkKeys.of(settings.link.key.get_secret_value()),
        store,
        schema.acked,
        apply=site.inbox.apply,
        alarm=site.link_refused,
        health=health,
        witness=site,
        clock=site.time,
        chance=SystemRandom(),
    )
