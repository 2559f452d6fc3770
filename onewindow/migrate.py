"""Brings a database to the schema of this release; a newer one is left alone."""

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

import migrations
from controller.clock import SystemClock
from controller.district import schema as district_schema
from controller.site import schema as site_schema
from controller.store import Store, StoreRefused, open_store
from onewindow.settings_file import is_district, load_district, load_site

Tier = Literal["site", "district"]


def upgrade_of(config: Path) -> tuple[str | None, str]:
    """Upgrade the database that a settings file names; the revisions before and after."""
    clock = SystemClock()
    if is_district(config):
        database = load_district(config).district.database
        with open_store(database, district_schema.journal, clock) as store:
            return upgrade(store, "district")
    database = load_site(config).site.database
    with open_store(database, site_schema.journal, clock) as store:
        return upgrade(store, "site")


def upgrade(store: Store, tier: Tier) -> tuple[str | None, str]:
    """The database is at the newest schema, all of it or none; the revisions before and after."""
    with store.writer.begin() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        config = configuration(tier, connection)
        head = ScriptDirectory.from_config(config).get_current_head()
        assert head is not None, f"there is a first migration of the {tier}"
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreRefused(
                f"the database has schema {before}, which this release does not know:"
                " start a newer release"
            ) from error
    return before, head


def is_known(tier: Tier, connection: Connection, revision: str | None) -> bool:
    """Whether this release can go on from a schema."""
    script = ScriptDirectory.from_config(configuration(tier, connection))
    return revision in {each.revision for each in script.walk_revisions()}


def configuration(tier: Tier, connection: Connection) -> Config:
    """Alembic's settings for one tier's chain, on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent / tier))
    config.attributes["connection"] = connection
    return config
