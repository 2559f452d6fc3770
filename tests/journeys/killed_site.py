"""A site that kills its own process at a chosen step, and the machines around it; for tests alone.

All of it is as in earnest: the site's own wiring, its database, the machines' process, pty and
TCP between them. Both processes are forked from one that has loaded every module, so that a site
is up again after a few tenths of a second. There is no broker and no district.

The steps, as `Steps` counts them once it is armed:

    commit      a transaction is complete, and not yet durable
    committed   it is durable
    send        a movement is about to be asked for
    pulse       its frame is on the wire; nobody has heard the answer
    answer      the answer was heard, or is no longer waited for
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable
from ctypes import c_int
from pathlib import Path
from typing import Any

from controller.settings import SiteSettings
from firmware_bridge.lines import TcpLine, TtyLine
from onewindow import logs
from onewindow.simulate import plan_of
from onewindow.site import run
from simulator.run import serve

SPEED = 40.0  # of bolts and paper
RELATCH_S = 2.0  # a free bolt falls in after this, for real: less than the site waits for a door
WRITE_COIL, WRITE_REGISTERS = 0x05, 0x10
COMMAND_AT = b"\x01\x00"  # the licence machine's command block

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([__name__, "pytest"])  # a child imports the program that made it


class Steps:
    """Counts while `kill_at` is not 0, writes down each step, and dies by SIGKILL at that one."""

    def __init__(self, kill_at: c_int, written: Path) -> None:
        self._kill_at = kill_at
        self._written = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._count = 0

    def __call__(self, step: str) -> None:
        if not self._kill_at.value:
            return
        self._count += 1
        os.write(self._written, f"{step}\n".encode())
        if self._count == self._kill_at.value:
            os.kill(os.getpid(), signal.SIGKILL)


def run_site(tables: dict[str, Any], kill_at: c_int, folder: Path) -> None:
    """A site's process."""
    _log_to(folder / "site.log")
    steps = Steps(kill_at, folder / "steps")
    TtyLine.send = _counted(TtyLine.send, is_pulse, steps)  # type: ignore[method-assign]
    TcpLine.send = _counted(TcpLine.send, is_command, steps)  # type: ignore[method-assign]
    asyncio.run(run(SiteSettings(**tables), steps))


def run_machines(tables: dict[str, Any], port: int, folder: Path) -> None:
    """The simulator's process."""
    _log_to(folder / "simulator.log")
    plan = plan_of(SiteSettings(**tables))
    asyncio.run(
        serve(plan, host="127.0.0.1", port=port, folder=folder, speed=SPEED, relatch_s=RELATCH_S)
    )


def is_pulse(frame: bytes) -> bool:
    """An RTU frame that has a relay flash; all off is written with the same function."""
    return frame[1] == WRITE_COIL and frame[4:6] != b"\x00\x00"


def is_command(frame: bytes) -> bool:
    """A Modbus TCP frame that asks the licence machine to move."""
    return frame[7] == WRITE_REGISTERS and frame[8:10] == COMMAND_AT


def _counted(
    send: Callable[[Any, bytes], None], is_movement: Callable[[bytes], bool], steps: Steps
) -> Callable[[Any, bytes], None]:
    def send_and_count(line: Any, frame: bytes) -> None:
        send(line, frame)
        if is_movement(frame):
            steps("pulse")

    return send_and_count


def _log_to(path: Path) -> None:
    with path.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    logs.to_stderr()
