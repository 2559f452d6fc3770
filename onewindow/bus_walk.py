"""`onewindow bus walk`: a person opens every door of a site once; what moved is written."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from typer._click.exceptions import UsageError  # typer exports its children only

from controller.clock import SystemClock
from controller.faults import DeviceFault
from controller.ports import Clock
from controller.settings import SiteSettings
from firmware_bridge.commissioning import MOVES_WITHIN_S
from firmware_bridge.open import Bridge
from firmware_bridge.walk import CabinetBoard, Place, Walk, Walked, clashes
from onewindow.devices import addresses, bridge_of
from onewindow.settings_file import load_site
from onewindow.walk_record import NotPassed, record_of, write_record


def walk_command(
    config: Annotated[Path, typer.Option("--config", help="site.toml", dir_okay=False)],
    wait: Annotated[
        float,
        typer.Option(min=0.5, max=60, help="Seconds to wait for a door to move, and to be shut."),
    ] = MOVES_WITHIN_S,
) -> None:
    """Open every door once, with a person there; write which one really moved.

    The record stands beside the settings, as site.walk.json. Exit 1 unless every pulse moves its
    own door and no other, every door is seen open and shut again, and no two boards share an
    address. A walk that ends early has not passed: its record says how far it came.
    """
    settings = load_site(config)
    if not sys.stdin.isatty():
        raise UsageError("a walk needs a person at a terminal: doors move and must be shut again")
    clock = SystemClock()
    bridge = bridge_of(settings, clock)
    walk = Walk(list(_boards(settings, bridge)), clock, wait)
    record = Record(config, settings, clock, walk)
    if problems := clashes(_named(settings), bridge.profiles):
        record.write(problems)
    else:
        _lead(walk, record, settings, bridge)
        problems = list(walk.problems())
        record.write(problems)
    if problems:
        more = f" (and {len(problems) - 1} more, in {record.path})" if problems[1:] else ""
        raise NotPassed(f"not passed: {problems[0]}{more}")
    Console(highlight=False).print(f"passed: {len(walk.walked)} doors; written to {record.path}")


class Record:
    """What stands beside the settings: from the first door on, whatever ends the walk."""

    def __init__(self, config: Path, settings: SiteSettings, clock: Clock, walk: Walk) -> None:
        self.path = record_of(config)
        self._config = config
        self._settings = settings
        self._clock = clock
        self._walk = walk

    def write(self, problems: Sequence[str]) -> None:
        told = {
            "site": self._settings.site.id,
            "at": self._clock.now().isoformat(timespec="seconds"),
            "passed": not problems,
            "problems": list(problems),
            "doors": [asdict(walked) for walked in self._walk.walked.values()],
        }
        write_record(self._config, told)

    def write_so_far(self, why: str = "") -> str:
        """The walk is not over: which sentence the record says, with the problems found so far."""
        done, doors = len(self._walk.walked), len(self._settings.compartment)
        ended = f"ended after {done} of {doors} doors" + (f": {why}" if why else "")
        self.write([ended, *self._walk.problems()])
        return ended


def _named(settings: SiteSettings) -> Mapping[str, str]:
    """The URL of every device that shares a line, by its name."""
    return {
        name: url
        for key, name, url in addresses(settings)
        if key not in ("scanner.url", "card_reader.url")
    }


def _boards(settings: SiteSettings, bridge: Bridge) -> Iterator[CabinetBoard]:
    for cabinet in settings.cabinet:
        first = 1
        for number, url in enumerate(cabinet.boards, 1):
            row = bridge.lock_board(url, f"{cabinet.letter}{number}")
            yield CabinetBoard(cabinet.letter, first, row)
            first += row.doors


def _lead(walk: Walk, record: Record, settings: SiteSettings, bridge: Bridge) -> None:
    """NotPassed where it ends before the last door; the record then says how far it came."""
    record.write_so_far()
    with asyncio.Runner() as runner:
        try:
            _ask_for_each(walk, record, settings, runner)
        except (KeyboardInterrupt, EOFError):
            raise NotPassed(f"not passed: {record.write_so_far()}") from None
        except DeviceFault as fault:
            ended = record.write_so_far(f"{fault.device}: {fault.what}")
            raise NotPassed(f"not passed: {ended}") from fault
        finally:
            bridge.close()  # while the loop is there that its connections belong to


def _ask_for_each(
    walk: Walk, record: Record, settings: SiteSettings, runner: asyncio.Runner
) -> None:
    console = Console(highlight=False)
    places = [Place(each.cabinet, each.no) for each in settings.compartment]
    for number, place in enumerate(places, 1):
        ask = f"[{number}/{len(places)}] Shut all doors. Enter unlocks {place}, s skips it: "
        if console.input(ask, markup=False).strip().lower() == "s":
            walk.skip(place)
        else:
            console.print(f"door {place} is unlocked: pull it")
            walked = runner.run(walk.release(place))
            console.print(_words(walked))
            record.write_so_far()
            if walked.moved:
                _await_shut(walk, walked, runner, console)
        record.write_so_far()


def _await_shut(walk: Walk, walked: Walked, runner: asyncio.Runner, console: Console) -> None:
    """Until the switches say so, or the person gives that door up."""
    doors = ", ".join(map(str, walked.moved))
    console.print(f"  shut it again: {doors}")
    while not runner.run(walk.sees_shut(walked.place)):
        ask = f"  {doors} does not read shut. Enter looks again, s goes on without it: "
        if console.input(ask, markup=False).strip().lower() == "s":
            return
    console.print("  it reads shut")


def _words(walked: Walked) -> str:
    moved = ", ".join(map(str, walked.moved)) or "nothing"
    note = f" ({walked.note})" if walked.note else ""
    return f"  {walked.verdict}: {moved} moved{note}; its switch: {walked.polarity}"
