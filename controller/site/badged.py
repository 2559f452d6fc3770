"""Somebody with a badge before the kiosk: who it is, and a door that stands open before them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row

from controller.codes import Badge, Label, PickupCode, keyed_hash
from controller.journal import parse_time
from controller.refusals import Reason, Refused
from controller.rows import first_row
from controller.site.book import Act
from controller.site.doors import Place
from controller.site.doorway import Way, is_over, release, step_back
from controller.site.kiosk import Choice, Happened, Heard, Press, Quiet
from controller.site.movements import Wanted
from controller.site.premises import Premises
from controller.site.schema import badges
from controller.site.texts import VALUES, Button, Screen, Text

STAFF = "staff"
VENDOR = "vendor"


class SteppedUp(Exception):
    """The visit is over: somebody else stands there and was heard, or nobody does."""

    def __init__(self, heard: Heard | None) -> None:
        super().__init__()
        self.heard = heard


class Bearer:
    """The person with this badge, for one visit."""

    def __init__(self, premises: Premises, badge: Badge) -> None:
        self.p = premises
        self._hash = keyed_hash(premises.code_key, badge.secret)

    def badge(self) -> Row[Any]:
        """The badge as it is now. Refused if it is unknown, revoked or out of date."""
        with self.p.book.look() as connection:
            return self.badge_in(connection)

    def badge_in(self, connection: Connection, *roles: str) -> Row[Any]:
        """The same in an act that needs it, of one of these roles if any are named."""
        row = first_row(connection, badges, hash=self._hash)
        now = self.p.clock.now()
        if row is None or row.revoked or now >= parse_time(row.valid_until):
            raise Refused(Reason.BADGE_UNKNOWN)
        if roles and row.role not in roles:
            raise Refused(Reason.BADGE_UNKNOWN)
        return row

    def is_mine(self, heard: Heard) -> bool:
        """The same badge was held before the scanner once more."""
        return isinstance(heard, Badge) and keyed_hash(self.p.code_key, heard.secret) == self._hash

    async def hear(self, *, scans: bool = True) -> Heard:
        """What the person does. SteppedUp if it is another one, or nobody is there any more."""
        p = self.p
        p.desk.listen(on=scans)
        while True:
            heard = await p.desk.hear(p.policy.vendor_idle_s, scans=scans)
            match heard:
                case Quiet():
                    raise SteppedUp(None)
                case _ if self.is_mine(heard):
                    continue
                case _:
                    return heard

    async def choose(
        self, text: Text, *choices: Choice, doors: tuple[Place, ...] = (), **values: str | int
    ) -> str | None:
        """The value of one of the choices; None if the person wants none."""
        p = self.p
        buttons = (Button.SKIP,)
        p.desk.show_with(Screen.STAFF, text, values, *buttons, choices=choices, doors=doors)
        match await self.hear():
            case Press(button=Button.CHOOSE, value=value):
                return value
            case Press():
                return None
            case other:
                raise SteppedUp(other)

    async def opened(self, place: Place, decide: Callable[[Act], Wanted]) -> Way:
        """A door released for this person; whoever calls steps back from it at the end."""
        self.p.desk.listen(on=False)
        return await release(self.p, place, decide)

    async def stand_by(
        self,
        place: Place,
        screen: Screen,
        show: Callable[[], None],
        *,
        done: Callable[[], bool] = lambda: False,
        answer: Callable[[Press | Label], bool] = lambda _heard: False,
        closing: tuple[Button, ...] = (),
    ) -> None:
        """Until an open door is shut, or nobody can see it any more.

        `show` draws the screen; once the work is `done`, or `answer` says so of what the person
        did, or after a while, only the door is asked for, with the `closing` buttons.
        SteppedUp if somebody else shows a code, or nobody shuts the door.
        """
        p = self.p
        p.desk.listen(on=True)
        show()
        patience_s = p.policy.ajar_notice_s
        begun = done  # until then

        def is_next() -> bool:
            return is_over(p, place) or begun()

        while not is_over(p, place):
            heard = await p.desk.hear(patience_s, is_next, scans=True)
            if isinstance(heard, Quiet) and begun is _never:
                raise SteppedUp(None)
            if not isinstance(heard, Quiet | Happened) and not self._is_answer(heard, answer):
                continue
            begun, patience_s = _never, p.policy.vendor_idle_s
            if not is_over(p, place):
                p.desk.show(
                    screen, Text.LOAD_CLOSE, *closing, doors=(place,), compartment=place.sign
                )

    def _is_answer(self, heard: Heard, answer: Callable[[Press | Label], bool]) -> bool:
        match heard:
            case Press() | Label():
                return answer(heard)
            case PickupCode():
                raise SteppedUp(heard)
            case Badge() if not self.is_mine(heard):
                raise SteppedUp(heard)
        return False

    async def ask(self, text: Text, place: Place, yes: Button, no: Button) -> bool | None:
        """What the person says of a shut door; None if nothing."""
        p = self.p
        p.desk.show(Screen.LOAD, text, yes, no, doors=(place,), compartment=place.sign)
        match await p.desk.hear(p.policy.vendor_idle_s, scans=False):
            case Press(button=button) if button in (yes, no):
                return button is yes
        return None

    def trouble(self, screen: Screen, text: Text, place: Place | None, what: str) -> None:
        """A case with a number stays on the screen."""
        p = self.p
        where = None if place is None else str(place)
        values: dict[str, str | int] = {"tel": p.tel, "case": p.desk.case(where, what)}
        if place is not None and "compartment" in VALUES[text]:
            values["compartment"] = place.sign
        p.desk.show_with(screen, text, values, Button.END)

    def step_back(self, place: Place) -> None:
        step_back(self.p, place)


def _never() -> bool:
    return False
