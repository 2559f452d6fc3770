"""One process: machines on their wires, physics, people, and the page that presses doors."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from simulator.app import make_app
from simulator.clock import FineTimer, SystemClock
from simulator.door import LockKind
from simulator.ends import CardReaderPty, MachinePort, PtyLine, ScannerPty, TcpEnd, TcpLine
from simulator.live import LivePages
from simulator.memory import WorldFile
from simulator.plan import Plan
from simulator.trouble import put_all
from simulator.world import World

SAVED_AFTER_S = 0.2  # what nobody waits for; an act over HTTP or of a machine is saved at once
GRACE_S = 1


class PortTaken(Exception):
    """Somebody else listens there; the text names host and port."""


def unheard() -> None:
    """Nobody wants to know that the page answers."""


class Server(uvicorn.Server):
    """Signals are handled in `serve`, so that links and world are in order at the end."""

    def __init__(
        self, config: uvicorn.Config, live: LivePages, ready: Callable[[], None] = unheard
    ) -> None:
        super().__init__(config)
        self._live = live
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """`ready` is told once it answers."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Pages that listen are told first, else they would hold the server up."""
        self._live.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    plan: Plan,
    *,
    host: str,
    port: int,
    folder: Path,
    seed: int = 0,
    speed: float = 1.0,
    relatch_s: float = 10.0,
    spring: bool = False,
    troubles: Sequence[str] = (),
    ready: Callable[[], None] = unheard,
) -> None:
    """Run until cancelled or told to end by SIGTERM; answers HTTP once every wire is there.

    `troubles` are put on at the start, each as `POST /api/sim/faults` takes it. Leaves no link
    behind, and the world in `folder`/world.json. PortTaken where a port is not to be had.
    """
    locks = LockKind(relatch_s=relatch_s, spring=spring)
    clock = SystemClock()
    world = World(plan, clock, seed=seed, speed=speed, locks=locks)
    file = WorldFile(folder / "world.json", world)
    file.load()
    put_all(world, troubles)
    world.keep = file.save
    world.power_up()
    gc.collect()
    gc.freeze()  # what a site is made of lasts: looking through it again would stall its lines
    with listening(host, port) as heard:
        async with AsyncExitStack() as standing:
            standing.callback(gc.unfreeze)
            standing.callback(file.save)
            scanners = await standing.enter_async_context(_wires(world))
            pages = LivePages(world)
            server = Server(config_of(make_app(world, scanners, file, pages)), pages, ready)
            standing.enter_context(ended_by_sigterm(server))
            async with asyncio.TaskGroup() as tasks:
                physics = tasks.create_task(world.live())
                saving = tasks.create_task(_save(world, file, clock))
                http = tasks.create_task(server.serve(sockets=[heard]))
                try:
                    await asyncio.shield(http)
                finally:
                    server.should_exit = True
                    await http
                    physics.cancel()
                    saving.cancel()


def config_of(app: FastAPI) -> uvicorn.Config:
    """Quiet, and at its end without patience for pages that still listen."""
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=GRACE_S,
    )


async def _save(world: World, file: WorldFile, clock: SystemClock) -> None:
    changed = asyncio.Event()
    world.listeners.append(changed.set)
    while True:
        await changed.wait()
        await clock.sleep(SAVED_AFTER_S)
        changed.clear()
        file.save_if_changed()


@asynccontextmanager
async def _wires(world: World) -> AsyncIterator[dict[str, ScannerPty]]:
    """Every pty and port that the plan names."""
    async with AsyncExitStack() as standing:
        timer = FineTimer()
        standing.callback(timer.close)
        for wire in world.wires.values():
            if wire.plan.link:
                standing.callback(PtyLine(wire, wire.plan.link, timer).close)
            if wire.plan.tcp:
                await _port(standing, TcpLine(wire, timer), *wire.plan.tcp)
        ports = {line.name: line.tcp for line in world.plan.lines if line.speaks == "modbus-tcp"}
        ports |= {each.name: (each.host, each.port) for each in world.plan.machines}
        for name, wire_of_frames in world.tcp_wires.items():
            if port := ports[name]:
                await _port(standing, MachinePort(wire_of_frames, timer), *port)
        scanners = {}
        for plan in world.plan.scanners:
            scanners[plan.name] = ScannerPty(world.scanners[plan.name], plan.link, timer)
            standing.callback(scanners[plan.name].close)
        for reader in world.plan.card_readers:
            end = CardReaderPty(world.card_readers[reader.name], reader.link, timer)
            standing.callback(end.close)
        yield scanners


async def _port(standing: AsyncExitStack, end: TcpEnd, host: str, port: int) -> None:
    with _taken(host, port):
        server = await asyncio.start_server(end.serve, host, port)
    standing.callback(end.close)
    standing.callback(server.close)


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """The HTTP port, taken before anything else stands."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as heard:
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with _taken(host, port):
            heard.bind((host, port))
        yield heard


@contextmanager
def _taken(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise PortTaken(f"cannot listen on {host}, port {port}: {why}") from error


@contextmanager
def ended_by_sigterm(server: uvicorn.Server) -> Iterator[None]:
    """SIGTERM inside is a request to end."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = True

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
