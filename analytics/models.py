"""What analytics keeps: how much a studio used, and which players were active."""

from django.db import models


class Usage(models.Model):
    """How much of something a studio's games did on a day (UTC), or in a month for `players_month`."""

    class Kind(models.TextChoices):
        """What is counted."""

        UNLOCKS = "unlocks"
        VALUES = "values"
        SCORES = "scores"
        PLAYERS = "players"
        PLAYERS_MONTH = "players_month"
        NEW_PLAYERS = "new_players"

    pk = models.CompositePrimaryKey("studio_id", "day", "kind")
    studio_id = models.BigIntegerField()
    day = models.DateField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.studio_id} on {self.day}: {self.count} {self.kind}"


class ActivePlayer(models.Model):
    """A player who was active in a studio's games on a day, or in the month that begins on it; so each counts once."""

    pk = models.CompositePrimaryKey("studio_id", "begin", "is_month", "player_id")
    studio_id = models.BigIntegerField()
    begin = models.DateField()
    is_month = models.BooleanField()
    player_id = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["begin"], name="active_players_by_age"),
            models.Index(fields=["player_id"], name="active_days_of_player"),  # who may become another
        ]

    def __str__(self) -> str:
        return f"{self.player_id} of {self.studio_id} from {self.begin}"
