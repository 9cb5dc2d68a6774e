"""Older entries of the audit log name players by what they were called before they were joined to others."""

from typing import Any, ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add an index to a table that has a row for each who was joined."""

    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("accounts", "0016_find_players_by_a_part_of_their_name"),
    ]
    operations: ClassVar[list[Any]] = [
        migrations.AlterField(
            model_name="joinedplayer",
            name="uuid",
            field=models.UUIDField(db_index=True, null=True),
        ),
    ]
