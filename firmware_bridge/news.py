"""Word from the far end, in place of asking it again and again: for a site on virtual time."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

HEARTBEAT_S: Final = 3600.0  # what was never told is found out all the same


class News:
    """Handed to a Bridge, it says when a board may read otherwise than before.

    The other end's owner calls `tell` with the name that the device was made with, whenever a
    switch or sensor of it changes, and also when it falls silent or answers again. Then, after a
    release, while something is unsettled, flips on and on or was not answered, and every
    `heartbeat_s` a board is read by the same code as ever; at all other times nothing is asked and
    no timer runs but the heartbeat's. Without a News a Bridge polls, as real boards must be.
    A licence machine is read when the site asks for it, with or without news.
    """

    def __init__(self, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.heartbeat_s = heartbeat_s
        self._told: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._doors_only: dict[str, bool] = {}  # what was told of a board since it was heeded

    def tell(self, device: str, *, doors_only: bool = False) -> None:
        """Its next read is now; never lost, not even while a read is under way.

        `doors_only`: what lies behind them is what it was.
        """
        self._doors_only[device] = doors_only and self._doors_only.get(device, True)
        self._told[device].set()

    def tell_all(self, devices: Iterable[str] = ()) -> None:
        """As `tell` for these, or for every device that was ever waited for."""
        for device in tuple(devices) or tuple(self._told):
            self.tell(device)

    def heed(self, device: str) -> bool:
        """A read begins: what was told before it, it will show. True if not only of doors."""
        self._told[device].clear()
        return not self._doors_only.pop(device, True)

    async def wait(self, device: str) -> None:
        """Return when something was told since `heed`, or the heartbeat is due."""
        loop = asyncio.get_running_loop()
        heartbeat = loop.call_later(self.heartbeat_s, self.tell, device)
        try:
            await self._told[device].wait()
        finally:
            heartbeat.cancel()
