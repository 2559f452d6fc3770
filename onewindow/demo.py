"""The demo: broker, simulator, district and one site as real processes under one supervisor."""

import asyncio
import fcntl
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table

from controller.ports import Clock
from onewindow import broker, demo_orders, demo_secrets
from onewindow.ask import answers, listens
from onewindow.demo_settings import SECOND, district_toml, site_toml
from onewindow.layout import DISTRICT_USERNAME, SITE_ID, VIEWER_USERNAME, Folders, Ports
from onewindow.supervisor import Program, Supervisor
from onewindow.whole_file import write_private

PORT_MAX = 65_535 - 3
START_S = 60.0  # a slow machine's first start, with everything read from disk
END_ORDER = ("site", "district", "simulator", "broker")  # who reports ends before who listens


class DemoRefused(Exception):
    """The demo cannot start; one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    port: int
    data: Path
    lang: str
    speed: float
    seed: int


class Demo:
    """One start of the demo in its folder."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options = options
        self.folders = Folders(options.data)
        self.secrets = demo_secrets.of_folder(options.data / "secrets.json")
        self.ports = Ports(
            district=options.port,
            kiosk=options.port + 1,
            simulator=options.port + 2,
            mqtt=options.port + 3,
            machine=_free_port(),
        )
        self.orders: list[str] = []
        self._clock = clock
        self.supervisor = Supervisor(clock, changed=self.write_demo_json)

    def write_settings(self) -> None:
        """Every process finds its settings file."""
        folders, ports, secrets, lang = self.folders, self.ports, self.secrets, self.options.lang
        write_private(folders.site_toml, site_toml(ports, folders, secrets, lang))
        write_private(folders.district_toml, district_toml(ports, folders, secrets, lang))
        plan = broker.BrokerPlan(
            folders.broker,
            ports.host,
            ports.mqtt,
            broker.Login(DISTRICT_USERNAME, secrets["mqtt_district"]),
            (broker.Login(SITE_ID, secrets["mqtt_site"]),),
            broker.Login(VIEWER_USERNAME, secrets["mqtt_viewer"]),
        )
        broker.write_configuration(plan, folders.broker_conf)

    def programs(self) -> dict[str, Program]:
        """The four processes, by name."""
        ports, folders, options = self.ports, self.folders, self.options
        ours = [sys.executable, "-P", "-m", "onewindow"]
        site_config = ["--config", str(folders.site_toml)]
        simulate = [*ours, "simulate", *site_config, "--data", str(folders.root)]
        simulate += ["--port", str(ports.simulator), "--speed", str(options.speed)]
        simulate += ["--seed", str(options.seed), "--host", ports.host]
        commands = {
            "broker": broker.command(folders.broker_conf),
            "simulator": simulate,
            "district": [*ours, "district", "--config", str(folders.district_toml)],
            "site": [*ours, "site", *site_config],
        }
        ready = {
            "broker": lambda: listens(ports.host, ports.mqtt),
            "simulator": lambda: answers(f"{ports.url(ports.simulator)}/api/sim"),
            "district": lambda: answers(f"{ports.url(ports.district)}/readyz"),
            "site": lambda: answers(f"{ports.url(ports.kiosk)}/readyz"),
        }
        return {
            name: Program(name, command, ready[name], folders.logs / f"{name}.log", _environment())
            for name, command in commands.items()
        }

    def demo_json(self) -> dict[str, Any]:
        ports, secrets = self.ports, self.secrets
        return {
            "district": ports.url(ports.district),
            "kiosk": ports.url(ports.kiosk),
            "simulator": ports.url(ports.simulator),
            "mqtt": {
                "host": ports.host,
                "port": ports.mqtt,
                "username": VIEWER_USERNAME,
                "password": secrets["mqtt_viewer"],
            },
            "site_id": SITE_ID,
            "api_key": secrets["api_key"],
            "logins": {
                person: {"username": person, "password": secrets[person]}
                for person in ("ops", "vendor")
            },
            "second": {"username": SECOND, "password": secrets["ops"]},
            "badges": {role: f"OWB:{secrets[f'badge_{role}']}" for role in ("vendor", "staff")},
            "orders": self.orders,
            "databases": {
                "site": str(self.folders.site / "site.db"),
                "district": str(self.folders.district / "district.db"),
            },
            "pids": {name: self.supervisor.pids[name] for name in sorted(self.supervisor.pids)},
            "restarts": self.supervisor.restarts,
        }

    def write_demo_json(self) -> None:
        if self.orders:  # not before all is ready
            write_private(self.options.data / "demo.json", json.dumps(self.demo_json(), indent=1))

    async def run(self, status: Status, tell: Console) -> None:
        """Start everything, tell people, and keep it running until cancelled."""
        programs = self.programs()
        async with asyncio.TaskGroup() as life:
            for together in (("broker", "simulator"), ("district", "site")):
                status.update(f"Starting {' and '.join(together)} ...")
                async with asyncio.TaskGroup() as starts:
                    for name in together:
                        starts.create_task(self.supervisor.start(programs[name], START_S))
                for name in together:
                    life.create_task(self.supervisor.keep(programs[name]), name=name)
            status.update("Placing three orders ...")
            district, api_key = self.ports.url(self.ports.district), self.secrets["api_key"]
            placed = await demo_orders.place(district, api_key)
            await demo_orders.arrive(district, api_key, placed, self._clock)
            self.orders = placed
            self.write_demo_json()
            status.stop()
            tell.print(self.table())

    def table(self) -> Table:
        """What a person needs to begin."""
        known = self.demo_json()
        table = Table(title="OneWindow demo", show_header=False, title_justify="left")
        table.add_row("Begin here", f"[bold]{known['district']}/[/bold]")
        table.add_row("Kiosk", f"{known['kiosk']}/kiosk")
        table.add_row("Cabinet and machine", f"{known['simulator']}/")
        for person, login in known["logins"].items():
            table.add_row(f"Page of {person}", f"{known['district']}/{person}")
            table.add_row("  log-in", f"{login['username']} / {login['password']}")
        table.add_row("Second person of ops", f"{SECOND}, same password")
        table.add_row("API", f"{known['district']}/api/openapi.json")
        table.add_row("API key", known["api_key"])
        mqtt = known["mqtt"]
        address = f"{mqtt['host']}:{mqtt['port']}"
        table.add_row("MQTT, reading", f"{address}  {mqtt['username']} / {mqtt['password']}")
        for role, badge in known["badges"].items():
            table.add_row(f"Badge, {role}", badge)
        table.add_row("Orders", " ".join(known["orders"]))
        table.add_row("Folder", f"{self.options.data} (demo.json, logs/)")
        table.add_row("End", "Ctrl-C")
        return table


