"""The limits of players' circles."""

from django.utils.translation import gettext as _

from core.limits import Limit
from social.befriending import MOST_FRIENDS, MOST_REQUESTS


def limits(studio_id: int) -> list[Limit]:
    """Return them: they hold for each player (STUDIO_LIMITS)."""
    return [
        Limit(_("Friends of a player"), MOST_FRIENDS),
        Limit(_("Friend requests of a player that wait"), MOST_REQUESTS),
    ]
