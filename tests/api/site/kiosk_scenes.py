"""A site that shows what a test tells it to, and one scene for each thing a kiosk can say."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from api.site.app import make_app
from api.site.figures import Figures
from api.site.screen import SitePlace
from controller.entries import CompartmentPlan
from controller.ports import Clock
from controller.refusals import Reason, Refused
from controller.site.kiosk import ALWAYS, Choice, KioskView, ShownItem
from controller.site.texts import OFFER_VALUES, VALUES, Button, Offer, Screen, Text

COMPANY = "深圳市某某科技有限公司"
EXAMPLES = {
    "company": COMPANY,
    "items": "business_licence,seal_set",
    "compartment": "A07",
    "number": 1,
    "of": 2,
    "seconds": 20,
    "tel": "0755-82918333",
    "case": "FT-0001-318",
    "machine": "M1",
    "site": "FT-0002",
    "loaded": 3,
    "count": 2,
    "place": "A07",
    "compartments": "A03, A07",
    "places": "A03, A07",
    "clock": "2026-11-24 17:00",
    "record": "2026-11-24 09:00",
    "why": "unexplained",
    "until": "15:30",
}
ORDER = (
    ShownItem("i1", "seal_set", "cabinet", "loaded", "A/7"),
    ShownItem("i2", "business_licence", "machine", "loaded", "M1"),
)


def said(text: Text) -> KioskView:
    """Words of which no scene says more than these."""
    return scene(Screen.TROUBLE, text, Button.END)


def scene(screen: Screen, text: Text, *buttons: Button, **more: object) -> KioskView:
    values = {name: EXAMPLES[name] for name in VALUES[text]}
    return replace(KioskView(screen, text, values, (*buttons, *ALWAYS)), **more)


def with_order(view: KioskView, *states: str) -> KioskView:
    items = tuple(replace(item, state=state) for item, state in zip(ORDER, states, strict=True))
    return replace(view, session="s1", order="440304202611230001", items=items)


def offers(*found: Offer) -> tuple[Choice, ...]:
    return tuple(
        Choice(offer.value, offer, {name: EXAMPLES[name] for name in OFFER_VALUES[offer]})
        for offer in found
    )


DOORS = tuple(
    Choice(f"A/{no}", Offer.OPEN_ONE, {"compartment": f"A{no:02}"}) for no in range(1, 33)
)
SCENES = {
    "idle": scene(Screen.IDLE, Text.START, Button.CODE, Button.HELP),
    "refused": scene(Screen.REFUSED, Text.CODE_UNKNOWN, Button.CODE, Button.END),
    "slow": scene(Screen.REFUSED, Text.TOO_MANY_TRIES, Button.END, wait_s=20),
    "working": scene(Screen.WORKING, Text.CHECKING),
    "confirm": with_order(
        scene(Screen.CONFIRM, Text.CONFIRM, Button.CONFIRM, Button.END), "loaded", "loaded"
    ),
    "take": with_order(scene(Screen.TAKE, Text.TAKE, doors=("A/7",)), "releasing", "loaded"),
    "close": with_order(scene(Screen.CLOSE, Text.CLOSE, doors=("A/7",)), "releasing", "loaded"),
    "asked": with_order(
        scene(Screen.CONFIRM, Text.DID_YOU_TAKE, Button.TAKEN, Button.AGAIN), "releasing", "loaded"
    ),
    "printing": with_order(scene(Screen.WORKING, Text.PRINTING), "collected", "releasing"),
    "licence": with_order(
        scene(Screen.TAKE, Text.TAKE_LICENCE, Button.AGAIN), "collected", "releasing"
    ),
    "stuck": with_order(
        scene(Screen.TROUBLE, Text.STUCK, Button.CONFIRM, Button.END, doors=("A/7",)),
        "releasing",
        "loaded",
    ),
    "rating": scene(Screen.RATING, Text.RATE, Button.RATE, Button.SKIP),
    "done": scene(Screen.DONE, Text.ALL_TAKEN, Button.END),
    "load": scene(Screen.LOAD, Text.LOAD_NEXT, Button.END),
    "loaded": scene(Screen.LOAD, Text.LOADED, Button.UNDO, Button.END),
    "staff": replace(
        scene(Screen.STAFF, Text.STAFF_MENU, Button.END, Button.CHOOSE),
        choices=offers(*Offer),
    ),
    "which_door": replace(
        scene(Screen.STAFF, Text.WHICH_DOOR, Button.END, Button.CHOOSE),
        choices=(*offers(Offer.OPEN_ALL), *DOORS),
    ),
    "second_badge": scene(Screen.STAFF, Text.SECOND_BADGE, Button.SKIP),
    "stands_open": scene(Screen.STAFF, Text.DOOR_STANDS_OPEN, Button.END, doors=("A/7",)),
    "returns": replace(
        scene(Screen.STAFF, Text.RETURNS, Button.END, Button.CHOOSE),
        choices=offers(Offer.TAKE_BACK, Offer.TAKE_ALL_BACK),
    ),
    "where": replace(
        scene(Screen.STAFF, Text.WHERE_IS_IT, Button.END, Button.CHOOSE),
        choices=offers(
            Offer.INSIDE, Offer.WITH_RECIPIENT, Offer.IN_HAND, Offer.TO_WINDOW, Offer.MISSING
        ),
    ),
    "phone4": with_order(
        scene(Screen.SECOND_FACTOR, Text.ASK_PHONE4, Button.CODE, Button.END), "loaded", "loaded"
    ),
    "pin": scene(Screen.SECOND_FACTOR, Text.ASK_PIN, Button.CODE, Button.END),
    "pin_wrong": scene(Screen.SECOND_FACTOR, Text.PIN_WRONG, Button.CODE, Button.END),
    "id_card": with_order(
        scene(Screen.SECOND_FACTOR, Text.ASK_ID_CARD, Button.END), "loaded", "loaded"
    ),
    "card_or_phone": with_order(
        scene(Screen.SECOND_FACTOR, Text.ASK_CARD_OR_PHONE, Button.CODE, Button.END),
        "loaded",
        "loaded",
    ),
    "alarms": replace(
        scene(Screen.STAFF, Text.ALARMS, Button.SKIP, Button.CHOOSE), choices=offers(Offer.ALARM)
    ),
    "clock": scene(Screen.STAFF, Text.CLOCK_AHEAD, Button.CONFIRM, Button.SKIP),
    "fire": replace(scene(Screen.TROUBLE, Text.FIRE), buttons=(Button.LANGUAGE,)),
    "serviced": scene(Screen.REFUSED, Text.SERVICED, Button.CODE, Button.END, wait_s=8),
    "idle_serviced": scene(Screen.IDLE, Text.START_SERVICED, Button.CODE, Button.HELP),
    "maintenance": replace(
        scene(Screen.STAFF, Text.MAINTENANCE_WHY, Button.SKIP, Button.CHOOSE),
        choices=offers(Offer.REPAIR, Offer.CLEANING, Offer.CHECK, Offer.OTHER_WORK),
    ),
    "taken_in": scene(Screen.LOAD, Text.TAKEN_IN, Button.UNDO, Button.END),
    "machine_full": replace(
        scene(Screen.LOAD, Text.MACHINE_FULL, Button.END, Button.CHOOSE),
        choices=offers(Offer.RETURNS),
    ),
    "from_afar": scene(
        Screen.TROUBLE, Text.OPENED_FROM_AFAR, Button.CODE, Button.END, case="FT-0001-318"
    ),
    "take_all": with_order(
        scene(Screen.TAKE, Text.TAKE_ALL, doors=("A/3", "A/7")), "releasing", "releasing"
    ),
    "load_open": scene(Screen.LOAD, Text.LOAD_OPEN, doors=("A/7",)),
    "problem": scene(Screen.IDLE, Text.START, Button.CODE, Button.HELP, case="FT-0001-318"),
}


class FakeSite:
    """Shows one view at a time, remembers what was pressed."""

    def __init__(self, view: KioskView | None = None) -> None:
        self.view = view or SCENES["idle"]
        self.pressed: list[tuple[str, str | None]] = []
        self.reasons: list[str] = []
        self._changed = asyncio.Event()

    def kiosk_view(self, kiosk: str | None = None) -> KioskView:
        if kiosk not in (None, "K1"):
            raise Refused(Reason.NOT_FOUND)
        return self.view

    def show(self, view: KioskView) -> None:
        self.view = view
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def views(self, kiosk: str | None = None) -> AsyncIterator[KioskView]:
        assert kiosk in (None, "K1")
        while True:
            changed = self._changed
            yield self.view
            await changed.wait()

    def press(self, button: str, value: str | None, kiosk: str | None = None) -> None:
        self.kiosk_view(kiosk)
        if button not in self.view.buttons:
            raise Refused(Reason.BUTTON_NOT_OFFERED, button=button)
        if button == Button.RATE and value not in {"1", "2", "3", "4", "5"}:
            raise Refused(Reason.BAD_FIELD, field="value")
        self.pressed.append((button, value))
        if button == Button.LANGUAGE:
            self.show(replace(self.view, lang="en" if self.view.lang == "zh-CN" else "zh-CN"))

    def problems(self) -> list[str]:
        return self.reasons


COLUMNS = ("SSSSSSSSMMM", "SSSSSSSSMMM", "SSSSSSSSLL")
HEIGHT_CM = {"S": 11, "M": 22, "L": 33}
PLACE = SitePlace("FT-0001", "福田区政务服务大厅", "福民路123号", "0755-82918333")
FIGURES = Figures(
    ready=True,
    doors={"closed": 31, "open": 1},
    compartments={"free": 30, "occupied": 2},
    alarms={"door_ajar": 1},
    movements={"moved": 7},
    lines={"L1": {"requests": 12, "utilisation": 0.25, "pause_shortest_s": 0.002}},
    boards={"L1": {"A1": {"timeouts": 3, "refused_garbled": 2, "turnaround_p99_s": 0.5}}},
    temperature_c={"A": 21.5, "B": None},
    humidity_percent={"A": 45.0},
    contacts={"A": {"mains": True, "tamper": False}},
    journal=42,
    journal_unsent=3,
)


def plan() -> list[CompartmentPlan]:
    """The demo's 32 compartments."""
    found: list[CompartmentPlan] = []
    for column in COLUMNS:
        top = 174
        for size in column:
            top -= HEIGHT_CM[size]
            found.append(
                CompartmentPlan(
                    cabinet="A",
                    no=len(found) + 1,
                    size=size,
                    height_cm=top + HEIGHT_CM[size] // 2,
                    reach="mid",
                )
            )
    return found


class Kiosk:
    """The app with all that it was made of."""

    def __init__(self, site: FakeSite, clock: Clock, framed_by: tuple[str, ...] = ()) -> None:
        self.site = site
        self.offline = False
        self.app = make_app(
            site,
            place=PLACE,
            plan=plan(),
            lang="zh-CN",
            clock=clock,
            figures=lambda: FIGURES,
            offline=lambda: self.offline,
            framed_by=framed_by,
        )
