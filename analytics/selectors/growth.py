"""How a game and an achievement of it grew, month by month: for the players' pages (ACHIEVEMENT_GROWTH)."""

from datetime import date

from django.conf import settings
from django.db import connections

_GROWTH = """
SELECT at, coalesce(u.unlocks, 0), coalesce(m.new, 0)
  FROM (SELECT at, new FROM analytics_gamemonth WHERE game_id = %(game)s) AS m
  FULL JOIN (SELECT date_trunc('month', day)::date AS at, sum(unlocks)::bigint AS unlocks
               FROM analytics_achievementday
              WHERE game_id = %(game)s AND achievement_id = %(achievement)s GROUP BY 1) AS u USING (at)
 ORDER BY at
"""


def by_month(game_id: int, achievement_id: int) -> list[tuple[date, int, int]]:
    """Return of each month in which anything happened: the unlocks, and the players who were never there before.

    In one query that reads a row for each of the achievement's days.
    """
    with connections[settings.ANALYTICS_DATABASE].cursor() as cursor:
        cursor.execute(_GROWTH, {"game": game_id, "achievement": achievement_id})
        return list(cursor.fetchall())
