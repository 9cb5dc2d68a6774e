"""Composite foreign keys: a board of another studio's game can't be stored; and the score's key by its name."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("leaderboards", "0001_boards_periods_scores"),
        ("accounts", "0002_keys_stay_in_their_studio"),
    ]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE leaderboards_leaderboard ADD CONSTRAINT a_leaderboard_and_its_game_have_one_studio"
            " FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id)",
            "ALTER TABLE leaderboards_leaderboard DROP CONSTRAINT a_leaderboard_and_its_game_have_one_studio",
        ),
        migrations.RunSQL(
            "ALTER TABLE leaderboards_leaderboard ADD CONSTRAINT one_studio_per_leaderboard UNIQUE (id, studio_id);"
            "ALTER TABLE leaderboards_period ADD CONSTRAINT a_period_and_its_leaderboard_have_one_studio"
            " FOREIGN KEY (leaderboard_id, studio_id) REFERENCES leaderboards_leaderboard (id, studio_id)",
            "ALTER TABLE leaderboards_period DROP CONSTRAINT a_period_and_its_leaderboard_have_one_studio;"
            "ALTER TABLE leaderboards_leaderboard DROP CONSTRAINT one_studio_per_leaderboard",
        ),
        migrations.RunSQL(
            "ALTER TABLE leaderboards_period ADD CONSTRAINT one_studio_per_period UNIQUE (id, studio_id);"
            "ALTER TABLE leaderboards_score ADD CONSTRAINT a_score_and_its_period_have_one_studio"
            " FOREIGN KEY (period_id, studio_id) REFERENCES leaderboards_period (id, studio_id)",
            "ALTER TABLE leaderboards_score DROP CONSTRAINT a_score_and_its_period_have_one_studio;"
            "ALTER TABLE leaderboards_period DROP CONSTRAINT one_studio_per_period",
        ),
        migrations.RunSQL(
            "ALTER TABLE leaderboards_score RENAME CONSTRAINT leaderboards_score_pkey TO one_score_per_player_and_period",
            "ALTER TABLE leaderboards_score RENAME CONSTRAINT one_score_per_player_and_period TO leaderboards_score_pkey",
        ),
        # Most submissions of a busy board change rows that are there: room on the page keeps their indexes untouched.
        migrations.RunSQL(
            "ALTER TABLE leaderboards_score SET (fillfactor = 85)",
            "ALTER TABLE leaderboards_score RESET (fillfactor)",
        ),
    ]
