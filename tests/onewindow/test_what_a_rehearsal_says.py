"""What a person reads after a rehearsal, and how a breach is told."""

from collections import Counter

import pytest
from typer.testing import CliRunner

from onewindow import rehearse
from onewindow.cli import app
from simulator.rehearsal.judge import Violation
from simulator.rehearsal.play import Outcome

BREACH = Violation(
    "I2", "One intent causes one movement at most.", "A/7 moved twice", 31, 90_000.0, ("told",)
)


@pytest.fixture
def played(monkeypatch):
    """The seeds and sites that were asked for; the second seed's first site breaks a rule."""
    seen = []

    def play(part, told=lambda _day: None):
        seen.append(part.seed)
        told(part.days)
        outcome = Outcome(part.seed.partition("/")[2], orders=3, entries=50, seconds=0.1)
        outcome.digest, outcome.checked = part.seed, Counter(I2=4)
        if part.seed == "8/FT-0001":
            outcome.violations.append(BREACH)
        return outcome

    monkeypatch.setattr(rehearse, "play_site", play)
    return seen


def said(*asked: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["rehearse", *asked])
    return result.exit_code, result.output


def test_many_seeds_are_played_one_after_the_other_and_summed_up(played):
    code, text = said("--seed", "3", "--seeds", "2", "--sites", "2")
    assert code == 0
    assert played == ["3/FT-0001", "3/FT-0002", "4/FT-0001", "4/FT-0002"]
    assert "orders               12\n" in text
    assert "I2 16" in text


def test_a_breach_is_told_with_its_story_and_how_to_see_it_again(played):
    code, text = said("--seed", "7", "--seeds", "3", "--days", "2", "--faults", "kill,power")
    assert code == 1
    assert len(played) == 3
    assert "FT-0001: I2 does not hold (day 2, 1:00:00, event 31): A/7 moved twice" in text
    assert "Again: onewindow rehearse --seed 8 --days 2 --sites 1 --orders 0" in text
    assert "--faults kill,power" in text
    assert "journal entries      150" in text


def test_the_hash_is_of_all_that_happened(played):
    hashes = {said("--seed", each)[1].partition("hash ")[2] for each in ("1", "2", "1")}
    assert len(hashes) == 2
    assert len(played) == 3
