"""Wires of two doors that are taken one for the other: of their switches, or of their locks."""

from typing import TYPE_CHECKING, Final

from simulator.door import Door, Impossible
from simulator.door_faults import DoorTrouble

if TYPE_CHECKING:
    from simulator.world import World

CROSSED: Final = {"crosswired": "crossed", "wrong_lock": "wrong"}  # trouble, and where it hangs


def rewire(world: "World", door: Door, trouble: DoorTrouble) -> None:
    """As this trouble says; wires that are crossed are crossed at both doors."""
    partners = {name: _partner(world, door, name, getattr(trouble, name)) for name in CROSSED}
    for name, place in CROSSED.items():
        partner = partners[name]
        if partner is getattr(door, place):
            continue
        for each in (door, partner):
            _come_off(each, place)
        setattr(door, place, partner)
        if partner:
            setattr(partner, place, door)


def _come_off(door: Door | None, place: str) -> None:
    """Its wires and those of the door it was crossed with are as they should be."""
    if door and (before := getattr(door, place)):
        for each in (door, before):
            each.let_go()
            setattr(each, place, None)


def _partner(world: "World", door: Door, name: str, no: int) -> Door | None:
    """The door that is asked for, or the one whose own trouble names this one."""
    if not no:
        return next(
            (
                each
                for each in world.troubled.values()
                if each.cabinet == door.cabinet and getattr(each.faults.trouble, name) == door.no
            ),
            None,
        )
    partner = world.door(door.cabinet, no)
    if partner is door:
        raise Impossible(f"Door {door.name} cannot be crossed with itself.")
    return partner
