"""What surrounds the cabinets: air, power, tampering; alarms of it, and light and fan.

A light is no movement: it moves no bolt, so it needs no intent, is switched again after a lost
answer, and has no entry. Nothing here can reach a lock; outputs of a profile are lamps and fans.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Final, Literal

from controller.entries import AlarmKind, Severity
from controller.equipment import EnvironmentTable
from controller.faults import BadReply, DeviceFault, NoReply
from controller.ports import Clock, Environment, EnvironmentSight
from controller.settings import PolicyTable
from controller.site.alarms import clear_alarm, raise_alarm, standing
from controller.site.bell import Bell
from controller.site.book import Book
from controller.site.fire import Fire
from controller.site.silences import Silences

TICK_S: Final = 1.0
SAID_AGAIN_S: Final = 60.0  # a board that restarted has forgotten its outputs
SHAKEN_S: Final = 60.0  # blows within so long are one alarm
# What may be behind an alarm that stood before the start, until something is known.
CAUSES: Final[dict[tuple[AlarmKind, Severity], tuple[str, ...]]] = {
    (AlarmKind.TEMPERATURE, "warning"): ("temperature", "humidity"),
    (AlarmKind.TEMPERATURE, "critical"): ("temperature", "humidity", "smoke"),
    (AlarmKind.POWER, "warning"): ("mains",),
    (AlarmKind.POWER, "critical"): ("mains", "battery"),
    (AlarmKind.TAMPER, "critical"): ("tamper",),
    (AlarmKind.FIRE, "critical"): ("fire",),
}
BACK_C, BACK_PERCENT = 1.0, 3.0  # so far inside the limits again, lest an alarm flaps at them

Power = Literal["mains", "battery_bad", "battery", "battery_low"]


@dataclass(frozen=True, slots=True)
class Air:
    """What is known of a cabinet's surroundings; None where nothing measures it."""

    temperature_c: float | None = None
    humidity_percent: float | None = None
    mains: bool | None = None
    battery: bool | None = None  # good
    untouched: bool | None = None
    still: bool | None = None
    smokeless: bool | None = None
    fireless: bool | None = None

    def contacts(self) -> dict[str, bool]:
        """Those that are wired, by their names; true when all is well."""
        told = {
            "mains": self.mains,
            "battery": self.battery,
            "tamper": self.untouched,
            "vibration": self.still,
            "smoke": self.smokeless,
            "fire": self.fireless,
        }
        return {name: well for name, well in told.items() if well is not None}

    @property
    def power(self) -> Power | None:
        """What the cabinet lives on; None where nothing tells."""
        if self.mains is None and self.battery is None:
            return None
        if self.mains is False:
            return "battery_low" if self.battery is False else "battery"
        return "battery_bad" if self.battery is False else "mains"


@dataclass(slots=True)
class _Cabinet:
    """One cabinet; times are those since when something is so."""

    devices: set[str]
    sights: dict[str, EnvironmentSight] = field(default_factory=dict)  # by device
    outside: dict[str, float] = field(default_factory=dict)  # by what is outside its limits
    shaken_at: float | None = None
    fan: bool = False
    power_low: bool = False
    said: dict[AlarmKind, Severity] = field(default_factory=dict)  # alarms that stand


