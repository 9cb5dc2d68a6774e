"""Server keys: `lrl_sk_` + 43 characters Base62 (256 random bits) + 6 characters Base62 of their CRC32.

The prefix lets scanners find leaked keys; the checksum tells a typo from an unknown key without a look-up.
"""

import hashlib
import re
import secrets
import zlib

PREFIX = "lrl_sk_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH = 43
_CHECK_LENGTH = 6
_FORM = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{_SECRET_LENGTH}}})([0-9A-Za-z]{{{_CHECK_LENGTH}}})", re.ASCII)

SCOPES = (
    "unlocks:write",
    "stats:write",
    "scores:write",
    "players:read",
    "players:write",
    "definitions:read",
    "definitions:write",
    "analytics:read",
    "webhooks:write",
    "offline:write",
)


def new_key() -> str:
    """Return a new key; the only time that it exists in the clear on this side."""
    secret = _base62(secrets.randbits(256), _SECRET_LENGTH)
    return f"{PREFIX}{secret}{_check(secret)}"


def is_well_formed(key: str) -> bool:
    """Say whether `key` has the form of a key and its checksum fits."""
    match = _FORM.fullmatch(key)
    return match is not None and match[2] == _check(match[1])


def key_hash(key: str) -> bytes:
    """Return what is stored of a key. It holds 256 random bits, so a fast hash can't be searched."""
    return hashlib.sha256(key.encode()).digest()


def _check(secret: str) -> str:
    return _base62(zlib.crc32(secret.encode()), _CHECK_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
