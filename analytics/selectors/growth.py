"""How a game and an achievement of it grew, month by month: for the players' pages (ACHIEVEMENT_GROWTH)."""

from datetime import date

from analytics.reading import ask

_GROWTH = """
SELECT at, coalesce(u.unlocks, 0), coalesce(m.new, 0)
  FROM (SELECT at, new FROM analytics_gamemonth WHERE game_id = $1) AS m
  FULL JOIN (SELECT date_trunc('month', day)::date AS at, sum(unlocks)::bigint AS unlocks
               FROM analytics_achievementday
              WHERE game_id = $1 AND achievement_id = $2 GROUP BY 1) AS u USING (at)
 ORDER BY at
"""


def by_month(game_id: int, achievement_id: int) -> list[tuple[date, int, int]]:
    """Return of each month in which anything happened: the unlocks, and the players who were never there before.

    In one query that reads a row for each of the achievement's days.
    """
    return [(at, unlocks, new) for at, unlocks, new in ask(_GROWTH, [game_id, achievement_id])]
