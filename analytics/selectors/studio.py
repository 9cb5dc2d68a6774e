"""All of a studio's games day by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from analytics.reading import ask
from core.db import array_literal

DAYS: Final = 30
WEEK: Final = 7


@dataclass(frozen=True, slots=True)
class Day:
    """A day of one game or of several; who played two games counts in both."""

    active: int = 0
    new: int = 0
    unlocks: int = 0
    points: int = 0

    def __add__(self, other: "Day") -> "Day":
        """Return both together."""
        return Day(
            self.active + other.active,
            self.new + other.new,
            self.unlocks + other.unlocks,
            self.points + other.points,
        )


_DAYS = """
SELECT game_id, $3::date - at, sum(active)::bigint, sum(new)::bigint, sum(unlocks)::bigint, sum(points)::bigint
  FROM analytics_gameday WHERE game_id = ANY($1::bigint[]) AND at BETWEEN $2::date AND $3::date GROUP BY 1, 2
"""


def days(game_ids: Sequence[int], *, until: date) -> dict[int, list[Day]]:
    """Return the last DAYS days of each game, oldest first, empty ones too; one query."""
    if not game_ids:
        return {}
    found = {game_id: [Day()] * DAYS for game_id in game_ids}
    params = [array_literal(game_ids), until - timedelta(days=DAYS - 1), until]
    for game_id, ago, *counted in ask(_DAYS, params):
        found[game_id][DAYS - 1 - ago] = Day(*counted)
    return found