async def run(options: Options, clock: Clock, tell: Console) -> None:
    """The demo runs until SIGINT or SIGTERM; afterwards none of its processes is left."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup means what it says
        loop.add_signal_handler(signal.SIGHUP, stop.set)
    with ExitStack() as keep_open:
        keep_open.enter_context(_alone_in(options.data))
        _refuse_taken_ports(options.port)
        (options.data / "demo.json").unlink(missing_ok=True)
        demo = Demo(options, clock)
        demo.write_settings()
        status = keep_open.enter_context(tell.status("Starting ..."))
        try:
            async with asyncio.TaskGroup() as group:
                life = group.create_task(demo.run(status, tell))
                await stop.wait()
                life.cancel()
        finally:
            status.update("Ending ...")
            await demo.supervisor.end(END_ORDER)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    if set("?#%") & set(str(folder)):
        raise DemoRefused(f"{folder}: a folder with ? # or % cannot stand in a device's address")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DemoRefused(
            f"cannot make the folder {folder} ({error.strerror}): give another with --data"
        ) from error
    lock = os.open(folder / "demo.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoRefused(
                f"another demo runs in {folder}: end it, or give a folder with --data"
            ) from None
        yield
    finally:
        os.close(lock)


def _refuse_taken_ports(first: int) -> None:
    for port, use in enumerate(("district", "kiosk", "simulator", "MQTT"), first):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError as error:
                raise DemoRefused(
                    f"port {port} ({use}) is taken: choose others with --port, which takes"
                    f" four in a row ({error.strerror})"
                ) from None


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1"}
