"""What must hold, each a sentence and a function; importing this knows them all."""

from simulator.rehearsal.invariants import custody, movements, rest
from simulator.rehearsal.invariants.registry import REGISTRY, Invariant, invariant

__all__ = ["REGISTRY", "Invariant", "custody", "invariant", "movements", "rest"]
