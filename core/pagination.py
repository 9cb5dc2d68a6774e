"""Signed keyset cursors: where a list goes on, readable by nobody but us and valid for one list only."""

import base64
from functools import lru_cache
from typing import Any

import orjson
from django.core.signing import BadSignature, Signer

from core.refusals import Malformed

_MAX_CURSOR = 2048


def encode_cursor(kind: str, position: list[Any]) -> str:
    """Return the cursor after `position` (JSON values) in the list that `kind` names."""
    payload = base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")
    return _signer(kind).sign(payload)


def decode_cursor(kind: str, cursor: str) -> list[Any]:
    """Return the position in a cursor of the same list.

    Raises:
        Malformed: forged, cut, or a cursor of another list.

    """
    try:
        if len(cursor) > _MAX_CURSOR:
            raise BadSignature
        payload = _signer(kind).unsign(cursor)
        position: list[Any] = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (BadSignature, ValueError):
        raise Malformed(
            "The cursor is not one of this list. Start again without it, or send `next_cursor` unchanged."
        ) from None
    return position


@lru_cache(maxsize=1024)
def _signer(kind: str) -> Signer:
    return Signer(salt=f"cursor {kind}", sep=".")
