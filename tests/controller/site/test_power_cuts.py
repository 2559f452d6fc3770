"""The plug is pulled at every write and sync, and around every pulse, of loading and of collecting.

People go on pulling doors meanwhile. Afterwards the world's own counters are compared with what the
site's database says: no pulse without an intent, no item in two places or in none.
"""

import asyncio
import contextlib
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from controller.journal import Stream, verify
from controller.site.schema import alarms, codes, compartments, intents, items, journal
from tests.controller.site.cut import Driver, Mains
from tests.controller.site.hardware import Power
from tests.controller.site.world import SITE, Town, badge_text, qr_of, run

PARTS = 8  # workers may share the cuts
LEAST_STEPS = 60  # a story that is cut less often was no story
LABEL = "OWL:N1-seal1"
HANDS_S = 8.0  # so long a person tries, power or not
AFTER_S = (0.0, 1.0, 15.0)  # how long the power stays away, in turn


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """apsw prints what a VFS raises; here that is the point and not news."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _what: None)
    monkeypatch.setattr(sys, "excepthook", lambda *_what: None)


@dataclass
class Person:
    """Hands that know nothing of the site: they try what gives way."""

    town: Town
    carries: list[str] = field(default_factory=list)

    async def load(self) -> None:
        self.town.reader.hold(badge_text(20))
        await asyncio.sleep(1)
        self.town.reader.hold(LABEL)
        await self._work(lambda: not self.carries)

    async def collect(self) -> None:
        self.town.reader.hold(qr_of(1))
        await self._work(lambda: len(self.carries) == 2)

    async def _work(self, done: Callable[[], bool]) -> None:
        until = self.town.cabinet.now() + HANDS_S
        while not done() and self.town.cabinet.now() < until:
            await asyncio.sleep(0.4)
            self.carries += self.town.printer.take()
            for door in range(1, self.town.cabinet.doors + 1):
                if self.town.cabinet.pull(door):
                    await self._at(door)

    async def _at(self, door: int) -> None:
        await asyncio.sleep(0.7)
        if LABEL in self.carries:
            self.town.cabinet.put(door, self.carries.pop())
        else:
            self.carries += self.town.cabinet.take(door)
        await asyncio.sleep(0.7)
        self.town.cabinet.close(door)


@dataclass(frozen=True)
class Story:
    name: str
    carries: tuple[str, ...]

    def begin(self, path: Path, ready: Path, mains: Mains | None) -> tuple[Town, Person]:
        shutil.copy(ready, path)
        town = Town(path, doors=3, confirm_pickup=False)
        town.printer.print_s = 2.0
        if mains is not None:
            town.power = mains
            town.module = Driver(mains)
        if self.name == "collect":
            town.cabinet[1].inside.append(LABEL)
        return town, Person(town, list(self.carries))

    async def act(self, person: Person) -> None:
        await (person.load() if self.name == "load" else person.collect())


LOAD = Story("load", (LABEL,))
COLLECT = Story("collect", ())


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The database before each story: made once."""
    folder = tmp_path_factory.mktemp("ready")
    made = {}
    for name in ("load", "collect"):
        town = Town(folder / f"{name}.db", doors=3)

        async def before(town: Town = town, name: str = name) -> None:
            async with town.at_work():
                if name == "load":
                    town.order()
                    town.grant()
                else:
                    assert await town.loaded(licence=True) == [1]

        run(before)
        made[name] = town.path
    return made


async def until_dead(town: Town, story: Story, person: Person) -> None:
    """Play; whoever loses power ends here, the person does not."""
    try:
        async with town.at_work():
            await story.act(person)
            await asyncio.sleep(2)
    except BaseExceptionGroup:
        if town.power.on:
            raise


async def play(story: Story, path: Path, ready: Path, mains: Mains) -> None:
    town, person = story.begin(path, ready, mains)
    await until_dead(town, story, person)
    town.module.drop()
    mains.lose()
    cut = not mains.on
    hands = asyncio.create_task(person._work(lambda: False)) if cut else None
    if cut:
        await asyncio.sleep(AFTER_S[(mains.fails_at + mains.seed) % len(AFTER_S)])
    check_file(path)
    town.module, town.power = None, Power()
    async with town.at_work():
        if hands is not None:
            await hands
        await at_rest(town, person)
        if mains.seed == 0:  # the calm visit shows the same for each pattern, and costs as much
            await finish(town, story, person)
            await at_rest(town, person)
        check(
            town, story, person, f"{story.name} cut at step {mains.fails_at}, pattern {mains.seed}"
        )


async def at_rest(town: Town, person: Person) -> None:
    """Nothing is under way any more: known, or known to be doubtful."""
    doors = select(compartments.c.no).where(compartments.c.state.in_(("reserved", "open")))
    asked = select(intents.c.intent_id).where(intents.c.outcome.is_(None))
    while town.rows(doors) or town.rows(asked) or town.view.text != "start":
        await asyncio.sleep(1)
        person.carries += town.printer.take()
        if town.view.text in ("rate", "some_left", "all_taken", "load_next", "loaded"):
            town.site.press("skip" if town.view.text == "rate" else "end")


async def finish(town: Town, story: Story, person: Person) -> None:
    """Calm: the same person comes once more and does what is left to do."""
    if story.name == "collect" or LABEL in person.carries:
        await story.act(person)


def check_file(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def check(town: Town, story: Story, person: Person, where: str) -> None:
    with town.store.read() as connection:
        for stream in Stream:
            verify(connection, journal, SITE, stream)
    _check_pulses(town, story, where)
    standing = {row.kind for row in town.rows(select(alarms).where(alarms.c.cleared_at.is_(None)))}
    inside = [label for box in town.cabinet.boxes for label in box.inside]
    for item in town.rows(select(items)):
        thing = LABEL if item.holder == "cabinet" else f"JOB:{item.job}"
        is_here = thing in inside or (item.holder == "machine" and thing not in person.carries)
        match item.state:
            case "collected":
                assert thing in person.carries, where
            case "loaded":
                assert is_here, where
            case "expected":
                assert thing in person.carries, where
            case "releasing":
                assert standing & {"unexplained", "item_left"}, where
    states = {item.state for item in town.rows(select(items))}
    dead = {row.state for row in town.rows(select(codes))} == {"spent"}
    assert dead is (states == {"collected"}), where


def _check_pulses(town: Town, story: Story, where: str) -> None:
    """At most one pulse for an intent, none without; at rest every intent has its end."""
    for door, box in enumerate(town.cabinet.boxes, 1):
        asked = [
            each
            for each in town.up("movement.intended")
            if (each["where"], each["does"]) == (f"A/{door}", story.name)
        ]
        assert box.pulses <= len(asked), where
    printed = [each for each in town.up("movement.intended") if each["does"] == "present"]
    assert town.printer.moved <= len(printed), where
    unsettled = town.rows(select(intents).where(intents.c.outcome.is_(None)))
    assert not unsettled, where


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("story", [LOAD, COLLECT], ids=["load", "collect"])
def test_no_power_cut_opens_a_door_twice_or_forgets_that_it_opened(tmp_path, ready, story, part):
    numbers = count()

    def cut(step: int, pattern: int) -> Mains:
        mains = Mains(step, pattern)
        path = tmp_path / f"{next(numbers)}.db"
        run(partial(play, story, path, ready[story.name], mains))
        return mains

    for step in count(1 + part, PARTS):
        mains = cut(step, 0)
        if mains.on:  # the story came to its end before this step
            assert step > LEAST_STEPS
            return
        if mains.was_unsynced:  # else there is nothing to lose in another way
            cut(step, 1)
            cut(step, 2)
