"""One sheet about one board: what an installer must put right before a site runs on it.

Only reads: neither a bolt nor an output moves.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from controller.faults import BadReply, LineDown, NoReply
from controller.ports import Clock
from firmware_bridge import modbus
from firmware_bridge.lines import Line, LineLost, LineOpener
from firmware_bridge.lock_board import DoorRow
from firmware_bridge.open import DIALECTS, timing_of
from firmware_bridge.panel import Items, Reads
from firmware_bridge.profiles import Profile
from firmware_bridge.timing import Timing
from firmware_bridge.turns import Urgency
from firmware_bridge.urls import DeviceUrl

READS: Final = 50  # five seconds and more: an unwired input flips meanwhile
BETWEEN_READS_S: Final = 0.06  # a second answer to the last read has come by then
FLIPS_LIE: Final = 2  # a door that somebody shuts meanwhile changes once
UNREADABLE: Final = 0.1  # of a unit's answers, where other units have none: two boards answer


class Flaw(StrEnum):
    """What can be wrong with a board."""

    ECHO = "echo"
    SETTING = "setting"
    SILENT = "silent"
    ADDRESS_TWICE = "address_used_twice"
    NOISE = "noise"
    OPEN = "open"
    FLIPPING = "flipping"


@dataclass(frozen=True, slots=True)
class Finding:
    """One flaw: where, and what to do."""

    flaw: Flaw
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class StationFigures:
    """One address on the line."""

    station: int
    requests: int
    replies: int
    unreadable: int
    p50_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that reading a board tells."""

    doors: int
    open_doors: tuple[int, ...]
    closed_reads: int | None  # the polarity that the URL or the profile says
    pulse_s: float
    pulse_ends: str
    set_by_us: tuple[str, ...]  # registers that are not so yet
    stations: tuple[StationFigures, ...]
    findings: tuple[Finding, ...]


async def echoes(url: DeviceUrl, clock: Clock, opener: LineOpener) -> bool:
    """Whether what is sent comes back first. An adapter like that obeys in place of a dead board.

    LineDown when the line cannot be opened. It is free again afterwards.
    """
    dialect = DIALECTS[url.protocol]
    wire = dialect.wire(url)()
    if dialect.question is None or wire.numbered:
        return False
    asked = dialect.question(url)
    frame = wire.pack(asked.station, asked.body(), 0)
    try:
        line = await opener(url.place, clock)
        try:
            return await _heard_itself(line, frame, timing_of(url), len(frame) * url.place.char_s)
        finally:
            line.close()
    except LineLost as lost:
        raise LineDown("check", str(lost)) from lost


async def _heard_itself(line: Line, frame: bytes, timing: Timing, wire_s: float) -> bool:
    await line.rest(timing.settle_s + timing.gap_s)
    line.drain()
    line.send(frame)
    came = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(wire_s + timing.reply_s):
            while len(came) < len(frame):
                came += await line.receive()
    await line.rest(timing.rest_s)  # for the one who opens it next
    return came.startswith(frame)


def echo_sheet(row: DoorRow) -> Sheet:
    """What can be said where every question comes back: nothing else."""
    what = "the adapter sends back what it is sent: switch its echo off, or use another one"
    found = (Finding(Flaw.ECHO, "line", what),)
    return Sheet(row.doors, (), None, row.panel.pulse_s, "", (), (), found)


async def check_board(
    row: DoorRow,
    profile: Profile | None,
    url: DeviceUrl,
    clock: Clock,
    *,
    reads: int = READS,
    progress: Callable[[int], None],
) -> Sheet:
    """Read a board so many times; LineDown when its line cannot be opened."""
    unit = url.unit
    findings, set_by_us = await _settings(row, profile, unit)
    locks = _of_locks(profile, unit)
    seen: list[Reads] = []
    for number in range(reads):
        seen += await _one_read(row, locks)
        progress(number + 1)
        await clock.sleep(BETWEEN_READS_S)
    stations = _stations(row)
    closed = [each.closed for each in seen if each.closed]
    last = closed[-1] if closed else ()
    flipping = _flips(closed)
    open_doors = tuple(
        door for door, shut in enumerate(last, 1) if shut is False and door not in flipping
    )
    findings += _of_stations(stations)
    findings += [
        Finding(Flaw.FLIPPING, f"door {door}", f"{flips} flips: a broken or unwired input")
        for door, flips in flipping.items()
    ]
    findings += _of_polarity(open_doors, row.doors)
    return Sheet(
        doors=row.doors,
        open_doors=open_doors,
        closed_reads=url.numbers.get("closed", profile.door.closed if profile else 1),
        pulse_s=row.panel.pulse_s,
        pulse_ends=_pulse_ends(profile),
        set_by_us=set_by_us,
        stations=stations,
        findings=tuple(findings),
    )


