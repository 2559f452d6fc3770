"""`onewindow explain`: what happened, in plain sentences, from the journal alone."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DatabaseError

from controller.journal import Entry, Stream, chains, entries, journal_table
from controller.store import StoreRefused, open_reader
from controller.story import Sentence, merged, story_of_door, story_of_order
from controller.story_words import Lang

app = typer.Typer(
    help="Say what happened to an order or at a door; nothing but the journal is asked.",
    no_args_is_help=True,
)
JOURNAL = journal_table(MetaData())


class Speech(StrEnum):
    ZH = "zh-CN"
    EN = "en"


Database = Annotated[Path, typer.Option("--db", help="site.db or district.db")]
Site = Annotated[str | None, typer.Option(help="Which site, where the database has several.")]
Language = Annotated[Speech, typer.Option(help="Language of the sentences.")]
Tell = Callable[[Iterable[Entry], str, Lang], list[Sentence]]


@app.command()
def order(
    number: Annotated[str, typer.Argument(metavar="NO", help="The order's number.")],
    db: Database,
    site: Site = None,
    lang: Language = Speech.ZH,
) -> None:
    """Tell an order's life at its site, each sentence with its entry's number."""
    _tell(db, site, lang.value, number, f"order {number}", story_of_order)


@app.command()
def door(
    where: Annotated[str, typer.Argument(metavar="A/7", help="Cabinet and compartment.")],
    db: Database,
    site: Site = None,
    lang: Language = Speech.ZH,
) -> None:
    """Tell what happened at a door, each sentence with its entry's number."""
    cabinet, slash, no = where.partition("/")
    if not (cabinet and slash and no.isdigit()):
        raise typer.BadParameter(f"{where}: a door is written like A/7")
    _tell(db, site, lang.value, f"{cabinet}/{int(no)}", f"door {where}", story_of_door)


def _tell(db: Path, site: str | None, lang: Lang, key: str, what: str, tell: Tell) -> None:
    try:
        with open_reader(db) as connection:
            names = _sites(connection, site)
            told = [(name, tell(_both(connection, name), key, lang)) for name in names]
    except DatabaseError as error:
        raise StoreRefused(f"{db} holds no journal: {error.orig}") from error
    found = [(name, story) for name, story in told if story]
    if not found:
        raise StoreRefused(f"no entry in {db} tells of {what}")
    console = Console(highlight=False, markup=False)
    for name, story in found:
        console.print(_table(name, story))


def _sites(connection: Connection, site: str | None) -> list[str]:
    names = sorted({name for name, _, _ in chains(connection, JOURNAL)})
    if site is not None and site not in names:
        raise StoreRefused(f"the journal knows no site {site}, but {', '.join(names) or 'none'}")
    return names if site is None else [site]


def _both(connection: Connection, site: str) -> Iterable[Entry]:
    return merged(
        entries(connection, JOURNAL, site, Stream.UP),
        entries(connection, JOURNAL, site, Stream.DOWN),
    )


def _table(site: str, story: list[Sentence]) -> Table:
    table = Table(title=site, title_justify="left", show_header=False, box=None)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    table.add_column()
    for each in story:
        table.add_row(each.number, each.at, each.words)
    return table
