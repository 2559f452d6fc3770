"""Invariants by their number. A check is asked after each event of its kinds, at a fixed cost.

It says what is wrong, in words; what moved comes from the world, never from the site's own tables.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from simulator.rehearsal.events import Event
from simulator.rehearsal.evidence import Evidence

Check = Callable[[Evidence, Any], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """`I7` and its sentence; several checks of one invariant are several of these."""

    id: str
    sentence: str
    on: tuple[type[Event], ...]
    check: Check


REGISTRY: list[Invariant] = []


def invariant(name: str, sentence: str, *on: type[Event]) -> Callable[[Check], Check]:
    """Have a function asked after every event of these kinds."""

    def known(check: Check) -> Check:
        REGISTRY.append(Invariant(name, sentence, on, check))
        return check

    return known
