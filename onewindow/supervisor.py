"""Keeps real processes running: starts them, starts them again when they die, ends them all."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from controller.ports import Clock

log = structlog.get_logger()

PAUSE_FIRST_S = 0.2
PAUSE_MAX_S = 10.0
STEADY_S = 30.0  # who ran this long has earned the first pause again
END_S = 8.0  # after SIGTERM; then SIGKILL
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class StartFailed(Exception):
    """A process did not come up; the text names it and its log."""


@dataclass(frozen=True, slots=True)
class Program:
    """One process: how it is started and how one knows that it is ready."""

    name: str
    command: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    log: Path
    environment: Mapping[str, str]


class Supervisor:
    """Owns the processes; `pids` has them by name. `changed` is told of each new process."""

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self.pids: dict[str, int] = {}
        self.restarts: dict[str, int] = {}
        self._clock = clock
        self._changed = changed
        self._ending = asyncio.Event()
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, program: Program, within_s: float) -> None:
        """The program runs and is ready. StartFailed if it ends or is not ready in time."""
        process = await self._spawn(program)
        until = self._clock.monotonic() + within_s
        while not await program.ready():
            if process.returncode is not None or self._clock.monotonic() > until:
                raise StartFailed(
                    f"the {program.name} did not start: {_last_words(program.log)}"
                    f" (all of it in {program.log})"
                )
            await self._clock.sleep(0.05)

    async def keep(self, program: Program) -> None:
        """Start the program again whenever it ends, more and more slowly, until `end`."""
        pause = PAUSE_FIRST_S
        while True:
            process, since = self._running[program.name], self._clock.monotonic()
            code = await process.wait()
            if self._ending.is_set():
                return
            log.warning("process.ended", process=program.name, code=code)
            if self._clock.monotonic() - since > STEADY_S:
                pause = PAUSE_FIRST_S
            await self._clock.sleep(pause)
            if self._ending.is_set():
                return
            pause = min(2 * pause, PAUSE_MAX_S)
            await self._spawn(program)
            self.restarts[program.name] = self.restarts.get(program.name, 0) + 1
            log.info("process.started_again", process=program.name)
            self._changed()

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(program.environment),
                preexec_fn=_die_with(os.getpid()),
            )
        self._running[program.name] = process
        self.pids[program.name] = process.pid
        return process

    async def end(self, order: Sequence[str]) -> None:
        """End every process, one after another in the order given; none is left."""
        self._ending.set()
        for name in order:
            process = self._running.get(name)
            if process is None:
                continue
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                log.warning("process.killed", process=name)
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def _die_with(parent: int) -> Callable[[], None]:
    """What a child does before it becomes its program: no terminal's Ctrl-C, no life after us."""

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor ends it, in its turn
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _last_words(path: Path) -> str:
    with suppress(OSError):
        lines = path.read_text("utf-8", "replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it said nothing")
    return "it said nothing"
