"""A second proof beside the code, where the site's policy asks for one."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from controller.codes import PHONE_TAIL, Badge, keyed_hash, read_typed, typed_hash
from controller.entries import Factor, Kind, PickupRefused, Up
from controller.refusals import Reason, Refused
from controller.rows import rows
from controller.settings import PolicyTable
from controller.site import pins
from controller.site.badged import STAFF, Bearer
from controller.site.kiosk import Card, Heard, Press
from controller.site.premises import Premises
from controller.site.schema import proofs, typed_codes
from controller.site.texts import Button, Screen, Text
from controller.site.tries import count_wrong, is_resting

STRENGTH: Final[tuple[Factor, ...]] = ("none", "phone4", "id_card", "clerk")
TRIES: Final = 3  # of one visit
TAIL: Final = "tail"  # kinds of proofs that came with a code
ID: Final = "id"
NO_CARD: Final = "no_card"  # of those of whom no card is on file: a tail, and all that they typed


@dataclass(frozen=True, slots=True)
class Shown:
    """A good code as it was shown. The QR's secret is known for this visit only."""

    code: str
    secret: str | None = None  # None: it was typed, with the phone's last four
    typed: str | None = None  # then the slow hash of both

    def __repr__(self) -> str:
        return f"Shown({self.code})"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown beside the code."""

    factor: Factor
    badge: str | None = None  # of the clerk who knows the person


def wanted(policy: PolicyTable, kinds: Iterable[str]) -> Factor:
    """The stronger of what every pickup needs and what company seals need."""
    asked = {policy.second_factor}
    if Kind.SEAL_SET.value in kinds:
        asked.add(policy.second_factor_seals)
    return max(asked, key=STRENGTH.index)


async def prove(p: Premises, shown: Shown, kinds: Iterable[str]) -> Proof | None:
    """The proof; None if the person gave up. Refused where it was tried too often."""
    factor = wanted(p.policy, kinds)
    if factor == "id_card":
        factor = _instead_of_card(p, shown)
    match factor:
        case "clerk":
            return await _by_clerk(p)
        case "id_card":
            return await _by_card(p, shown)
        case "phone4" if shown.secret is not None:
            return await _by_phone(p, shown, TAIL)
    return Proof(factor)


def _instead_of_card(p: Premises, shown: Shown) -> Factor:
    """The phone, for those of whom no card is on file; without a reader what the policy says."""
    with p.book.look() as connection:
        has_card = bool(_hashes(connection, shown.code, ID))
        cardless = _hashes(connection, shown.code, NO_CARD)
    if not has_card or shown.typed in cardless:
        return "phone4"
    return "id_card" if p.readers.reads_cards() else p.policy.second_factor_no_reader


async def _by_phone(p: Premises, shown: Shown, kind: str) -> Proof | None:
    """The last four digits of the phone to which the code was sent."""
    text = Text.ASK_PHONE4
    for _ in range(TRIES):
        heard = await _ask(p, text, Button.CODE, wants="press")
        if not (isinstance(heard, Press) and heard.button is Button.CODE):
            return None
        _refuse_resting(p, shown)
        if await _knows_phone(p, shown, heard.value or "", kind):
            return Proof("phone4")
        _count(p, shown)
        text = Text.PHONE4_WRONG
    raise Refused(Reason.CODE_UNKNOWN)


async def _knows_phone(p: Premises, shown: Shown, digits: str, kind: str) -> bool:
    """The tail alone with the QR's secret, or all of the typed code where no tail came with it."""
    with p.book.look() as connection:
        tails = _hashes(connection, shown.code, kind)
    if tails:
        tail = digits[-PHONE_TAIL:]
        return keyed_hash(p.code_key, f"{shown.secret}{tail}") in tails
    if (typed := read_typed(digits)) is None:
        return False
    code, tail = typed[:-PHONE_TAIL], typed[-PHONE_TAIL:]
    slow = await p.slow(partial(typed_hash, p.typed_salt, code, tail))
    with p.book.look() as connection:
        found = connection.scalar(select(typed_codes.c.code_id).where(typed_codes.c.hash == slow))
    return bool(found == shown.code)


async def _by_card(p: Premises, shown: Shown) -> Proof | None:
    """The identity card of one to whom the order is to be handed; or the phone of one who has none.

    A phone proves nothing for somebody whose card is on file.
    """
    with p.book.look() as connection:
        cards = _hashes(connection, shown.code, ID)
        cardless = _hashes(connection, shown.code, NO_CARD) if shown.secret is not None else set()
    text, buttons = (Text.ASK_CARD_OR_PHONE, (Button.CODE,)) if cardless else (Text.ASK_ID_CARD, ())
    for _ in range(TRIES):
        heard = await _ask(p, text, *buttons, wants="card")
        match heard:
            case Card():
                proof, text = Proof("id_card"), Text.ID_CARD_OTHER
                is_right = heard.digest in cards
            case Press(button=Button.CODE, value=digits):
                proof, text = Proof("phone4"), Text.PHONE4_NOT_ENOUGH
                _refuse_resting(p, shown)
                is_right = await _knows_phone(p, shown, digits or "", NO_CARD)
            case _:
                return None
        _refuse_resting(p, shown)
        if is_right:
            return proof
        _count(p, shown)
    raise Refused(Reason.CODE_UNKNOWN)


async def _by_clerk(p: Premises) -> Proof | None:
    """A member of staff has looked at the person's papers, and says so with a badge."""
    text = Text.ASK_CLERK
    p.desk.listen(on=True)
    try:
        for _ in range(TRIES):
            heard = await _ask(p, text, wants="badge")
            if not isinstance(heard, Badge):
                return None
            if (badge := _staff(p, heard)) is not None:
                await pins.prove(p, heard, badge)
                return Proof("clerk", badge.badge_id)
            text = Text.BADGE_UNKNOWN
    finally:
        p.desk.listen(on=False)
    raise Refused(Reason.BADGE_UNKNOWN)


async def _ask(p: Premises, text: Text, *buttons: Button, wants: str) -> Heard:
    p.desk.show(Screen.SECOND_FACTOR, text, *buttons, Button.END)
    if wants == "card":
        return await p.desk.hear_card(p.policy.session_idle_s)
    return await p.desk.hear(p.policy.session_idle_s, scans=wants == "badge")


def _staff(p: Premises, badge: Badge) -> Row[Any] | None:
    with p.book.look() as connection:
        try:
            return Bearer(p, badge).badge_in(connection, STAFF)
        except Refused:
            return None


def _hashes(connection: Connection, code: str, kind: str) -> set[str]:
    return {row.hash for row in rows(connection, proofs, code_id=code, kind=kind)}


def _key(p: Premises, shown: Shown) -> str:
    return keyed_hash(p.code_key, f"second factor {shown.code}")


def _refuse_resting(p: Premises, shown: Shown) -> None:
    """A lent or stolen picture of a code is no way to guess four digits."""
    with p.book.act() as act:
        resting = is_resting(act, _key(p, shown), p.policy)
    if resting:
        raise Refused(Reason.TOO_MANY_TRIES, seconds=round(p.policy.code_rest_s))


def _count(p: Premises, shown: Shown) -> None:
    with p.book.act() as act:
        count_wrong(act, _key(p, shown), p.policy, p.kiosk)
        told = PickupRefused(reason=Reason.CODE_UNKNOWN.value, how="second_factor")
        act.say(Up.PICKUP_REFUSED, told)
