"""Pictures that studios uploaded."""

from django.db import models
from django.db.models import Q

from accounts.models import Game


class Icon(models.Model):
    """A picture that a studio uploaded for one of a game's achievements, in all its sizes.

    Its files are named by the game and the digest; definitions and what keeps definitions name it by address.
    """

    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=32)
    contrast_light = models.FloatField(help_text="With the surface of the light theme, 1 to 21.")
    contrast_dark = models.FloatField(help_text="With the surface of the dark theme, 1 to 21.")
    created_at = models.DateTimeField()
    unnamed_since = models.DateTimeField(
        null=True, help_text="Since when nothing is known that names it; such a one goes after some days."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["game", "digest"], name="one_icon_per_game_and_digest")
        ]
        indexes = [
            models.Index(
                fields=["unnamed_since"], condition=Q(unnamed_since__isnull=False), name="icons_that_go"
            )
        ]

    def __str__(self) -> str:
        return f"{self.game_id}: {self.digest}"
