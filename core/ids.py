"""Ids that the platform mints: UUIDv7 (RFC 9562), in order of time."""

from uuid import UUID

from uuid_utils.compat import uuid7


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
