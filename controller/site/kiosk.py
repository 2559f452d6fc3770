"""The kiosk as a value, and the desk at which a person and the site meet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from controller.codes import Badge, Foreign, Label, PickupCode, Scanned, read_scan
from controller.ports import Clock
from controller.refusals import Reason, Refused
from controller.site.bell import Bell
from controller.site.book import Book
from controller.site.cases import Cases, Step
from controller.site.doors import Place
from controller.site.fire import Fire
from controller.site.texts import OFFER_VALUES, VALUES, Button, Offer, Screen, Text

ALWAYS = (Button.PROBLEM, Button.LANGUAGE)  # offered at every screen
LANGUAGES = ("zh-CN", "en")
UNVISITED = (Text.START, Text.START_SERVICED, Text.STARTING, Text.OUT_OF_SERVICE)
STARS = tuple("12345")


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item of the order that was accepted."""

    item_id: str
    kind: str
    holder: str
    state: str
    where: str | None  # A/7, or a machine's name


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things that CHOOSE may name, by its value."""

    value: str
    offer: Offer
    values: Mapping[str, str | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert set(self.values) == OFFER_VALUES[self.offer], f"{self.offer}: {self.values}"


@dataclass(frozen=True, slots=True)
class KioskView:
    """Everything that a screen shows. `order` only after its code was accepted."""

    screen: Screen
    text: Text
    values: Mapping[str, str | int] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ALWAYS
    choices: tuple[Choice, ...] = ()
    doors: tuple[str, ...] = ()  # A/7
    session: str | None = None
    order: str | None = None
    items: tuple[ShownItem, ...] = ()
    case: str | None = None
    step: Step | None = None  # what comes next in that case, and by whom
    wait_s: int | None = None
    lang: str = "zh-CN"


@dataclass(frozen=True, slots=True)
class Press:
    button: Button
    value: str | None


@dataclass(frozen=True, slots=True)
class Card:
    """An identity card lay on the reader: the keyed hash of its number, nothing else."""

    digest: str


@dataclass(frozen=True, slots=True)
class Happened:
    """What was waited for holds."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Time is over."""


Heard = Press | Card | PickupCode | Label | Badge | Foreign | Happened | Quiet


