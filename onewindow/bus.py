"""`onewindow bus`: what an installer does with one line or one board, before a site runs on it."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.live import Live
from rich.progress import Progress
from rich.table import Table
from typer._click.exceptions import UsageError  # typer exports its children only

from controller.clock import SystemClock
from controller.faults import DeviceFault
from controller.ports import BoardSight
from firmware_bridge import commissioning
from firmware_bridge.board_sheet import READS, Sheet, check_board, echo_sheet, echoes
from firmware_bridge.commissioning import Opened, Verdict, Watched
from firmware_bridge.environment import ModbusSurroundings
from firmware_bridge.line_scan import Station, Step, addresses, scan, scan_url
from firmware_bridge.lines import open_line
from firmware_bridge.lock_board import DoorRow
from firmware_bridge.open import Bridge
from firmware_bridge.profiles import Source, load_profiles, load_surroundings
from firmware_bridge.urls import parse
from onewindow import bus_sensors
from onewindow.bus_said import say_json, screen
from onewindow.bus_sensors import sight_rows, sight_table
from onewindow.bus_walk import walk_command

BOARD = "board"  # its name where the URL is all there is
FLAGS = {"open": "[yellow]open[/]", "closed": "closed", "unknown": "[red]unknown[/]"}

app = typer.Typer(
    help="Find boards on a line, read and watch them and sensors, open a door, look for flaws.",
    no_args_is_help=True,
)

Url = Annotated[str, typer.Argument(metavar="URL", help="One board, as in site.toml.")]
Profiles = Annotated[
    Path | None,
    typer.Option("--profiles", help="A folder of profiles of your own (*.toml).", file_okay=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts: JSON on standard output.")]
T = TypeVar("T")


class BusFailed(Exception):
    """A device or line did not do its part; one line for a person."""


class Ended(BusFailed):
    """Somebody pressed Ctrl-C."""


class Play:
    """Plays one story after the other about a URL, on one loop."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self._url = url
        self._runner = runner

    def __call__(self, story: Coroutine[Any, Any, T]) -> T:
        """Play it; BusFailed names the URL and what its device did not do."""
        try:
            return self._runner.run(story)
        except DeviceFault as fault:
            raise BusFailed(f"{self._url}: {fault.what}") from fault
        except KeyboardInterrupt:
            raise Ended("ended") from None


@contextmanager
def the_device(
    url: str, profiles: Path | None
) -> Iterator[tuple[DoorRow | ModbusSurroundings, Play]]:
    """The board or sensor behind a URL, and who asks it; its line is free again afterwards."""
    bridge = Bridge(SystemClock(), user_profiles=profiles)
    with asyncio.Runner() as runner:
        try:
            sensor = parse(url).profile in bridge.surroundings
            make = bridge.environment if sensor else bridge.lock_board
            yield make(url, BOARD), Play(url, runner)
        finally:
            bridge.close()  # while the loop is there that its connections belong to


@contextmanager
def the_board(url: str, profiles: Path | None) -> Iterator[tuple[DoorRow, Play]]:
    """The same where only a lock board will do."""
    with the_device(url, profiles) as (board, play):
        if not isinstance(board, DoorRow):
            raise UsageError(f"{url} is a sensor: read and watch are for it, this is for doors")
        yield board, play


