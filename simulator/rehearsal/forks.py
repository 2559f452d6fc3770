"""Every way that things can go: at each choice the process forks, one way after the other.

A child goes one way to its end while its parent goes on or waits, as there are workers; what was
reached before is in memory that all of them map. POSIX alone; no thread may run beside.
"""

import asyncio
import gc
import mmap
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random
from typing import Final, NoReturn, TypeVar

SLOT: Final = struct.Struct("<Q")
SLOTS: Final = 1 << 22
TEXT_MAX: Final = 16_384
FIELDS: Final = ("states", "ways", "deepest", "cuts", "again", "lost", "moved")

T = TypeVar("T")


class Ended(Exception):
    """The first process has gone its own last way: everything was seen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What all ways together came to."""

    states: int  # different ones
    ways: int  # that led somewhere new, or back
    deepest: int  # events on the longest way
    cuts: int
    again: int  # of them in what follows a cut
    lost: int  # answers
    moved: int  # bolts
    violation: str  # empty if there is none


class Forks:
    """Chooses every option, and keeps what was seen for all processes."""

    def __init__(self, dice: Random | None = None, workers: int = 1) -> None:
        """Where there are `dice`, they choose one option each time and nothing forks."""
        self._dice = dice
        self._known = mmap.mmap(-1, SLOTS * SLOT.size)
        self._counts = mmap.mmap(-1, len(FIELDS) * SLOT.size)
        self._text = mmap.mmap(-1, TEXT_MAX)
        self._turn = get_context("fork").Lock()
        self._idle = get_context("fork").Semaphore(workers - 1)
        self._helped = False  # this process took a worker of its own
        self._children: list[int] = []  # that nobody has waited for yet
        self._root = os.getpid()
        self.way: list[str] = []  # how this process came where it is

    def choose(self, options: Sequence[tuple[str, T]]) -> T:
        """Each option in a process of its own, the last one in this."""
        if self._dice is not None:
            return self._dice.choice(options)[1]
        for name, option in options[:-1]:
            gc.freeze()
            loop = asyncio._get_running_loop()  # noqa: SLF001 - a child is not in it by itself
            helped = self._idle.acquire(block=False)
            child = os.fork()
            if child == 0:
                asyncio._set_running_loop(loop)  # noqa: SLF001 - see above
                self._helped, self._children = helped, []
                self.way.append(name)
                return option
            self._children.append(child)
            if not helped:
                self._wait()
            if self.violation:
                self.end()
        name, option = options[-1]
        self.way.append(name)
        return option

    def _wait(self) -> None:
        """Every child has come to its end."""
        while self._children:
            _, status = os.waitpid(self._children.pop(), 0)
            if status != 0:
                self.accuse(f"a way ended with {os.waitstatus_to_exitcode(status)}")

    def end(self) -> NoReturn:
        """Go no further this way."""
        self._wait()
        if self._dice is not None or os.getpid() == self._root:
            raise Ended
        if self._helped:
            self._idle.release()
        os._exit(0)

    def count(self, field: str) -> None:
        with self._turn:
            self._add(field)

    def _add(self, field: str, at_least: int = 0) -> None:
        at = FIELDS.index(field) * SLOT.size
        (before,) = SLOT.unpack_from(self._counts, at)
        SLOT.pack_into(self._counts, at, max(before, at_least) if at_least else before + 1)

    def reach(self, fingerprint: int, depth: int) -> bool:
        """Whether nobody was here before."""
        with self._turn:
            self._add("ways")
            self._add("deepest", max(depth, 1))
            slot = fingerprint % SLOTS
            while (there := self._at(slot)) not in (0, fingerprint):
                slot = (slot + 1) % SLOTS
            if not there:
                SLOT.pack_into(self._known, slot * SLOT.size, fingerprint)
                self._add("states")
            return not there

    def _at(self, slot: int) -> int:
        return int(SLOT.unpack_from(self._known, slot * SLOT.size)[0])

    def accuse(self, what: str) -> None:
        """An invariant does not hold; the first that says so is heard."""
        if not self.violation:
            text = "\n".join([what, *(f"  {step}" for step in self.way)]).encode()[: TEXT_MAX - 1]
            self._text[: len(text)] = text

    @property
    def violation(self) -> str:
        return self._text[:].partition(b"\0")[0].decode(errors="replace")

    def seen(self) -> Seen:
        counts = {
            field: SLOT.unpack_from(self._counts, at * SLOT.size)[0]
            for at, field in enumerate(FIELDS)
        }
        return Seen(**counts, violation=self.violation)
