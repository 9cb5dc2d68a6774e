"""Codes that join another id to a player, and what was given instead of one."""

from django.db import models

from accounts.models.players import Player
from accounts.models.studios import Studio
from accounts.models.users import User


class LinkCode(models.Model):
    """A code that joins another id to a player, once and for ten minutes; kept as a keyed hash only.

    A used one is kept for a while, so that who did not hear the answer may ask again.
    """

    player = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="+")
    studio = models.ForeignKey(
        Studio, on_delete=models.CASCADE, related_name="+", help_text="Who asked for it."
    )
    hash = models.BinaryField(unique=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["player"], condition=models.Q(used_at=None), name="one_open_link_code_per_player"
            )
        ]

    def __str__(self) -> str:
        return f"for {self.player_id} until {self.expires_at}"


class LinkFailure(models.Model):
    """A studio gave a code that is not valid: too many, and it has to wait."""

    studio = models.ForeignKey(Studio, on_delete=models.CASCADE, related_name="+", db_index=False)
    external_id = models.CharField(max_length=128)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["studio", "-at"], name="link_failures_of_studio")]

    def __str__(self) -> str:
        return f"{self.external_id} of {self.studio_id} at {self.at}"


class AccountLinkFailure(models.Model):
    """Somebody gave a link code on the player site that is not valid: too many, and he has to wait."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.user_id} at {self.at}"
