"""While a board may be silent the site polls as in earnest; no longer than that."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from onewindow.rehearse import parts
from simulator.rehearsal.loop import play
from simulator.rehearsal.play import START
from simulator.rehearsal.stage import Stage
from simulator.rehearsal.storm import Storm


def test_a_site_is_troubled_while_boards_are_silent_and_no_longer(tmp_path: Path) -> None:
    async def story() -> None:
        (part,) = parts(1, 1, 1, ())
        settings = part.settings(tmp_path)
        stage = Stage(settings, part.plan(settings), tmp_path, seed="1", start=START)
        plans: list[Callable[[], None]] = []
        strengths = {"silent": 3.0, "unplugged": 3.0}
        storm = Storm(stage, strengths, Random("1"), lambda _at, act: plans.append(act))
        storm.plan_day(0.0)
        strokes, plans[:] = plans.copy(), []
        for strike in strokes:
            strike()
            assert stage.troubled
        for end in plans:
            end()
        assert not stage.troubled
        stage.close()

    play(story)
