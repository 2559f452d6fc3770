"""The world as JSON; of its thousands of doors only those that changed are written anew."""

import json
from typing import TYPE_CHECKING, Any

from simulator.door import Door

if TYPE_CHECKING:
    from simulator.world import World


def text_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class WorldText:
    """A page that watches, and each save, cost what changed and not what there is."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._doors: dict[tuple[str, int], str] = {}
        self._touched: dict[tuple[str, int], Door] = {}
        world.door_listeners.append(self._touch)

    def forget(self) -> None:
        """Every door may be another now."""
        self._touched = dict(self._world.doors)

    def state(self) -> str:
        """What `GET /api/sim` says."""
        self._catch_up()
        by_cabinet: dict[str, list[str]] = {each.letter: [] for each in self._world.plan.cabinets}
        for (letter, no), text in self._doors.items():
            by_cabinet[letter].append(f'"{no}": {text}')
        cabinets = ", ".join(
            f'{text_of(letter)}: {{"doors": {{{", ".join(doors)}}}}}'
            for letter, doors in by_cabinet.items()
        )
        rest = text_of(self._world.state_of_the_rest()).removeprefix("{")
        return f'{{"cabinets": {{{cabinets}}}, {rest}'

    def memory(self) -> str:
        """What survives the simulator's end."""
        self._catch_up()
        doors = ", ".join(f'"{letter}/{no}": {text}' for (letter, no), text in self._doors.items())
        rest = text_of(self._world.memory_of_the_rest()).removeprefix("{")
        return f'{{"doors": {{{doors}}}, {rest}'

    def _touch(self, door: Door) -> None:
        self._touched[door.cabinet, door.no] = door

    def _catch_up(self) -> None:
        for where, door in self._touched.items():
            self._doors[where] = text_of(door.memory())
        self._touched.clear()
