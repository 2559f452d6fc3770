"""The power cut at every step of a story: the process forks there, and one way goes on dark.

What follows is judged by what really moved. Two cuts that leave the same disk, world and history
behind are one, and what follows is played once.
"""

import asyncio
import os
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Final

from controller.settings import SiteSettings
from simulator.plan import Plan
from simulator.rehearsal.cut_audit import Restless, at_rest, audit, wants
from simulator.rehearsal.cut_people import Cast, grant_badges
from simulator.rehearsal.cut_setting import MORNING, settings
from simulator.rehearsal.cut_stage import CutStage, Reach, on_disk
from simulator.rehearsal.cut_stories import Story
from simulator.rehearsal.failing_disk import keep_quiet
from simulator.rehearsal.forks import Ended, Forks, Seen
from simulator.rehearsal.judge import Judge
from simulator.rehearsal.linked_cut import LinkedCutStage
from simulator.rehearsal.loop import play
from simulator.rehearsal.play import MEMORY_FOLDER, quiet_logs
from simulator.rehearsal.power import Loss

VISITS_MAX: Final = 4

PlanOf = Callable[[SiteSettings], Plan]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the power fails: at a step, whose, and what the disk loses."""

    step: int
    loss: Loss
    reach: Reach

    def __str__(self) -> str:
        return f"{self.step}:{self.loss}:{self.reach}"

    @classmethod
    def parse(cls, text: str) -> tuple["Cut", ...]:
        """One cut or several, as they are written. ValueError where the text names none."""
        parts = text.split(":")
        return tuple(
            cls(int(step), Loss(loss), Reach(reach))
            for step, loss, reach in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        )


@dataclass(frozen=True, slots=True)
class Played:
    """What a story and all its cuts came to."""

    story: str
    steps: int
    seen: Seen
    seconds: float


def play_cuts(
    story: Story,
    plan_of: PlanOf,
    *,
    every: int = 1,
    again: int = 1,
    workers: int = 1,
    told: Callable[[int], None] = lambda _step: None,
) -> Played:
    """Cut at every step, or each `every`th; in what follows each `again`th. Ends where one fails.

    Zero `again`: nothing is cut twice.
    """
    began = time.perf_counter()
    forks = Forks(workers=workers)
    cutter = _Everywhere(forks, story, every, again, told)
    _in_memory(story, plan_of, cutter)
    return Played(story.name, cutter.steps, forks.seen(), time.perf_counter() - began)


def play_one(story: Story, plan_of: PlanOf, cuts: tuple[Cut, ...]) -> str:
    """The same once more, with these cuts alone. The violation, or nothing."""
    cutter = _There(cuts)
    _in_memory(story, plan_of, cutter)
    return cutter.violation


def _in_memory(story: Story, plan_of: PlanOf, cutter: "_Cutter") -> None:
    memory = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else None
    speak = keep_quiet()
    try:
        with (
            quiet_logs(),
            tempfile.TemporaryDirectory(prefix="onewindow-", dir=memory) as folder,
            suppress(Exception),  # it is a violation by now, and told as one
        ):
            play(lambda: _guarded(story, plan_of, Path(folder), cutter))
    finally:
        speak()


async def _guarded(story: Story, plan_of: PlanOf, folder: Path, cutter: "_Cutter") -> None:
    """No forked process ever gets further than this."""
    whole = False
    try:
        await _played(story, plan_of, folder, cutter)
        whole = True
    finally:
        if not whole:
            cutter.accuse(traceback.format_exc())
        cutter.end()


async def _played(story: Story, plan_of: PlanOf, folder: Path, cutter: "_Cutter") -> None:
    made = settings(folder, sensors=story.sensors)
    kind = LinkedCutStage if story.linked else CutStage
    stage = kind(made, plan_of(made), folder, seed=story.name, start=MORNING)
    judge = Judge(stage.log, MORNING)
    stage.wind_up()
    grant_badges(stage)
    order = stage.district.place("N1", "V01", licence=story.licence, types=False, boxes=story.boxes)
    cast = Cast(stage, order, Random(f"{story.name}/people"), list(order.boxes))
    async with asyncio.TaskGroup() as group:
        process = group.create_task(stage.live())
        try:
            await _play_through(story, cast, cutter)
            if isinstance(stage, LinkedCutStage):
                await stage.agree()
            last = list(audit(story, cast, judge.evidence))
        except Restless as restless:
            last = [str(restless)]
        for flaw in [*stage.flaws, *(each.words() for each in judge.violations), *last]:
            cutter.accuse(flaw)
        process.cancel()


async def _play_through(story: Story, cast: Cast, cutter: "_Cutter") -> None:
    """What was before, the story with its cut, and the calm that follows."""
    await at_rest(cast.stage)
    await story.before(cast)
    cast.brings, cast.looks = story.brings, story.looks
    cutter.watch(cast.stage)
    await _act(story, cast)
    await at_rest(cast.stage)
    await _finish(story, cast)


async def _act(story: Story, cast: Cast) -> None:
    """The story until its end, or until it is dark; then hands go on."""
    stage = cast.stage
    async with asyncio.TaskGroup() as group:
        acting = group.create_task(story.act(cast))
        stage.fallen = acting.cancel
    if not stage.cuts:
        stage.failing = None
        return
    await cast.grope()


async def _finish(story: Story, cast: Cast) -> None:
    """Calm: whoever has something left to do here comes and does it."""
    for _ in range(VISITS_MAX):
        who = wants(story, cast)
        if who is None:
            return
        await who.visit()
        await at_rest(cast.stage)


class _Cutter:
    """Decides at each step."""

    steps = 0

    def watch(self, stage: CutStage) -> None:
        """From now on the power may fail."""
        raise NotImplementedError

    def accuse(self, what: str) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError


class _Everywhere(_Cutter):
    """Goes each way in a process of its own."""

    def __init__(
        self, forks: Forks, story: Story, every: int, again: int, told: Callable[[int], None]
    ) -> None:
        self._forks = forks
        self._story = story
        self._every = every
        self._again = again
        self._told = told
        self._root = os.getpid()
        self._cuts: list[Cut] = []  # that led here
        self._after: Path | None = None  # the folder of the last of them
        self._stage: CutStage

    def watch(self, stage: CutStage) -> None:
        self._stage = stage
        stage.failing = self._at

    def _at(self, what: str) -> None:
        self.steps += 1
        if os.getpid() == self._root:
            self._told(self.steps)
        if self.steps % (self._again if self._stage.cuts else self._every):
            return
        ways = list(self._new_ways())
        if not ways:
            return
        options: list[tuple[str, tuple[Cut, Path] | None]] = [
            (f"{cut} ({what})", (cut, after)) for cut, after in ways
        ]
        try:
            way = self._forks.choose([*options, ("", None)])
        except Ended:  # something does not hold: the story goes on, and nothing is cut any more
            self._stage.failing = None
            return
        if way is None:
            self._forks.way.pop()
            return
        self._fall(*way)

    def _new_ways(self) -> Iterator[tuple[Cut, Path]]:
        """Cuts here that leave something behind which no cut before has left."""
        stage = self._stage
        sight = repr((*stage.sight(),))
        reaches = list(Reach) if stage.reach is None else [stage.reach]
        for loss in list(Loss) if stage.unsynced else [Loss.KEPT]:
            after = stage.loses(loss, self.steps)
            disk = on_disk(after)
            for reach in reaches:
                self._forks.count("cuts")
                if stage.cuts:
                    self._forks.count("again")
                digest = blake2b(f"{sight} {disk} {reach}".encode(), digest_size=8).digest()
                if self._forks.reach(int.from_bytes(digest) or 1, 1 + stage.cuts):
                    own = after.with_name(f"{after.name}-{reach}")
                    yield Cut(self.steps, loss, reach), Path(shutil.copytree(after, own))
            shutil.rmtree(after)

    def _fall(self, cut: Cut, after: Path) -> None:
        stage = self._stage
        is_first = stage.cuts == 0
        self._after = after
        self._cuts.append(cut)
        stage.cut_now(after, cut.reach)
        if self._story.twice and self._again and is_first:
            stage.awoken = self._watch_again

    def _watch_again(self) -> None:
        """The same in what follows a cut, until the site is settled."""
        self.steps = 0
        self._stage.failing = self._at

    def accuse(self, what: str) -> None:
        cuts = ":".join(str(cut) for cut in self._cuts)
        again = f"Again: onewindow rehearse --cut {self._story.name}:{cuts}"
        self._forks.accuse(f"{self._story.name}: {what}\n{again}")

    def end(self) -> None:
        if self._after is not None:
            shutil.rmtree(self._after, ignore_errors=True)
        with suppress(Ended):
            self._forks.end()


class _There(_Cutter):
    """Cuts at the steps that are named."""

    def __init__(self, cuts: tuple[Cut, ...]) -> None:
        self._cuts = list(cuts)
        self.violation = ""
        self._stage: CutStage

    def watch(self, stage: CutStage) -> None:
        self._stage = stage
        stage.failing = self._at

    def _at(self, _what: str) -> None:
        self.steps += 1
        if self.steps == self._cuts[0].step:
            cut = self._cuts.pop(0)
            self._stage.cut_now(self._stage.loses(cut.loss, cut.step), cut.reach)
            if self._cuts:
                self._stage.awoken = self._watch_again

    def _watch_again(self) -> None:
        self.steps = 0
        self._stage.failing = self._at

    def accuse(self, what: str) -> None:
        self.violation = self.violation or what

    def end(self) -> None:
        """Nothing else is under way."""
