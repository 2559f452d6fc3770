"""Adapters pulled out of a running site: which line is down, and that it is used again."""

import asyncio
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from controller.clock import SystemClock
from controller.settings import SiteSettings
from controller.site import schema
from controller.site.site import Site
from controller.store import open_store
from onewindow.devices import bridge_of, devices_of
from onewindow.simulate import plan_of
from onewindow.site_figures import health_of
from simulator.clock import FineTimer
from simulator.clock import SystemClock as MachineClock
from simulator.ends import PtyLine
from simulator.world import World

KEY = "00" * 16


def settings(folder: Path) -> SiteSettings:
    left, right = (f"modbus+rtu://{folder}/{name}?baud=115200" for name in ("usb0", "usb1"))
    return SiteSettings(
        site={"id": "FT-0001", "name": "n", "address": "a", "data": str(folder)},
        line=[{"name": "left-usb", "url": left}, {"name": "right-usb", "url": right}],
        cabinet=[
            {
                "letter": "A",
                "boards": [f"{left}&unit={unit}&profile=waveshare-relay-8" for unit in (1, 4)],
            },
        ],
        compartment=[
            {"cabinet": "A", "no": no, "size": "S", "height_cm": 100} for no in range(1, 17)
        ],
        environment=[
            {"name": "air", "cabinet": "A", "url": f"{right}&unit=1&profile=xy-md02"},
        ],
        policy={"board_silent_s": 0.5},
        link={"key": KEY, "code_key": KEY, "typed_salt": KEY},
    )


@asynccontextmanager
async def machines(plan):
    """Adapters and boards by line; close one end to pull it out."""
    timer = FineTimer()
    world = World(plan, MachineClock())
    world.power_up()
    life = asyncio.create_task(world.live())
    ends = {name: PtyLine(wire, wire.plan.link, timer) for name, wire in world.wires.items()}
    try:
        yield world, ends, timer
    finally:
        for end in ends.values():
            end.close()
        timer.close()
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life


async def until(holds, within_s=20.0):
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - a tty has no event for this
            await asyncio.sleep(0.02)


async def test_an_adapter_that_vanishes_is_named_and_is_used_again_when_it_is_back(tmp_path):
    wanted, clock = settings(tmp_path), SystemClock()
    bridge = bridge_of(wanted, clock)
    devices = devices_of(wanted, bridge)
    async with machines(plan_of(wanted)) as (world, ends, timer):
        with open_store(wanted.site.database, schema.journal, clock) as store:
            with store.write() as transaction:
                schema.metadata.create_all(transaction.connection)
            site = Site(
                wanted,
                store,
                clock,
                boards=devices.boards,
                machines={},
                readers={},
                environments=devices.environments,
                lines=devices.lines,
            )

            def alarms():
                return {(each["kind"], each["place"]) for each in site.describe().alarms}

            def health():
                return health_of(wanted, site, bridge, devices)["A"]

            life = asyncio.create_task(site.run())
            try:
                await until(lambda: not site.problems() and "temperature_c" in health())
                assert alarms() == set()
                assert health()["boards"] == {"A1": "ok", "A2": "ok", "air": "ok"}

                ends.pop("left-usb").close()
                await until(lambda: alarms() == {("bus_down", "left-usb")})
                assert health()["boards"] == {"A1": "silent", "A2": "silent", "air": "ok"}
                assert not health()["lines"]["left-usb"]["connected"]
                assert health()["lines"]["right-usb"]["connected"]

                wire = world.wires["left-usb"]
                ends["left-usb"] = PtyLine(wire, wire.plan.link, timer)
                await until(lambda: not alarms() and not site.problems())
                assert health()["lines"]["left-usb"]["connected"]
            finally:
                life.cancel()
                with suppress(asyncio.CancelledError):
                    await life
                bridge.close()
