"""What was taken of a whole game: `analytics/services/distributions.py`."""

import orjson

from analytics.distributions import Taken
from analytics.reading import ask


def taken(game_id: int) -> Taken | None:
    """Return what was taken of a game last; None before the first time."""
    rows = ask(
        "SELECT figures::text, as_of FROM analytics_distributions WHERE game_id = $1 AND as_of IS NOT NULL",
        [game_id],
    )
    return Taken.read(orjson.loads(rows[0][0]), rows[0][1]) if rows else None
