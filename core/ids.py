"""Ids that the platform mints: UUIDv7 (RFC 9562), in order of time."""

import re
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}", re.ASCII)


def new_id() -> UUID:
    """Return a new UUIDv7."""
    return uuid7()


def parse_id(text: str) -> UUID | None:
    """Read a UUID in its canonical form, or return None."""
    try:
        value = UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
    return value if str(value) == text.lower() else None


def request_id(sent: str) -> str:
    """Return a request's id: what the caller sent, if that can be one, or else a new one."""
    return sent if _REQUEST_ID.fullmatch(sent) else str(new_id())
