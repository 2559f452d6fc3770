"""Which troubles stand, and how often each has struck."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.world import World


def beside_the_lines(world: "World") -> dict[str, Any]:
    """Of doors only those with some; lines tell their own."""
    return {
        "doors": {
            name: door.faults.state()
            for name, door in world.troubled.items()
            if door.faults.worth_telling()
        },
        "scanners": {name: scanner.state() for name, scanner in world.scanners.items()},
        "cards": {
            name: {"faults": {"card_hangs": each.hangs}, "counted": {"card_hangs": each.hung}}
            for name, each in world.card_readers.items()
        },
        "machines": {name: each.faults.state() for name, each in world.machines.items()},
    }
