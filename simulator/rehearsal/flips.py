"""A bit of the site's file that is another than it was, changed while nobody has it open."""

import asyncio
import sqlite3
from contextlib import closing
from random import Random
from typing import Final

from simulator.rehearsal.events import Flipped, Struck
from simulator.rehearsal.stage import Stage

OFF_S: Final = 3.0
GONE_S: Final = 0.5  # then the process has let go of its file
NEWEST: Final = 300  # entries, of which one is struck


class Flips:
    """One bit at a time. It is put right as from a copy, with all that was written since."""

    def __init__(self, stage: Stage, dice: Random) -> None:
        self._stage = stage
        self._dice = dice
        self._flipped: tuple[int, int, int] | None = None  # entry, where in the file, bit

    def strike(self) -> bool:
        """The process ends, and what it finds at its start was changed. False where that is so."""
        stage = self._stage
        if stage.linked or stage.store is None or self._flipped is not None:
            return False
        stage.cut(OFF_S, mains=False)
        asyncio.get_running_loop().call_later(GONE_S, self._flip)
        return True

    def mend(self) -> None:
        """Somebody has put the entry back as it was."""
        if self._flipped is not None:
            self._stage.cut(OFF_S, mains=False)
            asyncio.get_running_loop().call_later(GONE_S, self._flip_back)

    def _flip(self) -> None:
        if self._stage.store is not None:
            return
        entry, body = self._some_entry()
        at = -1
        while (at := self._read().find(body, at + 1)) >= 0:
            spot, bit = at + self._dice.randrange(len(body)), 1 << self._dice.randrange(8)
            self._change(spot, bit)
            if self._body_of(entry) != body:
                self._flipped = (entry, spot, bit)
                self._stage.log.note(Struck("flipped", f"up {entry}"))
                self._stage.log.note(Flipped(entry, so=True))
                return
            self._change(spot, bit)  # it was a page that nobody reads any more

    def _flip_back(self) -> None:
        if self._stage.store is not None:
            self.mend()
            return
        assert self._flipped is not None, "whoever mends has looked"
        entry, spot, bit = self._flipped
        self._some_entry()
        self._change(spot, bit)
        self._flipped = None
        self._stage.log.note(Flipped(entry, so=False))

    def _some_entry(self) -> tuple[int, bytes]:
        """With the whole log in the file."""
        with closing(sqlite3.connect(self._stage.database)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            rows = file.execute(
                "SELECT seq, body FROM journal WHERE stream = 'up' ORDER BY seq DESC LIMIT ?",
                (NEWEST,),
            ).fetchall()
        return self._dice.choice(rows) if rows else (0, b"")

    def _body_of(self, entry: int) -> bytes:
        with closing(sqlite3.connect(self._stage.database)) as file:
            found = file.execute(
                "SELECT body FROM journal WHERE stream = 'up' AND seq = ?", (entry,)
            ).fetchone()
        return b"" if found is None else bytes(found[0])

    def _read(self) -> bytes:
        return self._stage.database.read_bytes()

    def _change(self, spot: int, bit: int) -> None:
        with self._stage.database.open("r+b") as file:
            file.seek(spot)
            was = file.read(1)[0]
            file.seek(spot)
            file.write(bytes([was ^ bit]))
