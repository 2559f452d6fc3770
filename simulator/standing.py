"""Which troubles stand, how often each has struck, and how they outlive the simulator."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from simulator.door import Unknown
from simulator.door_faults import DoorTrouble

if TYPE_CHECKING:
    from simulator.world import World

AROUND: Final = (
    *("temperature", "humidity", "mains", "battery", "tamper", "smoke", "service_key", "fire"),
)  # what is around the machines; their lamps are dark after a restart


def beside_the_lines(world: "World") -> dict[str, Any]:
    """Of doors only those with some; lines tell their own."""
    return {
        "doors": {
            name: door.faults.state()
            for name, door in world.troubled.items()
            if door.faults.worth_telling()
        },
        "scanners": {name: scanner.state() for name, scanner in world.scanners.items()},
        "cards": {name: reader.troubles() for name, reader in world.card_readers.items()},
        "machines": {name: each.faults.state() for name, each in world.machines.items()},
    }


def kept(world: "World") -> dict[str, Any]:
    """Every trouble that is on, and what has been counted."""
    lines = {name: world.faults(name).state() for name in (*world.wires, *world.tcp_wires)}
    around = {name: getattr(world.place.now, name) for name in AROUND}
    scanners = {name: scanner.kept() for name, scanner in world.scanners.items()}
    rest = beside_the_lines(world) | {"scanners": scanners}
    return {"lines": lines, "around": around} | rest


def recall(world: "World", memory: dict[str, Any]) -> None:
    """Troubles go on as they were; those of things that are gone are gone."""
    for name, counted in memory["lines"].items():
        if name in world.wires or name in world.tcp_wires:
            asked = counted.pop("faults")
            world.faults(name).recall(asked, {})
            world.set_trouble(name, world.faults(name).trouble)
            world.faults(name).recall(asked, counted)
    for name, each in memory["doors"].items():
        letter, _, no = name.partition("/")
        if (door := world.doors.get((letter, int(no)))) is not None:
            with suppress(Unknown):  # the door that it was crossed with
                world.set_door_trouble(letter, int(no), _door_trouble(each["faults"]))
            door.faults.counted |= each["counted"]
    things: dict[str, dict[str, Any]] = {"scanners": world.scanners, "cards": world.card_readers}
    machines = {name: machine.faults for name, machine in world.machines.items()}
    for kind, there in (things | {"machines": machines}).items():
        for name, thing in there.items():
            if name in memory[kind]:
                thing.recall(memory[kind][name])
    world.place.set(**{name: memory["around"][name] for name in AROUND})


def _door_trouble(asked: dict[str, Any]) -> DoorTrouble:
    known = DoorTrouble.__dataclass_fields__
    return DoorTrouble(**{name: value for name, value in asked.items() if name in known})
