"""Puts the product's own site together over the rehearsal's lines."""

from collections.abc import Callable

from controller.ports import Clock
from controller.settings import SiteSettings
from controller.site.site import Site
from controller.store import Store
from firmware_bridge.open import Bridge
from simulator.rehearsal.district import slowly
from simulator.rehearsal.kiosks import Glancing, Kiosk
from simulator.rehearsal.mistakes import Mistaken
from simulator.rehearsal.telling import Telling


def built(
    settings: SiteSettings,
    store: Store,
    bridge: Bridge,
    clock: Clock,
    kiosks: list[Kiosk],
    *,
    mistaken: set[str],
    machine_news: Callable[[str], None],
    step: Callable[[str], None],
    linked: bool,
) -> Site:
    """A site as its settings name it; it does not live yet."""
    lids = {kiosk.name: kiosk.lid for kiosk in kiosks}
    first = kiosks[0].name
    card_readers = {}
    for each in settings.card_reader:
        lid = lids[each.kiosk or first]
        assert lid is not None, "made from the same settings"
        card_readers[each.name] = Glancing(bridge.id_card_reader(each.url, each.name), lid)
    return Site(
        settings,
        store,
        clock,
        boards={
            each.letter: [
                Mistaken(bridge.lock_board(url, f"{each.letter}{number}"), mistaken)
                for number, url in enumerate(each.boards, 1)
            ]
            for each in settings.cabinet
        },
        machines={
            each.name: Telling(bridge.licence_machine(each.url, each.name), machine_news)
            for each in settings.machine
        },
        readers={each.name: bridge.code_reader(each.url, each.name) for each in settings.scanner},
        card_readers=card_readers,
        step=step,
        slow=slowly,
        linked=linked,
    )
