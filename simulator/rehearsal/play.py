"""Plays one site for so many days and says what came of it."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import structlog

from controller.entries import Up
from controller.settings import SiteSettings
from simulator.plan import Plan
from simulator.rehearsal.badges import BadgeOffice
from simulator.rehearsal.calm import come_to_rest
from simulator.rehearsal.commands import Operators
from simulator.rehearsal.events import Event, Held, Lies, Struck, Wrote
from simulator.rehearsal.far_side import FarSide
from simulator.rehearsal.judge import Judge, Violation
from simulator.rehearsal.linked_stage import LinkedStage
from simulator.rehearsal.loop import play
from simulator.rehearsal.shapes import Profile, Shares
from simulator.rehearsal.stage import Stage
from simulator.rehearsal.storm import Storm
from simulator.rehearsal.town import Town
from simulator.rehearsal.weather import drawn

START: Final = datetime(2026, 1, 4, 16, tzinfo=UTC)  # Monday, 0:00 in Shenzhen
VIOLATIONS_MAX: Final = 5  # what follows the first few follows from them
MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made in it


@dataclass(frozen=True, slots=True)
class Part:
    """One site to play: what stands there, how much goes on there, and from which seed."""

    settings: Callable[[Path], SiteSettings]  # of a site whose database lies in this folder
    plan: Callable[[SiteSettings], Plan]
    profile: Profile
    seed: str
    days: int
    faults: tuple[str, ...] = ()
    linked: bool = False  # with the real link and the real district at its other end
    shares: Shares = field(default_factory=Shares)


@dataclass(slots=True)
class Outcome:
    """What one site's days came to."""

    site: str
    orders: int = 0
    entries: int = 0
    events: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)  # what people did, and where
    waited_s: float = 0.0
    digest: str = ""
    faults: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)


def play_site(part: Part, told: Callable[[int], None] = lambda _day: None) -> Outcome:
    """Play all days; `told` hears of each that is over."""
    memory = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    heard: list[Callable[[object], None]] = []
    folder = tempfile.TemporaryDirectory(prefix="onewindow-", dir=memory)
    with quiet_logs(heard), folder as name:
        outcome: Outcome = play(lambda: _played(part, Path(name), told, heard))
        return outcome


async def _played(
    part: Part,
    folder: Path,
    told: Callable[[int], None],
    heard: list[Callable[[object], None]],
) -> Outcome:
    began = time.process_time()
    settings = part.settings(folder)
    made = LinkedStage if part.linked else Stage
    stage = made(settings, part.plan(settings), folder, seed=part.seed, start=START)
    outcome = Outcome(settings.site.id)
    stage.log.listeners.append(lambda event: _count(outcome, event))
    judge = Judge(stage.log, START, settings.policy)
    town = Town(stage, part.profile, part.shares, Random(f"{part.seed}/town"))
    dice = Random(f"{part.seed}/storm")
    storm = Storm(stage, drawn(part.faults, dice), dice, town.plan)
    badges = BadgeOffice(stage, Random(f"{part.seed}/badges"), town.plan, part.days)
    operators = Operators(stage, Random(f"{part.seed}/operators"), town.plan)
    town.weather += [storm.plan_day, operators.plan_day]
    far = None
    if isinstance(stage, LinkedStage):
        far = FarSide(stage, part.faults, part.seed, town.plan)
        heard.append(far.logged)
        town.weather.append(far.plan_day)
    try:
        stage.wind_up()
        async with asyncio.TaskGroup() as group:
            process = group.create_task(stage.live())
            try:
                await town.run(part.days, told, judge.violations)
                storm.end()
                operators.free_all()
                badges.renew_all()
                if far is not None:
                    far.calm_down()
                if not judge.violations:
                    await come_to_rest(stage, town)
                if far is not None:
                    far.end(agreed=not judge.violations)
            finally:
                stage.over = True
            process.cancel()
    finally:
        stage.close()
    _sum_up(outcome, stage, town, judge)
    outcome.seconds = time.process_time() - began
    return outcome


def _sum_up(outcome: Outcome, stage: Stage, town: Town, judge: Judge) -> None:
    outcome.orders = len(stage.district.orders)
    outcome.entries, outcome.events = stage.log.entries, stage.log.count
    outcome.waited_s = town.waiting.waited_s
    outcome.checked = judge.checked
    outcome.violations = judge.violations[:VIOLATIONS_MAX]
    outcome.digest = stage.log.digest()


def _count(outcome: Outcome, event: Event) -> None:
    if isinstance(event, Struck):
        outcome.faults[event.fault] += 1
    elif isinstance(event, Held):
        outcome.done[f"{event.what} at {event.at}"] += event.what in ("badge", "card", "code")
    elif isinstance(event, Lies) and "/" not in event.where:
        outcome.done["fed"] += 1
    elif isinstance(event, Wrote):
        if event.entry.kind == Up.MOVEMENT_INTENDED:
            outcome.done[event.entry.data["kind"]] += 1
        outcome.kinds[event.entry.kind] += 1
        if event.entry.kind == "pickup.refused":
            outcome.refusals[event.entry.data["reason"]] += 1


@contextmanager
def quiet_logs(heard: Sequence[Callable[[object], None]] = ()) -> Iterator[None]:
    """Nothing is logged meanwhile but to who is `heard`: a line costs as much as an entry."""

    def drop(_logger: object, _name: str, event: object) -> str:
        for told in heard:
            told(event)
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[drop], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)
