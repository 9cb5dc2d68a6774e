"""What is kept of analytics for how long: hours for some weeks, all else for as long as its game."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from core import shifts
from core.db import run_prepared

_AT_ONCE: Final = 5_000
_FORGET = """
WITH gone AS (
    DELETE FROM analytics_gamehour WHERE (game_id, at) IN (
        SELECT game_id, at FROM analytics_gamehour WHERE at < $1 LIMIT $2) RETURNING 1
) SELECT count(*) FROM gone
"""


def forget_hours(*, now: datetime) -> int:
    """Delete hours that are kept no longer, some thousand a transaction; return how many those were."""
    before = now - timedelta(days=settings.ANALYTICS_HOURS_KEPT_DAYS)
    forgotten = 0
    while not shifts.is_over() and (gone := run_prepared(_FORGET, [before, _AT_ONCE])[0][0]):
        forgotten += gone
    return forgotten
