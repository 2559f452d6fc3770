"""What a scanner may read, and the hashes by which a site knows a code.

These forms are printed on labels and sent in messages; they outlive a release.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SECRET_LENGTH = 26  # characters of 5 bits: 128 random bits and two spare
TYPED_DIGITS = 8
PHONE_TAIL = 4
PIN_DIGITS = (4, 6)  # least and most
SCRYPT = {"n": 2**14, "r": 8, "p": 1}  # 34 to 42 ms a try on the machines measured
SCRYPT_MEMORY = 64 * 2**20  # bytes; these parameters need 16 MiB, OpenSSL wants room above

_PICKUP = re.compile(rf"OW1:([A-Z0-9-]{{1,32}}):([{CROCKFORD}]{{{SECRET_LENGTH}}})")
_LABEL = re.compile(r"OWL:[A-Za-z0-9_-]{1,64}")
_BADGE = re.compile(rf"OWB:([{CROCKFORD}]{{{SECRET_LENGTH}}})")
_TYPED = re.compile(rf"[0-9]{{{TYPED_DIGITS + PHONE_TAIL}}}")


@dataclass(frozen=True, slots=True)
class PickupCode:
    site: str
    secret: str


@dataclass(frozen=True, slots=True)
class Label:
    text: str  # whole, `OWL:` included, as orders carry it


@dataclass(frozen=True, slots=True)
class Badge:
    secret: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """Anything else that people hold before a scanner."""

    length: int


Scanned = PickupCode | Label | Badge | Foreign


def read_scan(text: str) -> Scanned:
    """Tell what was scanned. Nothing of a foreign text is kept but its length."""
    if found := _PICKUP.fullmatch(text):
        return PickupCode(found[1], found[2])
    if _LABEL.fullmatch(text):
        return Label(text)
    if found := _BADGE.fullmatch(text):
        return Badge(found[1])
    return Foreign(len(text))


def read_typed(text: str) -> str | None:
    """Eight digits and the phone's last four, twelve in all, without spaces and dashes."""
    digits = text.translate(str.maketrans("", "", " -\u3000"))
    return digits if digits.isascii() and _TYPED.fullmatch(digits) else None


def mint_secret(bits: Callable[[int], int] = secrets.randbits) -> str:
    """26 characters that carry 128 random bits."""
    number = bits(128)
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def mint_typed(below: Callable[[int], int] = secrets.randbelow) -> str:
    """Eight digits; the caller sees to it that they are unique among the site's open codes."""
    return f"{below(10**TYPED_DIGITS):0{TYPED_DIGITS}d}"


def qr_text(site: str, secret: str) -> str:
    return f"OW1:{site}:{secret}"


def keyed_hash(key: bytes, secret: str) -> str:
    """Hex HMAC-SHA256 of a QR's or badge's secret; 128 bits need no slow hash."""
    return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()


def read_pin(text: str) -> str | None:
    """Four to six digits."""
    least, most = PIN_DIGITS
    fits = text.isascii() and text.isdigit() and least <= len(text) <= most
    return text if fits else None


def pin_hash(salt: bytes, secret: str, pin: str) -> str:
    """Hex scrypt of a badge's secret and its PIN: whoever lacks the badge cannot even guess."""
    return typed_hash(salt, secret, pin)


def typed_hash(salt: bytes, typed: str, phone_tail: str) -> str:
    """Hex scrypt of typed code and phone's last four: slow on purpose, never on the loop."""
    return hashlib.scrypt(
        (typed + phone_tail).encode(), salt=salt, maxmem=SCRYPT_MEMORY, dklen=32, **SCRYPT
    ).hex()
