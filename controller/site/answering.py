"""A held site's kiosk: somebody of the staff may answer for what lies behind the doors."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Row

from controller.codes import Badge, read_pin
from controller.refusals import Refused
from controller.site import pins
from controller.site.badged import STAFF, Bearer
from controller.site.kiosk import Press
from controller.site.premises import Premises
from controller.site.texts import Button, Screen, Text

PATIENCE_S: Final = 60.0


async def answer_for(p: Premises, end: Callable[[str], None]) -> None:
    """Until a staff badge was read and its bearer has confirmed; `end` gets the badge's id."""
    wrong: Counter[str] = Counter()  # nothing may be written now
    while True:
        p.desk.show(Screen.TROUBLE, Text.OUT_OF_SERVICE)
        p.desk.listen(on=True)
        heard = await p.desk.hear(None, scans=True)
        if not isinstance(heard, Badge):
            continue
        bearer = Bearer(p, heard)
        try:
            with p.book.look() as connection:
                row = bearer.badge_in(connection, STAFF)
        except Refused:
            continue
        badge = str(row.badge_id)
        if wrong[badge] >= pins.TRIES or not await _knows_pin(p, heard, row):
            wrong[badge] += 1
            continue
        p.desk.show(Screen.STAFF, Text.ANSWER_FOR, Button.CONFIRM, Button.END)
        match await p.desk.hear(PATIENCE_S, scans=False):
            case Press(button=Button.CONFIRM):
                end(badge)
                return


async def _knows_pin(p: Premises, badge: Badge, row: Row[Any]) -> bool:
    """One try; so many in all until the hold is over."""
    if row.pin is None:
        return True
    p.desk.show(Screen.SECOND_FACTOR, Text.ASK_PIN, Button.CODE, Button.END)
    match await p.desk.hear(PATIENCE_S, scans=False):
        case Press(button=Button.CODE, value=str(value)) if (pin := read_pin(value)) is not None:
            return await pins.is_right(p, badge, row, pin)
    return False
