"""Many seeds, few days, every fault: what must hold holds, and all of it comes to rest."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from onewindow.rehearse import parts
from simulator.rehearsal.invariants import REGISTRY
from simulator.rehearsal.link_storm import LINK_NAMES
from simulator.rehearsal.play import Outcome, play_site
from simulator.rehearsal.weather import ALL, NAMES

SEEDS = range(1, 21)
DAYS = 2
ORDERS = 8  # a day
WORKERS = 2


def played(seed: int) -> Outcome:
    (part,) = parts(DAYS, seed, 1, (ALL,), ORDERS, linked=seed % 4 == 1)
    return play_site(part)


@pytest.mark.timeout(600)
def test_whatever_befalls_a_site_all_invariants_hold() -> None:
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        outcomes = list(pool.map(played, SEEDS))
    for seed, outcome in zip(SEEDS, outcomes, strict=True):
        told = "\n".join(each.words() for each in outcome.violations)
        assert not told, f"seed {seed}: {told}"
    struck = sum((each.faults for each in outcomes), Counter())
    assert set(struck) == {*NAMES, *LINK_NAMES}
    checked = sum((each.checked for each in outcomes), Counter())
    assert set(checked) == {each.id for each in REGISTRY}