async def _one_read(row: DoorRow, locks: modbus.Request | None) -> list[Reads]:
    """Ask every unit once, each for itself; what goes wrong is counted for its station."""
    found = []
    with suppress(NoReply, BadReply):
        found.append(await row.panel.read_doors(Urgency.LOOK, 1))
    if row.panel.items is Items.APART:
        with suppress(NoReply, BadReply):
            await row.panel.read_items(Urgency.LOOK, 1)
    if locks is not None:
        with suppress(NoReply, BadReply):
            await row.panel.bus.ask(row.name, locks, urgency=Urgency.LOOK)
    return found


def _of_locks(profile: Profile | None, unit: int) -> modbus.Request | None:
    """Something to read of the unit that pulses the locks, where doors are not read there."""
    if profile is None or profile.ident is None or profile.pulse.unit in profile.door.units:
        return None
    ident = profile.ident
    return modbus.read(unit + profile.pulse.unit, ident.fc, ident.address, 1)


async def _settings(
    row: DoorRow, profile: Profile | None, unit: int
) -> tuple[list[Finding], tuple[str, ...]]:
    """Registers that must hold something else, and those that the driver sets before all else."""
    if profile is None or (modes := profile.modes) is None:
        return [], ()
    asked = modbus.read(unit + modes.unit, modes.fc, modes.address, modes.count)
    try:
        reply = await row.panel.bus.ask(row.name, asked, urgency=Urgency.LOOK, tries=3)
    except (NoReply, BadReply):
        return [], ()  # every other read tells that as well
    where = f"unit {asked.station}"
    if reply.refused:
        why = f"{where} has no such registers ({modes.address:#06x}): another kind of board?"
        return [Finding(Flaw.SETTING, where, why)], ()
    words = list(modbus.words_of(reply.body))
    set_by_us = []
    if (at := profile.sets_of_modes()) is not None and words[at] != modes.normal:
        set_by_us.append(
            f"register {modes.address + at:#06x} reads {words[at]}; it is set to {modes.normal}"
            " whenever a site, read or open connects, before anything else"
        )
        words[at] = modes.normal
    return [Finding(Flaw.SETTING, where, flaw) for flaw in modes.flaws(words)], tuple(set_by_us)


def _stations(row: DoorRow) -> tuple[StationFigures, ...]:
    figures = []
    for number, station in sorted(row.panel.bus.stations.items()):
        told = station.figures()
        if station.requests:
            figures.append(
                StationFigures(
                    number,
                    station.requests,
                    station.replies,
                    sum(station.refused.values()),
                    told["turnaround_p50_s"],
                    told["turnaround_p99_s"],
                )
            )
    return tuple(figures)


def _of_stations(stations: Sequence[StationFigures]) -> list[Finding]:
    findings = []
    for each in stations:
        where = f"unit {each.station}"
        others = [other for other in stations if other is not each]
        others_well = all(not other.unreadable for other in others)
        if each.unreadable > UNREADABLE * each.requests and others_well:
            maybe = ", and only here: two boards" if others else ": a bad cable, or two boards"
            what = (
                f"{each.unreadable} of {each.requests} answers cannot be read{maybe}"
                " on this address? Unplug one and check again"
            )
            findings.append(Finding(Flaw.ADDRESS_TWICE, where, what))
        elif each.unreadable:
            what = f"{each.unreadable} of {each.requests} answers cannot be read: look at the cable"
            findings.append(Finding(Flaw.NOISE, where, what))
        elif not each.replies:
            what = "never answered: power, A and B, its address and its speed are what to look at"
            findings.append(Finding(Flaw.SILENT, where, what))
        elif each.replies < each.requests:
            lost = each.requests - each.replies
            what = f"{lost} of {each.requests} reads had no answer: look at the cable"
            findings.append(Finding(Flaw.NOISE, where, what))
    return findings


def _flips(closed: Sequence[Sequence[bool | None]]) -> dict[int, int]:
    """How often the inputs that lie have changed, by door."""
    flips: dict[int, int] = {}
    for door, values in enumerate(zip(*closed, strict=True), 1):
        changes = sum(one is not two for one, two in pairwise(values))
        if changes >= FLIPS_LIE:
            flips[door] = changes
    return flips


def _of_polarity(open_doors: Sequence[int], doors: int) -> list[Finding]:
    if open_doors and len(open_doors) == doors:
        what = "every door reads open; if all are shut, turn closed= in the URL round"
        return [Finding(Flaw.OPEN, "all doors", what)]
    what = "reads open; if it is shut, its switch is reversed or its wire is broken"
    return [Finding(Flaw.OPEN, f"door {door}", what) for door in open_doors]


def _pulse_ends(profile: Profile | None) -> str:
    if profile is not None and profile.pulse.board_ends:
        return profile.pulse.board_ends
    return "the board, by its own timer"
