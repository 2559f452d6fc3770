"""`onewindow backup` and `onewindow restore`: one whole file out of a database, and back.

A restored site does not know what it did since: it holds, and opens nothing, until the district's
copy of its journal has been read or a person at the kiosk says so.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import MetaData, inspect, text
from sqlalchemy.exc import DatabaseError

from controller.clock import SystemClock
from controller.district import schema as district_schema
from controller.journal import BrokenChain, chains, journal_table, rfc3339, verify
from controller.site import schema as site_schema
from controller.store import StoreRefused, open_reader, open_store, owned
from onewindow.settings_file import is_district, load_district, load_site

PAGES_AT_ONCE: Final = 2_000
BESIDE: Final = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a file, and believes
JOURNAL = journal_table(MetaData())

Tier = Literal["site", "district"]
Config = Annotated[
    Path, typer.Option("--config", help="The settings file (TOML).", exists=False, dir_okay=False)
]


def backup_command(
    config: Config,
    to: Annotated[Path, typer.Option("--to", help="Folder of backups.", file_okay=False)],
) -> None:
    """Write one whole, checked file of a site's or district's database, also while it runs."""
    tier, database, _ = _named(config)
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = rfc3339(SystemClock().now()).replace(":", "").replace("-", "").partition(".")[0]
    target = to / f"{tier}-{stamp}Z.db"
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    terminal = Console(stderr=True)
    shown = Progress(console=terminal, transient=True, disable=not terminal.is_terminal)
    with shown:
        task = shown.add_task("backup", total=None)
        take(database, part, lambda done, of: shown.update(task, completed=done, total=of))
    said = check(part, None)
    part.replace(target)
    _sync_folder(to)
    Console(highlight=False, markup=False).print("\n".join([str(target), *said]), soft_wrap=True)


def restore_command(
    config: Config,
    from_: Annotated[
        Path, typer.Option("--from", help="A file that `backup` wrote.", dir_okay=False)
    ],
) -> None:
    """Put a backup in the database's place. What is there now is kept beside it, under a name.

    A restored site opens nothing until it has read its district's copy of its journal.
    """
    tier, database, site = _named(config)
    if not from_.is_file():
        raise StoreRefused(f"there is no backup at {from_}")
    said = restore(tier, database, from_, site, SystemClock().now())
    Console(highlight=False, markup=False).print("\n".join(said), soft_wrap=True)


def take(database: Path, to: Path, progress: Callable[[int, int], object]) -> None:
    """Copy the database as it is at this moment; whoever writes it is not held up."""
    if not database.is_file():
        raise StoreRefused(f"there is no database at {database}")
    try:
        with (
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(to, isolation_level=None)) as target,
        ):
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # this moment
            source.backup(
                target,
                pages=PAGES_AT_ONCE,
                progress=lambda _status, left, of: progress(of - left, of),
            )
            target.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file, nothing beside it
    except sqlite3.Error as error:
        raise StoreRefused(f"{database}: {error}") from error
    with to.open("rb+") as written:
        os.fsync(written.fileno())


def check(path: Path, site: str | None, named: Path | None = None) -> list[str]:
    """What is in a backup, chain by chain. StoreRefused unless it is whole, and this site's."""
    said = []
    shown = named or path
    try:
        with open_reader(path) as connection:
            flaw = connection.execute(text("PRAGMA integrity_check(1)")).scalar_one()
            if flaw != "ok":
                raise StoreRefused(f"{shown} is damaged: {' '.join(flaw.split())}")
            if not inspect(connection).has_table(JOURNAL.name):
                raise StoreRefused(f"{shown} holds no journal")
            for name, stream, length in chains(connection, JOURNAL):
                if site not in (None, name):
                    raise StoreRefused(f"{shown} is of site {name}, not of {site}")
                head = verify(connection, JOURNAL, name, stream)
                said.append(f"{name} {stream.value}: {length} entries, intact, head {head.hash}")
    except DatabaseError as error:
        raise StoreRefused(f"{shown}: {error.orig}") from error
    except BrokenChain as broken:
        raise StoreRefused(f"{shown}: {broken}") from broken
    return said


def restore(tier: Tier, database: Path, backup: Path, site: str | None, now: datetime) -> list[str]:
    """The backup, upgraded and checked, stands in the database's place; the old one beside it."""
    with owned(database):
        part = database.with_name(f"{database.name}.restoring")
        _remove(part)
        # Bytes of this one file: a log that lies beside it belongs to another moment.
        part.write_bytes(backup.read_bytes())
        try:
            said = check(part, site, named=backup)
            _prepare(tier, part, now)
            if kept := _set_aside(database, now):
                said.append(f"what was there is now {kept}")
            part.replace(database)
        finally:
            _remove(part)
        _sync_folder(database.parent)
    return said


def _prepare(tier: Tier, path: Path, now: datetime) -> None:
    """At this release's schema, in one file, and a site's with the word that it must hold."""
    from onewindow.migrate import is_known, upgrade  # noqa: PLC0415 - only restoring needs it

    module = district_schema if tier == "district" else site_schema
    with _whole(path), open_store(path, module.journal, SystemClock()) as store:
        with store.read() as connection:
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if not is_known(tier, connection, revision):
                raise StoreRefused(
                    f"the backup has schema {revision}, which this release does not know:"
                    " restore it with a newer release"
                )
        upgrade(store, tier)
        if tier == "site":
            with store.write() as transaction:
                transaction.connection.execute(site_schema.holds.delete())
                transaction.connection.execute(
                    site_schema.holds.insert().values(id=1, at=rfc3339(now), why="restored")
                )


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """All of it is in the one file afterwards."""
    yield
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode=DELETE").fetchone()
    with path.open("rb+") as written:
        os.fsync(written.fileno())
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)


def _set_aside(database: Path, now: datetime) -> Path | None:
    """A database and what lies beside it get another name; nothing is beside the old one."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
    kept = database.with_name(f"{database.stem}-replaced-{stamp}{database.suffix}")
    for end in ("", *BESIDE):
        there = database.with_name(database.name + end)
        if there.exists():
            there.replace(kept.with_name(kept.name + end))
    return kept if kept.exists() else None


def _remove(path: Path) -> None:
    for end in ("", *BESIDE, ".lock"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _named(config: Path) -> tuple[Tier, Path, str | None]:
    """The database that a settings file names, and whose it is."""
    if is_district(config):
        return "district", load_district(config).district.database, None
    settings = load_site(config)
    return "site", settings.site.database, settings.site.id
