"""A row of locked doors behind any kind of board: release, look, watch."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Hashable
from itertools import count
from math import inf
from typing import Final

from controller.faults import BadReply, DeviceFault, NoReply, NotMoved, OutcomeUnknown
from controller.ports import BoardSight, Clock, DoorSight, Presence
from firmware_bridge.debounce import SETTLE_S, Debounce
from firmware_bridge.news import News
from firmware_bridge.panel import Items, Panel, Reads
from firmware_bridge.stations import figures_of
from firmware_bridge.turns import Urgency

POLL_S: Final = 0.1  # an idle board: a forced door is on MQTT within a quarter of a second
# A released or open board is read again in every second slot of its line, which keeps the pace.
# Where the line is a network and never full, this pause keeps one board from taking a processor.
ATTENTIVE_PAUSE_S: Final = 0.015
ATTENTIVE_S: Final = 12.0  # a released bolt falls back after 10 s
REPORTED_S: Final = 1.0  # a board that reported a change is read closely for so long
AWAITED_ITEMS_EVERY: Final = 8  # polls: behind a door that has yet to open nothing changes
SETTLE_SPARE_S: Final = 0.001  # what a timer of the loop may be early: a read too early is lost
SIGN_OF_LIFE_S: Final = 1.0
MISSED_MAX: Final = 3
POLL_TRIES: Final = 2  # a line that loses every tenth frame is still watched without a break
LOOK_TRIES: Final = 3
SETTLE_READS_MAX: Final = (
    20  # a switch that has not settled after that many reads is not waited for
)
SUPPLY_REST_S: Final = 0.2  # a supply recovers after one lock before the next


# What a settled switch says that closes with its door, and a settled sensor.
DOORS: Final = {None: DoorSight.UNKNOWN, True: DoorSight.CLOSED, False: DoorSight.OPEN}
ITEMS: Final = {None: Presence.UNKNOWN, True: Presence.PRESENT, False: Presence.ABSENT}


class DoorRow:
    """Fits LockBoard. Outputs are off before the first read of each connection."""

    def __init__(
        self, panel: Panel, clock: Clock, *, poll_s: float = POLL_S, news: News | None = None
    ) -> None:
        self.name = panel.name
        self.doors = panel.doors
        self.panel = panel
        self._bus = panel.bus
        self._clock = clock
        self._poll_s = poll_s
        self._news = news
        self._preparing = asyncio.Lock()
        self._supply = asyncio.Lock()
        self._supply_free_at = 0.0
        self._attentive_until = 0.0
        self._near = 1  # the door that is waited for
        self._awaited = False  # it was released and has not been seen open since
        self._read_s = SETTLE_S  # the shortest time that reading all doors has taken
        self._looked_at: float | None = None  # a read of all doors was answered
        self._read_all = False  # the last read was of all doors
        self._gap_longest_s = 0.0
        panel.bus.on_report(panel.station, self._reported)
        self._begin_reading()

    def _begin_reading(self) -> None:
        """Nothing that was read before counts."""
        has_items = self.panel.items is not Items.NONE
        self._door_reads = Debounce(self.doors, self.panel.settle_s)
        self._item_reads = Debounce(self.doors if has_items else 0, self.panel.settle_s)
        self._fell_shut: set[int] = set()  # doors (from 0) whose items were not read since
        self._items_told = True  # they may be otherwise than when they were read last

    def figures(self) -> dict[str, float]:
        """What the board's own counters say, and the longest time a door was not looked at."""
        return {
            **figures_of(*(self._bus.stations[number] for number in self.panel.stations)),
            "read_gap_longest_s": max(self._gap_longest_s, self._read_ago_s),
            "read_ago_s": self._read_ago_s,
        }

    @property
    def pulses_longer(self) -> bool:
        return self.panel.longer_s is not None

    def rests_s(self, door: int) -> float:
        return self._bus.budget.rests_s(self.panel.lock(door))

    @property
    def _read_ago_s(self) -> float:
        return 0.0 if self._looked_at is None else self._clock.monotonic() - self._looked_at

    async def release(self, door: int, *, by: float = inf, longer: bool = False) -> None:
        if not 1 <= door <= self.doors:
            raise NotMoved(self.name, f"there is no door {door}, only 1 to {self.doors}")
        lock = self.panel.lock(door)
        async with self._supply:
            if refusal := self._bus.budget.refusal(lock):
                raise NotMoved(self.name, f"door {door} is not released: {refusal}")
            now = self._clock.monotonic()
            if max(now, self._supply_free_at) > by:
                raise NotMoved(self.name, f"door {door} is not released: others were before it")
            # No sleep of nothing: a poll would have the line in that turn of the loop.
            if now < self._supply_free_at:
                await self._clock.sleep(self._supply_free_at - now)
            await self._prepare_release(by)
            shut = self._door_reads.settled[door - 1] is True
            longer_s = self.panel.longer_s if longer else None
            proven = await self._pulse(door, lock, by, longer_s)
        if not proven:
            await self._prove(door, shut_before=shut)

    async def _prepare_release(self, by: float) -> None:
        """NotMoved where the board is not ready for an order in time."""
        try:
            async with asyncio.timeout(None if by == inf else by - self._clock.monotonic()):
                await self._prepare(Urgency.RELEASE)
        except DeviceFault as fault:
            raise NotMoved(self.name, fault.what) from fault
        except TimeoutError:
            raise NotMoved(self.name, "not asked to move: it was not ready in time") from None

    async def _pulse(self, door: int, lock: Hashable, by: float, longer_s: float | None) -> bool:
        moved = True
        try:
            return await self.panel.pulse(door, by=by, longer=longer_s is not None)
        except NotMoved:
            moved = False
            raise
        finally:  # cancelled or unknown: it may have been pulsed
            if moved:
                now = self._clock.monotonic()
                pulse_s = longer_s or self.panel.pulse_s
                self._bus.budget.spend(lock, pulse_s)
                self._supply_free_at = now + pulse_s + SUPPLY_REST_S
                self._attentive_until = now + ATTENTIVE_S
                self._near, self._awaited = door, True
                if self._news is not None:
                    self._news.tell(self.name, doors_only=True)

    async def _prove(self, door: int, *, shut_before: bool) -> None:
        """Nothing the board said proves the movement: its door's own switch may."""
        try:
            sight = await self.look()
        except DeviceFault as fault:
            raise OutcomeUnknown(self.name, f"asked to move, then {fault.what}") from fault
        if not shut_before or sight.doors[door - 1] is not DoorSight.OPEN:
            raise OutcomeUnknown(
                self.name, f"asked to move; the board gives no proof and door {door} does not yet"
            )

    async def look(self) -> BoardSight:
        await self._prepare(Urgency.LOOK)
        for _ in range(SETTLE_READS_MAX):
            await self._read_doors(Urgency.LOOK, LOOK_TRIES)
            at = await self._read_items(Urgency.LOOK, LOOK_TRIES)
            if not self._changing:
                break
            await self._clock.sleep(self.panel.settle_s)
        return self._sight(at)

    async def watch(self) -> AsyncIterator[BoardSight]:
        shown: BoardSight | None = None
        missed: Counter[str] = Counter()
        self._begin_reading()
        for polls in count():
            if self._news is not None and self._news.heed(self.name):
                self._items_told = True
            at = await self._polled("doors", self._poll_doors(), missed)
            if at is not None and shown and _differ(shown, sight := self._sight(at)):
                yield (shown := sight)  # a door's news does not wait for the items
            if at is not None and self._items_are_due(polls):
                await self._polled("items", self._read_items(self._poll, POLL_TRIES), missed)
            if at is not None and self._complete:
                sight = self._sight(at)
                if shown is None or _differ(shown, sight) or at - shown.at >= SIGN_OF_LIFE_S:
                    yield (shown := sight)
            await self._rest(answered=not missed)

    @property
    def _poll(self) -> Urgency:
        return Urgency.ATTEND if self._attentive else Urgency.POLL

    async def _poll_doors(self) -> float:
        """Read all doors, and in turn with that those about the one that is waited for.

        The same read again would have to wait until an answer to it cannot come twice.
        """
        await self._prepare(self._poll)
        close = self._attentive and self._complete and not self._changing
        near = self._near if close and self._read_all and self._news is None else None
        return await self._read_doors(self._poll, POLL_TRIES, near)

    def _items_are_due(self, polls: int) -> bool:
        """Whenever something changes or a door fell shut, else seldom where a door is waited for.

        Two reads are longer than 60 ms at 9600 baud.
        """
        if self._news is not None and self._complete:
            told = self._items_told and not self._door_reads.changing
            return told or bool(self._fell_shut) or self._item_reads.restless
        if not self._attentive or not self._complete:
            return True
        if self._changing or self._fell_shut:
            return True
        return polls % (AWAITED_ITEMS_EVERY if self._awaited else 2) == 0

    async def _polled(
        self, what: str, read: Awaitable[float], missed: Counter[str]
    ) -> float | None:
        """Return when it was read, None for a missed poll; NoReply for the third in a row."""
        try:
            at = await read
        except (NoReply, BadReply) as fault:
            missed[what] += 1
            if missed[what] >= MISSED_MAX:
                why = f"{missed[what]} polls of {what} missed, last: {fault.what}"
                raise NoReply(self.name, why) from fault
            return None
        del missed[what]
        return at

    @property
    def _complete(self) -> bool:
        """Whether everything has been read at least once."""
        return self._door_reads.begun and self._item_reads.begun

    @property
    def _changing(self) -> bool:
        return self._door_reads.changing or self._item_reads.changing

    @property
    def _attentive(self) -> bool:
        open_now = self._fell_shut or False in self._door_reads.settled
        return bool(open_now) or self._clock.monotonic() < self._attentive_until

    async def _rest(self, *, answered: bool) -> None:
        """Until the next read is due, which where somebody tells us is when there is news."""
        restless = self._door_reads.restless or self._item_reads.restless or self._items_told
        if self._news is None or restless or not (answered and self._complete):
            await self._clock.sleep(self._pause_s())
        else:
            await self._news.wait(self.name)

    def _pause_s(self) -> float:
        """Until the read that may confirm a change, else until the board's next turn."""
        if self._changing:
            due_at = min(self._door_reads.due_at, self._item_reads.due_at) + SETTLE_SPARE_S
            return max(0.0, due_at - self._read_s - self._clock.monotonic())
        if not self._attentive:
            return self._poll_s
        return 0.0 if self._bus.paced else ATTENTIVE_PAUSE_S

    def _reported(self) -> None:
        """A board's own word for a change proves nothing: it is read closely for a while."""
        now = self._clock.monotonic()
        self._attentive_until = max(self._attentive_until, now + REPORTED_S)

    async def _prepare(self, urgency: Urgency) -> None:
        """Outputs off and control modes right on this connection, before anything is read."""
        async with self._preparing:
            await self.panel.prepare(urgency)

    async def _read_doors(self, urgency: Urgency, tries: int, near: int | None = None) -> float:
        began = self._clock.monotonic()
        reads = await self.panel.read_doors(urgency, tries, near)
        at = self._clock.monotonic()
        self._read_all = near is None
        if near is None:
            self._read_s = min(self._read_s, at - began)
            self._gap_longest_s = max(self._gap_longest_s, self._read_ago_s)
            self._looked_at = at
        before = self._door_reads.settled
        self._door_reads.feed(reads.closed, at)
        self._note_changes(before)
        if reads.there:
            self._take_items(reads, at)
        return at

    def _note_changes(self, before: tuple[bool | None, ...]) -> None:
        after = self._door_reads.settled
        if before == after:
            return
        for index, change in enumerate(zip(before, after, strict=True)):
            if change == (False, True) and self.panel.items is not Items.NONE:
                self._fell_shut.add(index)
            elif change == (True, False):
                self._near = index + 1
                self._awaited = False

    async def _read_items(self, urgency: Urgency, tries: int) -> float:
        if self.panel.items is not Items.APART:
            self._items_told = False
            return self._clock.monotonic()
        reads = await self.panel.read_items(urgency, tries)
        at = self._clock.monotonic()
        self._take_items(reads, at)
        return at

    def _take_items(self, reads: Reads, at: float) -> None:
        self._items_told = False
        self._item_reads.feed(reads.there, at)
        self._fell_shut = {n for n in self._fell_shut if self._item_reads.is_changing(n)}

    def _sight(self, at: float) -> BoardSight:
        """A door is told to be shut together with what lies behind it, never before."""
        doors = [DOORS[value] for value in self._door_reads.settled]
        for number in self._fell_shut:
            doors[number] = DoorSight.OPEN
        items = tuple([ITEMS[value] for value in self._item_reads.settled])
        return BoardSight(at, tuple(doors), items or (Presence.UNKNOWN,) * self.doors)


def _differ(one: BoardSight, other: BoardSight) -> bool:
    return (one.doors, one.items) != (other.doors, other.items)
