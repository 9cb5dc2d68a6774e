"""What players report: that an achievement did not unlock; and what they were answered."""

from django.db import models
from django.db.models import Q

from accounts.models import Game, Studio
from achievements.models.definitions import Achievement
from core.ids import new_id

LONGEST_MESSAGE = 1000
LONGEST_ANSWER = 2000


class ReportState(models.TextChoices):
    """How far a report has come."""

    OPEN = "open"
    ANSWERED = "answered"
    RESOLVED = "resolved"


class PlayerReport(models.Model):
    """A player says that an achievement did not unlock.

    Attributes:
        trace: why it was locked at that moment, as the API explains it to the studio.
        handled_at, handled_by: when it got the state that it has, and by whom; empty while nobody has looked.

    """

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    studio = models.ForeignKey(Studio, on_delete=models.CASCADE, related_name="+", db_index=False)
    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+")
    achievement = models.ForeignKey(Achievement, on_delete=models.CASCADE, related_name="+")
    player_id = models.BigIntegerField()
    message = models.CharField(max_length=LONGEST_MESSAGE, blank=True)
    trace = models.JSONField()
    state = models.CharField(max_length=8, choices=ReportState.choices, default=ReportState.OPEN)
    created_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)
    handled_by = models.CharField(max_length=254, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["player_id", "achievement"],
                condition=Q(state=ReportState.OPEN),
                name="one_open_report_per_player_and_achievement",
            )
        ]
        indexes = [
            models.Index(fields=["studio", "state", "-id"], name="reports_of_studio"),
            models.Index(fields=["player_id", "-created_at"], name="reports_of_player"),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} on {self.achievement_id}: {self.state}"


class ReportAnswer(models.Model):
    """What a player was answered."""

    report = models.ForeignKey(PlayerReport, on_delete=models.CASCADE, related_name="answers")
    text = models.CharField(max_length=LONGEST_ANSWER)
    at = models.DateTimeField()
    by = models.CharField(max_length=254, help_text="`user:<e-mail address>`.")

    def __str__(self) -> str:
        return self.text