class Desk:
    """One kiosk: what it shows, what was pressed, what was scanned. One person at a time."""

    def __init__(
        self, book: Book, clock: Clock, bell: Bell, fire: Fire, *, lang: str, quiet_s: float
    ) -> None:
        self.ears = False  # whether a scan is kept; one at most
        self._own = KioskView(Screen.WORKING, Text.STARTING, lang=lang)
        self._cases = Cases(book, clock)
        self._clock = clock
        self._bell = bell
        self._fire = fire
        self._home_lang = lang
        self._quiet_s = quiet_s
        self._press: Press | None = None
        self._scan: Scanned | None = None
        self._awaits_card = False
        self._card: Card | None = None
        self._notices: list[Place] = []  # places that whoever stands here should be told of
        self._last_text = ""
        self._last_seen_at = 0.0

    # what the site shows

    @property
    def view(self) -> KioskView:
        """While there is a fire alarm, nothing but that."""
        if not self._fire.on:
            return self._own
        return KioskView(Screen.TROUBLE, Text.FIRE, buttons=(Button.LANGUAGE,), lang=self._own.lang)

    def show(
        self,
        screen: Screen,
        text: Text,
        *buttons: Button,
        doors: tuple[Place, ...] = (),
        choices: tuple[Choice, ...] = (),
        wait_s: float | None = None,
        **values: str | int,
    ) -> None:
        """Change the screen; a press that was meant for the one before counts no more."""
        self.show_with(screen, text, values, *buttons, doors=doors, choices=choices, wait_s=wait_s)

    def show_with(
        self,
        screen: Screen,
        text: Text,
        values: Mapping[str, str | int],
        *buttons: Button,
        doors: tuple[Place, ...] = (),
        choices: tuple[Choice, ...] = (),
        wait_s: float | None = None,
    ) -> None:
        """The same with the values in one hand."""
        assert set(values) == VALUES[text], f"{text} needs {sorted(VALUES[text])}"
        self._press = None
        chosen = (Button.CHOOSE,) if choices else ()
        self._put(
            replace(
                self._own,
                screen=screen,
                text=text,
                values=values,
                buttons=(*buttons, *chosen, *ALWAYS),
                choices=choices,
                doors=tuple(map(str, doors)),
                wait_s=None if wait_s is None else round(wait_s),
            )
        )

    def accept(self, session: str | None, order: str, items: tuple[ShownItem, ...]) -> None:
        """From now on the screens belong to this order."""
        self._put(replace(self._own, session=session, order=order, items=items))

    def leave(self) -> None:
        """The person is gone: nothing of them stays on the screen but the language of this text."""
        shown = self._own
        self._put(KioskView(shown.screen, shown.text, shown.values, ALWAYS, lang=shown.lang))

    def home(self, text: Text, *buttons: Button, **values: str | int) -> None:
        shown = (*buttons, *ALWAYS)
        self._put(KioskView(Screen.IDLE, text, values, buttons=shown, lang=self._home_lang))

    def case(self, where: str | None, what: str) -> str:
        """Open a case and show its number: somebody will care for it."""
        case = self._cases.open(where, what, self._own.order)
        self._put(replace(self._own, case=case.number, step=case.step))
        return case.number

    @property
    def is_visited(self) -> bool:
        """Somebody is served; nobody reads *start*, and nobody is served out of service."""
        return self._own.text not in UNVISITED

    def differs(self, shown: KioskView) -> bool:
        return self.view != shown

    def _put(self, view: KioskView) -> None:
        if view != self._own:
            self._own = view
            self._bell.ring()

    def tell(self, place: Place) -> None:
        """Something became of this place while nobody was served here."""
        if not self.is_visited:
            self._notices.append(place)
            self._bell.ring()

    def is_told(self) -> bool:
        """There is such a place."""
        return bool(self._notices)

    def told(self) -> Place:
        """Taken as said."""
        return self._notices.pop(0)

    # what the person does

    def press(self, button: str, value: str | None) -> None:
        """Take a press. Refused where the screen does not offer it."""
        if button not in self.view.buttons:
            raise Refused(Reason.BUTTON_NOT_OFFERED, button=button)
        match Button(button):
            case Button.LANGUAGE:
                here = LANGUAGES.index(self.view.lang) if self.view.lang in LANGUAGES else 0
                wanted = value if value in LANGUAGES else LANGUAGES[here - 1]
                self._put(replace(self._own, lang=wanted))
            case Button.PROBLEM:
                self.case(self.view.doors[0] if self.view.doors else None, _problem(value))
            case Button.RATE if value not in STARS:
                raise Refused(Reason.BAD_FIELD, field="value")
            case Button.CHOOSE if value not in {each.value for each in self.view.choices}:
                raise Refused(Reason.BAD_FIELD, field="value")
            case pressed:
                self._press = self._press or Press(pressed, value)
                self._bell.ring()

    def scanned(self, text: str) -> None:
        """Take what a scanner read; the same text again counts once it was away for a while."""
        now = self._clock.monotonic()
        again = text == self._last_text and now - self._last_seen_at < self._quiet_s
        self._last_text, self._last_seen_at = text, now
        if again or not self.ears or self._scan is not None:
            return
        self._scan = read_scan(text)
        self._bell.ring()

    def carded(self, digest: str) -> None:
        """Take a card that was asked for; any other is forgotten at once."""
        if self._awaits_card:
            self._card = Card(digest)
            self._bell.ring()

    def listen(self, *, on: bool) -> None:
        """Keep scans from now on, or drop them."""
        self.ears = on
        if not on:
            self._scan = None

    def is_scan_waiting(self) -> bool:
        return self._scan is not None

    async def hear_card(self, within_s: float | None) -> Heard:
        """The same for an identity card."""
        self._awaits_card = True
        try:
            heard = await self.hear(within_s, lambda: self._card is not None, scans=False)
            return self._card or heard
        finally:
            self._awaits_card, self._card = False, None

    async def hear(
        self, within_s: float | None, until: Callable[[], bool] = lambda: False, *, scans: bool
    ) -> Heard:
        """What comes first: the fact, a press, a scan (where `scans`), or the end of patience.

        Refused as soon as there is a fire alarm.
        """

        def anything() -> bool:
            return (
                self._fire.on
                or until()
                or self._press is not None
                or (scans and self._scan is not None)
            )

        if not await self._bell.until(anything, within_s):
            return Quiet()
        if self._fire.on:
            raise Refused(Reason.FIRE)
        if until():
            return Happened()
        if (press := self._press) is not None:
            self._press = None
            return press
        scan, self._scan = self._scan, None
        assert scan is not None
        return scan


PROBLEMS = ("missing", "wrong", "damaged", "will_not_open", "will_not_close")


def _problem(value: str | None) -> str:
    return value if value in PROBLEMS else "something_is_wrong"
