"""Composite foreign keys: a stat of another studio's game can't be stored; and the value's key by its name."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("stats", "0001_stats_values_reports"),
        ("accounts", "0002_keys_stay_in_their_studio"),
    ]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE stats_stat ADD CONSTRAINT a_stat_and_its_game_have_one_studio"
            " FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id)",
            "ALTER TABLE stats_stat DROP CONSTRAINT a_stat_and_its_game_have_one_studio",
        ),
        migrations.RunSQL(
            "ALTER TABLE stats_stat ADD CONSTRAINT one_studio_per_stat UNIQUE (id, studio_id);"
            "ALTER TABLE stats_statvalue ADD CONSTRAINT a_value_and_its_stat_have_one_studio"
            " FOREIGN KEY (stat_id, studio_id) REFERENCES stats_stat (id, studio_id)",
            "ALTER TABLE stats_statvalue DROP CONSTRAINT a_value_and_its_stat_have_one_studio;"
            "ALTER TABLE stats_stat DROP CONSTRAINT one_studio_per_stat",
        ),
        migrations.RunSQL(
            "ALTER TABLE stats_statvalue RENAME CONSTRAINT stats_statvalue_pkey TO one_value_per_player_and_stat",
            "ALTER TABLE stats_statvalue RENAME CONSTRAINT one_value_per_player_and_stat TO stats_statvalue_pkey",
        ),
        # Most reports change rows that are there: room on the page keeps their indexes untouched.
        migrations.RunSQL(
            "ALTER TABLE stats_statvalue SET (fillfactor = 85)",
            "ALTER TABLE stats_statvalue RESET (fillfactor)",
        ),
    ]
