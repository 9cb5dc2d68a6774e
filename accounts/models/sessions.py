"""In which browsers players are signed in, who may not listen any more, and which signatures were used."""

from django.db import models
from django.db.models.functions import Now

from accounts.models.players import Player
from accounts.models.studios import Studio
from core.ids import new_id


class PlayerSession(models.Model):
    """A browser in which a player is signed in, by a cookie that is kept only as a SHA-256 hash.

    `studio` is whose token it was begun with: a ban by that studio ends it. One without was begun by who signed in to
    the player site himself: it ends with that login.
    """

    uuid = models.UUIDField(unique=True, default=new_id, editable=False)
    player = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="sessions")
    studio = models.ForeignKey(Studio, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    login = models.BinaryField(
        null=True, editable=False, help_text="SHA-256 of the key of the login session that it belongs to."
    )
    hash = models.BinaryField(unique=True, editable=False)
    user_agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["login"], name="player_sessions_of_login", condition=models.Q(login__isnull=False)
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(studio=None) ^ models.Q(login=None),
                name="a_player_session_is_by_token_or_by_login",
            )
        ]

    def __str__(self) -> str:
        return f"{self.player} since {self.created_at}"


class Dismissal(models.Model):
    """Somebody may not listen any more: for `live` processes, which ask every two seconds; kept for a day.

    Attributes:
        studio_id: whose tokens, of what is a studio's matter; None of a player who is gone for all of them.
        session_id: which session, when one was ended.

    """

    class Kind(models.TextChoices):
        """What ended."""

        TOKENS = "tokens"
        SESSION = "session"
        BAN = "ban"
        PLAYER = "player"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    player_id = models.BigIntegerField()
    studio_id = models.BigIntegerField(null=True)
    session_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_index=True, db_default=Now())

    def __str__(self) -> str:
        return f"{self.kind} of {self.player_id}"


class Nonce(models.Model):
    """A signature's nonce that was used, with its token, as a hash: neither is used again."""

    digest = models.BinaryField(primary_key=True)
    used_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return bytes(self.digest).hex()
