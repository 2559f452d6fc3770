"""The PIN of a badge, where it has one: asked at the kiosk, known by its slow hash alone."""

import hmac
from functools import partial
from typing import Any, Final

from sqlalchemy import Row

from controller.codes import Badge, keyed_hash, pin_hash, read_pin
from controller.entries import PickupRefused, Up
from controller.refusals import Reason, Refused
from controller.site.kiosk import Press
from controller.site.premises import Premises
from controller.site.texts import Button, Screen, Text
from controller.site.tries import count_wrong, is_resting, wait_s

TRIES: Final = 3  # of one visit


async def prove(p: Premises, badge: Badge, row: Row[Any]) -> None:
    """The bearer knows its PIN, or it has none. Refused else, and where it was tried too often."""
    if row.pin is None:
        return
    text = Text.ASK_PIN
    for _ in range(TRIES):
        p.desk.show(Screen.SECOND_FACTOR, text, Button.CODE, Button.END)
        heard = await p.desk.hear(p.policy.session_idle_s, scans=False)
        if not (isinstance(heard, Press) and heard.button is Button.CODE):
            break
        _refuse_resting(p, row.badge_id)
        pin = read_pin(heard.value or "")
        p.desk.show(Screen.WORKING, Text.CHECKING)
        if pin is not None and await is_right(p, badge, row, pin):
            return
        _count(p, row.badge_id)
        text = Text.PIN_WRONG
    raise Refused(Reason.BADGE_UNKNOWN)


async def is_right(p: Premises, badge: Badge, row: Row[Any], pin: str) -> bool:
    """Looked at off the loop."""
    slow = await p.slow(partial(pin_hash, p.typed_salt, badge.secret, pin))
    return hmac.compare_digest(slow, row.pin)


def _key(p: Premises, badge_id: str) -> str:
    return keyed_hash(p.code_key, f"pin {badge_id}")


def _refuse_resting(p: Premises, badge_id: str) -> None:
    """A found badge is no way to guess six digits, at whichever kiosk, over every restart."""
    with p.book.act() as act:
        resting = is_resting(act, _key(p, badge_id), p.policy)
        rest_s = wait_s(act.db, act.at, p.policy, p.kiosk)
    if resting or rest_s:
        seconds = round(p.policy.code_rest_s) if resting else rest_s
        raise Refused(Reason.TOO_MANY_TRIES, seconds=seconds)


def _count(p: Premises, badge_id: str) -> None:
    with p.book.act() as act:
        count_wrong(act, _key(p, badge_id), p.policy, p.kiosk)
        told = PickupRefused(reason=Reason.BADGE_UNKNOWN.value, how="pin")
        act.say(Up.PICKUP_REFUSED, told)
