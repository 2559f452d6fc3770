"""Why nothing new is loaded for now; pickups go on all the same."""

from enum import StrEnum


class Hold(StrEnum):
    DISK_LOW = "disk_low"


class Holds:
    """Whoever watches the disk sets its own, and takes it away again."""

    def __init__(self) -> None:
        self._standing: set[Hold] = set()

    def set(self, hold: Hold, *, on: bool) -> None:
        (self._standing.add if on else self._standing.discard)(hold)

    def __bool__(self) -> bool:
        return bool(self._standing)
