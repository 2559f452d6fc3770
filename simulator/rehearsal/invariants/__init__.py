"""What must hold, each a sentence and a function; importing this knows them all."""

from simulator.rehearsal.invariants import (
    acts,
    commands,
    custody,
    journals,
    movements,
    rest,
    strangers,
    telling,
    times,
)
from simulator.rehearsal.invariants.registry import REGISTRY, Invariant, invariant

__all__ = [
    "REGISTRY",
    "Invariant",
    "acts",
    "commands",
    "custody",
    "invariant",
    "journals",
    "movements",
    "rest",
    "strangers",
    "telling",
    "times",
]
