"""How far players are with what they do not have yet, how fast they came, and who is looked at anew."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Game
from achievements.models.definitions import Achievement
from core.ids import new_id


class Progress(models.Model):
    """How far a player is with an incremental achievement; what is past its target is not kept."""

    pk = models.CompositePrimaryKey("player_id", "achievement_id")
    player_id = models.BigIntegerField()
    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="+")
    current = models.BigIntegerField()
    version = models.BigIntegerField(help_text="Rises with every change; the newest is what is told.")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "progress"

    def __str__(self) -> str:
        return f"{self.player_id} with {self.achievement_id}: {self.current}"


class Pace(models.Model):
    """How fast a player came as far as he is, where a rule says how fast one may (achievements/pace.py, ADR 0068)."""

    pk = models.CompositePrimaryKey("player_id", "achievement_id")
    player_id = models.BigIntegerField()
    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="+")
    a_minute = models.IntegerField(help_text="The rule that it was judged by.")
    current = models.BigIntegerField(help_text="How far he was at last.")
    marks = ArrayField(
        models.BigIntegerField(), help_text="In which second, and how far he was then, in turn."
    )
    steps = models.BigIntegerField(
        null=True, help_text="The most that came too fast; null while nothing did."
    )
    seconds = models.BigIntegerField(null=True, help_text="Within which time; 0 for one report.")
    until_us = models.BigIntegerField(null=True, help_text="When that was reached.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(steps__isnull=True, seconds__isnull=True, until_us__isnull=True)
                | Q(steps__isnull=False, seconds__isnull=False, until_us__isnull=False),
                name="what_came_too_fast_is_told_whole",
            )
        ]

    def __str__(self) -> str:
        return f"{self.player_id} with {self.achievement_id}: {self.current}"


class ProgressEvent(models.Model):
    """A report of steps to add: it counts once, however often it is sent."""

    pk = models.CompositePrimaryKey("game_id", "event_id")
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_id = models.UUIDField()
    player_id = models.BigIntegerField()
    achievement_id = models.BigIntegerField()
    heard_at = models.DateTimeField()

    class Meta:
        # New rows take the room of deleted ones: by a block range index, every block might hold old ones for ever.
        indexes = [models.Index(fields=["heard_at"], name="progress_events_in_time")]

    def __str__(self) -> str:
        return f"{self.game_id}: {self.event_id}"


class ConditionMet(models.Model):
    """A condition of an achievement's goal held for a player, first by this event.

    The row says why, and it keeps a condition about a stat's last value, which comes and goes.
    """

    pk = models.CompositePrimaryKey("player_id", "achievement_id", "condition")
    player_id = models.BigIntegerField()
    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="+")
    condition = models.CharField(max_length=16, help_text="Its name: achievements/goals.py.")
    value = models.DecimalField(max_digits=28, decimal_places=6)
    event_id = models.UUIDField()
    met_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "conditions met"

    def __str__(self) -> str:
        return f"{self.player_id} meets {self.condition} of {self.achievement_id}"


class Backfill(models.Model):
    """A definition changed, and who meets it by now is given it in the background, in the order of the players' ids."""

    class State(models.TextChoices):
        """Where it is."""

        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+")
    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    is_silent = models.BooleanField(default=True, help_text="Nobody is told: no pushes, no webhooks.")
    total = models.BigIntegerField(
        null=True, help_text="How many players hold anything towards it; null: unknown."
    )
    checked = models.BigIntegerField(default=0)
    unlocked = models.BigIntegerField(default=0)
    checked_until = models.BigIntegerField(default=0, help_text="The last player who was checked.")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["achievement"],
                condition=Q(state="waiting"),
                name="one_backfill_waits_per_achievement",
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state__in=["waiting", "running"]), name="open_backfills")
        ]

    def __str__(self) -> str:
        return f"{self.achievement_id}: {self.state}"
