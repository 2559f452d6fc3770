"""A site's database of every earlier schema opens, and the day goes on in it.

Its rows and entries are written by hand, as the release of that schema left them.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, text
from structlog.testing import capture_logs

from controller.codes import keyed_hash
from controller.journal import Stream, entries, verify
from controller.site.schema import journal
from controller.store import open_store
from onewindow.migrate import configuration, upgrade
from tests.controller.site.visit import begun, code_state, state_of
from tests.controller.site.world import CODE_KEY, SITE, START, Town, WallClock, run, secret

AT = "2026-11-24T00:59:00.000Z"
READY = "2026-11-24T00:30:00.000Z"
LABEL = "OWL:N1-seal1"
SAID = (
    ("site.started", {"version": "0.1", "compartments": [], "machines": []}),
    ("movement.intended", {"intent": "I2", "kind": "load", "where": "A/1", "reason": "load"}),
    ("door.opened", {"where": "A/1", "n": 2}),
    ("item.loaded", {"item": "N1-seal1", "order": "N1", "where": "A/1", "by": "sensor"}),
    ("movement.settled", {"intent": "I2", "outcome": "moved", "seen_by": "door"}),
    ("pickup.ready", {"order": "N1", "expires_at": "2026-12-09T16:00:00.000Z"}),
    ("door.closed", {"where": "A/1", "n": 3, "more": "什么"}),
)


def revisions() -> list[str]:
    with create_engine("sqlite://").connect() as connection:
        script = ScriptDirectory.from_config(configuration("site", connection))
    return [each.revision for each in script.walk_revisions()][::-1]


def put(connection: Connection, table: str, **values: Any) -> None:
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)  # noqa: S608 - our own names


def write_journal(connection: Connection) -> list[bytes]:
    prev, bodies = "0" * 64, []
    for seq, (kind, data) in enumerate(SAID, 1):
        words = {"stream": "up", "seq": seq, "at": AT, "kind": kind, "data": data, "prev": prev}
        body = json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
        prev = hashlib.sha256(body).hexdigest()
        bodies.append(body)
        row = {"site": SITE, "stream": "up", "seq": seq, "at": AT, "kind": kind}
        put(connection, "journal", **row, hash=prev, body=body)
    return bodies


def write_rows(connection: Connection) -> None:
    """An order that waits behind door 1; the other doors are free."""
    for no in range(1, 7):
        at = {"cabinet": "A", "no": no}
        state = "occupied" if no == 1 else "free"
        put(connection, "compartments", **at, size="S", height_cm=60, reach="mid", state=state)
        put(connection, "doors", **at, door="shut", state="closed", n=3, at=AT)
    put(
        connection,
        "orders",
        order_no="N1",
        company="Company N1",
        state="ready",
        retention_s=15 * 86_400,
        ready_at=READY,
        expires_at="2026-12-09T16:00:00.000Z",
    )
    put(
        connection,
        "items",
        item_id="N1-seal1",
        order_no="N1",
        kind="seal_set",
        holder="cabinet",
        vendor_id="V01",
        label=LABEL,
        size="S",
        state="loaded",
        cabinet="A",
        no=1,
    )
    code = {"code_id": "N1-code0", "order_no": "N1", "state": "open"}
    put(connection, "codes", **code, qr=keyed_hash(CODE_KEY, secret(1)))
    put(
        connection,
        "intents",
        intent_id="I2",
        number=2,
        kind="load",
        cabinet="A",
        no=1,
        order_no="N1",
        item_id="N1-seal1",
        at=AT,
        outcome="moved",
        seen_by="door",
        settled_at=AT,
    )


def make(path: Path, revision: str) -> list[bytes]:
    """A database as it was at that schema."""
    with open_store(path, journal, WallClock(START)) as store, store.writer.begin() as connection:
        command.upgrade(configuration("site", connection), revision)
        write_rows(connection)
        return write_journal(connection)


@pytest.mark.parametrize("revision", revisions())
def test_a_database_of_every_earlier_schema_opens_and_goes_on(tmp_path, revision):
    town = Town(tmp_path / "site.db", machine=False)

    async def story() -> None:
        bodies = make(town.path, revision)
        with open_store(town.path, journal, WallClock(START)) as store:
            assert upgrade(store, "site") == (revision, revisions()[-1])
        town.cabinet[1].inside.append(LABEL)
        async with town.at_work():
            await town.shows("start")
            await begun(town)
            await town.take()
            await town.shows("rate")
            assert (state_of(town), code_state(town)) == ("collected", "spent")
            await town.loaded("N2", number=2)
            with town.store.read() as connection:
                verify(connection, journal, SITE, Stream.UP)
                kept = [entry.body for entry in entries(connection, journal, SITE, Stream.UP)]
            assert kept[: len(bodies)] == bodies

    with capture_logs():
        run(story)


@pytest.mark.parametrize("revision", revisions()[1:])
def test_one_step_back_and_forth_again_keeps_every_row(tmp_path, revision):
    path = tmp_path / "site.db"
    make(path, revision)

    def dump(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        metadata = MetaData()
        metadata.reflect(connection)
        return {
            name: sorted(map(tuple, connection.execute(table.select())), key=repr)
            for name, table in metadata.tables.items()
        }

    with open_store(path, journal, WallClock(START)) as store:
        with store.writer.begin() as connection:
            before = dump(connection)
            command.downgrade(configuration("site", connection), "-1")
            command.upgrade(configuration("site", connection), revision)
        with store.writer.begin() as connection:
            assert dump(connection) == before