class Surroundings:
    """Follows every cabinet's sensors; each alarm is raised once and cleared once."""

    def __init__(
        self,
        tables: Mapping[str, EnvironmentTable],
        book: Book,
        silences: Silences,
        *,
        policy: PolicyTable,
        clock: Clock,
        bell: Bell,
        visited: Callable[[], bool],
        fire: Fire,
    ) -> None:
        self._tables = tables
        self._book = book
        self._silences = silences
        self._policy = policy
        self._clock = clock
        self._bell = bell
        self._visited = visited
        self._fire = fire
        self._cabinets = {
            letter: _Cabinet({name for name, each in tables.items() if each.cabinet == letter})
            for letter in sorted({each.cabinet for each in tables.values()})
        }

    @property
    def power_low(self) -> bool:
        """Some cabinet runs on the rest of its battery: nothing is begun that can wait."""
        return any(each.power_low for each in self._cabinets.values())

    def air(self, cabinet: str) -> Air:
        """What its devices say together; nothing of those that are silent."""
        measures: dict[str, float] = {}
        contacts: dict[str, bool] = {}
        at = self._cabinets.get(cabinet)
        for device, sight in at.sights.items() if at else ():
            measures |= sight.measures
            wired = self._tables[device].wired
            contacts |= {name: well for name, well in sight.contacts.items() if name in wired}
        battery = contacts.get("battery")
        if (percent := measures.get("battery_percent")) is not None:
            battery = battery is not False and percent >= self._policy.battery_low_percent
        return Air(
            temperature_c=measures.get("temperature_c"),
            humidity_percent=measures.get("humidity_percent"),
            mains=contacts.get("mains"),
            battery=battery,
            untouched=contacts.get("tamper"),
            still=contacts.get("vibration"),
            smokeless=contacts.get("smoke"),
            fireless=contacts.get("fire"),
        )

    # its life

    def start(self) -> None:
        """What stood before is believed until something is known."""
        for letter, cabinet in self._cabinets.items():
            cabinet.said = self._said(letter)
        self._tell_fire()

    async def follow(self, device: Environment) -> None:
        """One session with a device; nothing is known of it when this ends."""
        try:
            async for sight in device.watch():
                self.see(device.name, sight)
        except DeviceFault as fault:
            self.lose(device.name, fault)
            raise

    def see(self, device: str, sight: EnvironmentSight) -> None:
        """Take over one look at a device."""
        if sight.measures and not any(sight.measures.values()):
            self.lose(device, BadReply(device, "reads 0 everywhere, as a broken sensor does"))
            return
        if self._silences.answers(device):
            with self._book.act() as act:
                self._silences.clear(act, device)
        cabinet = self._tables[device].cabinet
        self._cabinets[cabinet].sights[device] = sight
        self._judge(cabinet)

    def lose(self, device: str, fault: DeviceFault) -> None:
        self._silences.lose(device, fault)
        self._cabinets[self._tables[device].cabinet].sights.pop(device, None)

    def lose_sight(self, device: str, why: str) -> None:
        """Whatever ended a session, a mistake of ours too."""
        if device not in self._silences.lost():
            self.lose(device, NoReply(device, why))

    async def tick(self) -> None:
        """Once a second: what has lasted long enough."""
        while True:
            for cabinet in self._cabinets:
                self._judge(cabinet)
            await self._clock.sleep(TICK_S)

    async def switch(self, device: Environment) -> None:
        """One session: the light is on while somebody is served, the fan while it is hot."""
        cabinet = self._cabinets[self._tables[device.name].cabinet]

        def wanted() -> dict[str, bool]:
            on = {"light": self._visited(), "fan": cabinet.fan}
            return {output: on[output] for output in device.outputs if output in on}

        def differs(done: dict[str, bool]) -> bool:
            return wanted() != done

        while True:
            done = wanted()
            for output, on in done.items():
                await device.switch(output, on=on)
            await self._bell.until(partial(differs, done), SAID_AGAIN_S)

    # what it means

    def _judge(self, letter: str) -> None:
        cabinet, air = self._cabinets[letter], self.air(letter)
        fan = cabinet.fan
        said = cabinet.said
        stands = {
            AlarmKind.TEMPERATURE: self._climate(cabinet, air, said.get(AlarmKind.TEMPERATURE)),
            AlarmKind.POWER: self._power(cabinet, air, said.get(AlarmKind.POWER)),
            AlarmKind.TAMPER: self._touched(cabinet, air),
            AlarmKind.FIRE: self._burns(cabinet, air),
        }
        now = {kind: severity for kind, severity in stands.items() if severity is not None}
        if now != said:
            with self._book.act() as act:
                for kind in said.keys() - now.keys():
                    clear_alarm(act, kind, letter)
                for kind, severity in now.items():
                    raise_alarm(act, kind, letter, severity)
        cabinet.said = now
        self._tell_fire()
        if fan is not cabinet.fan:
            self._bell.ring()

    def _tell_fire(self) -> None:
        on = any(AlarmKind.FIRE in each.said for each in self._cabinets.values())
        if on is not self._fire.on:
            self._fire.on = on
            self._bell.ring()

    def _said(self, letter: str) -> dict[AlarmKind, Severity]:
        """Alarms from before the start stand on until something is known."""
        with self._book.look() as connection:
            before = standing(connection, letter)
        said = {kind: severity for kind, severity in before.items() if (kind, severity) in CAUSES}
        for alarm in said.items():
            self._cabinets[letter].outside |= dict.fromkeys(CAUSES[alarm], -inf)
        return said

    def _lasts(self, cabinet: _Cabinet, what: str, seconds: float, *, well: bool | None) -> bool:
        """Whether it has not been well for so long; what a silent device last said goes on."""
        now = self._clock.monotonic()
        if well is False:
            cabinet.outside.setdefault(what, now)
        elif well or cabinet.sights.keys() == cabinet.devices:
            cabinet.outside.pop(what, None)
        return what in cabinet.outside and now - cabinet.outside[what] >= seconds

    def _climate(self, cabinet: _Cabinet, air: Air, said: Severity | None) -> Severity | None:
        p, warm, damp = self._policy, air.temperature_c, air.humidity_percent
        if warm is not None:
            cabinet.fan = warm > p.fan_off_c if cabinet.fan else warm >= p.fan_on_c
        by_c, by_percent = (BACK_C, BACK_PERCENT) if said else (0.0, 0.0)
        low_c, high_c = p.temperature_low_c + by_c, p.temperature_high_c - by_c
        mild = None if warm is None else low_c <= warm <= high_c
        dry = None if damp is None else damp <= p.humidity_high_percent - by_percent
        hot_long = self._lasts(cabinet, "temperature", p.temperature_out_s, well=mild)
        wet_long = self._lasts(cabinet, "humidity", p.humidity_out_s, well=dry)
        if self._lasts(cabinet, "smoke", 0, well=air.smokeless):
            return "critical"
        return "warning" if hot_long or wet_long else None

    def _power(self, cabinet: _Cabinet, air: Air, said: Severity | None) -> Severity | None:
        out_s = self._policy.power_out_s
        is_lost = self._lasts(cabinet, "mains", out_s, well=air.mains)
        is_flat = self._lasts(cabinet, "battery", out_s, well=air.battery)
        cabinet.power_low = is_flat and (is_lost or air.mains is None)
        if not is_lost and not is_flat:
            return None
        return "critical" if cabinet.power_low or said == "critical" else "warning"

    def _burns(self, cabinet: _Cabinet, air: Air) -> Severity | None:
        return "critical" if self._lasts(cabinet, "fire", 0, well=air.fireless) else None

    def _touched(self, cabinet: _Cabinet, air: Air) -> Severity | None:
        now = self._clock.monotonic()
        if air.still is False:
            cabinet.shaken_at = now
        shaken = cabinet.shaken_at is not None and now - cabinet.shaken_at < SHAKEN_S
        opened = self._lasts(cabinet, "tamper", 0, well=air.untouched)
        return "critical" if shaken or opened else None
