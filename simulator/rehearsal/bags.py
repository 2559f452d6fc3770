"""What staff have in hand: out of machines, and what they can say of where a thing is."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from controller.site.texts import Offer
from simulator.devices.mechanism import Mechanism
from simulator.door import Impossible
from simulator.world import World

REFILL_AT: Final = 60  # sheets


def look_after_machines(world: World, bag: list[str]) -> None:
    """Staff fill up paper, and take out what was laid in or drawn back in."""
    for machine in world.machines.values():
        if not machine.inside.prints:
            _empty(machine.inside, bag)
        if machine.inside.blanks < REFILL_AT:
            with suppress(Impossible):
                machine.inside.refill()


def _empty(inside: Mechanism, bag: list[str]) -> None:
    with suppress(Impossible):
        bag.extend(inside.withdraw())
    if inside.rejects:
        bag.extend(inside.rejects)
        inside.refill()


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a thing is, as those who may have it say: of an item, or of a place's item."""

    world: World
    bags: Mapping[str, list[str]]
    taken: AbstractSet[str]  # things that somebody has taken

    def __call__(self, asked: str) -> Offer:
        thing = f"OWL:{asked}"
        if any(thing in bag for bag in self.bags.values()):
            return Offer.IN_HAND
        if any(thing in each.inside.stored.values() for each in self.world.machines.values()):
            return Offer.INSIDE
        return Offer.WITH_RECIPIENT if thing in self.taken else Offer.MISSING
