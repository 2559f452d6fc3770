"""What befalls the link and the far end of it, and both databases."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

from controller.journal import Stream, head
from controller.site import schema
from simulator.rehearsal.events import Struck
from simulator.rehearsal.linked_district import WHO
from simulator.rehearsal.linked_stage import LinkedStage
from simulator.rehearsal.shapes import DAY_S, HOUR_S
from simulator.rehearsal.weather import ALL, Fault

LINK_FAULTS: Final = (
    Fault("broker", "F20", 2.0),  # it restarts
    Fault("broker_empty", "F20", 1.5),  # and its store is deleted
    Fault("half_open", "F22", 3.0),  # a connection that carries nothing
    Fault("district_off", "F23", 1.5, (1.0, 600.0)),
    Fault("district_tail", "F23", 1.0, (60.0, 4 * HOUR_S)),  # a copy that is behind takes over
    Fault("old_backup", "F29", 0.7, (HOUR_S, DAY_S)),  # the site's database, after all was sent
)
LINK_NAMES: Final = tuple(each.name for each in LINK_FAULTS)
AGAIN_S: Final = 300.0
TRIES: Final = 40
OFF_S: Final = 60.0


def drawn(asked: tuple[str, ...], dice: Random) -> dict[str, float]:
    """Which of these a seed has, and how strong."""
    strengths = {name: 0.3 + 0.7 * dice.random() for name in LINK_NAMES}
    halved = {name for name in LINK_NAMES if dice.random() < 1 / 2}
    wanted = halved if ALL in asked else set(asked)
    return {name: strength for name, strength in strengths.items() if name in wanted}


class LinkStorm:
    """Plans every stroke of one link; after `end` none comes any more."""

    def __init__(
        self,
        stage: LinkedStage,
        strengths: dict[str, float],
        dice: Random,
        plan: Callable[[float, Callable[[], None]], None],
    ) -> None:
        self._stage = stage
        self._strengths = strengths
        self._dice = dice
        self._plan = plan
        self._over = False

    def plan_day(self, begins: float) -> None:
        for fault in LINK_FAULTS:
            expected = fault.a_day * self._strengths.get(fault.name, 0.0)
            times = int(expected) + (self._dice.random() < expected - int(expected))
            for _ in range(times):
                at = begins + self._dice.triangular(7.0, 22.0, 12.0) * HOUR_S
                self._plan(at, lambda fault=fault: self._strike(fault))  # type: ignore[misc]

    def end(self) -> None:
        self._over = True

    def _strike(self, fault: Fault) -> None:
        if self._over:
            return
        self._stage.rouse()
        least, most = fault.lasts_s
        getattr(self, f"_{fault.name}")(least + (most - least) * self._dice.random() ** 2)

    def _struck(self, name: str, where: str) -> None:
        self._stage.log.note(Struck(name, where))

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def due() -> None:
            if not self._over:
                self._stage.rouse()
                act()

        self._plan(self._stage.clock.monotonic() + seconds, due)

    # the broker and the network

    def _broker(self, _lasts_s: float) -> None:
        self._struck("broker", "broker")
        self._stage.broker.restart(forgets=False)

    def _broker_empty(self, _lasts_s: float) -> None:
        self._struck("broker_empty", "broker")
        self._stage.broker.restart(forgets=True)

    def _half_open(self, _lasts_s: float) -> None:
        who = self._dice.choice((self._stage.settings.site.id, WHO))
        if self._stage.broker.half_open(who):
            self._struck("half_open", who)

    # the district

    def _district_off(self, lasts_s: float) -> None:
        self._struck("district_off", "district")
        self._stage.district.kill(lasts_s)

    def _district_tail(self, lasts_s: float) -> None:
        """The copy is what it was now, with all that was said since."""
        self._stage.district.keep_copy()

        def takes_over() -> None:
            self._struck("district_tail", "district")
            self._stage.district.lose_tail(OFF_S * self._dice.random())

        self._later(lasts_s, takes_over)

    # the site's database

    def _old_backup(self, lasts_s: float) -> None:
        """Somebody puts a copy back once the district has all that the site ever wrote."""
        if self._stage.store is None:
            return
        copy = self._stage.database.with_suffix(".old")
        with closing(sqlite3.connect(f"file:{self._stage.database}?mode=ro", uri=True)) as here:
            copy.unlink(missing_ok=True)
            with closing(sqlite3.connect(copy)) as there:
                here.backup(there)
        self._later(lasts_s, lambda: self._put_back(copy, TRIES))

    def _put_back(self, copy: Path, tries: int) -> None:
        if not copy.exists():
            return
        if not self._sent_all():
            if tries:
                self._later(AGAIN_S, lambda: self._put_back(copy, tries - 1))
            return
        self._struck("old_backup", "site")
        stage = self._stage
        stage.cut(OFF_S, mains=False)
        stage.restored_from = copy

    def _sent_all(self) -> bool:
        stage = self._stage
        if stage.store is None or not stage.online or stage.wire.hostile:
            return False
        with stage.store.read() as connection:
            ours = head(connection, schema.journal, stage.settings.site.id, Stream.UP)
        return ours == stage.district.head(Stream.UP)
