"""The rules by which unlocks are weighed, and what broke one."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Game
from achievements.models.definitions import Achievement
from core.ids import new_id


class Plausibility(models.Model):
    """The rules by which a game's unlocks are weighed (achievements/plausibility.py).

    The row stays when the rules are taken away: what was kept apart by then still is.
    """

    game = models.OneToOneField(Game, on_delete=models.CASCADE, primary_key=True, related_name="+")
    document = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "plausibility"

    def __str__(self) -> str:
        return f"rules of {self.game_id}"


class FlaggedUnlock(models.Model):
    """An unlock that broke a rule: answered like any other, and kept apart until somebody decides (ADR 0040)."""

    class State(models.TextChoices):
        """What was decided."""

        OPEN = "open"
        APPROVED = "approved"
        REJECTED = "rejected"

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    player_id = models.BigIntegerField()
    # (achievement, game, studio) are those of the definition: a trigger, as with unlocks.
    achievement = models.ForeignKey(Achievement, on_delete=models.PROTECT, related_name="+")
    game_id = models.BigIntegerField()
    studio_id = models.BigIntegerField()
    points = models.IntegerField(help_text="What it was worth when it was claimed.")
    unlocked_at = models.DateTimeField(help_text="When the game says that it happened.")
    heard_at = models.DateTimeField(help_text="When the platform heard of it.")
    event_id = models.UUIDField()
    offline = models.BooleanField(help_text="Ties are ranked by the time that the game told.")
    rules = ArrayField(models.CharField(max_length=16), help_text="Which rules it broke.")
    evidence = models.JSONField(help_text="The figures: achievements/weighing.py.")
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=254, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["player_id", "achievement"], name="one_flag_per_player_and_unlock"
            )
        ]
        indexes = [
            models.Index(fields=["studio_id", "state", "-heard_at", "-id"], name="flagged_unlocks_of_studio"),
            models.Index(fields=["game_id", "state", "-heard_at", "-id"], name="flagged_unlocks_of_game"),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} claims {self.achievement_id}"