@app.command("scan")
def scan_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="A line: modbus+rtu:///dev/ttyUSB0")],
    units: Annotated[
        str, typer.Option(help="Addresses to try, as 1-32 or 1,2,5. Without it: all there can be.")
    ] = "",
    profiles: Profiles = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Find the boards on a line: every address, at every speed unless the URL names one.

    Nothing is written and nothing moves. A refusal counts as somebody who is there. Ctrl-C ends
    it early and shows what was found.
    """
    line, bauds = scan_url(url)
    wanted = _units(units, addresses(line))
    known = load_profiles(profiles)
    steps = scan(line, known, SystemClock(), open_line, units=wanted, bauds=bauds)
    found: list[Station] = []
    try:
        with asyncio.Runner() as runner:
            Play(url, runner)(_scanned(steps, found, as_json=as_json))
    finally:
        if found and not as_json:
            screen().print(_stations(found))
    if not found:
        raise BusFailed(f"{url}: nobody answers; power, A and B, and the speed are what to look at")


def _units(text: str, known: range) -> list[int]:
    """The addresses that are meant, in order."""
    found: set[int] = set()
    for part in text.split(",") if text else []:
        first, _, last = part.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal()):
            raise UsageError(f"--units {text}: {part!r} is no address; like 1-32 or 1,2,5")
        found.update(range(int(first), int(last or first) + 1))
    if not found <= set(known) or (text and not found):
        raise UsageError(f"--units {text}: addresses here are {known.start} to {known.stop - 1}")
    return sorted(found) or list(known)


async def _scanned(
    steps: AsyncGenerator[Step, None], found: list[Station], *, as_json: bool
) -> None:
    terminal = Console(stderr=True)
    progress = Progress(console=terminal, transient=True, disable=not terminal.is_terminal)
    task = progress.add_task("scan", total=None)
    async with aclosing(steps):
        with progress:
            async for step in steps:
                at = f"{step.baud} baud, unit {step.unit}" if step.baud else f"unit {step.unit}"
                progress.update(task, total=step.total, completed=step.done, description=at)
                if step.found is not None:
                    found.append(step.found)
                    if as_json:
                        say_json(asdict(step.found))


def _stations(found: list[Station]) -> Table:
    table = Table()
    for heading in ("baud", "unit", "says", "outputs", "inputs", "likely profile"):
        table.add_column(heading)
    for each in found:
        guess = " or ".join(each.profiles) or ("inputs of a cabinet" if each.inputs else "-")
        says = f"[red]{each.says}: two boards on it?[/]" if each.garbled else each.says
        shape = [str(number) if number else "-" for number in (each.outputs, each.inputs)]
        table.add_row(str(each.baud or "-"), str(each.unit), says, *shape, guess)
    return table


@app.command("read")
def read_command(url: Url, profiles: Profiles = None, *, as_json: AsJson = False) -> None:
    """Read the doors and items of one board, or what one sensor measures, once."""
    with the_device(url, profiles) as (device, play):
        if isinstance(device, DoorRow):
            sight = play(device.look())
            rows, table = _rows(sight), _sight_table(sight)
        else:
            around = play(device.look())
            rows, table = sight_rows(around), sight_table(around)
    if as_json:
        say_json(rows)
    else:
        screen().print(table)


def _rows(sight: BoardSight) -> list[dict[str, object]]:
    pairs = zip(sight.doors, sight.items, strict=True)
    return [{"door": n, "state": door, "item": item} for n, (door, item) in enumerate(pairs, 1)]


def _sight_table(sight: BoardSight, marked: frozenset[int] = frozenset()) -> Table:
    table = Table()
    for heading in ("door", "state", "item"):
        table.add_column(heading)
    for number, (door, item) in enumerate(zip(sight.doors, sight.items, strict=True), 1):
        mark = "reverse" if number in marked else ""
        table.add_row(str(number), FLAGS[door], item, style=mark)
    return table


@app.command("open")
def open_command(
    url: Url,
    door: Annotated[int, typer.Argument(min=1, help="The door, from 1.")],
    profiles: Profiles = None,
    wait: Annotated[
        float, typer.Option(min=0.5, max=60, help="Seconds to wait for a door to move.")
    ] = commissioning.MOVES_WITHIN_S,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Release one door, once, and say which door really opened. Exit 1 unless it was that one."""
    with the_board(url, profiles) as (board, play):
        if door > board.doors:
            raise UsageError(f"there is no door {door}; {url} has 1 to {board.doors}")
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError("a bolt would move: say --yes where nobody can be asked")
            typer.confirm(f"Door {door} will be unlocked. Go on?", abort=True, err=True)
        opened = play(commissioning.open_door(board, door, SystemClock(), within_s=wait))
    if as_json:
        say_json(asdict(opened) | {"verdict": opened.verdict})
    elif opened.verdict is Verdict.OPENED:
        screen().print(verdict_words(opened))
    if opened.verdict is not Verdict.OPENED:
        raise BusFailed(verdict_words(opened))


def verdict_words(opened: Opened) -> str:
    """What came of it, and what to look at."""
    asked = opened.asked
    others = ", ".join(str(move.door) for move in opened.moves if move.door != asked)
    match opened.verdict:
        case Verdict.OPENED:
            return f"door {asked} opened"
        case Verdict.REVERSED:
            return (
                f"door {asked} moved, but its switch went from open to closed: it is reversed"
                " (closed=0 in the URL if all are)"
            )
        case Verdict.ELSEWHERE:
            return (
                f"door {others} opened, not door {asked}: the wires of a lock or of a switch"
                " are swapped"
            )
        case Verdict.SEVERAL:
            return f"door {asked} opened and door {others} too: two doors on one pulse"
        case Verdict.NOTHING:
            order = "took the order" if opened.accepted else "did not answer the order"
            was = ", and its switch said open before" if opened.was == "open" else ""
            return f"no door moved: the board {order} for door {asked}{was}"


@app.command("watch")
def watch_command(url: Url, profiles: Profiles = None, *, as_json: AsJson = False) -> None:
    """Show a board live, what changed last marked, until Ctrl-C. With --json a line a change."""
    with the_device(url, profiles) as (device, play):
        if isinstance(device, DoorRow):
            watching = commissioning.watch_board(device, SystemClock())
            show = _told(watching) if as_json else _live(watching)
        else:
            show = bus_sensors.told(device) if as_json else bus_sensors.shown_live(device)
        with suppress(Ended):
            play(show)


