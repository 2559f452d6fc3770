"""The site is killed at every step, started again, and asked what it made of it.

A step is a commit about to happen or done, a movement about to be asked for, on the wire, or
answered (`killed_site.py` has the list). Each collection starts from one saved world, in which a
seal set lies behind a door and a licence waits to be printed, and a person comes for both. The
site dies at step 1, in the next run at step 2, and so on until a run comes to its end untouched.
What the person does meanwhile takes turns (`Meanwhile`); at last the code is always held before
the scanner once more.

What happened is asked of the simulator: how often a bolt and the paper really moved, and in whose
hands things are. The site's records are only compared with that.
"""

import shutil
import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select
from stage import until

from controller.entries import Down
from controller.site import schema
from onewindow.journal import verify_command
from tests.controller.site.world import CODE_KEY, keyed_hash, placed, qr_of, secret
from tests.journeys.hall import Hall

pytestmark = pytest.mark.journey

PARTS = 2  # of the steps, so that workers can share them
TOGETHER = 2  # runs at a time: most of each is waiting
BOXES = 12  # more than a visit with one of them has outcomes
KINDS = {"commit", "committed", "send", "pulse", "answer"}
BADGE = {
    "badge": "badge20",
    "hash": keyed_hash(CODE_KEY, secret(20)),
    "role": "vendor",
    "vendor_id": "V01",
    "valid_until": "2099-01-01T00:00:00.000Z",
}
SEAL, LICENCE, PLACE = "OWL:N1-seal1", "JOB:1", "A/1"
CODE = qr_of(1)


class Meanwhile(Enum):
    """What a person does whose site has died."""

    GOES_ON = 0  # takes what gives way, and closes the door, before the site is back
    WAITS = 1  # and goes on when the screen is back
    WALKS_OFF = 2  # maybe from an open door; is there again when the site has seen to the rest


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The saved world: the order is at the site, its seals behind a door, the vendor gone."""
    folder = tmp_path_factory.mktemp("loaded") / "hall"
    fill(Hall(folder), licence=True)
    return folder


@pytest.fixture(scope="module")
def loaded_without_sensors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another: seals alone, in a cabinet that does not see what lies in it."""
    folder = tmp_path_factory.mktemp("bare") / "hall"
    fill(Hall(folder, sensors=False), licence=False)
    return folder


def fill(hall: Hall, *, licence: bool) -> None:
    hall.tell((Down.BADGE_GRANTED, BADGE), (Down.ORDER_PLACED, placed("N1", licence=licence)))
    with hall:
        load(hall, SEAL)
        assert set(states(hall).values()) == {"loaded"}


def load(hall: Hall, label: str) -> None:
    """A vendor's whole visit with one box; it ends early where the site dies."""
    hall.loads, hall.brings = True, [label]
    hall.scan(hall.demo["badges"]["vendor"])
    until(lambda: hall.is_dead or hall.shows("load"), "the badge to be read")
    if not hall.is_dead:
        hall.scan(label)
        until(lambda: hall.is_dead or is_in(hall, label), f"{label} to be loaded")
    hall.home()
    hall.loads = False


def is_in(hall: Hall, label: str) -> bool:
    return not hall.move() and states(hall)[label] == "loaded"


def states(hall: Hall) -> dict[str, str]:
    """What the site says of each item, by what people see of it."""
    rows = hall.rows(select(schema.items))
    return {f"JOB:{row.job}" if row.job else row.label: row.state for row in rows}


def settle(hall: Hall) -> None:
    """Take what is offered until nothing is, and all is known or known to be doubtful."""
    until(lambda: not hall.move() and hall.is_at_rest(), "rest")


def come_again(hall: Hall) -> None:
    """The same person, the same code."""
    hall.scan(CODE)
    until(lambda: hall.kiosk()["screen"] not in {"idle", "dark"}, "the code to be read")
    settle(hall)


def assert_killed(hall: Hall, step: int) -> None:
    assert hall.exitcode == -signal.SIGKILL
    assert len(hall.steps()) == step


def assert_no_move_without_intent(moved: Counter[str], intended: Counter[str]) -> None:
    """No bolt and no paper moved oftener than somebody meant it to, in the same time."""
    assert moved <= intended, f"moved {dict(moved)}, intended {dict(intended)}"


def assert_records_are_true(hall: Hall) -> None:
    """The journal is whole; the records say of each item what became of it, and each has an end."""
    verify_command(hall.database)
    alarms = hall.rows(select(schema.alarms.c.kind).where(schema.alarms.c.cleared_at.is_(None)))
    standing = {row.kind for row in alarms}
    in_hand = hall.hands()
    assert len(in_hand) == len(set(in_hand))
    for thing, state in states(hall).items():
        assert state in {"collected", "releasing"}, f"{thing} is {state}"
        if state == "collected":
            assert thing in in_hand, thing
        else:
            assert standing & {"unexplained", "item_left"}, thing
    all_collected = set(states(hall).values()) == {"collected"}
    spent = hall.rows(select(schema.codes.c.state))[0].state == "spent"
    assert spent is all_collected


