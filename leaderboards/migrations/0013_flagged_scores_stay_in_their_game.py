"""A flagged score names its board's own game."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("leaderboards", "0012_erased_players_leave_final_standings")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE leaderboards_leaderboard ADD CONSTRAINT one_game_per_leaderboard UNIQUE (id, game_id);"
            "ALTER TABLE leaderboards_flaggedscore ADD CONSTRAINT a_flagged_score_and_its_board_have_one_game"
            " FOREIGN KEY (leaderboard_id, game_id) REFERENCES leaderboards_leaderboard (id, game_id)",
            "ALTER TABLE leaderboards_flaggedscore DROP CONSTRAINT a_flagged_score_and_its_board_have_one_game;"
            "ALTER TABLE leaderboards_leaderboard DROP CONSTRAINT one_game_per_leaderboard",
        ),
    ]
