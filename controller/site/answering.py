"""A held site's kiosk: somebody of the staff may answer for what lies behind the doors."""

from collections.abc import Callable
from typing import Final

from controller.codes import Badge
from controller.refusals import Refused
from controller.site.badged import STAFF, Bearer
from controller.site.kiosk import Press
from controller.site.premises import Premises
from controller.site.texts import Button, Screen, Text

PATIENCE_S: Final = 60.0


async def answer_for(p: Premises, end: Callable[[str], None]) -> None:
    """Until a staff badge was read and its bearer has confirmed; `end` gets the badge's id."""
    while True:
        p.desk.show(Screen.TROUBLE, Text.OUT_OF_SERVICE)
        p.desk.listen(on=True)
        heard = await p.desk.hear(None, scans=True)
        if not isinstance(heard, Badge):
            continue
        bearer = Bearer(p, heard)
        try:
            with p.book.look() as connection:
                badge = str(bearer.badge_in(connection, STAFF).badge_id)
        except Refused:
            continue
        p.desk.show(Screen.STAFF, Text.ANSWER_FOR, Button.CONFIRM, Button.END)
        match await p.desk.hear(PATIENCE_S, scans=False):
            case Press(button=Button.CONFIRM):
                end(badge)
                return
