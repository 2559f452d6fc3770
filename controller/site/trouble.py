"""Something does not go: the person gets a case with a number, and a way on."""

from controller.site.doors import Place
from controller.site.kiosk import Press
from controller.site.premises import Premises
from controller.site.texts import VALUES, Button, Screen, Text


async def trouble(
    p: Premises, text: Text, where: Place | str, what: str, *buttons: Button
) -> Button | None:
    """What the person pressed; None if nothing. Skipping and ending are always offered."""
    doors = (where,) if isinstance(where, Place) else ()
    values: dict[str, str | int] = {"tel": p.tel, "case": p.desk.case(str(where), what)}
    if isinstance(where, Place) and "compartment" in VALUES[text]:
        values["compartment"] = where.sign
    buttons = (*buttons, Button.SKIP, Button.END)
    p.desk.show_with(Screen.TROUBLE, text, values, *buttons, doors=doors)
    heard = await p.desk.hear(p.policy.session_idle_s, scans=False)
    return heard.button if isinstance(heard, Press) else None
