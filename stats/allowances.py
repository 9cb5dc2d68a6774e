"""The limit of stats that a game may have."""

from django.db.models import Count
from django.utils.translation import gettext as _

from core.limits import Limit
from stats.models import Stat
from stats.services.definitions import MOST_STATS


def limits(studio_id: int) -> list[Limit]:
    """Return it with the game that has the most (STUDIO_LIMITS)."""
    rows = Stat.objects.filter(studio_id=studio_id).values_list("game__title", "game").annotate(n=Count("pk"))
    title, _pk, most = rows.order_by("-n").first() or ("", 0, 0)
    return [Limit(_("Stats of one game"), MOST_STATS, most, about=title)]
