"""Whatever people do in whatever order: every item is in one place, or in doubt by name.

People are honest and clumsy: they walk away, forget, close too early, say nothing. The boards lose
answers, the power fails. What is compared is where the boxes really are.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from controller.entries import Down
from controller.site.schema import badges, codes, compartments, intents, items
from tests.controller.site.clumsy import DOORS, TURN_S, Answers, People
from tests.controller.site.visit import standing
from tests.controller.site.world import JumpingLoop, Town, badge_text, qr_of

ORDERS = 4
VENDOR, STAFF = 20, 21


class Custody(People, RuleBasedStateMachine):
    """One site, and boxes that are always somewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner(loop_factory=JumpingLoop)
        self.orders = 0
        self.bag: set[str] = set()  # of vendor and staff
        self.recipients: set[str] = set()
        self.wrong_pulses: list[str] = []

    @initialize(sensors=st.booleans())
    def begin(self, *, sensors: bool) -> None:
        self.town = Town(
            Path(self.folder.name) / "site.db",
            doors=DOORS,
            sensors=sensors,
            machine=False,
            confirm_pickup=False,
            session_idle_s=20,
            session_end_s=5,
            vendor_idle_s=30,
            ajar_notice_s=10,
            refused_s=1,
            rating_s=1,
        )
        self.town.cabinet.before_pulse = self.check_right
        self.run(self.start())
        self.say(lambda: self.town.grant(VENDOR))
        self.say(lambda: self.town.grant(STAFF, "staff", None))
        self.place_order(seals=2)
        for n in (1, 2):
            label = f"OWL:N1-seal{n}"
            self.run(self.town.badge(VENDOR))
            self.run(self.town.load(label))
            self.bag.discard(label)
            self.run(self.go_home())

    def run(self, story: Coroutine[Any, Any, None]) -> None:
        self.runner.run(story)

    def say(self, what: Callable[[], None]) -> None:
        """The district says something."""

        async def story() -> None:
            what()

        self.run(story())

    async def start(self) -> None:
        self.stop = asyncio.Event()
        at_work = asyncio.Event()

        async def life() -> None:
            async with self.town.at_work():
                at_work.set()
                await self.stop.wait()

        self.life = asyncio.create_task(life())
        await at_work.wait()

    def teardown(self) -> None:
        self.run(self.end())
        self.runner.close()
        self.folder.cleanup()
        assert not self.wrong_pulses, self.wrong_pulses

    async def end(self) -> None:
        self.stop.set()
        await self.life

    # what must hold at every pulse

    def check_right(self, door: int) -> None:
        """Who may have this door opened now is written down before it is."""
        intent = self.town.rows(
            select(intents).where(intents.c.no == door).order_by(intents.c.number.desc()).limit(1)
        )
        if not intent or intent[0].outcome is not None:
            self.wrong_pulses.append(f"A/{door}: no open intent")
        elif not self.has_right(intent[0], door):
            self.wrong_pulses.append(f"A/{door}: {intent[0].kind} had no right")

    def has_right(self, intent: Any, door: int) -> bool:
        here = self.town.rows(select(items).where(items.c.no == door))
        if intent.kind in ("collect", "reopen"):
            code = self.town.rows(select(codes).where(codes.c.code_id == intent.code_id))[0]
            mine = code.order_no == intent.order_no
            if intent.kind == "reopen":
                return mine and not here
            return mine and code.state == "claimed" and here[0].order_no == code.order_no
        badge = self.town.rows(select(badges).where(badges.c.badge_id == intent.badge_id))[0]
        if intent.kind in ("inspect", "emergency"):
            return bool(badge.role == "staff")
        return bool(here and here[0].item_id == intent.item_id)

    # rules

    @precondition(lambda self: self.orders < ORDERS)
    @rule(seals=st.integers(1, 2))
    def place_order(self, seals: int) -> None:
        self.orders += 1
        order = f"N{self.orders}"
        number = self.orders
        self.say(lambda: self.town.order(order, seals=seals, number=number, typed=False))
        self.bag |= {f"OWL:{order}-seal{n}" for n in range(1, seals + 1)}

    @precondition(lambda self: self.bag)
    @rule(data=st.data(), puts=st.booleans(), speaks=st.booleans(), shuts=st.booleans())
    def load(self, *, data: st.DataObject, puts: bool, speaks: bool, shuts: bool) -> None:
        label = data.draw(st.sampled_from(sorted(self.bag)))

        def put(door: int) -> None:
            if puts and label in self.bag and not self.box(door):
                self.bag.discard(label)
                self.town.cabinet.put(door, label)

        def is_in() -> tuple[str, None] | None:
            return ("skip" if label in self.bag else "confirm", None) if speaks else None

        self.run(
            self.visit(
                badge_text(VENDOR),
                label,
                at_door=put,
                answers={"load_confirm": is_in},
                leaves_open=not shuts,
            )
        )

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), takes=st.booleans(), speaks=st.booleans(), shuts=st.booleans())
    def collect(self, *, data: st.DataObject, takes: bool, speaks: bool, shuts: bool) -> None:
        number = data.draw(st.integers(1, self.orders))

        def did_take() -> tuple[str, None] | None:
            doors = self.town.view.doors
            inside = bool(doors) and bool(self.box(int(doors[0].split("/")[1])))
            return ("again" if inside else "taken", None) if speaks else None

        self.run(
            self.visit(
                qr_of(number),
                at_door=self.takes(self.recipients) if takes else self.leaves,
                answers={
                    "did_you_take": did_take,
                    "item_left": lambda: ("skip", None),
                    "rate": lambda: ("skip", None),
                },
                leaves_open=not shuts,
            )
        )

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), cancelled=st.booleans())
    def ask_back(self, *, data: st.DataObject, cancelled: bool) -> None:
        order = f"N{data.draw(st.integers(1, self.orders))}"
        kind = Down.ORDER_CANCELLED if cancelled else Down.ITEM_RETURN
        self.say(lambda: self.town.tell(kind, {"order": order, "reason": "withdrawn"}))

    @rule(badge=st.sampled_from([VENDOR, STAFF]), takes=st.booleans(), speaks=st.booleans())
    def take_back(self, *, badge: int, takes: bool, speaks: bool) -> None:
        def returns() -> tuple[str, str] | None:
            values = [choice.value for choice in self.town.view.choices]
            return ("choose", "returns") if "returns" in values else ("end", "")

        self.run(
            self.visit(
                badge_text(badge),
                at_door=self.takes(self.bag) if takes else self.leaves,
                answers={
                    "load_next": returns,
                    "staff_menu": returns,
                    "returns": lambda: ("choose", self.town.view.choices[0].value),
                    "take_out_confirm": lambda: (
                        ("taken" if takes else "skip", None) if speaks else None
                    ),
                    "still_inside": lambda: ("end", None),
                },
            )
        )

    @rule(door=st.integers(1, DOORS), takes=st.booleans(), speaks=st.booleans())
    def open_in_an_emergency(self, *, door: int, takes: bool, speaks: bool) -> None:
        chosen = iter([("choose", "emergency"), ("end", None)])
        self.run(
            self.visit(
                badge_text(STAFF),
                at_door=self.takes(self.bag) if takes else self.leaves,
                answers={
                    "staff_menu": lambda: next(chosen, ("end", None)),
                    "which_door": lambda: ("choose", f"A/{door}"),
                    "take_out_confirm": lambda: (
                        ("skip" if self.box(door) else "taken", None) if speaks else None
                    ),
                },
            )
        )

    @rule()
    def settle_a_doubt(self) -> None:
        """Staff look, scan what is there, and say the truth."""
        looked = [0]

        def menu() -> tuple[str, str | None]:
            values = [c.value for c in self.town.view.choices if c.value.startswith(("p", "i"))]
            looked[0] += 1
            return ("choose", values[0]) if values and looked[0] == 1 else ("end", None)

        def look(door: int) -> None:
            for label in self.box(door):
                self.town.site.scanned(label)
            if not self.box(door):
                self.town.site.press("choose", "nothing_inside")

        def is_elsewhere() -> tuple[str, str]:
            self.bag |= set(self.town.cabinet.take(self.town.door_shown()))
            return ("choose", "nothing_inside")

        def where() -> tuple[str, str | None]:
            offered = [choice.value for choice in self.town.view.choices]
            row = self.doubted()
            if row.label in self.bag:
                return ("choose", "in_hand")
            if row.label in self.recipients and "with_recipient" in offered:
                return ("choose", "with_recipient")
            return ("choose", "missing") if "missing" in offered else ("skip", None)

        answers: Answers = {
            "staff_menu": menu,
            "settled": menu,
            "not_settled": menu,
            "sensor_disagrees": menu,
            "door_not_opened": menu,
            "belongs_elsewhere": is_elsewhere,
            "where_is_it": where,
        }
        self.run(self.visit(badge_text(STAFF), at_door=look, answers=answers))

    def doubted(self) -> Any:
        """The item that the screen asks about."""
        sign = str(self.town.view.values["place"])
        rows = self.town.rows(select(items))
        for row in rows:
            if row.cabinet and f"{row.cabinet}{row.no:02d}" == sign:
                return row
        return next(row for row in rows if row.missed_at == sign)

    @rule(seconds=st.sampled_from([1, 15, 70]))
    def time_goes_by(self, seconds: int) -> None:
        """Meanwhile somebody shuts what stands open."""

        async def story() -> None:
            await asyncio.sleep(seconds)
            for door in range(1, DOORS + 1):
                self.town.cabinet.close(door)
            await asyncio.sleep(15)

        self.run(story())

    @rule(refused=st.integers(0, 1), lost=st.integers(0, 2))
    def the_line_is_bad(self, refused: int, lost: int) -> None:
        self.town.cabinet.refuse, self.town.cabinet.lose_replies = refused, lost

    @rule(data=st.data(), after=st.floats(2.0, 8.0), takes=st.booleans())
    def the_power_fails_in_a_pickup(
        self, *, data: st.DataObject, after: float, takes: bool
    ) -> None:
        number = data.draw(st.integers(1, max(1, self.orders)))
        hands = self.takes(self.recipients) if takes else self.leaves

        async def story() -> None:
            self.town.reader.hold(qr_of(number))
            until = self.town.cabinet.now() + after
            while self.town.cabinet.now() < until:
                await asyncio.sleep(TURN_S)
                await self.pull(hands, leaves_open=False)
            await self.end()
            await asyncio.sleep(1)
            for door in range(1, DOORS + 1):
                self.town.cabinet.close(door)
            await self.start()
            await self.go_home()

        self.run(story())

    # what must hold

    @invariant()
    def every_item_is_in_one_place_or_in_doubt_by_name(self) -> None:
        if not hasattr(self, "town"):
            return
        places = {row.no: row for row in self.town.rows(select(compartments))}
        alarms = standing(self.town)
        for item in self.town.rows(select(items)):
            self.check_item(item, places.get(item.no), alarms)

    def check_item(self, item: Any, place: Any, alarms: list[str]) -> None:
        if place is not None and place.state in ("open", "reserved"):
            return  # its door was not seen shut yet: nothing is said of it
        match item.state:
            case "loaded" | "return_requested":
                assert place.state in ("occupied", "fault")
                assert self.box(item.no) == [item.label], item
            case "collected":
                assert item.label in self.recipients
            case "returned" | "expected" | "cancelled":
                assert item.no is None
                assert item.label in self.bag | self.astray()
            case "releasing":
                is_missing = item.missed_at is not None and "item_missing" in alarms
                assert is_missing or (place.state == "fault" and "unexplained" in alarms), item

    def astray(self) -> set[str]:
        """What lies in compartments that staff are to look into."""
        rows = self.town.rows(select(compartments).where(compartments.c.state == "fault"))
        return {label for row in rows for label in self.box(row.no)}

    @invariant()
    def no_compartment_holds_two_orders_items(self) -> None:
        if hasattr(self, "town"):
            assert all(len(box.inside) <= 1 for box in self.town.cabinet.boxes)

    @invariant()
    def no_pulse_came_without_a_right(self) -> None:
        assert not self.wrong_pulses, self.wrong_pulses


Custody.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=14,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestCustody = Custody.TestCase
