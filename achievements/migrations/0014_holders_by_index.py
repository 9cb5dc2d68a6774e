"""Let an index alone say who holds an achievement since when, and who does not count in a game."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """The new index stands before the old one goes."""

    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = [("achievements", "0010_a_joined_player_takes_nothing")]
    operations: ClassVar[list[Operation]] = [
        AddIndexConcurrently(
            "unlock",
            models.Index(
                fields=["achievement", "unlocked_at"], include=["player_id"], name="unlocks_of_achievement"
            ),
        ),
        RemoveIndexConcurrently("unlock", "unlock_by_achievement"),
        AddIndexConcurrently(
            "played",
            models.Index(
                fields=["game_id", "player_id"], name="who_does_not_count", condition=models.Q(counts=False)
            ),
        ),
    ]
