"""Who comes to one site when: orders, rounds of vendors and staff, recipients with their codes."""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Sized
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import count
from random import Random
from typing import Any, Final

from controller.entries import Down, Up
from controller.site.texts import Screen
from simulator.rehearsal.bags import Whereabouts, look_after_machines
from simulator.rehearsal.district import Code, Order
from simulator.rehearsal.events import Event, Held, Struck, Took, Wrote
from simulator.rehearsal.keepers import Keeper
from simulator.rehearsal.kiosks import Kiosk
from simulator.rehearsal.recipients import Mood, Recipient, mood_of
from simulator.rehearsal.shapes import (
    COLLECT_WEEKDAYS,
    DAY_S,
    HOUR_S,
    VENDOR_SHARES,
    VENDORS,
    Profile,
    Shares,
    chosen,
    hour_of_collecting,
    orders_on,
)
from simulator.rehearsal.stage import Stage
from simulator.rehearsal.strangers import Stranger
from simulator.rehearsal.vendors import Loader
from simulator.rehearsal.waiting import Visit, Waiting

LOCAL: Final = timezone(timedelta(hours=8))
OPENS, SHUTS = 9.0, 17.0  # hours in which orders are placed
COMES_AGAIN_S: Final = (600.0, 2 * DAY_S)  # who went home without something
VISITS_MAX: Final = 12
DARKENS: Final = ("power", "kill", "step")
WHIMS: Final = {"walks_off": "left_open", "leaves_item": "item_left"}
KNOWN_TO_STRANGERS: Final = 12  # orders whose messages somebody else has seen

Act = Callable[[], None]


