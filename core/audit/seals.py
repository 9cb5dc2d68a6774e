"""What proves an audit entry genuine and in its place: keyed hashes (HMAC-SHA-256, RFC 2104), without the database.

An entry's mark is made when it is written, over every field. A link chains it to the one before when it is sealed. A
head's mark says where a chain ends. Who did it, and what it was done to with what was said about it, go into the mark
as digests of their own, so that either may be erased later while the mark holds: of each a proof is kept, which is the
salt of its digest (16 bytes) while the text is there, and the digest (32 bytes) once it is not.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from secrets import token_bytes
from typing import Any, Final

from django.conf import settings

from core.clock import microseconds

SALT_BYTES: Final = 16
FIRST: Final = b""  # what the first link follows
ERASED: Final = "erased"  # who did it, or what it was done to, once that is not to be known any more


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it was written, or as it is after an erasure."""

    studio_id: int
    at: datetime
    actor: str
    action: str
    kind: str
    object_id: str
    reason: str
    details: Mapping[str, Any]
    actor_proof: bytes
    content_proof: bytes


def keys() -> Sequence[bytes]:
    """Return the keys that may have sealed something; the first one seals now."""
    return _keys(tuple(settings.AUDIT_SECRETS))


@lru_cache(maxsize=8)
def _keys(secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(hmac.digest(secret.encode(), b"laurel audit log", "sha256") for secret in secrets)


def new_salt() -> bytes:
    """Return a proof for a text that is there."""
    return token_bytes(SALT_BYTES)


def actor_digest(key: bytes, entry: Written) -> bytes:
    """Return the digest of who did it: the proof itself where that was erased, and nothing where it says otherwise."""
    proof = entry.actor_proof
    if len(proof) == SALT_BYTES:
        return _mac(key, "actor", proof, entry.actor)
    return proof if entry.actor == ERASED else b""


def content_digest(key: bytes, entry: Written) -> bytes:
    """Return the digest of what it was done to and what was said about it, as `actor_digest` does."""
    proof = entry.content_proof
    if len(proof) == SALT_BYTES:
        return _mac(key, "content", proof, entry.object_id, entry.reason, canonical(entry.details))
    return proof if (entry.object_id, entry.reason, entry.details) == (ERASED, "", {}) else b""


def mark(key: bytes, entry: Written) -> bytes:
    """Return what only a holder of the key can make of an entry."""
    return _mac(
        key,
        "entry",
        entry.studio_id,
        microseconds(entry.at),
        entry.action,
        entry.kind,
        actor_digest(key, entry),
        content_digest(key, entry),
    )


def link(key: bytes, previous: bytes, number: int, marked: bytes) -> bytes:
    """Return the hash of an entry in its place: the one after the entry with the hash `previous`."""
    return _mac(key, "link", previous, number, marked)


def head(key: bytes, studio_id: int, number: int, hashed: bytes) -> bytes:
    """Return the mark of a chain's end."""
    return _mac(key, "head", studio_id, number, hashed)


def marking_key(entry: Written, marked: bytes) -> bytes | None:
    """Return the key that made the entry's mark, or None if none of ours did."""
    return next((key for key in keys() if hmac.compare_digest(mark(key, entry), marked)), None)


def is_link(hashed: bytes, previous: bytes, number: int, marked: bytes) -> bool:
    """Say whether an entry's hash follows from the one before."""
    return any(hmac.compare_digest(link(key, previous, number, marked), hashed) for key in keys())


def is_head(marked: bytes, studio_id: int, number: int, hashed: bytes) -> bool:
    """Say whether a chain's end was written by us."""
    return any(hmac.compare_digest(head(key, studio_id, number, hashed), marked) for key in keys())


def canonical(details: Mapping[str, Any]) -> str:
    """Return one text for details as they were given and as PostgreSQL's `jsonb` gives them back.

    That orders names anew and writes numbers out: 1e23 and 2.0 come back as whole numbers.
    """
    return json.dumps(_plain(json.loads(json.dumps(details))), sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        exact = Decimal(repr(value))
        return int(exact) if exact == exact.to_integral_value() else value
    return value


def _mac(key: bytes, *parts: str | int | bytes) -> bytes:
    """Hash the parts so that no two lists of parts give the same text."""
    plain = [part.hex() if isinstance(part, bytes) else part for part in parts]
    return hmac.digest(key, json.dumps(plain, separators=(",", ":")).encode(), "sha256")
