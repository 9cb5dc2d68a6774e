"""Who has what, and what was taken back."""

from django.db import models

from achievements.models.definitions import Achievement


class Unlock(models.Model):
    """A player has an achievement, once."""

    pk = models.CompositePrimaryKey("player_id", "achievement_id")
    player_id = models.BigIntegerField()
    # (achievement, game, studio) reference those of the definition: migration 0002.
    achievement = models.ForeignKey(
        Achievement, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    points = models.IntegerField(help_text="What it was worth when it was unlocked.")
    unlocked_at = models.DateTimeField(help_text="When the game says that it happened.")
    heard_at = models.DateTimeField(help_text="When the platform heard of it.")
    event_id = models.UUIDField()

    class Meta:
        indexes = [
            # With the player, who need not be looked up in the table then: a funnel reads a hundred thousand of them.
            models.Index(
                fields=["achievement", "unlocked_at"], include=["player_id"], name="unlocks_of_achievement"
            ),
            models.Index(fields=["player_id", "-unlocked_at"], name="unlock_by_player"),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} has {self.achievement_id}"


class RevokedUnlock(models.Model):
    """An unlock that was taken back, as it was: rows are added and never changed."""

    player_id = models.BigIntegerField()
    # (achievement, game, studio) reference those of the definition, as an unlock's do.
    achievement = models.ForeignKey(
        Achievement, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    points = models.IntegerField()
    unlocked_at = models.DateTimeField()
    heard_at = models.DateTimeField()
    event_id = models.UUIDField()
    revoked_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    actor = models.CharField(max_length=254, help_text="`key:<uuid>` or `user:<e-mail address>`.")

    class Meta:
        indexes = [models.Index(fields=["player_id", "game_id", "-id"], name="revokes_of_player")]

    def __str__(self) -> str:
        return f"{self.player_id} had {self.achievement_id}"
