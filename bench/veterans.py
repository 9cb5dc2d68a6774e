"""Add players with two years behind them: `python -m bench.veterans COUNT` after bench/seed.py, in the same database.

Each has unlocked all 200 achievements of 50 games on chance days, plays on most days, and has fifty friends.
"""

import sys
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import services  # noqa: E402
from accounts.models import Studio  # noqa: E402
from bench.load_history import make_partitions  # noqa: E402
from bench.seed import STUDIO, add_game  # noqa: E402
from bench.world import veteran  # noqa: E402
from history import rollups  # noqa: E402
from history.buckets import LEVELS  # noqa: E402

GAMES, ACHIEVEMENTS, FRIENDS, DAYS = 50, 200, 50, 729

# The moment names the achievement, or all would have the same.
_UNLOCKS = """
    INSERT INTO achievements_unlock (player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at,
                                     event_id)
    SELECT i.player_id, a.id, a.game_id, a.studio_id, a.points, at, at, gen_random_uuid()
      FROM accounts_playeridentity i
      JOIN achievements_achievement a ON a.studio_id = i.studio_id AND a.game_id = ANY(%(games)s)
      CROSS JOIN LATERAL (SELECT %(now)s - random() * %(days)s * interval '1 day' + a.id * interval '0' AS at) AS moment
     WHERE i.external_id = ANY(%(names)s)
"""
_TOTALS = """
    INSERT INTO achievements_playergame (player_id, game_id, studio_id, region, points, unlocked, points_reached_at,
                                         first_unlock_at, last_unlock_at, version)
    SELECT player_id, game_id, studio_id, '', sum(points), count(*), max(heard_at), min(unlocked_at),
           max(unlocked_at), 1
      FROM achievements_unlock WHERE game_id = ANY(%(games)s) GROUP BY 1, 2, 3
"""
_OVERALL = """
    INSERT INTO achievements_playertotal (player_id, region, points, unlocked, points_reached_at, version)
    SELECT player_id, '', sum(points), sum(unlocked), max(points_reached_at), 1
      FROM achievements_playergame WHERE game_id = ANY(%(games)s) GROUP BY 1
"""
_HISTORY = """
    INSERT INTO {table} (player_id, game_id, at, unlocks, points, playtime_ms)
    SELECT player_id, game_id, {bucket}, sum(n), sum(points), sum(ms) FROM (
        SELECT player_id, game_id, unlocked_at AS moment, 1 AS n, points, 0 AS ms FROM achievements_unlock
         WHERE game_id = ANY(%(games)s)
        UNION ALL
        SELECT i.player_id, (%(games)s)[1 + (day + i.id) %% %(game_count)s], %(now)s - day * interval '1 day', 0, 0,
               3600000
          FROM accounts_playeridentity i CROSS JOIN generate_series(1, %(days)s) AS day
         WHERE i.external_id = ANY(%(names)s)) AS done
     WHERE moment >= %(since)s GROUP BY 1, 2, 3
"""
_FRIENDS = """
    INSERT INTO social_friendship (player_id, friend_id, since)
    SELECT i.player_id, f.player_id, %(now)s FROM accounts_playeridentity i
      CROSS JOIN LATERAL (SELECT player_id FROM accounts_playeridentity o WHERE o.studio_id = i.studio_id
                             AND o.player_id <> i.player_id ORDER BY id LIMIT %(friends)s) f
     WHERE i.external_id = ANY(%(names)s)
"""
_BUCKETS = {
    "hour": "date_trunc('hour', moment)",
    "day": "moment::date",
    "week": "date_trunc('week', moment)::date",
}
_BUCKETS["month"] = "date_trunc('month', moment)::date"


def fill(count: int) -> None:
    """Create their games, unlocks, totals, rollups and friends."""
    now = timezone.now()
    studio_id = Studio.objects.get(name=STUDIO).pk
    games = [
        add_game(studio_id, f"Game {number}", achievements=ACHIEVEMENTS).pk for number in range(1, GAMES + 1)
    ]
    names = [veteran(number) for number in range(count)]
    services.create_players(studio_id=studio_id, external_ids=names)
    make_partitions(now)
    about: dict[str, Any] = {
        "games": games,
        "names": names,
        "now": now,
        "days": DAYS,
        "game_count": GAMES,
        "friends": FRIENDS,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        for statement in (_UNLOCKS, _TOTALS, _OVERALL, _FRIENDS):
            cursor.execute(statement, about)
        for level in LEVELS:
            table = rollups.table("activity", level)
            days = rollups.days_kept(level)
            since = now - timedelta(days=min(days or DAYS, DAYS))
            cursor.execute(_HISTORY.format(table=table, bucket=_BUCKETS[level]), {**about, "since": since})
            cursor.execute(f"VACUUM ANALYZE {table}")
        for table in ("achievements_unlock", "achievements_playergame", "social_friendship"):
            cursor.execute(f"VACUUM ANALYZE {table}")


if __name__ == "__main__":
    fill(int(sys.argv[1]))
