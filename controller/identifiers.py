"""Numbers that name companies and people: checked, written one way, masked for others' eyes."""

import re
import unicodedata
from datetime import date, datetime

import phonenumbers
from stdnum.cn import uscc as stdnum_uscc
from stdnum.exceptions import InvalidChecksum, ValidationError

USCC_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_LENGTH = 18
USCC_DIGITS = 8  # authority, kind and region are digits
SOLE_TRADER = "2"  # second sign of a USCC whose first is 9
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS = "10X98765432"
ID_OLDEST = date(1900, 1, 1)

_MOBILE = re.compile(r"\+861[3-9][0-9]{9}|\+85[23][0-9]{8}")
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_FOREIGNER = re.compile(r"[A-Z]{3}[0-9]{12}")
_OTHER_PAPER = re.compile(r"[A-Z0-9]{5,20}")
_ORDER_NO = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NotAnIdentifier(ValueError):
    """The text says, for the person who typed it, what is wrong; it never repeats the number."""


def tidy(text: str) -> str:
    """Trimmed, upper case, full-width signs made ASCII."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def uscc(text: str) -> str:
    """A company's number as it is stored. NotAnIdentifier names a wrong sign or the check digit."""
    number = tidy(text)
    if len(number) != USCC_LENGTH:
        raise NotAnIdentifier(f"must have {USCC_LENGTH} characters, has {len(number)}")
    for position, sign in enumerate(number, start=1):
        if sign not in USCC_SIGNS:
            raise NotAnIdentifier(
                f"character {position} cannot be used in this number{_name(sign)}"
            )
        if position <= USCC_DIGITS and not sign.isdigit():
            raise NotAnIdentifier(f"character {position} must be a digit, not {sign}")
    try:
        return str(stdnum_uscc.validate(number))
    except InvalidChecksum:
        raise NotAnIdentifier("the check digit does not fit: compare it sign by sign") from None
    except ValidationError:
        raise NotAnIdentifier("is not a unified social credit code") from None


def _name(sign: str) -> str:
    return f": {sign}" if sign.isascii() and sign.isalnum() else ""


def is_sole_trader(number: str) -> bool:
    """Whether the company's name may be a person's own."""
    return number[:2] == "9" + SOLE_TRADER


def phone(text: str) -> str:
    """A mobile of mainland China, or a number of Hong Kong or Macau, as E.164."""
    try:
        parsed = phonenumbers.parse(unicodedata.normalize("NFKC", text), "CN")
    except phonenumbers.NumberParseException:
        raise NotAnIdentifier("is not a phone number; write it as +8613800000000") from None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if parsed.extension or not _MOBILE.fullmatch(number):
        raise NotAnIdentifier("must be a mobile of +86, or a number of +852 or +853")
    return number


def id_number(text: str, today: date) -> str:
    """A resident ID, checked, or another paper's number as it is."""
    number = tidy(text)
    if _RESIDENT.fullmatch(number):
        return resident_id(number, today)
    if not _OTHER_PAPER.fullmatch(number):
        raise NotAnIdentifier("must have 5 to 20 letters and digits")
    return number


def is_on_a_card(number: str) -> bool:
    """Whether a reader of identity cards can read it: a resident's, or a foreigner's for ever."""
    return bool(_RESIDENT.fullmatch(number) or _FOREIGNER.fullmatch(number))


def resident_id(text: str, today: date) -> str:
    """A resident ID: form, check digit, and a birth between 1900 and today."""
    number = tidy(text)
    if not _RESIDENT.fullmatch(number):
        raise NotAnIdentifier("must have 18 digits, the last may be X")
    total = sum(int(sign) * weight for sign, weight in zip(number[:17], ID_WEIGHTS, strict=True))
    if number[17] != ID_CHECKS[total % 11]:
        raise NotAnIdentifier("the check digit does not fit: compare it sign by sign")
    try:
        born = datetime.strptime(number[6:14], "%Y%m%d").date()  # noqa: DTZ007 - a day, no time
    except ValueError:
        raise NotAnIdentifier("has no day of birth in it") from None
    if not ID_OLDEST <= born <= today:
        raise NotAnIdentifier("has a day of birth that cannot be")
    return number


def order_no(text: str) -> str:
    if not _ORDER_NO.fullmatch(text):
        raise NotAnIdentifier("must have 1 to 64 of A-Z a-z 0-9 - _")
    return text


def mask_name(name: str) -> str:
    """The first sign stays: 张*, 欧***; a Latin name keeps its first letter: J***."""
    first, rest = name[:1], name[1:]
    return first + ("***" if first.isascii() else "*" * len(rest))


def mask_phone(number: str) -> str:
    """138****0000; +852 ****4567."""
    if number.startswith("+86"):
        return f"{number[3:6]}****{number[-4:]}"
    return f"{number[:4]} ****{number[-4:]}"
