"""The limit of boards that a game may have."""

from django.db.models import Count
from django.utils.translation import gettext as _

from core.limits import Limit
from leaderboards.models import Leaderboard
from leaderboards.services.definitions import MOST_BOARDS


def limits(studio_id: int) -> list[Limit]:
    """Return it with the game that has the most (STUDIO_LIMITS)."""
    rows = (
        Leaderboard.objects.filter(studio_id=studio_id)
        .values_list("game__title", "game")
        .annotate(n=Count("pk"))
    )
    title, _pk, most = rows.order_by("-n").first() or ("", 0, 0)
    return [Limit(_("Leaderboards of one game"), MOST_BOARDS, most, about=title)]
