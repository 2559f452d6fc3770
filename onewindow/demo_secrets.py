"""The demo's keys and passwords: made at its first start and kept in its folder."""

import hashlib
import json
import secrets
from pathlib import Path

from argon2 import PasswordHasher

from controller.codes import keyed_hash, mint_secret
from onewindow.whole_file import write_private

KEY_BYTES = 32


def of_folder(path: Path) -> dict[str, str]:
    """The secrets kept at `path`; made and kept there when there are none yet."""
    if path.is_file():
        kept: dict[str, str] = json.loads(path.read_text("utf-8"))
        return kept
    made = _make()
    write_private(path, json.dumps(made, indent=1))
    return made


def _make() -> dict[str, str]:
    keys = ("link_key", "code_key", "typed_salt", "seal_key")
    words = ("mqtt_site", "mqtt_district", "mqtt_viewer", "ops", "vendor", "api_key")
    made = {name: secrets.token_hex(KEY_BYTES) for name in keys}
    made |= {name: secrets.token_urlsafe(18) for name in words}
    made["api_key_sha256"] = hashlib.sha256(made["api_key"].encode()).hexdigest()
    for person in ("ops", "vendor"):
        made[f"{person}_hash"] = PasswordHasher().hash(made[person])
    for badge in ("badge_vendor", "badge_staff"):
        made[badge] = mint_secret()
        made[f"{badge}_hash"] = keyed_hash(bytes.fromhex(made["code_key"]), made[badge])
    return made
