"""Composite foreign keys: a reference across games or studios can't be stored; and the unlock's key by its name."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("achievements", "0001_initial"), ("accounts", "0002_keys_stay_in_their_studio")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE achievements_achievement ADD CONSTRAINT an_achievement_and_its_game_have_one_studio"
            " FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id)",
            "ALTER TABLE achievements_achievement DROP CONSTRAINT an_achievement_and_its_game_have_one_studio",
        ),
        migrations.RunSQL(
            "ALTER TABLE achievements_unlock ADD CONSTRAINT an_unlock_and_its_achievement_have_one_game"
            " FOREIGN KEY (achievement_id, game_id, studio_id)"
            " REFERENCES achievements_achievement (id, game_id, studio_id)",
            "ALTER TABLE achievements_unlock DROP CONSTRAINT an_unlock_and_its_achievement_have_one_game",
        ),
        migrations.RunSQL(
            "ALTER TABLE achievements_unlock RENAME CONSTRAINT achievements_unlock_pkey TO one_unlock_per_player",
            "ALTER TABLE achievements_unlock RENAME CONSTRAINT one_unlock_per_player TO achievements_unlock_pkey",
        ),
    ]