async def _told(watching: AsyncGenerator[Watched, None]) -> None:
    async with aclosing(watching):
        async for watched in watching:
            if watched.sight is None:
                say_json({"silent": watched.silent})
            for change in watched.changes:
                say_json(asdict(change))


async def _live(watching: AsyncGenerator[Watched, None]) -> None:
    first, marked = True, frozenset[int]()
    async with aclosing(watching):
        with Live(console=screen(), auto_refresh=False) as live:
            async for watched in watching:
                if watched.sight is None:
                    live.update(f"[red]silent: {watched.silent}[/]", refresh=True)
                    continue
                if watched.changes and not first:
                    marked = frozenset(change.door for change in watched.changes)
                first = False
                live.update(_sight_table(watched.sight, marked), refresh=True)


@app.command("check")
def check_command(
    url: Url,
    profiles: Profiles = None,
    reads: Annotated[int, typer.Option(min=2, max=10_000, help="How often it is read.")] = READS,
    *,
    as_json: AsJson = False,
) -> None:
    """Look for flaws of one board while all its doors are shut; nothing moves. Exit 1 if any.

    Adapters that echo, settings that let a switch fire a lock, two boards on one address,
    inputs that flip, doors that read open, and how fast it answers.
    """
    with the_board(url, profiles) as (board, play):
        sheet = play(_checked(board, url, reads, profiles))
    if as_json:
        say_json(asdict(sheet))
    else:
        screen().print(_sheet_table(url, sheet))
    if sheet.findings:
        first, *more = [f"{each.where}: {each.what}" for each in sheet.findings]
        raise BusFailed(first + (f" (and {len(more)} more)" if more else ""))


async def _checked(board: DoorRow, text: str, reads: int, profiles: Path | None) -> Sheet:
    url, clock = parse(text), SystemClock()
    source = load_profiles(profiles).get(url.profile)
    if await echoes(url, clock, open_line):
        return echo_sheet(board)
    terminal = Console(stderr=True)
    shown = Progress(console=terminal, transient=True, disable=not terminal.is_terminal)
    task = shown.add_task("reading", total=reads)
    with shown:
        return await check_board(
            board,
            source.profile if source else None,
            url,
            clock,
            reads=reads,
            progress=lambda done: shown.update(task, completed=done),
        )


def _sheet_table(url: str, sheet: Sheet) -> Table:
    table = Table(title=url, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    open_now = ", ".join(map(str, sheet.open_doors))
    table.add_row("doors", f"{sheet.doors}; open: {open_now or 'none'}")
    ended = f", ended by {sheet.pulse_ends}" if sheet.pulse_ends else ""
    if sheet.closed_reads is not None:
        table.add_row("polarity", f"a closed door reads {sheet.closed_reads}")
    table.add_row("pulse", f"{sheet.pulse_s * 1000:.0f} ms{ended}")
    for each_set in sheet.set_by_us:
        table.add_row("set at start", each_set)
    for each in sheet.stations:
        pace = f"turnaround p50 {each.p50_s * 1000:.1f} ms, p99 {each.p99_s * 1000:.1f} ms"
        answers = f"{each.replies} of {each.requests} reads answered"
        table.add_row(f"unit {each.station}", f"{answers}; {pace}")
    for finding in sheet.findings:
        table.add_row(f"[red]{finding.where}[/]", f"[red]{finding.what}[/]")
    if not sheet.findings:
        table.add_row("flaws", "none found")
    return table


@app.command("profiles")
def profiles_command(profiles: Profiles = None, *, as_json: AsJson = False) -> None:
    """List the profiles of Modbus lock boards and sensors, and where each comes from."""
    boards, sensors = load_profiles(profiles), load_surroundings(profiles)
    rows = [_profile_row(name, source) for name, source in sorted(boards.items())]
    rows += [
        {"profile": name, "kind": "sensor", "source": source.origin}
        for name, source in sorted(sensors.items())
    ]
    if as_json:
        say_json(rows)
        return
    table = Table()
    for heading in ("profile", "kind", "doors", "items", "pulse ms", "source"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        items = "yes" if row.get("items") else "-"
        numbers = [str(row.get("doors", "-")), items, str(row.get("pulse_ms", "-"))]
        table.add_row(str(row["profile"]), str(row["kind"]), *numbers, str(row["source"]))
    screen().print(table)


def _profile_row(name: str, source: Source) -> dict[str, object]:
    profile = source.profile
    return {
        "profile": name,
        "kind": "lock board",
        "doors": profile.doors,
        "items": profile.item is not None,
        "pulse_ms": profile.pulse.ms,
        "source": source.origin,
    }


app.command("walk")(walk_command)
