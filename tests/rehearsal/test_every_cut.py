"""The plug is pulled at steps of all ten stories; and a disk or a site that lies is found out."""

from itertools import count

import pytest

from controller.site.movements import Movements
from onewindow.simulate import plan_of
from simulator.rehearsal.cut_stage import Reach
from simulator.rehearsal.cut_stories import BY_NAME, STORIES
from simulator.rehearsal.cuts import Cut, play_cuts, play_one
from simulator.rehearsal.failing_disk import _File
from simulator.rehearsal.power import Loss

EACH = 9  # so many steps further the next cut; `rehearse --cut every` leaves none out
EACH_OF_SHORT = {"link": 6}  # little is written where one end only listens
AGAIN = 80  # and in what follows a cut
LEAST_CUTS = 30  # a story that is cut less often was no story
TRULY = _File.xSync
HONEST = 20  # syncs, so that there is a database to be lost
NEVER = 1_000_000


@pytest.fixture(autouse=True)
def logged() -> None:
    """Nothing is kept of what is logged: it would be copied with every process."""


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_no_power_cut_opens_a_door_twice_or_forgets_that_it_opened(story):
    played = play_cuts(story, plan_of, every=EACH_OF_SHORT.get(story.name, EACH), again=AGAIN)
    assert played.seen.violation == ""
    assert played.seen.cuts > LEAST_CUTS
    assert bool(played.seen.again) is story.twice


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_without_a_cut_comes_to_its_good_end(story):
    assert play_one(story, plan_of, (Cut(NEVER, Loss.KEPT, Reach.ALL),)) == ""


def lie(monkeypatch):
    """From some moment on the disk says that it has synced, and has not."""
    synced = count()

    def sync(file, flags):
        if next(synced) < HONEST:
            TRULY(file, flags)

    monkeypatch.setattr(_File, "xSync", sync)


def test_a_disk_that_says_synced_and_is_not_is_found_out_and_how_to_repeat_it(monkeypatch):
    lie(monkeypatch)
    told = play_cuts(BY_NAME["return"], plan_of, every=10).seen.violation
    assert "was durable" in told
    (again,) = [line for line in told.splitlines() if line.startswith("Again: ")]
    lie(monkeypatch)
    cuts = Cut.parse(again.partition("rehearse --cut return:")[2])
    assert "was durable" in play_one(BY_NAME["return"], plan_of, cuts)


def test_a_pulse_before_its_intent_is_found_out(monkeypatch):
    whole = Movements.open_door

    async def hasty(self, place, decide, *, longer=False):
        board, door = self._boards[place]
        await board.release(door)
        return await whole(self, place, decide, longer=longer)

    monkeypatch.setattr(Movements, "open_door", hasty)
    assert "I1" in play_one(BY_NAME["load"], plan_of, (Cut(NEVER, Loss.KEPT, Reach.ALL),))
