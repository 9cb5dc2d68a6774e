"""Counts rarity anew from what is stored, every night, by the rules of the listener (counting.py)."""

from django.db import connection, transaction

from achievements.services.counting import LEFT_OUT, OUT_KINDS, PLAYED_ROWS, UNLOCKS_AHEAD, counted_until
from core.db import retry_conflicts

_CURSOR = "(%(tx)s::text::xid8, %(id)s)"
_WHO_PLAYED = " ".join(f"WHEN '{kind}' THEN payload -> '{rows}'" for kind, rows in PLAYED_ROWS.items())
# What the log holds ahead of the cursor is stored but not counted yet: it is left to the listener.
_AHEAD = (
    f"""
    CREATE TEMP TABLE unlocks_ahead ON COMMIT DROP AS
    SELECT player_id, achievement_id, sum(n) AS n FROM ({UNLOCKS_AHEAD.format(cursor=_CURSOR)}) AS told
     GROUP BY player_id, achievement_id
    """,  # noqa: S608 - constants of ours
    f"""
    CREATE TEMP TABLE played_ahead ON COMMIT DROP AS
    SELECT DISTINCT (row ->> 0)::bigint AS player_id, (payload ->> 'game')::bigint AS game_id
      FROM core_fact, json_array_elements(CASE kind {_WHO_PLAYED} END) AS row
     WHERE (tx, id) > {_CURSOR}
    """,  # noqa: S608 - constants of ours
    f"""
    CREATE TEMP TABLE turned_ahead ON COMMIT DROP AS
    SELECT DISTINCT studio_id, (row ->> 0)::bigint AS player_id
      FROM core_fact, json_array_elements(payload -> 'players') AS row
     WHERE kind = ANY(%(out)s) AND (tx, id) > {_CURSOR}
    """,  # noqa: S608 - constants of ours
    f"CREATE TEMP TABLE left_out ON COMMIT DROP AS SELECT DISTINCT * FROM ({LEFT_OUT}) AS told",  # noqa: S608 - constants of ours
)
_PLAYED = (
    """
    INSERT INTO achievements_played (player_id, game_id, counts)
    SELECT s.player_id, s.game_id, o.player_id IS NULL
      FROM (SELECT player_id, game_id FROM achievements_playergame
            UNION SELECT p.player_id, a.game_id FROM achievements_progress p
                    JOIN achievements_achievement a ON a.id = p.achievement_id
            UNION SELECT v.player_id, d.game_id FROM stats_statvalue v JOIN stats_stat d ON d.id = v.stat_id
            UNION SELECT player_id, game_id FROM stats_playtime) AS s
      JOIN accounts_game g ON g.id = s.game_id
      LEFT JOIN left_out o ON o.player_id = s.player_id AND o.studio_id = g.studio_id
     WHERE NOT EXISTS (SELECT FROM played_ahead b WHERE b.player_id = s.player_id AND b.game_id = s.game_id)
    ON CONFLICT (player_id, game_id) DO NOTHING
    """,
    """
    UPDATE achievements_played p SET counts = NOT p.counts FROM (
        SELECT q.player_id, q.game_id FROM achievements_played q JOIN accounts_game g ON g.id = q.game_id
          LEFT JOIN left_out o ON o.player_id = q.player_id AND o.studio_id = g.studio_id
          LEFT JOIN turned_ahead b ON b.player_id = q.player_id AND b.studio_id = g.studio_id
         WHERE q.counts = (o.player_id IS NOT NULL) AND b.player_id IS NULL) AS wrong
     WHERE p.player_id = wrong.player_id AND p.game_id = wrong.game_id
    """,
)
_COUNTERS = (
    """
    INSERT INTO achievements_achievementcount AS t (achievement_id, unlocked)
    SELECT k.achievement_id, coalesce(sum(k.n) FILTER (WHERE p.counts), 0) FROM (
        SELECT NULL::bigint AS player_id, achievement_id, 0 AS n FROM achievements_achievementcount
        UNION ALL SELECT player_id, achievement_id, 1 FROM achievements_unlock
        UNION ALL SELECT player_id, achievement_id, -n FROM unlocks_ahead) AS k
      JOIN achievements_achievement a ON a.id = k.achievement_id
      LEFT JOIN achievements_played p ON p.player_id = k.player_id AND p.game_id = a.game_id
     GROUP BY k.achievement_id
    HAVING coalesce(sum(k.n) FILTER (WHERE p.counts), 0) <> 0 OR bool_or(k.player_id IS NULL)
    ON CONFLICT (achievement_id) DO UPDATE SET unlocked = excluded.unlocked WHERE t.unlocked <> excluded.unlocked
    """,
    """
    INSERT INTO achievements_gameplayers AS t (game_id, players)
    SELECT game_id, sum(n) FROM (
        SELECT game_id, 0 AS n FROM achievements_gameplayers
        UNION ALL SELECT game_id, count(*) FROM achievements_played WHERE counts GROUP BY 1) AS counted
      JOIN accounts_game g ON g.id = game_id
     GROUP BY game_id
    ON CONFLICT (game_id) DO UPDATE SET players = excluded.players WHERE t.players <> excluded.players
    """,
)


def recount() -> int:
    """Count everything anew, in one snapshot; return how many counters were wrong.

    Players are added and never taken away: who has played stays so, whatever becomes of what he left.
    """
    return retry_conflicts(_recount)


def _recount() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # Waits for the listener, and the listener for us: nothing is counted while we count.
        cursor.execute("LOCK TABLE achievements_counteduntil IN SHARE ROW EXCLUSIVE MODE")
        tx, fact_id = counted_until()
        for statement in _AHEAD + _PLAYED:
            cursor.execute(statement, {"tx": tx, "id": fact_id, "out": list(OUT_KINDS)})
        corrected = 0
        for statement in _COUNTERS:
            cursor.execute(statement)
            corrected += cursor.rowcount
    return corrected
