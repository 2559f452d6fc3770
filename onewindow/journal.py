"""`onewindow journal`: looks at a journal beside the process that writes it."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import MetaData
from sqlalchemy.exc import DatabaseError

from controller.journal import BrokenChain, Entry, Stream, chains, entries, journal_table, verify
from controller.store import StoreRefused, open_reader

app = typer.Typer(help="Look at a site's or district's journal.", no_args_is_help=True)
JOURNAL = journal_table(MetaData())
Database = Annotated[Path, typer.Argument(metavar="DB", help="site.db or district.db")]


@app.command("verify")
def verify_command(db: Database) -> None:
    """Check every hash chain from its stored bytes; print its length and head. Exit 1 if broken."""
    console = Console(highlight=False, markup=False)
    broken = []
    try:
        with open_reader(db) as connection:
            found = chains(connection, JOURNAL)
            for site, stream, length in found:
                try:
                    head = verify(connection, JOURNAL, site, stream)
                except BrokenChain as error:
                    broken.append(str(error))
                else:
                    console.out(
                        f"{site} {stream.value}: {length} entries, intact, head {head.hash}"
                    )
    except DatabaseError as error:
        raise _no_journal(db, error) from error
    if not found:
        console.print("no entries")
    if broken:
        raise StoreRefused("; ".join(broken))


@app.command("show")
def show_command(
    db: Database,
    stream: Annotated[Stream | None, typer.Option(help="Only this direction.")] = None,
    site: Annotated[str | None, typer.Option(help="Only this site.")] = None,
    kind: Annotated[str, typer.Option(help="Only kinds that begin like this.")] = "",
    after: Annotated[int, typer.Option(help="Only entries above this number.")] = 0,
    *,
    raw: Annotated[bool, typer.Option("--raw", help="The stored bytes, one entry a line.")] = False,
) -> None:
    """Print entries in order, one chain after another."""
    console = Console(highlight=False, markup=False)
    try:
        with open_reader(db) as connection:
            for chain_site, chain_stream, _ in chains(connection, JOURNAL):
                if site not in (None, chain_site) or stream not in (None, chain_stream):
                    continue
                found = [
                    entry
                    for entry in entries(connection, JOURNAL, chain_site, chain_stream, after)
                    if entry.kind.startswith(kind)
                ]
                if raw:
                    for entry in found:
                        console.out(entry.body.decode())
                else:
                    console.print(_table(chain_site, chain_stream, found))
    except DatabaseError as error:
        raise _no_journal(db, error) from error


def _table(site: str, stream: Stream, found: list[Entry]) -> Table:
    table = Table(title=f"{site} {stream.value}", title_justify="left")
    for heading, justify in (("seq", "right"), ("at", "left"), ("kind", "left"), ("", "left")):
        table.add_column(heading, justify=justify, no_wrap=heading != "")  # type: ignore[arg-type]
    for entry in found:
        table.add_row(str(entry.seq), entry.at, entry.kind, _words(entry))
    return table


def _words(entry: Entry) -> str:
    return " ".join(
        f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in entry.data.items()
    )


def _no_journal(db: Path, error: DatabaseError) -> StoreRefused:
    return StoreRefused(f"{db} holds no journal: {error.orig}")
