"""Storm, then calm: with all parts whole again everything comes to rest, and is asked for."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select

from controller.journal import rfc3339
from controller.site import schema
from simulator.rehearsal.events import Calm, Grown
from simulator.rehearsal.sizes import kept, open_files, tasks
from simulator.rehearsal.stage import Stage
from simulator.rehearsal.tables import items_by_table
from simulator.rehearsal.town import Town

REST_S: Final = 600.0
HALF_DONE: Final = ("reserved", "open", "fault")
STAFF_VISITS: Final = 2
COLLECTABLE: Final = ("ready", "partly_collected", "overdue")


async def come_to_rest(stage: Stage, town: Town) -> None:
    """Ten minutes pass; then every ready order is fetched, one after the other."""
    await stage.clock.sleep(REST_S)
    for _ in range(STAFF_VISITS):
        await town.keep()
    for number in _ready(stage):
        await town.collect(stage.district.orders[number])
    await stage.clock.sleep(REST_S)
    stage.log.note(Calm(items_by_table(stage.rows), tuple(_ready(stage)), tuple(_stuck(stage))))
    await _start_anew(stage)


async def _start_anew(stage: Stage) -> None:
    """What all these days left behind in a process, against one that has just begun."""
    old = _size(stage)
    stage.cut(1.0, mains=False)
    await stage.clock.sleep(REST_S)
    new = _size(stage)
    more = (before - now for before, now in zip(old, new, strict=True))
    stage.log.note(Grown(*more))


def _size(stage: Stage) -> tuple[int, int, int]:
    assert stage.site is not None, "nothing befalls it any more"
    return tasks(), open_files(), kept(stage.site)


def _ready(stage: Stage) -> list[str]:
    """Orders of which something lies ready to be handed out, to a code that is still good."""
    valid = timedelta(seconds=stage.settings.policy.code_valid_s)
    since = rfc3339(stage.clock.true_now() - valid)
    orders, items = schema.orders, schema.items
    rows = stage.rows(
        select(orders.c.order_no)
        .join(items, items.c.order_no == orders.c.order_no)
        .where(
            orders.c.state.in_(COLLECTABLE), items.c.state == "loaded", orders.c.ready_at > since
        )
        .distinct()
        .order_by(orders.c.order_no)
    )
    return [row.order_no for row in rows]


def _stuck(stage: Stage) -> list[str]:
    places = schema.compartments
    found = [
        f"{row.cabinet}/{row.no} is still {row.state}"
        for row in stage.rows(select(places).where(places.c.state.in_(HALF_DONE)))
    ]
    found += [f"{door.name}: its coil burnt" for door in stage.world.doors.values() if door.burnt]
    if stage.site is None or stage.site.problems():
        found.append(f"the site is not ready: {stage.site and stage.site.problems()}")
    return found
