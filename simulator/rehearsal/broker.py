"""A broker in memory that is no friend: what it is given it may lose, double, mix up and forge.

Its clients see it as the link's own lines see one: a publish ends when the broker has it, which
proves nothing, and a line may stop carrying without a word.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final

from aiomqtt import Message, Will

from controller.link.connection import Broker as Address
from controller.link.connection import Line
from controller.ports import Clock

TRIP_S: Final = 0.02  # one way
LATE_S: Final = 8.0  # at most, for what is overtaken
SILENT_S: Final = 5.0  # then a client gives up an answer
NOTICED_S: Final = 15.0  # then a client notices that nothing comes any more

Tap = Callable[[str, str, bytes], None]  # client, topic, payload


@dataclass(slots=True)
class Mischief:
    """What befalls messages on journals' topics: shares between nought and one."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0  # so that later ones overtake it
    old: float = 0.0  # one of before comes again
    forged: float = 0.0  # one that nobody sent comes first
    recut: float = 0.0  # its entries come in other batches


@dataclass(slots=True)
class Net:
    """One client's network."""

    up: bool = True
    back: asyncio.Event = field(default_factory=asyncio.Event)


class LineGone(ConnectionError):
    """The broker does not answer on this line any more."""


class MemoryLine:
    """One connection of one client."""

    def __init__(self, broker: "MemoryBroker", who: str, will: Will | None) -> None:
        self.who = who
        self.will = will
        self.filters: list[list[str]] = []
        self.deaf = False  # nothing passes, and nobody has noticed
        self._broker = broker
        self._arrived: asyncio.Queue[Message | None] = asyncio.Queue()
        self._gone = asyncio.Event()

    @property
    def alive(self) -> bool:
        return not self._gone.is_set()

    async def subscribe(self, *topics: str) -> None:
        await self._trip()
        for topic in topics:
            self.filters.append(topic.split("/"))
            self._broker.retained_for(self, topic)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await self._trip()
        self._broker.take(self, topic, payload, retain=retain)

    def messages(self) -> AsyncIterator[Message]:
        return self

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        message = await self._arrived.get()
        if message is None:
            raise LineGone("the connection ended")
        return message

    def arrive(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if self.alive and not self.deaf:
            self._arrived.put_nowait(Message(topic, payload, 1, retain, 0, None))

    def hang_up(self) -> None:
        self._gone.set()
        self._arrived.put_nowait(None)

    async def _trip(self) -> None:
        if self.deaf:
            await self._broker.clock.sleep(SILENT_S)
        else:
            await self._broker.clock.sleep(TRIP_S)
        if self.deaf or not self.alive:
            raise LineGone("the broker does not answer")


class MemoryBroker:
    """`taps` hear each message that a client gave, `spoilt` is asked for what to forge from it."""

    def __init__(self, dice: Random, clock: Clock) -> None:
        self.clock = clock
        self.mischief = Mischief()
        self.done: Counter[str] = Counter()  # mischief, by kind
        self.taps: list[Tap] = []
        self.forge: Callable[[str, bytes], bytes | None] = lambda _topic, _payload: None
        self.recut: Callable[[str, bytes], list[bytes]] = lambda _topic, payload: [payload]
        self.retained: dict[str, bytes] = {}
        self._dice = dice
        self._lines: list[MemoryLine] = []
        self._nets: dict[str, Net] = {}
        self._before: dict[str, list[bytes]] = {}  # of each journal's topic, the newest few

    def net(self, who: str) -> Net:
        return self._nets.setdefault(who, Net())

    @asynccontextmanager
    async def dial(self, address: Address, will: Will | None, _clock: Clock) -> AsyncIterator[Line]:
        """As `dial_tcp` does, to this broker. Without a network it takes until there is one."""
        net = self.net(address.identifier)
        while not net.up:
            net.back.clear()
            await net.back.wait()
        await self.clock.sleep(TRIP_S)
        for other in [each for each in self._lines if each.who == address.identifier]:
            self._drop(other)  # of one name the newest is connected
        line = MemoryLine(self, address.identifier, will)
        self._lines.append(line)
        try:
            yield line
        finally:
            self._drop(line)

    # what befalls it

    def cut(self, who: str) -> None:
        """No network for this client; it is noticed when something is asked."""
        self.net(who).up = False
        for line in self._lines:
            if line.who == who:
                self._fall_silent(line)

    def mend(self, who: str) -> None:
        net = self.net(who)
        net.up = True
        net.back.set()

    def half_open(self, who: str) -> bool:
        """A line of this client carries nothing any more; the network is there."""
        lines = [line for line in self._lines if line.who == who]
        for line in lines:
            self._fall_silent(line)
        return bool(lines)

    def restart(self, *, forgets: bool) -> None:
        """Every connection ends; with its store deleted nothing retained is left."""
        for line in list(self._lines):
            self._drop(line)
        if forgets:
            self.retained.clear()

    def _fall_silent(self, line: MemoryLine) -> None:
        line.deaf = True
        asyncio.get_running_loop().call_later(NOTICED_S, self._drop, line)

    def _drop(self, line: MemoryLine) -> None:
        if line not in self._lines:
            return
        self._lines.remove(line)
        line.hang_up()
        if line.will is not None:
            payload = line.will.payload
            assert isinstance(payload, bytes)
            self._spread(line.will.topic, payload, retain=line.will.retain)

    # messages

    def take(self, line: MemoryLine, topic: str, payload: bytes, *, retain: bool) -> None:
        for tap in self.taps:
            tap(line.who, topic, payload)
        if "/journal/" not in topic:
            self._spread(topic, payload, retain=retain)
            return
        for delay_s, each in self._arrivals(topic, payload):
            asyncio.get_running_loop().call_later(delay_s, self._spread_late, topic, each, retain)
        before = self._before.setdefault(topic, [])
        before.append(payload)
        del before[:-8]

    def _spread_late(self, topic: str, payload: bytes, retain: bool) -> None:  # noqa: FBT001 - a timer's
        self._spread(topic, payload, retain=retain)

    def _arrivals(self, topic: str, payload: bytes) -> list[tuple[float, bytes]]:
        """What comes of one message, and how late."""
        wrong, found = self.mischief, [(TRIP_S, payload)]
        if self._strikes("lost", wrong.lost):
            found = []
        elif self._strikes("recut", wrong.recut):
            found = [(TRIP_S, each) for each in self.recut(topic, payload)]
        if found and self._strikes("late", wrong.late):
            found = [(TRIP_S + LATE_S * self._dice.random(), each) for _, each in found]
        if found and self._strikes("doubled", wrong.doubled):
            found = [*found, *found]
        if (before := self._before.get(topic)) and self._strikes("old", wrong.old):
            found = [(TRIP_S, self._dice.choice(before)), *found]
        if wrong.forged and self._dice.random() < wrong.forged:
            forged = self.forge(topic, payload)
            if forged is not None:
                self.done["forged"] += 1
                found = [(TRIP_S, forged), *found]
        return found

    def _strikes(self, what: str, share: float) -> bool:
        hit = share > 0 and self._dice.random() < share
        self.done[what] += hit
        return hit

    def _spread(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)
        words = topic.split("/")
        for line in self._lines:
            if any(_fits(words, each) for each in line.filters):
                line.arrive(topic, payload, retain=False)

    def retained_for(self, line: MemoryLine, wanted: str) -> None:
        if "+" not in wanted:
            if (payload := self.retained.get(wanted)) is not None:
                line.arrive(wanted, payload, retain=True)
            return
        words = wanted.split("/")
        for topic, payload in list(self.retained.items()):
            if _fits(topic.split("/"), words):
                line.arrive(topic, payload, retain=True)


def _fits(words: list[str], wanted: list[str]) -> bool:
    return len(words) == len(wanted) and all(
        each in ("+", word) for word, each in zip(words, wanted, strict=True)
    )
