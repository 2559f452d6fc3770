"""The kiosk's day: somebody steps up, is served or refused, and the next one comes."""

from functools import partial
from typing import Final, Literal

from sqlalchemy import select

from controller.codes import (
    TYPED_DIGITS,
    Badge,
    Foreign,
    Label,
    PickupCode,
    keyed_hash,
    read_typed,
    typed_hash,
)
from controller.entries import PickupRefused, Up
from controller.refusals import Reason, Refused
from controller.site import pins
from controller.site.badged import STAFF, Bearer, SteppedUp
from controller.site.book import Act
from controller.site.collecting import Pickup
from controller.site.doors import Place
from controller.site.items import loaded_items
from controller.site.kiosk import Happened, Heard, Press, Quiet
from controller.site.loading import Round
from controller.site.orders import OrderRow, code_by_qr, open_order
from controller.site.premises import Premises
from controller.site.schema import typed_codes
from controller.site.second_factor import Shown
from controller.site.staff import Service
from controller.site.texts import Button, Screen, Text
from controller.site.tries import count_wrong, is_resting, wait_s

How = Literal["qr", "typed", "badge"]
TEXT: Final = {
    Reason.CODE_UNKNOWN: Text.CODE_UNKNOWN,
    Reason.CODE_OTHER_SITE: Text.CODE_OTHER_SITE,
    Reason.CODE_NOT_READY: Text.CODE_NOT_READY,
    Reason.NOT_A_CODE: Text.NOT_A_CODE,
    Reason.TOO_MANY_TRIES: Text.TOO_MANY_TRIES,
    Reason.BADGE_UNKNOWN: Text.BADGE_UNKNOWN,
    Reason.BUSY: Text.CODE_UNKNOWN,
    Reason.MAINTENANCE: Text.SERVICED,
    Reason.DOOR_OUT_OF_USE: Text.CODE_NOT_READY,
    Reason.STALE_DECISION: Text.CODE_UNKNOWN,
}


async def serve(p: Premises) -> None:
    """Serve one person after the other, for ever."""
    heard: Heard | None = None
    trying = False  # somebody who was refused acts at once: in the language they chose
    while True:
        if not trying:
            _welcome(p)
        trying = False
        try:
            heard = heard or await _step_up(p)
            if heard is None:
                continue
            try:
                heard = await _attend(p, heard)
            except Refused as refusal:
                heard = await _refuse(p, refusal)
                trying = heard is not None
        except Refused as refusal:
            if refusal.reason is not Reason.FIRE:
                raise
            heard = None
            p.desk.leave()
            p.desk.listen(on=False)
            await p.bell.until(lambda: not p.fire.on)


async def _step_up(p: Premises) -> Heard | None:
    """What the next person does first; None if only the start page is another."""
    p.desk.listen(on=True)
    heard = await p.desk.hear(None, partial(_is_news, p), scans=True)
    if not isinstance(heard, Happened):
        return heard
    return await _tell(p, p.desk.told()) if p.desk.is_told() else None


def _welcome(p: Premises) -> None:
    """The start page; while staff are at every cabinet it says until when."""
    until = p.maintenance.everywhere_until()
    if until is None:
        p.desk.home(Text.START, Button.CODE, Button.HELP)
    else:
        p.desk.home(Text.START_SERVICED, Button.CODE, Button.HELP, until=until)


def _is_news(p: Premises) -> bool:
    """Who stands there should be told of something, or the start page is another."""
    is_serviced = p.desk.view.text is Text.START_SERVICED
    return p.desk.is_told() or is_serviced is not (p.maintenance.everywhere_until() is not None)


async def _tell(p: Premises, place: Place) -> Heard:
    """A door was opened from afar, and only staff can find out what is behind it now."""
    p.desk.show(
        Screen.TROUBLE,
        Text.OPENED_FROM_AFAR,
        Button.CODE,
        Button.END,
        wait_s=p.policy.session_end_s,
        compartment=place.sign,
        tel=p.tel,
        case=p.desk.case(str(place), "unsure"),
    )
    return await p.desk.hear(p.policy.session_end_s, scans=True)


async def _attend(p: Premises, heard: Heard) -> Heard | None:
    match heard:
        case PickupCode():
            return await _pickup_by_qr(p, heard)
        case Badge():
            return await _round(p, heard)
        case Label() | Foreign():
            raise Refused(Reason.NOT_A_CODE)
        case Press(button=Button.CODE, value=value):
            return await _pickup_by_typing(p, value or "")
        case Press(button=Button.HELP):
            p.desk.show(Screen.IDLE, Text.HELP, Button.CODE, Button.END)
            after = await p.desk.hear(p.policy.session_idle_s, scans=True)
            return None if isinstance(after, Quiet) else after
    return None


