"""A stage for stories: the whole demo as real processes, and the hands of its people.

Asks the simulator what physically happened; the product's records are only compared with that.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Self

import httpx
from listener import Listener

from controller.journal import Stream, entries
from controller.site import schema
from controller.store import open_reader

READY_S = 60.0  # a cold start on a busy machine; a warm one takes a few seconds
SEEN_S = 30.0  # how long a story waits for anything to become true
ENDED_S = 15.0
LOOK_S = 0.05
FAST = ("--speed", "20")  # bolts, paper and people; never the wire

_taken = count()


def free_ports(many: int = 4) -> int:
    """The first of so many free ports in a row; each test worker has a range of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    for number in _taken:
        first = 20_000 + worker * 4_000 + (os.getpid() * 40 + number * 10) % 3_990
        if all(map(_is_free, range(first, first + many))):
            return first
    raise AssertionError


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def until(look: Callable[[], Any], what: str, within_s: float = SEEN_S) -> Any:
    """Look until it is true; the failure says what never came and what was seen last."""
    end = time.monotonic() + within_s
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what}; last seen: {seen!r}")
        time.sleep(LOOK_S)


class Stage:
    """`onewindow demo` in a folder of its own; a context ends it and all its processes."""

    def __init__(self, folder: Path, *options: str, **settings: str) -> None:
        """`settings` go to every process as `ONEWINDOW_...` variables."""
        self.folder = folder
        self.port = free_ports()
        self._options = options
        self._settings = {f"ONEWINDOW_{name}": value for name, value in settings.items()}
        self._http = httpx.Client(timeout=10.0, trust_env=False)
        self._demo: subprocess.Popen[bytes] | None = None
        self.mqtt = Listener()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._http.close()

    def start(self) -> None:
        """Start the demo and wait until it says that all is ready."""
        (self.folder / "demo.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "onewindow", "demo", "--port", str(self.port)]
        command += ["--data", str(self.folder), *self._options]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "demo.log").open("ab") as log:
            self._demo = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | self._settings,
            )
        until(self._is_ready, f"demo.json; see {self.folder}/demo.log", READY_S)
        self.mqtt.connect(**self.demo["mqtt"])

    def _is_ready(self) -> bool:
        assert self._demo is not None
        assert self._demo.poll() is None, (self.folder / "demo.log").read_text()[-2000:]
        return (self.folder / "demo.json").exists()

    def stop(self) -> None:
        """End the demo as Ctrl-C would and see that nothing is left."""
        self.mqtt.close()
        if self._demo is None:
            return
        self._demo.send_signal(signal.SIGTERM)
        try:
            self._demo.wait(ENDED_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._demo.pid, signal.SIGKILL)
            self._demo.wait()
            raise
        self._demo = None

    @property
    def demo(self) -> dict[str, Any]:
        """What demo.json says now."""
        words: dict[str, Any] = json.loads((self.folder / "demo.json").read_text())
        return words

    def pid(self, part: str) -> int:
        return int(self.demo["pids"][part])

    def kill(self, part: str, sign: signal.Signals = signal.SIGKILL) -> int:
        """Signal one process of the demo; its pid."""
        pid = self.pid(part)
        os.kill(pid, sign)
        return pid

    def supervisor_pid(self) -> int:
        assert self._demo is not None
        return self._demo.pid

    def signal(self, pid: int, sign: signal.Signals) -> None:
        os.kill(pid, sign)

    def restarted(self, part: str, old: int) -> None:
        """Wait until a killed part runs again under a new pid and answers."""
        until(lambda: self.pid(part) != old, f"a new {part}")
        address = {"site": "kiosk", "district": "district", "simulator": "simulator"}.get(part)
        if address:
            until(lambda: self._answers(self.demo[address]), f"{part} to answer")

    def _answers(self, address: str) -> bool:
        try:
            return self._http.get(f"{address}/readyz").status_code < 500
        except httpx.TransportError:
            return False

    # the district's API

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.demo['api_key']}", **options.pop("headers", {})}
        address = f"{self.demo['district']}/api/v1{path}"
        return self._http.request(method, address, headers=headers, **options)

    def order(self, number: str) -> dict[str, Any]:
        answer = self.api("GET", f"/orders/{number}")
        assert answer.status_code == 200, answer.text
        words: dict[str, Any] = answer.json()
        return words

    def place(self, number: str, **changes: Any) -> dict[str, Any]:
        answer = self.api("POST", "/orders", json=order_body(number, **changes))
        assert answer.status_code == 201, answer.text
        words: dict[str, Any] = answer.json()
        return words

    def state(self, number: str, wanted: str) -> dict[str, Any]:
        """Wait for an order to be in a state."""
        return until(
            lambda: (found := self.order(number))["state"] == wanted and found,
            f"order {number} {wanted}, it is {self.order(number)}",
        )

    def code(self, number: str) -> dict[str, str]:
        answer = self.api("GET", f"/orders/{number}/pickup-code")
        assert answer.status_code == 200, answer.text
        words: dict[str, str] = answer.json()
        return words

    # the simulator: what is physically so

    def sim(self) -> dict[str, Any]:
        words: dict[str, Any] = self._http.get(f"{self.demo['simulator']}/api/sim").json()
        return words

    def act(self, path: str, **body: Any) -> httpx.Response:
        """Something a hand does; `path` below /api/sim."""
        return self._http.post(f"{self.demo['simulator']}/api/sim/{path}", json=body)

    def do(self, path: str, **body: Any) -> None:
        answer = self.act(path, **body)
        assert answer.is_success, f"{path}: {answer.text}"

    def door(self, where: str) -> dict[str, Any]:
        cabinet, number = where.split("/")
        door: dict[str, Any] = self.sim()["cabinets"][cabinet]["doors"][number]
        return door

    def bolts(self) -> dict[str, int]:
        """How often each bolt really moved, those that ever did."""
        return {
            f"{cabinet}/{number}": door["released"]
            for cabinet, inside in self.sim()["cabinets"].items()
            for number, door in inside["doors"].items()
            if door["released"]
        }

    def hands(self) -> list[str]:
        return [each["took"] for each in self.sim()["hands"]]

    def scan(self, text: str) -> None:
        self.do("scanner/S1/scan", text=text)

    # records: the journal's stored bytes, and what MQTT retains

    def journal(self, database: str, stream: str, kind: str = "") -> list[dict[str, Any]]:
        """Entries of a database that another process writes."""
        with open_reader(Path(database)) as connection:
            found = entries(connection, schema.journal, "FT-0001", Stream(stream))
            return [json.loads(entry.body) for entry in found if not kind or entry.kind == kind]

    def journal_text(self, tier: str) -> str:
        """Everything in a tier's journals, as one text to search."""
        database = self.demo["databases"][tier]
        return json.dumps([self.journal(database, "down"), self.journal(database, "up")])

    def alarms(self) -> set[tuple[str, str]]:
        """Kind and place of each alarm that stands on MQTT."""
        said = dict(self.mqtt.topics)
        found = [json.loads(said[topic]) for topic in said if "/alarm/" in topic]
        return {(each["kind"], each["where"]) for each in found}

    # the kiosk

    def kiosk(self) -> dict[str, Any]:
        words: dict[str, Any] = self._http.get(f"{self.demo['kiosk']}/api/v1/kiosk").json()
        return words

    def press(self, button: str, value: str | None = None) -> httpx.Response:
        body = {"button": button} if value is None else {"button": button, "value": value}
        return self._http.post(f"{self.demo['kiosk']}/api/v1/kiosk/press", json=body)

    def screen(self, *wanted: str) -> dict[str, Any]:
        """Wait until the kiosk shows one of these screens."""
        return until(
            lambda: (view := self.kiosk())["screen"] in wanted and view,
            f"screen {' or '.join(wanted)}, it shows {self.kiosk()}",
        )

    def home(self) -> None:
        """Leave whatever the kiosk shows, as the next person would find it."""
        until(self._go_home, "the start screen")

    def _go_home(self) -> bool:
        view = self.kiosk()
        if view["screen"] == "idle":
            return True
        for button in ("skip", "end"):
            if button in view["buttons"]:
                self.press(button)
                break
        return False

    # whole acts of people

    def open_door(self) -> str:
        """Pull the one door that the kiosk has opened; where it is."""
        view = until(lambda: (seen := self.kiosk())["doors"] and seen, "a door to be opened")
        (where,) = view["doors"]
        until(lambda: self.door(where)["unlocked"] or self.door(where)["open"], f"{where} free")
        if not self.door(where)["open"]:
            self.do(f"doors/{where}/pull")
        until(lambda: self.kiosk()["screen"] != "working", "the kiosk to see the door open")
        return str(where)

    def close(self, where: str) -> None:
        """Close a door once its pulse is over; nobody is faster than that."""
        until(lambda: not self.door(where)["unlocked"], f"the bolt of {where} to be thrown")
        self.do(f"doors/{where}/close")

    def load(self, *labels: str, badge: str = "vendor") -> list[str]:
        """A round of boxes: badge, then label, door, box, close for each; where they lie."""
        self.scan(self.demo["badges"][badge])
        self.screen("load")
        places = []
        for label in labels:
            self.scan(label)
            where = self.open_door()
            self.do(f"doors/{where}/put", label=label)
            self.close(where)
            places.append(where)
            until(lambda: not self.kiosk()["doors"], f"{label} to be loaded")
        self.home()
        return places

    def load_order(self, number: str) -> list[str]:
        """All boxes of an order that a cabinet holds."""
        places = self.load(*self.labels(number))
        self.state(number, "ready")
        return places

    def labels(self, number: str) -> list[str]:
        """Of the boxes of an order that a cabinet holds."""
        items = self.order(number)["items"]
        return [each["label"] for each in items if each["holder"] == "cabinet"]

    def take_all(self) -> None:
        """From the first open door to the goodbye: take what each place offers."""
        until(self._take_next, f"everything in hand; {self.kiosk()}", within_s=60.0)

    def _take_next(self) -> bool:
        view = self.kiosk()
        if view["screen"] in {"rating", "done"}:
            return True
        for where in view["doors"]:
            door = self.door(where)
            if door["unlocked"] and not door["open"]:
                self.act(f"doors/{where}/pull")
            elif door["open"] and view["screen"] in {"take", "close"}:  # the site has seen it open
                if door["contents"]:
                    self.act(f"doors/{where}/take")
                self.close(where)
        if self.sim()["machines"]["M1"]["outlet"]:
            self.act("machine/M1/take")
        return False

    def collect(self, number: str) -> None:
        """The person's whole visit with the QR code."""
        self.home()
        self.scan(self.code(number)["qr_text"])
        self.screen("confirm")
        assert self.press("confirm").is_success
        self.take_all()
        self.home()
        self.state(number, "collected")


def order_body(number: str, **changes: Any) -> dict[str, Any]:
    """An order for one licence by machine and one seal set of vendor V01."""
    return {
        "order_no": number,
        "site_id": "FT-0001",
        "company": {"name": "深圳市某某科技有限公司", "uscc": "91440300MA5FXAM6PL"},
        "recipients": [
            {
                "name": "张三",
                "phone": "+8613800000000",
                "id_number": None,
                "role": "legal_representative",
            }
        ],
        "items": [
            {"kind": "business_licence", "holder": "machine"},
            {
                "kind": "seal_set",
                "holder": "cabinet",
                "vendor_id": "V01",
                "seals": ["official", "finance", "invoice", "legal_representative"],
            },
        ],
        **changes,
    }


def numbers(first: int = 440304202611240001) -> Iterator[str]:
    """Order numbers that no other test of the same stage uses."""
    return map(str, count(first))
