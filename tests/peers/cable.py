"""A null-modem cable: two ttys, what is written to one is read from the other."""

import asyncio
import os
import pty
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """The paths of its two ends, while a loop runs."""
    loop = asyncio.get_running_loop()
    ends = [pty.openpty(), pty.openpty()]  # both sides stay open: whoever leaves may come back
    for master, slave in ends:
        tty.setraw(slave)
        os.set_blocking(master, False)
    (one, _), (other, _) = ends
    loop.add_reader(one, _pass_on, one, other)
    loop.add_reader(other, _pass_on, other, one)
    try:
        yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
    finally:
        for master, slave in ends:
            loop.remove_reader(master)
            os.close(master)
            os.close(slave)


def _pass_on(here: int, there: int) -> None:
    os.write(there, os.read(here, 256))
