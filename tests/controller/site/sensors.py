"""A cabinet's sensors and lamps made by hand, and a hall that has them."""

import asyncio
import contextlib

from controller.equipment import EnvironmentTable
from controller.ports import EnvironmentSight
from controller.site.site import Site
from tests.controller.site.world import Town, at_once

WELL = {"mains": True, "battery": True, "tamper": True, "vibration": True}


class Sensor:
    """Says what it is told to say, every ten seconds and at each change."""

    def __init__(self, name, *outputs, **measures):
        self.name = name
        self.outputs = outputs
        self.measures = measures
        self.contacts = dict(WELL) if outputs else {}
        self.fault = None
        self.switched = []
        self._changed = asyncio.Event()

    def set(self, **what):
        for name, value in what.items():
            (self.contacts if name in {*WELL, "smoke", "fire"} else self.measures)[name] = value
        self._changed.set()

    def fail(self, fault):
        self.fault = fault
        self._changed.set()

    async def look(self):
        if self.fault is not None:
            raise self.fault
        at = asyncio.get_running_loop().time()
        return EnvironmentSight(at, dict(self.measures), dict(self.contacts))

    async def watch(self):
        while True:
            self._changed.clear()
            yield await self.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await self._changed.wait()

    async def switch(self, output, *, on):
        await self.look()
        self.switched.append((output, on))


class Hall(Town):
    """A town whose cabinet has an air sensor E1 and a power and lamp board E2, on one line."""

    def __init__(self, path, *, wired=("mains", "battery", "tamper", "vibration"), **policy):
        super().__init__(path, machine=False, **policy)
        self.air = Sensor("E1", temperature_c=21.0, humidity_percent=45.0)
        self.board = Sensor("E2", "light", "fan", "sounder")
        tables = [
            EnvironmentTable(name=name, cabinet="A", url="x", wired=wired) for name in ("E1", "E2")
        ]
        self.settings = self.settings.model_copy(update={"environment": tables})

    def build(self, clock):
        return Site(
            self.settings,
            self.store,
            clock,
            boards={"A": [self.cabinet]},
            machines={},
            readers={"S1": self.reader},
            environments={"E1": self.air, "E2": self.board},
            lines={"E1": "L2", "E2": "L2", "A-1": "L1"},
            step=self.step,
            slow=at_once,
        )

    def alarms(self):
        return [
            f"{each['does']} {each['where']} {each['severity']}" for each in self.up("alarm.raised")
        ]

    def standing(self):
        return sorted(each["kind"] for each in self.site.describe().alarms)
