"""The supply of a site's box: every write, sync and step is numbered, and the power fails at one.

What was written and not yet synced is remembered, so that a disk's cache can lose it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random

Undo = tuple[int, bytes, int]  # where, what stood there, how long the file was


class Loss(StrEnum):
    """What becomes of everything that was not synced when the power failed."""

    LOST = "lost"  # none of it reached the disk
    KEPT = "kept"  # all of it did
    SOME = "some"  # by even odds each, newest first; of the last write a half


@dataclass(frozen=True, slots=True)
class Write:
    """Some bytes of a file that are about to be written."""

    path: str
    offset: int
    content: bytes


class Mains:
    """Power for one life of a site's box. `failing` is asked at each step, and may call `fail`."""

    def __init__(self, failing: Callable[[str], None] = lambda _what: None) -> None:
        self.on = True
        self._failing = failing
        self._unsynced: dict[str, list[Undo]] = {}
        self._at: Write | None = None

    def step(self, what: str, write: Write | None = None) -> bool:
        """One more. False once the power is off."""
        if self.on:
            self._at = write
            self._failing(what)
        return self.on

    def fail(self) -> None:
        """Nothing is written any more."""
        self.on = False

    def wrote(self, path: str, undo: Undo) -> None:
        self._unsynced.setdefault(path, []).append(undo)

    def synced(self, path: str) -> None:
        self._unsynced.pop(path, None)

    @property
    def unsynced(self) -> bool:
        """Something is on its way to the disk."""
        return self._at is not None or any(self._unsynced.values())

    def lose(self, loss: Loss, dice: Random, copies: Callable[[str], Path]) -> None:
        """Make of each file's copy what the disk may show after the cut."""
        if loss is Loss.SOME and self._at is not None:
            half = self._at.content[: len(self._at.content) // 2]
            _write(copies(self._at.path), self._at.offset, half)
        if loss is Loss.KEPT:
            return
        for path, undos in self._unsynced.items():
            for undo in reversed(undos):
                if loss is Loss.LOST or dice.random() < 1 / 2:
                    _put_back(copies(path), undo)


def _write(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def _put_back(path: Path, undo: Undo) -> None:
    offset, before, size = undo
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(before)
        if file.seek(0, 2) > size:
            file.truncate(max(size, offset + len(before)))
