"""One kind of board on a real pty or port, served by the simulator, and our driver."""

import asyncio

from controller.clock import SystemClock
from controller.faults import LineDown, NoReply
from firmware_bridge.lines import open_line
from firmware_bridge.open import Bridge
from simulator.plan import LinePlan
from tests.troubles.benches import LINE, OWN_PROFILES, Kind, opens

WITHIN_S = 10.0


class Served:
    """One kind of board behind a real pty or port, and our driver."""

    def __init__(self, kind: Kind, http, line: LinePlan) -> None:
        self.http = http
        tcp = "{}:{}?".format(*line.tcp or ("", ""))
        place = f"{line.link}?baud={line.baud}&" if kind.is_serial else tcp
        self.opened = 0
        self.bridge = Bridge(SystemClock(), opener=self._open, user_profiles=OWN_PROFILES)
        url = kind.url(kind.units[0], place=place)
        self.board = self.bridge.lock_board(url, "A")

    async def _open(self, place, clock):
        self.opened += 1
        return await open_line(place, clock)

    async def trouble(self, **asked):
        answer = await self.http.post("/api/sim/faults", json={"line": LINE, **asked})
        assert answer.status_code == 200, answer.text

    async def counted(self, name):
        return (await self.http.get("/api/sim/faults")).json()["lines"][LINE][name]

    async def moved(self):
        doors = (await self.http.get("/api/sim")).json()["cabinets"]["A"]["doors"]
        return {no: door["released"] for no, door in doors.items() if door["released"]}

    async def until_seen(self):
        """A look succeeds again; what fails until then is what a line may do."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                try:
                    return opens(await self.board.look())
                except (LineDown, NoReply):
                    await asyncio.sleep(0.05)
