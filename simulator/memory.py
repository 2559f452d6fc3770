"""The world on disk: whole or not at all."""

import json
from pathlib import Path

from simulator.texts import text_of
from simulator.world import World

KEPT_AS = "world 1"  # another form of the world gets another number


class Broken(Exception):
    """The world that was kept cannot be read."""


class WorldFile:
    """Written beside and renamed into place, whenever something changed since."""

    def __init__(self, path: Path, world: World) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._world = world
        self._stale = False
        world.listeners.append(self._changed)

    def load(self) -> None:
        if not self._path.exists():
            return
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            self._world.recall(kept[KEPT_AS])
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(
                f"{self._path} is not a world of this version ({error!r}): "
                "move it away to start with an empty cabinet."
            ) from error

    def save(self) -> None:
        """Returns when a restart would find the world as it is now."""
        self._stale = False
        fresh = self._path.with_suffix(".new")
        fresh.write_text(f"{{{text_of(KEPT_AS)}: {self._world.text.memory()}}}", encoding="utf-8")
        fresh.replace(self._path)

    def save_if_changed(self) -> None:
        if self._stale:
            self.save()

    def _changed(self) -> None:
        self._stale = True
