"""One site with its machines and nobody else, no broker and no district, for sites that die.

Hands here know nothing of the site: they do what gives way. What happened physically is asked of
the simulator alone.
"""

import tomllib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select
from stage import Stage, until

from controller.clock import SystemClock
from controller.entries import Down
from controller.journal import Stream
from controller.site import schema
from controller.site.inbox import Inbox
from controller.store import open_reader, open_store
from onewindow.demo_settings import site_toml
from onewindow.layout import Folders, Ports
from onewindow.migrate import upgrade
from tests.controller.site.world import CODE_KEY, SALT, SITE, badge_text
from tests.journeys.killed_site import CONTEXT, run_machines, run_site

ENDED_S = 15.0
AT_WORK = {"starting", "moving", "printing", "retracting"}  # a machine that is about to change
POLICY = {  # people here are quick, and the site gives up sooner; a bolt falls in before it does
    "confirm_pickup": False,
    "door_unseen_s": 1.0,
    "door_jammed_s": 1.3,
    "lock_rest_s": 0.5,
    "session_idle_s": 1.0,
    "refused_s": 0.7,
    "rating_s": 0.7,
    "same_code_quiet_s": 0.3,
}
KEYS = {"code_key": CODE_KEY.hex(), "typed_salt": SALT.hex(), "link_key": "6b" * 32}
PROFILE = "waveshare-relay-32"
BARE = """
[profile.bare-32]
doors = 32
pulse = { unit = 0, fc = 5, address = 0x0200, per_door = 1, value = "ms/100", ms = 500 }
door = { unit = 1, fc = 2, address = 0x0000, closed = 1 }
idle = { unit = 0, fc = 5, address = 0x00FF, value = 0x0000 }
"""