async def _pickup_by_qr(p: Premises, scanned: PickupCode) -> Heard | None:
    try:
        code, order = _find_by_qr(p, scanned)
    except Refused as refusal:
        _note(p, refusal, "qr")
        raise
    _refuse_serviced(p, order, "qr")
    return await Pickup(p, order, Shown(code, scanned.secret)).run()


def _find_by_qr(p: Premises, scanned: PickupCode) -> tuple[str, OrderRow]:
    if scanned.site != p.site:
        raise Refused(Reason.CODE_OTHER_SITE, site=scanned.site)
    with p.book.look() as connection:
        code = code_by_qr(connection, keyed_hash(p.code_key, scanned.secret))
        known = "" if code is None else code
        return known, open_order(connection, known, p.clock.now(), p.policy.code_valid_s)


async def _pickup_by_typing(p: Premises, value: str) -> Heard | None:
    """A typed code. Every refusal takes the same way: one slow hash, one look, one act."""
    with p.book.look() as connection:
        rest_s = wait_s(connection, p.clock.now(), p.policy, p.kiosk)
    if rest_s:
        raise Refused(Reason.TOO_MANY_TRIES, seconds=rest_s)
    typed = read_typed(value)
    if typed is None:
        raise Refused(Reason.CODE_UNKNOWN)
    digits, tail = typed[:TYPED_DIGITS], typed[TYPED_DIGITS:]
    p.desk.show(Screen.WORKING, Text.CHECKING)
    slow_hash = await p.slow(partial(typed_hash, p.typed_salt, digits, tail))
    found = _find_by_typing(p, keyed_hash(p.code_key, digits), slow_hash)
    if isinstance(found, Refused):
        raise found
    code, order = found
    _refuse_serviced(p, order, "typed")
    return await Pickup(p, order, Shown(code, typed=slow_hash)).run()


def _find_by_typing(p: Premises, digits: str, slow_hash: str) -> tuple[str, OrderRow] | Refused:
    """A refusal is written down, so it is handed back and not raised in its act."""
    with p.book.act() as act:
        resting = is_resting(act, digits, p.policy)
        code = act.db.scalar(select(typed_codes.c.code_id).where(typed_codes.c.hash == slow_hash))
        known = "" if resting or code is None else code
        try:
            return known, open_order(act.db, known, p.clock.now(), p.policy.code_valid_s)
        except Refused as refusal:
            if refusal.reason is Reason.CODE_UNKNOWN:
                count_wrong(act, digits, p.policy, p.kiosk)
            _say(act, refusal.reason, "typed")
            return refusal


def _refuse_serviced(p: Premises, order: OrderRow, how: How) -> None:
    """Nothing is begun at a cabinet that staff are at: the code is good for it afterwards."""
    if not p.maintenance.cabinets():
        return
    with p.book.look() as connection:
        cabinets = {item.cabinet for item in loaded_items(connection, order.order_no)}
    until = p.maintenance.ends(cabinets)
    if until is not None:
        refusal = Refused(Reason.MAINTENANCE, until=until, tel=p.tel)
        _note(p, refusal, how)
        raise refusal


async def _round(p: Premises, badge: Badge) -> Heard | None:
    bearer = Bearer(p, badge)
    try:
        row = bearer.badge()
        await pins.prove(p, badge, row)
        visit = Service(bearer) if row.role == STAFF else Round(bearer)
        await visit.run()
    except SteppedUp as other:
        return other.heard
    except Refused as refusal:
        _note(p, refusal, "badge")
        raise
    return None


def _note(p: Premises, refusal: Refused, how: How) -> None:
    with p.book.act() as act:
        _say(act, refusal.reason, how)


def _say(act: Act, reason: Reason, how: How) -> None:
    act.say(Up.PICKUP_REFUSED, PickupRefused(reason=reason.value, how=how))


async def _refuse(p: Premises, refusal: Refused) -> Heard | None:
    """The rules say no, in one text for all that a stranger must not tell apart."""
    if refusal.reason is Reason.FIRE:
        raise refusal
    p.desk.listen(on=True)
    p.desk.leave()
    p.desk.show_with(
        Screen.REFUSED,
        TEXT[refusal.reason],
        refusal.values,
        Button.CODE,
        Button.END,
        wait_s=p.policy.refused_s,
    )
    heard = await p.desk.hear(p.policy.refused_s, scans=True)
    return None if isinstance(heard, Quiet) else heard
