"""Add a player with 500 friends: `python -m bench.circles` after bench/seed.py, in the same database.

Each friend has unlocked about a quarter of the achievements of 50 games, a quarter of a million unlocks in sum.
"""

from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import services  # noqa: E402
from accounts.models import Studio  # noqa: E402
from bench.seed import STUDIO, add_game  # noqa: E402
from bench.world import STAR, friend  # noqa: E402

FRIENDS, GAMES, ACHIEVEMENTS = 500, 50, 40

_UNLOCKS = """
    INSERT INTO achievements_unlock (player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at,
                                     event_id)
    SELECT i.player_id, a.id, a.game_id, a.studio_id, a.points, at, at, gen_random_uuid()
      FROM accounts_playeridentity i
      JOIN achievements_achievement a ON a.studio_id = i.studio_id AND a.game_id = ANY(%(games)s)
      CROSS JOIN LATERAL (SELECT %(now)s - random() * interval '700 days' + (a.id + i.id) * interval '0' AS at) AS m
     WHERE i.external_id = ANY(%(names)s) AND random() < 0.25
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
_FRIENDS = """
    INSERT INTO social_friendship (player_id, friend_id, since)
    SELECT pair.one, pair.other, %(now)s
      FROM accounts_playeridentity star
      JOIN accounts_playeridentity i ON i.studio_id = star.studio_id AND i.external_id = ANY(%(names)s)
                                    AND i.player_id <> star.player_id
      CROSS JOIN LATERAL (VALUES (star.player_id, i.player_id), (i.player_id, star.player_id)) AS pair (one, other)
     WHERE star.external_id = %(star)s
"""


def fill() -> None:
    """Create their games, unlocks, totals and friendships."""
    studio_id = Studio.objects.get(name=STUDIO).pk
    games = [add_game(studio_id, f"Shared {number}", achievements=ACHIEVEMENTS).pk for number in range(GAMES)]
    names = [STAR, *map(friend, range(FRIENDS))]
    services.create_players(studio_id=studio_id, external_ids=names)
    about: dict[str, Any] = {"games": games, "names": names, "star": STAR, "now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        for statement in (_UNLOCKS, _TOTALS, _OVERALL, _FRIENDS):
            cursor.execute(statement, about)
        for table in (
            "accounts_player",
            "accounts_playeridentity",
            "achievements_unlock",
            "achievements_playergame",
            "achievements_playertotal",
            "social_friendship",
        ):
            cursor.execute(f"VACUUM ANALYZE {table}")


if __name__ == "__main__":
    fill()
