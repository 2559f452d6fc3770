"""What must hold, each a sentence and a function; importing this knows them all."""

from simulator.rehearsal.invariants import commands, custody, movements, rest, strangers, times
from simulator.rehearsal.invariants.registry import REGISTRY, Invariant, invariant

__all__ = [
    "REGISTRY",
    "Invariant",
    "commands",
    "custody",
    "invariant",
    "movements",
    "rest",
    "strangers",
    "times",
]
