from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, event, inspect, text
from sqlalchemy.exc import IntegrityError

from controller.clock import ManualClock
from controller.journal import Stream
from controller.store import Store, StoreRefused, open_store
from onewindow.migrate import Tier, configuration, upgrade

TIERS: tuple[Tier, ...] = ("site", "district")


def models(tier: Tier) -> MetaData:
    return import_module(f"controller.{tier}.schema").metadata


@pytest.fixture(params=TIERS)
def tier(request: pytest.FixtureRequest) -> Tier:
    return request.param


@pytest.fixture
def store(tier: Tier, tmp_path: Path) -> Iterator[Store]:
    journal = models(tier).tables["journal"]
    clock = ManualClock(datetime(2026, 11, 23, tzinfo=UTC))
    with open_store(tmp_path / "x.db", journal, clock) as opened:
        yield opened


def tables(store: Store) -> set[str]:
    with store.read() as connection:
        return set(inspect(connection).get_table_names())


def test_migrations_give_what_the_models_say_and_go_back_and_forth(tier: Tier, store: Store):
    before, head = upgrade(store, tier)
    assert before is None
    assert tables(store) == {*models(tier).tables, "alembic_version"}
    with store.writer.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, models(tier)) == []
    with store.writer.begin() as connection:
        command.downgrade(configuration(tier, connection), "base")
    assert tables(store) == {"alembic_version"}
    assert upgrade(store, tier) == (None, head)
    assert upgrade(store, tier) == (head, head)


def test_a_migrated_journal_takes_no_change(tier: Tier, store: Store):
    upgrade(store, tier)
    with store.write() as transaction:
        transaction.append("FT-0001", Stream.UP, "item.loaded", {})
    for statement in ("UPDATE journal SET kind = 'x'", "DELETE FROM journal"):
        with (
            pytest.raises(IntegrityError, match="append-only"),
            store.writer.begin() as connection,
        ):
            connection.execute(text(statement))


def test_a_newer_schema_is_left_alone(tier: Tier, store: Store):
    upgrade(store, tier)
    with store.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-tomorrow'"))
    with pytest.raises(StoreRefused, match=r"from-tomorrow.*newer release"):
        upgrade(store, tier)


def test_a_migration_that_is_cut_short_leaves_nothing(tier: Tier, store: Store):
    made = 0

    def cut(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal made
        made += statement.lstrip().startswith("CREATE TABLE")
        if made == 5:
            raise KeyboardInterrupt

    event.listen(store.writer, "before_cursor_execute", cut)
    with pytest.raises(KeyboardInterrupt):
        upgrade(store, tier)
    event.remove(store.writer, "before_cursor_execute", cut)
    assert tables(store) == set()
    upgrade(store, tier)
