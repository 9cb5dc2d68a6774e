"""Add a game with a past: `python -m bench.audience UNLOCKS` after bench/seed.py, in the same database; prints its id.

Two years of players: each comes on a chance day, unlocks what he unlocks in about the same order as all others, ever
more slowly, and most stop long before the end.
"""

import sys
from datetime import timedelta
from typing import Any, Final

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Studio  # noqa: E402
from bench.seed import STUDIO, add_game  # noqa: E402
from bench.world import REGIONS  # noqa: E402

ACHIEVEMENTS: Final = 200
DAYS: Final = 729
_EACH: Final = ACHIEVEMENTS // 3  # on average, since how far somebody comes is a chance squared
_PLAYERS_AT_ONCE: Final = 5_000

_PLAYERS = """
    WITH made AS (
        INSERT INTO accounts_player (uuid, display_name, region, avatar_url, visibility, created_at)
        SELECT gen_random_uuid(), 'Player ' || n, (%(regions)s::text[])[1 + n %% 4], '', 'public', now()
          FROM generate_series(1, %(players)s) AS n RETURNING id
    )
    INSERT INTO accounts_playeridentity (studio_id, external_id, player_id, created_at)
    SELECT %(studio)s, 'audience-' || id, id, now() FROM made RETURNING player_id
"""
_UNLOCKS = """
    INSERT INTO achievements_unlock (player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at,
                                     event_id)
    SELECT p.id, a.id, %(game)s, %(studio)s, a.points, at, at, gen_random_uuid()
      FROM (SELECT id, %(now)s - power(random(), 0.8) * %(days)s * interval '1 day' AS first_at,
                   floor(power(random(), 2) * %(achievements)s) AS reaches, 20 + random() * 400 AS pace
              FROM unnest(%(ids)s::bigint[]) AS id) AS p
      JOIN (SELECT id, points, row_number() OVER (ORDER BY id) - 1 AS place FROM achievements_achievement
             WHERE game_id = %(game)s) AS a ON a.place <= p.reaches
     CROSS JOIN LATERAL (SELECT p.first_at + (power(a.place / %(achievements)s::float8, 1.5) * p.pace + random())
                                            * interval '1 day' + a.id * interval '0' AS at) AS moment
     WHERE at < %(now)s
"""
_DERIVED = (
    """
    INSERT INTO achievements_playergame (player_id, game_id, studio_id, region, points, unlocked, points_reached_at,
                                         first_unlock_at, last_unlock_at, version)
    SELECT u.player_id, u.game_id, u.studio_id, min(p.region), sum(u.points), count(*), max(u.heard_at),
           min(u.unlocked_at), max(u.unlocked_at), 1
      FROM achievements_unlock u JOIN accounts_player p ON p.id = u.player_id WHERE u.game_id = %(game)s
     GROUP BY u.player_id, u.game_id, u.studio_id
    """,
    """
    INSERT INTO achievements_played (player_id, game_id, counts)
    SELECT player_id, game_id, true FROM achievements_playergame WHERE game_id = %(game)s
    """,
    """
    INSERT INTO achievements_gameplayers (game_id, players)
    SELECT %(game)s, count(*) FROM achievements_playergame WHERE game_id = %(game)s
    """,
    """
    INSERT INTO achievements_achievementcount (achievement_id, unlocked)
    SELECT achievement_id, count(*) FROM achievements_unlock WHERE game_id = %(game)s GROUP BY 1
    """,
    """
    INSERT INTO stats_playtime (player_id, game_id, studio_id, session_id, first_at, started_at, seen_at, has_ended,
                                session_ms, total_ms, sessions)
    SELECT player_id, game_id, studio_id, gen_random_uuid(), first_unlock_at, last_unlock_at, last_unlock_at, true,
           3600000, (3600000 * (0.2 + power(random(), 4) * unlocked))::bigint, 1 + unlocked / 5
      FROM achievements_playergame WHERE game_id = %(game)s
    """,
)


def fill(unlocks: int) -> str:
    """Create the game and its players; return its public id."""
    studio = Studio.objects.get(name=STUDIO).pk
    game = add_game(studio, "Bench, two years", achievements=ACHIEVEMENTS, regions=REGIONS)
    about: dict[str, Any] = {
        "studio": studio,
        "game": game.pk,
        "regions": ["", *REGIONS],
        "achievements": ACHIEVEMENTS,
        "days": DAYS,
        "now": timezone.now() - timedelta(minutes=1),
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        left = unlocks // _EACH
        while left > 0:
            cursor.execute(_PLAYERS, about | {"players": min(left, _PLAYERS_AT_ONCE)})
            cursor.execute(_UNLOCKS, about | {"ids": [row[0] for row in cursor.fetchall()]})
            left -= _PLAYERS_AT_ONCE
        for statement in _DERIVED:
            cursor.execute(statement, about)
        for table in ("accounts_player", "accounts_playeridentity", "achievements_unlock"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    return str(game.uuid)


if __name__ == "__main__":
    print(fill(int(sys.argv[1])))
