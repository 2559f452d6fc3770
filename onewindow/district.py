"""A district process: its rules, its database, its connection to the sites, its pages."""

from contextlib import AsyncExitStack
from random import SystemRandom

import structlog

from api.district.app import make_app
from controller.clock import SystemClock
from controller.district import schema
from controller.district.district import District
from controller.district.notices import DemoPhone
from controller.district.plan import read_plan
from controller.district.seal import Seal
from controller.entries import AlarmKind
from controller.link.batches import LinkKeys
from controller.link.mqtt import DistrictMqtt
from controller.settings import DistrictSettings, MqttTable
from controller.store import Store, open_store
from onewindow.broker_login import broker_of
from onewindow.listening import listening
from onewindow.migrate import upgrade
from onewindow.server import serve

log = structlog.get_logger()


async def run(settings: DistrictSettings) -> None:
    """The district works until SIGTERM or SIGINT."""
    table, clock = settings.district, SystemClock()
    async with AsyncExitStack() as keep_open:
        heard = keep_open.enter_context(
            listening(table.http_host, table.http_port, "district.http_port")
        )
        store = keep_open.enter_context(open_store(table.database, schema.journal, clock))
        upgrade(store, "district")
        seal = Seal(table.seal_key.get_secret_value())
        district = District(store, clock, seal, read_plan(settings))
        phone = DemoPhone(store, clock, seal)
        life = [lambda: district.run(phone)]
        if settings.mqtt is not None:
            life.append(_link(settings, settings.mqtt, district, store).run)
        app = make_app(district, settings)
        log.info("district.started", port=table.http_port, sites=len(settings.site))
        await serve(app, heard, life, app.state.live.close)
        log.info("district.ended")


def _link(
    settings: DistrictSettings, mqtt: MqttTable, district: District, store: Store
) -> DistrictMqtt:
    clock = district.clock

    def alarm(kind: str, site: str, what: str) -> None:
        log.error("alarm.raised", kind=kind, site=site, what=what)
        district.raise_alarm(site, AlarmKind(kind))

    return DistrictMqtt(
        broker_of(mqtt, mqtt.username),
        {site.id: LinkKeys.of(site.link_key.get_secret_value()) for site in settings.site},
        store,
        schema.acked,
        district.apply,
        alarm,
        lambda site, online: district.saw(site, clock.now(), online=online),
        clock=clock,
        chance=SystemRandom(),
    )