class Hall(Stage):
    """Two processes in a folder of their own; the site's may die at a step."""

    def __init__(self, folder: Path, *, sensors: bool = True) -> None:
        """`sensors`: whether the site hears of the compartments' item sensors."""
        super().__init__(folder)
        self._sensors = sensors
        self._ports = Ports(self.port, self.port + 1, self.port + 2, 1, self.port + 3)
        tables = tomllib.loads(
            site_toml(self._ports, Folders(folder), KEYS | {"mqtt_site": ""}, "en")
        )
        del tables["mqtt"]
        self._tables = tables | {"policy": POLICY}
        self._kill_at = CONTEXT.RawValue("i", 0)
        self._site: BaseProcess | None = None
        self._machines: BaseProcess | None = None
        self.database = Folders(folder).site / "site.db"
        self.loads = False  # hands put things in, and take nothing out
        self.brings: list[str] = []  # what a vendor came with

    @property
    def demo(self) -> dict[str, Any]:
        return {
            "kiosk": self._ports.url(self._ports.kiosk),
            "simulator": self._ports.url(self._ports.simulator),
            "badges": {"vendor": badge_text(20)},
        }

    # processes

    def start(self) -> None:
        """Start both and wait until the kiosk serves people."""
        self.folder.joinpath("lines").mkdir(parents=True, exist_ok=True)
        self._machines = CONTEXT.Process(
            target=run_machines,
            args=(self._tables, self._ports.simulator, self.folder),
            daemon=True,
        )
        self._machines.start()
        until(lambda: self._answers(self.demo["simulator"]), "the machines")
        self.start_site()

    def start_site(self) -> None:
        """A new process, not armed; this ends when it serves people."""
        self._kill_at.value = 0
        tables = self._tables if self._sensors else self._without_sensors()
        self._site = CONTEXT.Process(
            target=run_site, args=(tables, self._kill_at, self.folder), daemon=True
        )
        self._site.start()
        until(lambda: self.shows("idle"), f"the site; see {self.folder}/site.log")

    def _without_sensors(self) -> dict[str, Any]:
        """The same cabinet under a profile of the user's own, one that has no item inputs."""
        profiles = self.database.with_name("profiles")
        profiles.mkdir(parents=True, exist_ok=True)
        (profiles / "bare.toml").write_text(BARE)
        boards = [url.replace(PROFILE, "bare-32") for url in self._tables["cabinet"][0]["boards"]]
        return self._tables | {"cabinet": [{"letter": "A", "boards": boards}]}

    def stop(self) -> None:
        self.arm(0)
        for process in (self._site, self._machines):  # a site that loses its machines has steps
            if process is not None and process.is_alive():
                process.terminate()
                process.join(ENDED_S)
                assert not process.is_alive(), f"see {self.folder}"

    def arm(self, step: int) -> None:
        """From now on the site counts its steps, and dies at this one; 0: it counts no more."""
        self._kill_at.value = step

    @property
    def exitcode(self) -> int | None:
        """Of the site's process; None while it runs."""
        assert self._site is not None
        return self._site.exitcode

    @property
    def is_dead(self) -> bool:
        return self.exitcode is not None

    def steps(self) -> list[str]:
        """The steps that were counted, the deadly one last."""
        return (self.folder / "steps").read_text().split()

    def kiosk(self) -> dict[str, Any]:
        """What it shows; a dead site's is dark."""
        with suppress(httpx.TransportError):
            return super().kiosk()
        return {"screen": "dark", "buttons": [], "doors": []}

    def shows(self, screen: str) -> bool:
        return bool(self.kiosk()["screen"] == screen)

    def home(self) -> None:
        """Leave what the kiosk shows; a dead site shows nothing to leave."""
        until(lambda: self.is_dead or self._go_home(), "the start screen")

    def tell(self, *words: tuple[Down, dict[str, Any]]) -> None:
        """What the district would say, taken over as the link does; the site is not running."""
        clock = SystemClock()
        with open_store(self.database, schema.journal, clock) as store:
            upgrade(store, "site")
            for kind, words_of_it in words:
                with store.write() as transaction:
                    entry = transaction.append(SITE, Stream.DOWN, kind.value, words_of_it)
                    Inbox(SITE, clock).apply(transaction, entry)

    # hands

    def move(self) -> bool:
        """Do the next thing that gives way; False if there is nothing to do."""
        sim = self.sim()
        for number, door in sim["cabinets"]["A"]["doors"].items():
            if door["open"]:
                self._at_open_door(f"doors/A/{number}", door)
                return True
            if door["unlocked"]:
                return self.act(f"doors/A/{number}/pull").is_success
        if sim["machines"]["M1"]["outlet"]:
            return self.act("machine/M1/take").is_success
        return not self._sensors and self._says_what_it_did()

    def _says_what_it_did(self) -> bool:
        """Tell the kiosk that the thing was taken, or put in, where it asks and that is so."""
        true = "confirm" if self.loads and not self.brings else "taken" if self.hands() else ""
        with suppress(httpx.TransportError):
            return true in self.kiosk()["buttons"] and self.press(true).is_success
        return False

    def _at_open_door(self, at: str, door: dict[str, Any]) -> None:
        if self.brings and not door["contents"]:
            self.do(f"{at}/put", label=self.brings.pop(0))
        elif door["contents"] and not self.loads:
            self.do(f"{at}/take")
        elif not door["unlocked"]:  # its pulse is over: nobody is faster than that
            self.do(f"{at}/close")

    def is_still(self) -> bool:
        """Nothing that was set going before is still on its way."""
        before, machine = self.sim(), self.sim()["machines"]["M1"]
        return machine["state"] not in AT_WORK and before["cabinets"] == self.sim()["cabinets"]

    # physically so

    def stands_open(self) -> bool:
        return any(door["open"] for door in self.sim()["cabinets"]["A"]["doors"].values())

    def moves(self) -> Counter[str]:
        """How often each bolt and the paper really moved."""
        return Counter(self.bolts()) + Counter(M1=self.sim()["machines"]["M1"]["moved"])

    def asked(self) -> int:
        """The last sequence number that the machine accepted."""
        return int(self.sim()["machines"]["M1"]["seq"])

    # what the site's database says

    def rows(self, statement: Any) -> Sequence[Any]:
        with open_reader(self.database) as connection:
            return connection.execute(statement).all()

    def intents(self) -> Counter[str]:
        """How many movements of each door and machine were intended."""
        told = self.journal(str(self.database), "up", "movement.intended")
        return Counter(each["data"]["where"] for each in told)

    def is_at_rest(self) -> bool:
        """Nothing is under way: all is known, or known to be doubtful."""
        boxes, sessions, intents = schema.compartments.c, schema.sessions.c, schema.intents.c
        return self.shows("idle") and not (
            self.rows(select(boxes.no).where(boxes.state.in_(("reserved", "open"))))
            or self.rows(select(sessions.session).where(sessions.ended_at.is_(None)))
            or self.rows(select(intents.intent_id).where(intents.outcome.is_(None)))
        )
