"""What follows from the unlocks, recomputed: statements that find what is kept and does not."""

from typing import Final

FOLLOWS_FROM_UNLOCKS: Final = {
    "a total in a game is not the sum of its unlocks": """
        SELECT u.player_id, u.points, u.n, g.points, g.unlocked
          FROM (SELECT player_id, game_id, sum(points) AS points, count(*) AS n
                  FROM achievements_unlock GROUP BY 1, 2) u
          FULL JOIN achievements_playergame g USING (player_id, game_id)
         WHERE (u.points, u.n) IS DISTINCT FROM (g.points, g.unlocked)
    """,
    "a total over all games is not the sum of its unlocks": """
        SELECT u.player_id, u.points, u.n, t.points, t.unlocked
          FROM (SELECT player_id, sum(points) AS points, count(*) AS n FROM achievements_unlock GROUP BY 1) u
          FULL JOIN achievements_playertotal t USING (player_id)
         WHERE (u.points, u.n) IS DISTINCT FROM (t.points, t.unlocked)
    """,
    "history does not add up to the unlocks": """
        SELECT u.player_id, u.n, u.points, h.n, h.points
          FROM (SELECT player_id, game_id, count(*) AS n, sum(points) AS points
                  FROM achievements_unlock GROUP BY 1, 2) u
          FULL JOIN (SELECT player_id, game_id, sum(unlocks) AS n, sum(points) AS points
                       FROM history_activity_month GROUP BY 1, 2) h USING (player_id, game_id)
         WHERE (u.n, u.points) IS DISTINCT FROM (h.n, h.points)
    """,
    "a game's days do not add up to the unlocks": """
        SELECT game_id, u.n, u.points, d.n, d.points
          FROM (SELECT game_id, count(*) AS n, sum(points) AS points FROM achievements_unlock GROUP BY 1) u
          FULL JOIN (SELECT game_id, sum(unlocks) AS n, sum(points) AS points
                       FROM analytics_gameday GROUP BY 1) d USING (game_id)
         WHERE (u.n, u.points) IS DISTINCT FROM (d.n, d.points)
    """,
    "an achievement's counter is not the number of its unlocks by players who count": """
        SELECT achievement_id, u.n, c.unlocked
          FROM (SELECT achievement_id, count(*) AS n FROM achievements_unlock
                  JOIN achievements_played USING (player_id, game_id) WHERE counts GROUP BY 1) u
          FULL JOIN achievements_achievementcount c USING (achievement_id)
         WHERE coalesce(u.n, 0) <> coalesce(c.unlocked, 0)
    """,
    "a player with an unlock has not played": """
        SELECT player_id, game_id FROM achievements_playergame g
         WHERE NOT EXISTS (SELECT FROM achievements_played p
                            WHERE p.player_id = g.player_id AND p.game_id = g.game_id)
    """,
    "a game's players are miscounted": """
        SELECT game_id, g.n, p.players
          FROM (SELECT game_id, count(*) AS n FROM achievements_played WHERE counts GROUP BY 1) g
          FULL JOIN achievements_gameplayers p USING (game_id) WHERE coalesce(g.n, 0) <> coalesce(p.players, 0)
    """,
}
