"""What both ends of a link have when all is calm, and what was told, beside the truth."""

import json
from hashlib import sha256
from typing import Final

from sqlalchemy import Table, select

from controller.district import schema as district_schema
from controller.journal import Stream
from controller.site import schema as site_schema
from controller.store import Store
from controller.telemetry import topics
from simulator.rehearsal.link_events import Agreed
from simulator.rehearsal.linked_stage import LinkedStage

NOTHING: Final = b'{"state":"nothing"}'


def agree(stage: LinkedStage) -> Agreed:
    """Everything that has to be equal, as it is stored."""
    assert stage.store is not None, "the site runs"
    stores = {"site": stage.store, "district": stage.district.store}
    site, doors = stage.settings.site.id, stage.world.doors.values()
    return Agreed(
        {
            f"{end} {stream.value}": _hashes(store, site, stream)
            for end, store in stores.items()
            for stream in Stream
        },
        {
            Stream.UP.value: _acked(stage.store, site_schema.acked),
            Stream.DOWN.value: _acked(stage.district.store, district_schema.acked),
        },
        _items(stage.district.store),
        {door.name: _told(stage, site, door.cabinet, door.no) for door in doors},
        {
            door.name: (
                "open" if door.open else "closed",
                "occupied" if door.contents else "free",
            )
            for door in doors
        },
    )


def _hashes(store: Store, site: str, stream: Stream) -> tuple[str, ...]:
    table = store.journal
    with store.read() as connection:
        rows = connection.execute(
            select(table.c.body, table.c.seq)
            .where(table.c.site == site, table.c.stream == stream.value)
            .order_by(table.c.seq)
        )
        return tuple(sha256(row.body).hexdigest() for row in rows)


def _acked(store: Store, table: Table) -> int:
    with store.read() as connection:
        return connection.scalar(select(table.c.seq)) or 0


def _items(store: Store) -> dict[str, tuple[str, str | None]]:
    table = district_schema.items
    with store.read() as connection:
        return {
            row.item_id: (row.state, f"{row.cabinet}/{row.no}" if row.cabinet else None)
            for row in connection.execute(select(table))
        }


def _told(stage: LinkedStage, site: str, cabinet: str, no: int) -> tuple[str, str]:
    found = [
        json.loads(stage.broker.retained.get(topic(site, cabinet, no), NOTHING))
        for topic in (topics.door, topics.compartment)
    ]
    return found[0]["state"], found[1]["state"]