def collect(hall: Hall, step: int, meanwhile: Meanwhile) -> bool:
    """One collection, killed at a step; False if it came to its end before."""
    before, intended = hall.moves(), hall.intents()
    hall.arm(step)
    hall.scan(CODE)
    until(lambda: hall.is_dead or (not hall.move() and has_all(hall)), "everything in hand")
    if not hall.is_dead:
        assert hall.moves() - before == hall.intents() - intended
        assert set(hall.steps()) == KINDS
        assert set(states(hall).values()) == {"collected"}
        assert_records_are_true(hall)
        return False

    assert_killed(hall, step)
    goes_on = meanwhile is Meanwhile.GOES_ON
    until(lambda: not (goes_on and hall.move()) and hall.is_still(), "the machines to stand still")
    moved, asked, meant = hall.moves(), hall.asked(), hall.intents()
    assert_no_move_without_intent(moved - before, meant - intended)

    hall.start_site()
    if meanwhile is Meanwhile.WALKS_OFF:
        until(lambda: hall.is_at_rest() or hall.stands_open(), "rest")
    settle(hall)
    assert (hall.moves(), hall.asked(), hall.intents()) == (moved, asked, meant), "moved at a start"

    taken = hall.hands()
    come_again(hall)
    again = hall.moves() - moved
    assert_no_move_without_intent(again, hall.intents() - meant)
    assert not (SEAL in taken and again[PLACE]), "an empty compartment was opened"
    assert not (LICENCE in taken and again["M1"]), "a licence was printed twice"
    assert_records_are_true(hall)
    return True


def has_all(hall: Hall) -> bool:
    return len(hall.hands()) == len(states(hall)) and hall.is_at_rest()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_site_killed_at_any_step_of_a_collection_releases_nothing_twice(tmp_path, loaded, part):
    def run(step: int) -> bool:
        with saved(loaded, Hall(tmp_path / str(step))) as hall:
            return collect(hall, step, Meanwhile(step % len(Meanwhile)))

    kill_until_untouched(run, part, PARTS)


@pytest.mark.timeout(300)
def test_where_no_sensor_saw_it_a_killed_site_calls_the_item_doubtful(
    tmp_path, loaded_without_sensors
):
    ends = set()

    def run(step: int) -> bool:
        hall = Hall(tmp_path / str(step), sensors=False)
        with saved(loaded_without_sensors, hall):
            more = collect(hall, step, Meanwhile(step % len(Meanwhile)))
            ends.add(*states(hall).values())
            return more

    kill_until_untouched(run)
    assert ends == {"collected", "releasing"}


def saved(world: Path, hall: Hall) -> Hall:
    """A hall as it was saved."""
    past = shutil.ignore_patterns("lines", "*.log", "steps")
    shutil.copytree(world, hall.folder, ignore=past)
    return hall


def kill_until_untouched(run: Callable[[int], bool], part: int = 0, parts: int = 1) -> None:
    """Step after step, a few at a time, until a run came to its end."""
    with ThreadPoolExecutor(TOGETHER) as halls:
        for first in count(1 + part * TOGETHER, parts * TOGETHER):
            if not all(list(halls.map(run, range(first, first + TOGETHER)))):
                return


def test_boxes_are_loaded_whole_by_a_site_that_is_killed_again_and_again(tmp_path):
    """The next visit is killed one step later, until one is not; a box left over comes again."""
    labels = [f"OWL:N1-seal{number}" for number in range(1, BOXES + 1)]
    hall = Hall(tmp_path / "hall")
    hall.tell((Down.BADGE_GRANTED, BADGE), (Down.ORDER_PLACED, placed("N1", seals=BOXES)))
    with hall:
        for step in count(1):
            label = next(each for each in labels if states(hall)[each] == "expected")
            if not load_killed(hall, label, step):
                assert set(hall.steps()) == KINDS
                return
            assert_boxes_are_where_the_records_say(hall)


def load_killed(hall: Hall, label: str, step: int) -> bool:
    """One visit with one box, killed at a step; False if it came to its end before."""
    before, intended = hall.moves(), hall.intents()
    hall.arm(step)
    load(hall, label)
    if not hall.is_dead:
        assert (hall.moves() - before).total() == 1
        return False
    assert_killed(hall, step)
    until(hall.is_still, "the machines to stand still")
    moved, meant = hall.moves(), hall.intents()
    assert_no_move_without_intent(moved - before, meant - intended)
    hall.start_site()
    hall.loads = True
    settle(hall)
    hall.loads = False
    assert (hall.moves(), hall.intents()) == (moved, meant), "moved at a start"
    return True


def assert_boxes_are_where_the_records_say(hall: Hall) -> None:
    verify_command(hall.database)
    doors = hall.sim()["cabinets"]["A"]["doors"]
    lies = {label: f"A/{no}" for no, door in doors.items() for label in door["contents"]}
    rows = hall.rows(select(schema.items).where(schema.items.c.state == "loaded"))
    assert lies == {row.label: f"{row.cabinet}/{row.no}" for row in rows}
    free = hall.rows(select(schema.compartments).where(schema.compartments.c.state == "free"))
    assert not set(lies.values()) & {f"{row.cabinet}/{row.no}" for row in free}
