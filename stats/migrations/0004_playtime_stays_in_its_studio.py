"""A playtime of another studio's game can't be stored; and most signs of life change rows that are there."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """Add the composite foreign key, and room on the page."""

    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("stats", "0003_playtime"),
        ("accounts", "0002_keys_stay_in_their_studio"),
    ]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(
            "ALTER TABLE stats_playtime ADD CONSTRAINT a_playtime_and_its_game_have_one_studio"
            " FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id)",
            "ALTER TABLE stats_playtime DROP CONSTRAINT a_playtime_and_its_game_have_one_studio",
        ),
        migrations.RunSQL(
            "ALTER TABLE stats_playtime SET (fillfactor = 85)",
            "ALTER TABLE stats_playtime RESET (fillfactor)",
        ),
    ]
