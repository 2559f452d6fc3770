"""Chance, in one place: ids, labels, page tokens and codes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from controller.codes import CROCKFORD, mint_secret, mint_typed, typed_hash

LABEL_SIGNS = 10  # 50 bits: two labels in a million years of orders are never equal by chance


@dataclass(frozen=True, slots=True)
class Mint:
    """Draws from the machine's secret source unless a test hands in another."""

    bits: Callable[[int], int] = secrets.randbits
    below: Callable[[int], int] = secrets.randbelow
    hashed: Callable[[bytes, str, str], str] = typed_hash  # of a typed code; slow on purpose

    def id(self) -> str:
        """Opaque, 64 bits, hexadecimal."""
        return f"{self.bits(64):016x}"

    def label(self) -> str:
        """What a box wears; it tells where the box belongs and opens nothing."""
        return "OWL:" + "".join(CROCKFORD[self.bits(5)] for _ in range(LABEL_SIGNS))

    def token(self) -> str:
        """128 bits: the address of a pickup page."""
        return mint_secret(self.bits)

    def secret(self) -> str:
        return mint_secret(self.bits)

    def typed(self) -> str:
        return mint_typed(self.below)
