"""`onewindow simulate --replay DB`: a site's journal as a film on the simulator's page."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DatabaseError

from controller.entries import Down, Up
from controller.journal import Entry, Stream, chains, entries, journal_table, parse_time
from controller.store import StoreRefused, open_reader
from controller.story import merged, whole_story
from onewindow.listening import PortTaken, page_url
from simulator import run
from simulator.clock import SystemClock
from simulator.film import Film, Frame
from simulator.film_app import show as show_film
from simulator.plan import CabinetPlan, CompartmentPlan, Plan

JOURNAL = journal_table(MetaData())
SHUT: Mapping[str, Any] = {"open": False, "unlocked": False, "broken_open": False}
OF_DOORS: Mapping[str, Mapping[str, Any]] = {
    Up.DOOR_OPENED: {"open": True, "unlocked": False},
    Up.DOOR_CLOSED: SHUT,
    Up.DOOR_FORCED: {"open": True, "broken_open": True},
    Up.ITEM_COLLECTED: {"contents": []},
    Up.ITEM_RETURNED: {"contents": []},
}


async def show(db: Path, site: str | None, *, host: str, port: int) -> None:
    """Serve the film until it is ended. StoreRefused where there is nothing to show."""
    film = film_of(db, site)
    words = f"{len(film.frames):,} entries of {db} at {page_url(host, port)}  (Ctrl-C ends it)"
    console = Console(highlight=False, soft_wrap=True)
    try:
        await show_film(film, host=host, port=port, ready=lambda: console.print(words))
    except run.PortTaken as error:
        raise PortTaken(f"{error}; take another one with --port") from error


def film_of(db: Path, site: str | None) -> Film:
    """Everything that a site's journal, both ways, tells of its doors."""
    try:
        with open_reader(db) as connection:
            name = _site(connection, db, site)
            up = list(entries(connection, JOURNAL, name, Stream.UP))
            down = list(entries(connection, JOURNAL, name, Stream.DOWN))
    except DatabaseError as error:
        raise StoreRefused(f"{db} holds no journal: {error.orig}") from error
    return Film(_plan(up, db), frames_of(list(merged(up, down))), SystemClock())


def _site(connection: Connection, db: Path, site: str | None) -> str:
    names = sorted({name for name, _, _ in chains(connection, JOURNAL)})
    if site is None and len(names) == 1:
        return names[0]
    if site is None or site not in names:
        raise StoreRefused(f"say --site: {db} knows {', '.join(names) or 'no site'}")
    return site


def _plan(up: Iterable[Entry], db: Path) -> Plan:
    """The cabinets that the site had at its last start."""
    started = [entry for entry in up if entry.kind == Up.SITE_STARTED]
    if not started:
        raise StoreRefused(f"{db} does not tell which compartments the site has")
    rows = started[-1].data["compartments"]
    return Plan(
        cabinets=tuple(
            CabinetPlan(
                letter,
                boards=(),
                compartments=tuple(
                    CompartmentPlan(row["no"], row["size"], row["height_cm"], row["reach"])
                    for row in rows
                    if row["cabinet"] == letter
                ),
            )
            for letter in sorted({row["cabinet"] for row in rows})
        )
    )


def frames_of(both: list[Entry]) -> list[Frame]:
    """A frame for each entry, in the order of time."""
    chinese, english = whole_story(both, "zh-CN"), whole_story(both, "en")
    changes = _changes(both)
    times = [parse_time(entry.at) for entry in both]
    return [
        Frame(
            number=zh.number,
            at=zh.at,
            seconds=(at - times[0]).total_seconds(),
            words={"zh-CN": zh.words, "en": en.words},
            door=door,
            change=change,
        )
        for at, zh, en, (door, change) in zip(times, chinese, english, changes, strict=True)
    ]


def _changes(
    both: Iterable[Entry],
) -> Iterator[tuple[tuple[str, int] | None, Mapping[str, Any]]]:
    """The door that an entry is about, and what is another there from then on."""
    labels: dict[str, str] = {}
    intents: dict[str, str] = {}
    for entry in both:
        said, change = entry.data, OF_DOORS.get(entry.kind, {})
        if entry.kind == Down.ORDER_PLACED:
            labels |= {item["item_id"]: item["label"] for item in said["items"]}
        elif entry.kind == Up.MOVEMENT_INTENDED:
            intents[said["intent"]] = said["where"]
            change = {"unlocked": True}
        elif entry.kind == Up.MOVEMENT_SETTLED:
            change = {"unlocked": False} if said["outcome"] == "not_moved" else {}
        elif entry.kind == Up.ITEM_LOADED:
            change = {"contents": [labels.get(said["item"], said["item"])]}
        where = said.get("where") or intents.get(said.get("intent", ""), "")
        yield _door(where), change


def _door(where: str) -> tuple[str, int] | None:
    cabinet, slash, no = where.partition("/")
    return (cabinet, int(no)) if slash and no.isdigit() else None
