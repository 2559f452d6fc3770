"""What names a person or opens a door is stored sealed: AES-256-GCM under a key from the settings.

The stored form outlives a release: one byte of version, twelve of nonce, then the sealed text.
"""

import hashlib
import hmac
import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from controller.district.schema import seal_checks
from controller.store import Store, StoreRefused

VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
CHECK_TEXT = "onewindow"


class SealBroken(Exception):
    """A sealed text was changed, moved to another place, or sealed under another key."""


class Seal:
    """Closes and opens texts; `context` says where a text belongs and must be the same again."""

    def __init__(self, key: bytes, nonce: Callable[[int], bytes] = os.urandom) -> None:
        self._cipher = AESGCM(key)
        self._hash_key = hmac.new(key, b"keyed hashes", hashlib.sha256).digest()
        self._nonce = nonce

    def close(self, text: str, context: str) -> bytes:
        nonce = self._nonce(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, text.encode(), context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        if sealed[:1] != VERSION or len(sealed) < 1 + NONCE_BYTES + TAG_BYTES:
            raise SealBroken(context)
        nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, context.encode()).decode()
        except InvalidTag:
            raise SealBroken(context) from None

    def key_of(self, text: str, context: str) -> str:
        """A keyed hash to find a row by, of no use to somebody without the key."""
        words = f"{context}\n{text}".encode()
        return hmac.new(self._hash_key, words, hashlib.sha256).hexdigest()


def check_seal(store: Store, seal: Seal) -> None:
    """The key fits the database, or is its first. StoreRefused otherwise."""
    with store.write() as tx:
        sealed = tx.connection.execute(select(seal_checks.c.sealed)).scalar()
        if sealed is None:
            check = seal.close(CHECK_TEXT, "seal_checks")
            tx.connection.execute(seal_checks.insert().values(id=1, sealed=check))
            return
        try:
            seal.open(sealed, "seal_checks")
        except SealBroken:
            raise StoreRefused(
                "district.seal_key is not the key that this database was sealed with; "
                "give the old key back"
            ) from None
