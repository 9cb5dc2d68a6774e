"""Forms that make one thing, however often they are sent: the new thing's id is in them, signed.

A double click or a reload sends the same id again, and the database takes it once. It is signed, so that nobody can try
ids of others.
"""

from uuid import UUID

from django.core import signing

from core.ids import new_id

LIFETIME_S = 24 * 3600


def mint(purpose: str, *, user_id: int, studio_id: int) -> str:
    """Return the id of something that a member is about to make, as a form carries it."""
    return signing.dumps([str(new_id()), user_id, studio_id], salt=_salt(purpose))


def read(text: str, purpose: str, *, user_id: int, studio_id: int) -> UUID | None:
    """Return the id; None if it is not one that this member got for this purpose within a day."""
    try:
        uuid, user, studio = signing.loads(text, salt=_salt(purpose), max_age=LIFETIME_S)
    except signing.BadSignature:
        return None
    return UUID(uuid) if (user, studio) == (user_id, studio_id) else None


def _salt(purpose: str) -> str:
    return f"core.once.{purpose}"
