"""A site's real process on lines that a benchmark owns: settings, stock, start and end."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final, Self

from controller.clock import SystemClock
from controller.codes import keyed_hash, mint_secret, qr_text
from controller.entries import (
    CompartmentState,
    Down,
)
from controller.entries_down import (
    OrderPlaced,
    PlacedCode,
    PlacedItem,
)
from controller.journal import Stream
from controller.site import schema
from controller.site.book import Act
from controller.site.inbox import Inbox
from controller.site.items import item_of, loaded
from controller.store import open_store
from onewindow.demo_settings import toml
from onewindow.layout import SITE_ADDRESS, SITE_ID, SITE_NAME
from onewindow.migrate import upgrade
from script.benchmarks.far_end import BAUD, DOORS, FarEnd

SECRET: Final = hashlib.sha256(b"benchmark").hexdigest()  # nobody but this machine is asked
PULSE_MS: Final = 100  # a lock's supply rests after each; how long it is changes nothing else
READY_S: Final = 30.0
SCREEN_S: Final = 10.0
LOOK_S: Final = 0.01
DISK: Final = "/var/tmp"  # noqa: S108 - a folder of our own in it; /tmp may be memory, without syncs
WRITE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Box:
    """A sealed box in a compartment, and the code that opens it."""

    cabinet: str
    no: int
    qr: str


def write_settings(
    folder: Path, far_end: FarEnd, units: dict[str, int], **tables: Any
) -> tuple[Path, int]:
    """A site.toml for cabinets by letter, all on one line; where it is, and the site's port."""
    port = free_port()
    board = f"modbus+rtu://{far_end.line}?baud={BAUD}&profile=waveshare-relay-32"
    path = folder / "site.toml"
    path.write_text(
        toml(
            {
                "site": {
                    "id": SITE_ID,
                    "name": SITE_NAME,
                    "address": SITE_ADDRESS,
                    "data": str(folder),
                    "http_port": port,
                },
                "cabinet": [
                    {"letter": letter, "boards": [f"{board}&unit={unit}&pulse_ms={PULSE_MS}"]}
                    for letter, unit in units.items()
                ],
                "compartment": [
                    {"cabinet": letter, "no": no, "size": "S", "height_cm": 100, "reach": "mid"}
                    for letter in units
                    for no in range(1, DOORS + 1)
                ],
                "scanner": [{"name": "S1", "url": f"scanner+serial://{far_end.scanner}?baud=9600"}],
                "link": dict.fromkeys(("key", "code_key", "typed_salt"), SECRET),
                **tables,
            }
        ),
        "utf-8",
    )
    return path, port


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def stock(folder: Path, letters: Sequence[str]) -> list[Box]:
    """Fill every compartment with one order's box, as the district and a vendor would."""
    clock = SystemClock()
    boxes = []
    with open_store(folder / "site.db", schema.journal, clock) as store:
        upgrade(store, "site")
        inbox = Inbox(SITE_ID, clock)
        for letter in letters:
            for no in range(1, DOORS + 1):
                secret = mint_secret()
                boxes.append(Box(letter, no, qr_text(SITE_ID, secret)))
                with store.write() as transaction:
                    order = _order(f"{letter}{no}", secret)
                    entry = transaction.append(
                        SITE_ID, Stream.DOWN, Down.ORDER_PLACED.value, dict(order)
                    )
                    inbox.apply(transaction, entry)
                    act = Act(transaction, SITE_ID, clock.now())
                    _load(act, order["items"][0]["item_id"], letter, no)
    return boxes


def _order(number: str, secret: str) -> OrderPlaced:
    key = bytes.fromhex(SECRET)
    return OrderPlaced(
        order=f"order-{number}",
        company="深圳市某某科技有限公司",
        items=[
            PlacedItem(
                item_id=f"item-{number}",
                kind="seal_set",
                holder="cabinet",
                vendor_id="V01",
                label=f"OWL:item-{number}",
                size="S",
            )
        ],
        codes=[PlacedCode(code_id=f"code-{number}", qr=keyed_hash(key, secret), typed=[])],
        retention_s=15 * 86_400,
        needs={},
    )


def _load(act: Act, item: str, cabinet: str, no: int) -> None:
    act.db.execute(
        schema.compartments.insert().values(
            cabinet=cabinet,
            no=no,
            size="S",
            height_cm=100,
            reach="mid",
            state=CompartmentState.OCCUPIED.value,
        )
    )
    act.db.execute(
        schema.doors.insert().values(
            cabinet=cabinet, no=no, door="shut", state="unknown", n=0, at=act.now
        )
    )
    act.db.execute(
        schema.items.update().where(schema.items.c.item_id == item).values(cabinet=cabinet, no=no)
    )
    loaded(act, item_of(act.db, item), f"{cabinet}/{no}", "sensor")


class RunningSite:
    """A site's process; a context starts it, waits until it is ready, and ends it."""

    def __init__(self, config: Path, port: int, *program: str) -> None:
        self._command = [sys.executable, "-m", *(program or ("onewindow", "site"))]
        self._command += ["--config", str(config)]
        self._address = f"http://127.0.0.1:{port}"
        self._log = config.with_suffix(".log")

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        try:
            self.wait(self._is_ready, "the site to be ready", READY_S)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(READY_S)

    def wait(self, holds: Callable[[], bool], what: str, within_s: float = SCREEN_S) -> None:
        """Look until it holds; the error says what never came, and the site's last words."""
        end = time.monotonic() + within_s
        while not holds():
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError(f"never came: {what}\n{self._log.read_text('utf-8')[-2000:]}")
            time.sleep(LOOK_S)

    def screen(self, *wanted: str) -> str:
        """Wait for one of these screens of the kiosk."""
        shown = ""

        def is_shown() -> bool:
            nonlocal shown
            shown = json.loads(self._ask("/api/v1/kiosk"))["screen"]
            return shown in wanted

        self.wait(is_shown, f"screen {' or '.join(wanted)}")
        return shown

    def press(self, button: str) -> None:
        self._ask("/api/v1/kiosk/press", json.dumps({"button": button}).encode())

    def cpu_s(self) -> float:
        """What the process has used of the processor so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text("ascii").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        """What the process holds in memory."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _is_ready(self) -> bool:
        try:
            self._ask("/readyz")
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self._address + path, body, {"Content-Type": "application/json"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=SCREEN_S) as answer:
            words: bytes = answer.read()
        return words


class Disk:
    """What this disk takes to make one small write durable, sampled while others use it too."""

    def __init__(self, folder: Path) -> None:
        self.taken: list[float] = []
        self._path = folder / "sync"

    def sample(self) -> None:
        with self._path.open("ab", buffering=0) as file:
            began = time.perf_counter()
            file.write(bytes(WRITE_BYTES))
            os.fdatasync(file.fileno())
            self.taken.append(time.perf_counter() - began)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]