class Agenda:
    """What is due, in order; several things of one moment in the order of their coming."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Act]] = []
        self._order = count()

    def at(self, when: float, act: Act) -> None:
        heapq.heappush(self._waiting, (when, next(self._order), act))

    def due(self) -> float | None:
        return self._waiting[0][0] if self._waiting else None

    def pop(self) -> Act:
        return heapq.heappop(self._waiting)[2]


class Town:
    """People around one site. `run` ends after so many days; visits go one after the other."""

    def __init__(self, stage: Stage, profile: Profile, shares: Shares, dice: Random) -> None:
        self.stage = stage
        self.profile = profile
        self.shares = shares
        self.dice = dice
        self.agenda = Agenda()
        self.visits: Counter[str] = Counter()
        self.open: dict[str, Order] = {}  # orders of which something may still be fetched
        self.weather: list[Callable[[float], None]] = []  # each plans its strokes of a day
        self.waiting = Waiting(stage)
        self._emergency = False
        self._at_work: set[str] = set()  # whose badge is in use at some kiosk
        self._new = asyncio.Event()
        self._number = 0
        self._bags: dict[str, list[str]] = {who: [] for who in (*VENDORS, "staff")}
        self._ready: set[str] = set()
        self._taken: set[str] = set()  # things that somebody has taken
        self._wanted: set[str] = set()  # whom somebody has called, or something
        stage.log.listeners.append(self._hear)

    # the day

    async def run(self, days: int, told: Callable[[int], None], over: Sized) -> None:
        """Play so many days, or until something is in `over`; `told` hears of each day's end."""
        begins = self.stage.clock.monotonic()
        async with asyncio.TaskGroup() as group:
            kiosks = [group.create_task(self.waiting.serve(each)) for each in self.stage.kiosks]
            for day in range(days):
                self._plan_day(begins + day * DAY_S)
                await self._until(begins + (day + 1) * DAY_S, over)
                told(day + 1)
                if over:
                    break
            else:
                await self.stage.bell.until(self.waiting.nobody, DAY_S)
            for kiosk in kiosks:
                kiosk.cancel()
        self.stage.rouse()

    async def _until(self, end: float, over: Sized) -> None:
        clock = self.stage.clock
        while not over:
            due = self.agenda.due()
            if due is None or due > end:
                due = end
            if (wait_s := due - clock.monotonic()) > 0:
                self._new.clear()
                await self._sleep(wait_s)
            elif due >= end:
                return
            else:
                self.agenda.pop()()

    async def _sleep(self, seconds: float) -> None:
        """Or until something sooner was planned; with nobody here the site dozes meanwhile."""
        alarm = asyncio.get_running_loop().call_later(seconds, self._new.set)
        try:
            await self._new.wait()
        finally:
            alarm.cancel()

    def plan(self, when: float, act: Act) -> None:
        self.agenda.at(when, act)
        self._new.set()

    def comes(self, when: float, kind: str, visit: Visit) -> None:
        """Somebody steps up at that time, or stands in the queue."""

        def arrive() -> None:
            self.visits[kind] += 1
            self.waiting.arrive(visit)

        self.plan(when, arrive)

    # what a day holds

    def _local(self) -> datetime:
        return self.stage.clock.true_now().astimezone(LOCAL)

    def _plan_day(self, begins: float) -> None:
        day = self._local()
        for plan_day in self.weather:
            plan_day(begins)
        self._plan_strangers(begins)
        if self.dice.random() < self.shares.emergencies_a_day:
            self.plan(begins + self.dice.uniform(7.0, 20.0) * HOUR_S, self._alarm)
        for _ in range(orders_on(self.profile, day, self.dice)):
            hour = OPENS + (SHUTS - OPENS) * self.dice.random()
            self.plan(begins + hour * HOUR_S, self._place)
        if day.weekday() < 5 and day.toordinal() % self.profile.every_days == 0:  # noqa: PLR2004 - Monday to Friday
            for hour in self.profile.rounds:
                for number, vendor in enumerate(VENDORS):
                    self._plan_round(begins + hour * HOUR_S + 420.0 * number, vendor)
                self._plan_round(begins + hour * HOUR_S + 3_000.0, "staff")

    def _plan_round(self, when: float, who: str) -> None:
        def due() -> None:
            if self._bags[who] or who in self._wanted:
                self.comes(self.stage.clock.monotonic(), "round", lambda at: self._load(who, at))

        self.plan(when + self.dice.random() * 300.0, due)

    def _alarm(self) -> None:
        """Staff are to open doors at once."""
        self._emergency = True
        self.comes(self.stage.clock.monotonic(), "emergency", lambda at: self._load("staff", at))

    def _place(self) -> None:
        dice, shares = self.dice, self.shares
        self._number += 1
        vendor = chosen(dice, list(zip(VENDOR_SHARES, VENDORS, strict=True)))
        printed = self.profile.machines and dice.random() >= shares.licence_in_cabinet
        order = self.stage.district.place(
            f"N{self._number:05d}",
            vendor,
            licence="machine" if printed else "cabinet",
            types=dice.random() < shares.types_code,
            low=dice.random() < shares.low_door,
        )
        self.open[order.number] = order
        for things, who in ((order.boxes, vendor), (order.licences, "staff")):
            self._make(things, who)
        if dice.random() < shares.cancelled:
            after_s = dice.random() * 3 * DAY_S
            self.plan(self.stage.clock.monotonic() + after_s, lambda: self._cancel(order))
        elif dice.random() < shares.asked_back:
            after_s = dice.random() * DAY_S
            item = f"{order.number}-{dice.choice(('seals', 'licence'))}"
            ask_back = partial(self.stage.district.ask_back, order.number, item)
            self.plan(self.stage.clock.monotonic() + after_s, ask_back)

    def _make(self, things: list[str], who: str) -> None:
        """Engraving and filing take their time; then it goes with the next round."""
        least, most = chosen(self.dice, [(s, (a, b)) for s, a, b in self.profile.ready_after_days])
        made_s = (least + (most - least) * self.dice.random()) * DAY_S
        self.plan(self.stage.clock.monotonic() + made_s, lambda: self._bags[who].extend(things))

    def _cancel(self, order: Order) -> None:
        if order.number in self.open and not order.gone:
            self.stage.district.cancel(order)
            for bag in self._bags.values():
                bag[:] = [each for each in bag if each not in (*order.boxes, *order.licences)]

    # who comes

    async def _load(self, who: str, kiosk: Kiosk) -> None:
        if who in self._at_work:
            return
        self._at_work.add(who)
        self._wanted.discard(who)
        look_after_machines(self.stage.world, self._bags["staff"])
        boxes, self._bags[who] = self._bags[who], []
        if who == "staff":
            whereabouts = Whereabouts(self.stage.world, self._bags, self._taken)
            emergency, self._emergency = self._emergency, False
            loader: Loader = Keeper(
                self.stage, self.dice, who, boxes, whereabouts, emergency=emergency
            )
        else:
            loader = Loader(self.stage, self.dice, who, boxes)
        await loader.before(kiosk).visit()
        self._at_work.discard(who)
        self._bags[who] = [*loader.aside, *loader.boxes, *self._bags[who]]

    def _hear(self, event: Event) -> None:
        """The recipient is told that all is ready, staff that they are needed."""
        if isinstance(event, Took):
            self._taken.add(event.thing)
        if isinstance(event, Struck) and event.fault in DARKENS:
            self._step_up()
        if not isinstance(event, Wrote):
            return
        kind, data = event.entry.kind, event.entry.data
        if kind in (Up.COMPARTMENT_FAULT, Up.ALARM_RAISED, Down.ORDER_CANCELLED):
            self._wanted.add("staff")
        if kind in (Down.ORDER_CANCELLED, Up.PICKUP_OVERDUE, Down.ITEM_RETURN):
            self._call_for_returns(data)
        if kind == Up.PICKUP_READY and data["order"] in self.open:
            if data["order"] not in self._ready:
                self._plan_pickup(self.open[data["order"]])
            self._ready.add(data["order"])

    def _call_for_returns(self, data: dict[str, Any]) -> None:
        """Whoever brought it is told that it is to be fetched back, and staff."""
        self._wanted |= {"staff", self.stage.district.orders[data["order"]].vendor}

    def _step_up(self) -> None:
        """Somebody stood there, code in hand: before a dark kiosk, or behind one who guessed."""
        waiting = [number for number in sorted(self._ready) if number in self.open]
        if waiting and self.dice.random() < 1 / 2:
            order = self.open[self.dice.choice(waiting)]
            self._plan_visit(self.stage.clock.monotonic(), order)

    async def keep(self) -> None:
        """Staff come now, and do all that their menu asks for."""
        await self._load("staff", self.stage.kiosks[0])

    def _plan_pickup(self, order: Order) -> None:
        dwell = self.profile.dwell
        never = 1 - sum(share for share, _, _ in dwell)
        found = chosen(self.dice, [*((s, (a, b)) for s, a, b in dwell), (never, None)])
        if found is None:
            return
        least, most = found
        now = self.stage.clock.monotonic()
        when = now + (least + (most - least) * self.dice.random()) * DAY_S
        when = self._at_good_hour(when) if most else now + self.dice.random() * HOUR_S
        self._plan_visit(max(when, now + 60.0), order)
        if self.dice.random() < self.shares.delegate:
            code = self.stage.district.delegate(order)
            delegate_at = when + self.dice.uniform(-2.0, 6.0) * HOUR_S
            self._plan_visit(max(delegate_at, now + 60.0), order, code=code)

    def _at_good_hour(self, when: float) -> float:
        """On a day and at an hour when people come."""
        start = self.stage.clock.monotonic()
        midnight = self._local().replace(hour=0, minute=0, second=0, microsecond=0)
        days = int((when - start) / DAY_S)
        while self.dice.random() > COLLECT_WEEKDAYS[(midnight + timedelta(days)).weekday()] / 1.15:
            days += 1
        since_midnight = (self._local() - midnight).total_seconds()
        at = start - since_midnight + days * DAY_S + hour_of_collecting(self.dice)
        return at if at > start else at + DAY_S

    def _plan_visit(
        self, when: float, order: Order, visit: int = 1, code: Code | None = None
    ) -> None:
        code = code or order.codes[-1]
        self.comes(when, "pickup", lambda at: self._collect(order, code, visit, at))

    async def collect(self, order: Order) -> None:
        """Its recipient comes now, and does all that the screen says."""
        await Recipient(self.stage, self.dice, order, order.codes[-1], Mood()).visit()

    async def _collect(self, order: Order, code: Code, visit: int, kiosk: Kiosk) -> None:
        mood = mood_of(self.dice, self.shares, types=bool(code.typed))
        if self.stage.whims:
            whim = min(self.stage.whims)
            self.stage.whims.discard(whim)
            self.stage.log.note(Struck(WHIMS[whim], order.number))
            mood = replace(mood, walks_off=whim == "walks_off", leaves_item=whim == "leaves_item")
        recipient = Recipient(self.stage, self.dice, order, self._held(order, code), mood)
        if self.dice.random() < self.shares.looks_over:
            self._look_over(order, code, kiosk)
        other = self._also_mine(order)
        if other is not None:
            recipient.ends_at = Screen.RATING
        await recipient.before(kiosk).visit()
        if other is not None:
            after = Recipient(self.stage, self.dice, other, other.codes[-1], Mood())
            after.begins_at = Screen.RATING
            await after.before(kiosk).visit()
        if len(order.gone) >= len(order.boxes) + len(order.licences) + order.printed:
            self.open.pop(order.number, None)
            self._come_with_spent(order, code)
            return
        if not recipient.refused and visit < VISITS_MAX and not order.cancelled:
            least, most = COMES_AGAIN_S
            later = least + (most - least) * self.dice.random()
            self._plan_visit(self.stage.clock.monotonic() + later, order, visit + 1)

    def _held(self, order: Order, code: Code) -> Code:
        """Some show the message that came first, though another one came after it."""
        old = self.dice.random() < self.shares.shows_old_code
        return order.codes[0] if old else code

    def _also_mine(self, order: Order) -> Order | None:
        """An agent has a second order to fetch here."""
        if self.dice.random() >= self.shares.two_at_once:
            return None
        return next(
            (each for name, each in self.open.items() if name in self._ready and each is not order),
            None,
        )

    def _look_over(self, order: Order, code: Code, kiosk: Kiosk) -> None:
        """Somebody has photographed it, and holds it there while its owner is served.

        Or steps up with it to another kiosk, where there is one.
        """

        def hold() -> None:
            self.stage.rouse()
            self.stage.log.note(Held("code", code.code_id, kiosk.name))
            kiosk.scanner.hold(code.qr)

        at = self.stage.clock.monotonic() + self.dice.uniform(8.0, 60.0)
        if len(self.stage.kiosks) == 1:
            self.plan(at, hold)
            return
        beside = Recipient(self.stage, self.dice, order, code, Mood())
        self.comes(at, "beside", lambda other: beside.before(other).visit())

    def _come_with_spent(self, order: Order, code: Code) -> None:
        """Who was lent a picture, or forgot that all is fetched."""
        if self.dice.random() < self.shares.lends_screenshot + self.shares.comes_twice:
            later_s = self.dice.uniform(5.0, 2 * HOUR_S)
            again = Recipient(self.stage, self.dice, order, code, Mood())
            self.comes(
                self.stage.clock.monotonic() + later_s, "lent", lambda at: again.before(at).visit()
            )

    def _plan_strangers(self, begins: float) -> None:
        expected = self.shares.strangers_a_day
        for _ in range(int(expected) + (self.dice.random() < expected - int(expected))):
            at = begins + self.dice.triangular(6.0, 19.0, 12.0) * HOUR_S
            self.comes(at, "stranger", self._let_try)

    async def _let_try(self, kiosk: Kiosk) -> None:
        newest = list(self.stage.district.orders.values())[-KNOWN_TO_STRANGERS:]
        seen = [each.codes[-1] for each in newest]
        stranger = Stranger(self.stage, self.dice, seen).before(kiosk)
        await stranger.visit()
        if stranger.guessed:
            self._step_up()
