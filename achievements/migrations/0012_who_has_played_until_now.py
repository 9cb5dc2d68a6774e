"""Whoever left something in a game has played it; whom its studio bans or excludes leaves the counters.

Unlocks that the listener has yet to hear of may be off by those of left out players until the first night's recount.
"""

from django.db import migrations

_FILL = """
    INSERT INTO achievements_played (player_id, game_id, counts)
    SELECT s.player_id, s.game_id,
           NOT EXISTS (SELECT FROM accounts_playeridentity x WHERE x.player_id = s.player_id
                          AND x.studio_id = g.studio_id AND (x.excluded_at IS NOT NULL OR x.banned_at IS NOT NULL))
      FROM (SELECT player_id, game_id FROM achievements_playergame
            UNION SELECT p.player_id, a.game_id FROM achievements_progress p
                    JOIN achievements_achievement a ON a.id = p.achievement_id
            UNION SELECT v.player_id, d.game_id FROM stats_statvalue v JOIN stats_stat d ON d.id = v.stat_id
            UNION SELECT player_id, game_id FROM stats_playtime) AS s
      JOIN accounts_game g ON g.id = s.game_id
"""
_COUNT_PLAYERS = """
    INSERT INTO achievements_gameplayers AS t (game_id, players)
    SELECT game_id, count(*) FILTER (WHERE counts) FROM achievements_played GROUP BY game_id
    ON CONFLICT (game_id) DO UPDATE SET players = excluded.players
"""
_TAKE_OFF_UNLOCKS = """
    UPDATE achievements_achievementcount t SET unlocked = greatest(0, t.unlocked - gone.n)
      FROM (SELECT u.achievement_id, count(*) AS n FROM achievements_unlock u
              JOIN achievements_played p ON p.player_id = u.player_id AND p.game_id = u.game_id AND NOT p.counts
             GROUP BY u.achievement_id) AS gone
     WHERE t.achievement_id = gone.achievement_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_ids_of_many_players_from_an_index"),
        ("achievements", "0011_who_has_played"),
        ("stats", "0004_playtime_stays_in_its_studio"),
    ]

    operations = [
        # The counters of before come back by the nightly recount.
        migrations.RunSQL(sql, reverse_sql=migrations.RunSQL.noop)
        for sql in (_FILL, _COUNT_PLAYERS, _TAKE_OFF_UNLOCKS)
    ]
