"""Whose turn it is on a line: the most urgent first, and among equals who asked first."""

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import IntEnum


class Urgency(IntEnum):
    """A release overtakes a look, both overtake polling, and polling is shared out."""

    RELEASE = 0
    LOOK = 1
    ATTEND = 2  # a poll of a board whose door was released or stands open
    POLL = 3


@dataclass(frozen=True, slots=True)
class Shares:
    """How polls divide a line."""

    # Somebody stands before the released door: at 19200 baud every second slot shows its opening
    # within 40 ms, while the other boards of a line of eight wait 1.75 times as long as before.
    attentive_slots: int = 1
    idle_slots: int = 1
    # A dead board is asked so seldom that the living keep 24 of 25 parts of the line: a twentieth
    # is what it may cost, and what a poll that waits its turn loses besides comes out of the rest.
    silent: float = 0.04

    def __post_init__(self) -> None:
        if self.attentive_slots < 1 or self.idle_slots < 1:
            raise ValueError("attentive and idle boards each have one slot at least")
        if not 0 < self.silent < 1:
            raise ValueError("a silent board's share lies between 0 and 1")


class Turns:
    """One holder at a time; a waiter that is cancelled loses its place and nobody else's."""

    def __init__(self, shares: Shares | None = None) -> None:
        self._shares = shares or Shares()
        self._taken = False
        self._waiting: dict[Urgency, deque[asyncio.Future[None]]] = {
            urgency: deque() for urgency in Urgency
        }
        self._waiters = 0
        self._attended = 0  # slots in this round of shares
        self._polled = 0

    def turn(self, urgency: Urgency, *, again: bool = False) -> "_Turn":
        """Hold the line; who comes `again`, having made way, stands before its equals."""
        return _Turn(self, urgency, again=again)

    def overtaken(self, urgency: Urgency) -> bool:
        """Whether somebody waits who comes before the holder, shares aside."""
        if not self._waiters:
            return False
        ahead = (Urgency.RELEASE, Urgency.LOOK)
        return any(
            not called.done() for each in ahead if each < urgency for called in self._waiting[each]
        )

    async def take(self, urgency: Urgency, *, again: bool) -> None:
        if self._taken:
            await self._wait(urgency, again=again)
        self._taken = True
        self._count(urgency)

    async def _wait(self, urgency: Urgency, *, again: bool) -> None:
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if again:
            self._waiting[urgency].appendleft(called)
        else:
            self._waiting[urgency].append(called)
        self._waiters += 1
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self.pass_on()  # it was our turn already
            raise
        finally:
            self._waiters -= 1

    def _count(self, urgency: Urgency) -> None:
        """A round ends when both have had their slots, or one found the other without a wish.

        What overtakes polling is somebody's attention too: the next slot is the idle boards'.
        """
        if urgency is Urgency.POLL:
            self._polled += 1
        else:
            self._attended += 1
        if self._attended >= self._shares.attentive_slots and (
            self._polled >= self._shares.idle_slots
        ):
            self._attended = self._polled = 0

    def pass_on(self) -> None:
        """The holder is through: the line is the next one's."""
        if not self._waiters:
            self._taken = False
            return
        for urgency in self._by_share():
            waiting = self._waiting[urgency]
            while waiting:
                if not (called := waiting.popleft()).done():
                    called.set_result(None)
                    return
        self._taken = False

    def _by_share(self) -> tuple[Urgency, ...]:
        if self._attended < self._shares.attentive_slots:
            return (Urgency.RELEASE, Urgency.LOOK, Urgency.ATTEND, Urgency.POLL)
        return (Urgency.RELEASE, Urgency.LOOK, Urgency.POLL, Urgency.ATTEND)


class _Turn:
    """A line held from entering to leaving, without the cost of a generator at each read."""

    __slots__ = ("_again", "_turns", "_urgency")

    def __init__(self, turns: Turns, urgency: Urgency, *, again: bool) -> None:
        self._turns = turns
        self._urgency = urgency
        self._again = again

    async def __aenter__(self) -> None:
        await self._turns.take(self._urgency, again=self._again)

    async def __aexit__(self, *_error: object) -> None:
        self._turns.pass_on()
