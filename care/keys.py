"""Every key that care owns in Django's cache."""

from accounts.selectors import Membership
from core.clock import microseconds


def unread(user_id: int, studio: Membership) -> str:
    """Return the key of how much somebody has not read in a studio's inbox, as the role and since when it says.

    Type: a number, pickled by Django's cache. TTL: `selectors.inbox.KEPT_S`. Rebuilt: by asking.
    """
    seen_us = microseconds(studio.seen_at)
    return f"care:v1:inbox:{studio.studio_id}:{user_id}:{studio.role}:{seen_us}"
