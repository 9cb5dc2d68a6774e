"""What follows from unlocks of players who are new, in the statements of a whole part of them at once."""

from datetime import datetime
from typing import Any, Final

from django.db import connection

from history import rollups
from history.buckets import LEVELS, Level

_OF_PART = "game_id = %(game)s AND player_id BETWEEN %(low)s AND %(high)s"
_DAY = "(unlocked_at AT TIME ZONE 'UTC')::date"
_HOUR_MS: Final = 3_600_000
# A session is the hour, by UTC, of a day's first unlock: it lies in one bucket of each level.
_SESSIONS = f"""
    SELECT player_id, game_id, studio_id, date_trunc('hour', min(unlocked_at), 'UTC') AS began
      FROM achievements_unlock WHERE {_OF_PART} GROUP BY player_id, game_id, studio_id, {_DAY}
"""  # noqa: S608 - constants of ours
_STATEMENTS: Final = (
    f"""
    INSERT INTO achievements_playergame (player_id, game_id, studio_id, region, points, unlocked, points_reached_at,
                                         first_unlock_at, last_unlock_at, version)
    SELECT u.player_id, u.game_id, u.studio_id, min(p.region), sum(u.points), count(*), max(u.heard_at),
           min(u.unlocked_at), max(u.unlocked_at), 1
      FROM (SELECT * FROM achievements_unlock WHERE {_OF_PART}) AS u JOIN accounts_player p ON p.id = u.player_id
     GROUP BY u.player_id, u.game_id, u.studio_id
    """,  # noqa: S608 - constants of ours
    f"""
    INSERT INTO achievements_playertotal (player_id, region, points, unlocked, points_reached_at, version)
    SELECT player_id, region, points, unlocked, points_reached_at, 1 FROM achievements_playergame WHERE {_OF_PART}
    """,  # noqa: S608 - constants of ours
    f"""
    INSERT INTO achievements_played (player_id, game_id, counts)
    SELECT player_id, game_id, true FROM achievements_playergame WHERE {_OF_PART}
    """,  # noqa: S608 - constants of ours
    f"""
    INSERT INTO social_inboxcounter (player_id, last_seq)
    SELECT player_id, max(seq) FROM social_notification WHERE {_OF_PART} GROUP BY 1
    """,  # noqa: S608 - constants of ours
    f"""
    INSERT INTO stats_playtime (player_id, game_id, studio_id, session_id, first_at, started_at, seen_at, has_ended,
                                session_ms, total_ms, sessions)
    SELECT player_id, game_id, studio_id, gen_random_uuid(), min(began), max(began), max(began) + interval '1 hour',
           true, {_HOUR_MS}, count(*) * {_HOUR_MS}, count(*)
      FROM ({_SESSIONS}) AS session GROUP BY player_id, game_id, studio_id
    """,  # noqa: S608 - constants of ours
    f"""
    INSERT INTO analytics_activeday (game_id, player_id, day, region, first_at, unlocks, points, playtime_ms)
    SELECT u.game_id, u.player_id, {_DAY}, min(p.region), date_trunc('hour', min(unlocked_at), 'UTC'), count(*),
           sum(u.points), {_HOUR_MS}
      FROM (SELECT * FROM achievements_unlock WHERE {_OF_PART}) AS u JOIN accounts_player p ON p.id = u.player_id
     GROUP BY 1, 2, 3
    """,  # noqa: S608 - constants of ours
)
_BUCKETS: Final[dict[Level, str]] = {
    "hour": "date_trunc('hour', moment, 'UTC')",
    "day": "(moment AT TIME ZONE 'UTC')::date",
    "week": "date_trunc('week', moment AT TIME ZONE 'UTC')::date",
    "month": "date_trunc('month', moment AT TIME ZONE 'UTC')::date",
}
_HISTORY = f"""
    INSERT INTO {{table}} (player_id, game_id, at, unlocks, points, playtime_ms)
    SELECT * FROM (
        SELECT player_id, game_id, {{bucket}} AS at, sum(n), sum(points), sum(ms) FROM (
            SELECT player_id, game_id, unlocked_at AS moment, 1 AS n, points, 0 AS ms FROM achievements_unlock
             WHERE {_OF_PART}
            UNION ALL
            SELECT player_id, game_id, began, 0, 0, {_HOUR_MS} FROM ({_SESSIONS}) AS session) AS done
         GROUP BY 1, 2, 3) AS added
     WHERE at >= %(since)s ORDER BY 1, 2, 3
"""  # noqa: S608 - constants of ours
_TABLES: Final = (
    *("accounts_player", "accounts_playeridentity", "achievements_unlock", "achievements_playergame"),
    *("achievements_playertotal", "achievements_played", "stats_playtime", "analytics_activeday"),
    *("social_notification", "social_inboxcounter"),
    *(rollups.table("activity", level) for level in LEVELS),
)


def follow(game_id: int, *, low: int, high: int, now: datetime) -> None:
    """Write what follows from the unlocks in a game of players, from one id up to another, who had none before."""
    about: dict[str, Any] = {"game": game_id, "low": low, "high": high}
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, about)
        for level in LEVELS:
            since = rollups.first_kept(level, now=now)
            sql = _HISTORY.format(table=rollups.table("activity", level), bucket=_BUCKETS[level])
            cursor.execute(sql, {**about, "since": "-infinity" if since is None else f"{since} 00:00Z"})


def tidy() -> None:
    """Let PostgreSQL know what it holds, as autovacuum does in time."""
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"VACUUM (ANALYZE) {table}")
